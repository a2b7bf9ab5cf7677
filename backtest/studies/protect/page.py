"""The page of `backtest protect`: a row a model and arrangement."""

import pandas as pd

from backtest.clearing.ledger import BEARERS, FELLOW, FUND
from backtest.parameters.sources import source_facts
from backtest.present.exhibit import Exhibit, Section
from backtest.studies.protect.case_sections import case_sections
from backtest.studies.protect.stress import protect_stress_sections
from backtest.studies.protect.study import ProtectStudy
from backtest.studies.protect.sweep_section import sweep_section

TITLE = "Customers, houses and the fund: what a margin model protects"
CAPTION = (
    "Each scored day is one experiment: margin of that day, positions closed out over the MPOR, "
    "and what margin does not cover carried through customers, firms and houses to those who bear "
    "it. No day remembers the one before. What a study does not state of firms and houses is "
    "assumed, and marked so."
)
OUTCOMES_TEXT = (
    "USD, means over the scored days and over defaults. Accounts' margin is the sum "
    "of each account's; houses require less where they margin a firm's customers net. "
    "Fellow-customer loss: collateral taken of customers who paid all they owed; its share of days "
    "is the probability that any is taken. A close-out spans several days, so one loss of an "
    "account that cannot pay is seen by as many experiments."
)


def protection_exhibit(study: ProtectStudy) -> Exhibit:
    """All sections of a protection study, in the order in which they are read."""
    provenance = study.provenance
    return Exhibit(
        kind="protect",
        title=study.config.title or TITLE,
        caption=study.config.caption.strip() or CAPTION,
        simulated=provenance.prices.simulated,
        source_line=f"{provenance.sentence()}; seed {provenance.seed}.",
        sections=(
            Section(
                "outcomes",
                "Who bears what margin does not cover",
                OUTCOMES_TEXT,
                outcomes_table(study),
                brief=outcomes_table(study)[list(BRIEF)].rename(columns=BRIEF),
                formats=FORMATS,
            ),
            *(() if study.cases is None else case_sections(study.cases)),
            *(() if study.swept is None else (sweep_section(study.swept),)),
            *protect_stress_sections(study.stress, study.config, provenance, study.last_day),
        ),
        provenance=provenance,
        text=study.text,
        facts=(*provenance.facts(), *source_facts(provenance.parameters)),
    )


BRIEF = {
    "house_required": "houses require",
    "required": "accounts' margin",
    "fellow_days": "fellow customers lose, days",
    "fellow_loss": "their loss a day",
    "fund_days": "fund touched, days",
    "fund_paid": "it pays a day",
}
FORMATS = {
    "houses require": ",.0f",
    "accounts' margin": ",.0f",
    "fellow customers lose, days": ".3%",
    "their loss a day": ",.0f",
    "fund touched, days": ".3%",
    "it pays a day": ",.0f",
}


def outcomes_table(study: ProtectStudy) -> pd.DataFrame:
    """One row a (model, arrangement): margin, and what each bearer pays; mean USD a day."""
    rows = []
    for (model, arrangement), outcome in study.protection.outcomes.items():
        paid = outcome.paid.sum(axis=1).mean(axis=0)
        touched = outcome.touched.mean(axis=0)
        rows.append(
            {
                "model": model,
                "arrangement": arrangement,
                "required": outcome.required.sum(axis=(1, 2)).mean(),
                "house_required": _house_required(study, model, arrangement),
                "fellow_days": touched[0],
                "fellow_loss": paid[FELLOW],
                "fund_days": touched[1],
                "fund_paid": paid[FUND],
                "firms_fail": touched[2],
                "uncovered_days": touched[3],
                **dict(zip(BEARERS, paid, strict=True)),
            }
        )
    models = list(dict.fromkeys(row["model"] for row in rows))
    table = pd.DataFrame(rows).sort_values(
        "model", key=lambda m: m.map(models.index), kind="stable"
    )
    return table.set_index(["model", "arrangement"])


def _house_required(study: ProtectStudy, model: str, arrangement: str) -> float:
    """Mean USD that houses ask: of firms for their customers, and for firms' own accounts."""
    outcome = study.protection.outcomes[model, arrangement]
    own = study.protection.settings[arrangement].is_own
    customers = outcome.holdings.required.sum(axis=(1, 2, 3)).mean()
    return float(customers + outcome.required[:, own].sum(axis=(1, 2)).mean())
