"""How far dollars a year move with what is assumed of customers, firms and close-out."""

from collections.abc import Iterator
from dataclasses import replace

import pandas as pd

from backtest.clearing.arrangement import SILOS
from backtest.clearing.rules import Rules
from backtest.parameters.files import header
from backtest.replay.protection.protect import Protection, close_out
from backtest.studies.protect.dollars import DollarTerms, dollars

ASSUMED = "protection_assumed"
AS_ASSUMED, COORDINATION = "as assumed", "coordination of houses"


def dollars_swept(
    protection: Protection, terms: DollarTerms, *, model: str, arrangement: str
) -> pd.DataFrame:
    """Dollars a year of one model and arrangement with each assumption at each end of its range.

    Rows are (assumption, value), the first as assumed; columns those of `dollars`. One assumption
    moves at a time, with the same draws, against `silos` under the same assumption.
    """
    setting = protection.settings[arrangement]
    arrangements = [protection.settings[name].arrangement for name in (SILOS, arrangement)]
    rows = {}
    for (what, value), rules, coordination in _moved(setting.rules, protection.coordination):
        done = close_out(
            protection.margined, protection.structure, stated=protection.stated,
            arrangements=arrangements, models=[model], rules=rules, coordination=coordination,
            draws=protection.draws, seed=protection.seed, path=protection.path,
        )  # fmt: skip
        rows[what, value] = dollars(done, terms).loc[(model, arrangement)]
    index = pd.MultiIndex.from_tuples(list(rows), names=["assumption", "value"])
    return pd.DataFrame(list(rows.values())).set_axis(index)


def _moved(rules: Rules, coordination: float) -> Iterator[tuple[tuple[str, str], Rules, float]]:
    """What is assumed, and each assumption at the ends of its range that are not its own value.

    Terms that a study states itself are no assumptions, and stay.
    """
    yield (AS_ASSUMED, ""), rules, coordination
    for entry in header(ASSUMED).uncertain:
        if not entry.moves or entry.term in rules.stated:
            continue
        assumed = getattr(rules.assumptions, entry.term)
        for end in (entry.low, entry.high):
            if end != assumed:
                moved = rules.assumptions.model_copy(update={entry.term: end})
                name = entry.term.replace("_", " ")
                yield (name, f"{end}"), replace(rules, assumptions=moved), coordination
    for end in (0.0, 1.0):
        if end != coordination:
            yield (COORDINATION, f"{end:g}"), rules, end
