"""The page of `backtest closeout`: its tables, made short, beside its figures."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from backtest.present.exhibit import Exhibit, Section
from backtest.studies.closeout.answer import closeout_answer
from backtest.studies.closeout.figures import (
    breach_by_coordination,
    coordination_words,
    margin_steps,
)
from backtest.studies.closeout.study import COUNTS, CloseoutStudy

CAPTION = (
    "A pooled margin assumes that the silos close a defaulter out as one, that its legs are closed "
    "out over the same days, and that positions are sold at the price on the screen. Each "
    "assumption is dropped here in turn. No clearing house runs exactly these models, every scored "
    "day counts as a default day, and requirements are taken as fully posted: calls play no part. "
    "An uncoordinated close-out is meant to end on the same days as a coordinated one; what silos "
    "might pay each other afterwards under a loss-sharing agreement is left out."
)

SHORT = {  # names of steps as column heads; two models' names for the same step share a column
    "diversification": "diversif.",
    "dependence": "offset",
    "diversification and offset": "both",
    "MPOR mismatch": "mismatch",
    "cap and floor": "cap",
}

# All other columns of the table of steps are shares.
STEP_FORMATS = {"silos' margins": ".3f", "exceeded": ".0f", "without mismatch": ".0f"}


def closeout_exhibit(study: CloseoutStudy) -> Exhibit:
    """All sections of a close-out study, in the order in which they are read."""
    return Exhibit(
        kind="closeout",
        title="Close-out: coordination, MPOR mismatch, liquidation cost",
        answer=closeout_answer(study),
        caption=CAPTION,
        simulated=study.provenance.prices.simulated,
        source_line=f"{study.provenance.sentence()}; seed {study.provenance.seed}.",
        sections=(
            _coordination(study),
            *([_steps(study)] if len(study.steps) else []),  # of a model without steps: none
            _liquidation(study),
            _costs(study),
        ),
        provenance=study.provenance,
        text=study.text,
    )


def _coordination(study: CloseoutStudy) -> Section:
    table = study.ranked.rows(study.coordination, "book")

    def with_interval(name: str, words: Callable[[float], str]) -> list[str]:
        columns = (table[name], table[f"{name}_low"], table[f"{name}_high"])
        return [
            f"{words(value)} [{'n/a' if np.isnan(low) else f'{words(low)}, {words(high)}'}]"
            for value, low, high in zip(*columns, strict=True)
        ]

    brief = pd.DataFrame(
        {
            "some silo short, % [95 %]": with_interval("any_short", lambda p: f"{100 * p:.2f}"),
            "separate silos, %": [f"{100 * rate:.2f}" for rate in table["allowed"]],
            "pool short, % [95 %]": with_interval("pooled_short", lambda p: f"{100 * p:.2f}"),
            "pool misses, probability": table["pool_misses"],
            "break-even coordination [95 %]": with_interval("break_even", coordination_words),
            "never, probability": table["never"],
            f"breach at {study.coordination_assumed:g}": table["assumed"],
        },
        index=table.index,
    )
    return Section(
        name="coordination",
        heading="How well must the silos coordinate?",
        text=study.ranked.note("coordination.csv")
        + (
            "P(some silo short under its allocated margin), P(pooled loss over pooled margin), and "
            "the probability of a joint close-out at which a shortfall somewhere is as frequent as "
            "among separate silos: c* = (P_any - P_separate) / (P_any - P_joint), 0 where the "
            "allocated margins alone are no worse than that, 'never' where even the pool is. "
            f"Separate silos: share of days on which some silo is short though each, with the "
            f"margin of the study's sizing model scaled in hindsight, is short on no more than "
            f"{_allowed(study)} of them; {_independent(study)} if silos knew nothing of each "
            "other. It is taken as known. 'Pool misses': probability that the pool is short on "
            f"more than {_allowed(study)} of days, the standard of one margin; 'never': on more "
            "than separate silos are. Each silo's margin is its own less the same share for all, "
            "the form of the CME-FICC programme. Intervals count clustered days as fewer; they "
            "held 91 to 99 % of truths where shocks to volatility halve within 35 days, 76 to "
            "92 % where in a year (docs/intervals.md). n/a: no silo was ever short."
        ),
        table=study.coordination,
        brief=brief,
        formats={
            "never, probability": ".0%",
            "pool misses, probability": ".0%",
            f"breach at {study.coordination_assumed:g}": ".2%",
        },
        figure=breach_by_coordination(study),
    )


def _allowed(study: CloseoutStudy) -> str:
    return f"{100 * (1 - study.provenance.confidence):g} %"


def _independent(study: CloseoutStudy) -> str:
    """Rate of separate silos that know nothing of each other, by how many silos a book has."""
    rates = sorted(set(study.coordination["independent"].round(9)))
    return " or ".join(f"{100 * rate:.3g} %" for rate in rates)


def _steps(study: CloseoutStudy) -> Section:
    brief = _short_steps(study.ranked.rows(study.steps, "book"))
    return Section(
        name="margin_steps",
        heading="What closing out over different days takes back",
        text=study.ranked.note("margin_steps.csv")
        + (
            "Mean of the silos' own margins summed (USD m) and the steps from it to the "
            "requirement, as shares of it. Mismatch = requirement over own MPORs less the "
            "requirement if all legs closed out over the shortest of them, each leg's own margin "
            "unchanged: a correlation of daily moves is multiplied by min(H) / sqrt(H1 H2). Legs "
            "that add up have a negative charge. The last columns count exceedances of the "
            "requirement, and of it without the mismatch. In a historical simulation of the "
            "joint book the step also carries the sampling noise of two tails, several points of "
            "those margins on a single day."
        ),
        table=study.steps,
        brief=brief,
        formats=dict.fromkeys(map(str, brief), ".1%") | STEP_FORMATS,
        # A longer MPOR is scored on fewer days, and all are averaged over the days they share.
        source_line=(
            f"{study.provenance.prices.sentence()}; n = {study.steps['observations'].iloc[0]:,} "
            f"days that every MPOR scores, from {study.provenance.scored.first_scored}; "
            f"{study.provenance.confidence:.0%} coverage, MPOR as in the rows."
        ),
        figure=margin_steps(study),
    )


def _liquidation(study: CloseoutStudy) -> Section:
    return Section(
        name="liquidation",
        heading="What selling costs (approximate)",
        text=study.ranked.note("liquidation.csv")
        + (
            "APPROXIMATE. Half the bid-offer plus daily volatility (60 days) times the square root "
            "of size over average daily volume, added to every loss; no model charges for it. USD. "
            "One set of parameters for all of history, and nobody else sells: both understate it."
        ),
        table=study.liquidation,
        brief=study.ranked.rows(study.liquidation, "book") if study.ranked.is_selection else None,
        formats={"mean_cost": ",.0f", "max_cost": ",.0f", "cost_over_margin": ".1%"},
    )


def _costs(study: CloseoutStudy) -> Section:
    return Section(
        name="liquidation_costs",
        heading="Where these costs come from",
        text="Half the bid-offer in basis points of notional, average daily volume in USD; a "
        "contract at another venue is given the figures of its home market.",
        table=study.costs,
        formats={"half_spread_bp": ".2f", "adv_usd": ",.0f", "coefficient": ".1f"},
        source_line="One set of parameters for all days; sources in the table.",
    )


def _short_steps(steps: pd.DataFrame) -> pd.DataFrame:
    """A row a (book, model, MPOR): silos' margins in USD m, steps in their order, exceedances."""
    steps = steps.assign(step=steps["step"].replace(SHORT))
    grouped = steps.groupby(["book", "model", "mpor"], sort=False)
    shares = steps.pivot_table(
        index=["book", "model", "mpor"], columns="step", values="share_of_gross", sort=False
    )
    brief = pd.DataFrame({"silos' margins": grouped["usd"].first() / 1e6})
    # 'required' is the last step of some models only, and still goes to the end of the row.
    brief = brief.join(shares[[s for s in shares if s not in ("gross", "required")]])
    brief["required"] = shares["required"]
    brief["exceeded"] = grouped[COUNTS[0]].first()
    brief["without mismatch"] = grouped[COUNTS[1]].first()
    return brief
