"""Limitations of the evidence, each paired with the control that stands against it."""

from collections.abc import Sequence
from dataclasses import dataclass

from backtest.studies.dossier.fields import TO_BE_COMPLETED, Fields
from backtest.studies.dossier.folders import Scored
from backtest.studies.run import facts
from backtest.studies.validate.page import MOVED, NOT_AUDITED

# Key of a limitation -> its words on the pages of `run` and `validate`, and what answers it here.
CONTROLS: dict[str, tuple[str, str]] = {
    "simulated": (facts.SIMULATED, "Sign nothing off: run the study on real prices."),
    "families": (
        facts.FAMILIES,
        "Validate the house's own margins beside it: `backtest validate FILE`.",
    ),
    "equal-coverage": (
        facts.EQUAL_COVERAGE,
        "Read the interval (section 7) and the pairs of models (section 8), not the point.",
    ),
    "bounds": (
        facts.BOUNDS,
        "Use the bound and never the estimate; the measured share of unsafe bounds stands beside "
        "each (section 9).",
    ),
    "no-bounds": (facts.NO_BOUNDS, "`backtest offset` on the same study estimates bounds."),
    "rebalanced": (
        facts.REBALANCED,
        "Replay positions as they were: positions by day (docs/positions.md), or `rebalance`.",
    ),
    "par-yields": (
        facts.PAR_YIELDS,
        "Run the same books on traded futures; validate with P&L from the books.",
    ),
    "carry": (
        facts.CARRY,
        "Ask whether the house's own margin accrues the MPOR; score its margins and P&L with "
        "`backtest validate FILE`.",
    ),
    "curve-futures": (facts.CURVE_FUTURES, "Use settlements of the contracts (docs/rolls.md)."),
    "swaps": (facts.SWAPS, "Declare the swap curve's own prices (docs/declare.md)."),
    "splices": (facts.SPLICES, "Use settlements of the contracts (docs/rolls.md)."),
    "closes": (
        facts.CLOSES,
        "`backtest clocks` shows the correlation by horizon; the bounds allow for its drift.",
    ),
    "overlap": (
        facts.OVERLAP,
        "Coverage p and the intervals allow for it (section 7); counts are never used alone.",
    ),
    "few-tail-days": (
        facts.FEW_TAIL_DAYS,
        "Section 10 says what the record could have shown; section 12 goes on counting.",
    ),
    "no-pairs": (facts.NO_PAIRS, "Score a longer record."),
    "given": (
        NOT_AUDITED,
        "Ask whoever computed the margins for the code, and audit its causality.",
    ),
    "moved": (MOVED, "Give P&L over the MPOR of the positions that were margined (--pnl mpor)."),
}


@dataclass(frozen=True)
class Limitation:
    """A limitation with its control: what the tool offers, and what a person states."""

    key: str
    words: str
    control: str
    stated: str
    owner: str


def limitations(studies: Sequence[Scored], fields: Fields) -> tuple[Limitation, ...]:
    """Every limitation that applies to one of the studies, once."""
    words = list(dict.fromkeys(limit for each in studies for limit in _limits(each)))
    keys = {sentence: key for key, (sentence, _) in CONTROLS.items()}
    rows = []
    for sentence in words:
        key = keys[sentence]
        said = fields.limitations.get(key)
        stated, owner = ("", "") if said is None else (said.control.strip(), said.owner.strip())
        rows.append(
            Limitation(
                key,
                sentence,
                CONTROLS[key][1],
                stated or TO_BE_COMPLETED,
                owner or TO_BE_COMPLETED,
            )
        )
    return tuple(rows)


def _limits(each: Scored) -> list[str]:
    given = each.origin.given
    if given is None:
        return facts.limits(each.study, each.ladder, list(each.books))
    has_bounds = "total_bound" in each.ladder and bool(each.ladder["total_bound"].notna().any())
    conditions = {
        NOT_AUDITED: True,
        MOVED: given.span == "daily" and given.mpor > 1,
        facts.EQUAL_COVERAGE: True,
        facts.BOUNDS: has_bounds,
        facts.NO_BOUNDS: bool(len(each.ladder)) and not has_bounds,
        facts.OVERLAP: each.study.overlap > 1,
        facts.FEW_TAIL_DAYS: True,
        facts.NO_PAIRS: len(each.study.models) > 1 and each.findings.pairs is None,
    }
    return [words for words, holds in conditions.items() if holds]
