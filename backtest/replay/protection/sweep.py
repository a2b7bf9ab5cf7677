"""How far answers move with what is assumed, and whether the order of the arrangements holds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from backtest.clearing.ledger import CENT, FELLOW, FUND, UNCOVERED
from backtest.replay.protection.cover import CONFIDENCE, firm_needs, largest
from backtest.replay.protection.posted import Posted
from backtest.replay.protection.protect import Protection
from backtest.replay.protection.summary import Losses
from backtest.replay.protection.tabled import tabled
from backtest.replay.protection.variations import Variation, variations
from backtest.scores.money.seldom import exceeded_seldom
from backtest.types import FloatArray, Progress, counted, unheard

# What is swept: mean margin, a year's losses by bearer, and the fund that covers two firms.
MEASURES = ("margin", "fellow_usd", "fund_usd", "uncovered_usd", "cover_2")
SAME = 1e-3  # a relative change below it is none
ALIKE = 1e-2  # losses so close, relative to the largest, have no order


@dataclass(frozen=True, eq=False)
class Swept:
    """Answers by variation and arrangement.

    Parameters
    ----------
    model : that margins the accounts. arrangements : names.
    held : (arrangements, measures) USD as assumed; a loss is a year's.
    moved : each variation with the same.
    """

    model: str
    arrangements: tuple[str, ...]
    held: FloatArray
    moved: tuple[tuple[Variation, FloatArray], ...]

    def table(self) -> pd.DataFrame:
        """One row a (term, end, arrangement): value, and each measure as assumed and there."""
        rows = {}
        for variation, there in self.moved:
            reordered = changes_of_order(self.held[:, 1], there[:, 1])
            for a, name in enumerate(self.arrangements):
                row: dict[str, object] = {
                    "held": str(variation.held),
                    "value": str(variation.value),
                }
                for m, measure in enumerate(MEASURES):
                    row |= {measure: self.held[a, m], f"{measure}_there": there[a, m]}
                rows[variation.term, variation.end, name] = row | {
                    "order_changes": bool(reordered), "why": variation.why,
                }  # fmt: skip
        return tabled(rows, "term", "end", "arrangement")

    def by_term(self, measure: str = "fellow_usd") -> pd.DataFrame:
        """One row a term, those that move a measure most first.

        `lowest` and `highest` value that any arrangement's measure takes relative to what it is as
        assumed (infinite from nothing to something), `order` the pairs of arrangements whose order
        in `fellow_usd` changes at some end.
        """
        m = MEASURES.index(measure)
        rows: dict[str, dict[str, Any]] = {}
        for variation, there in self.moved:
            row = rows.setdefault(
                variation.term,
                {"held": str(variation.held), "low": "", "high": "", "lowest": 0.0, "highest": 0.0,
                 "order": ()},
            )  # fmt: skip
            row[variation.end] = str(variation.value)
            change = _relative(self.held[:, m], there[:, m])
            row["lowest"] = min(row["lowest"], change.min())
            row["highest"] = max(row["highest"], change.max())
            pairs = changes_of_order(self.held[:, 1], there[:, 1])
            named = [f"{self.arrangements[i]} / {self.arrangements[j]}" for i, j in pairs]
            row["order"] = tuple(dict.fromkeys((*row["order"], *named)))
        ranked = sorted(rows.items(), key=lambda row: -max(-row[1]["lowest"], row[1]["highest"]))
        return pd.DataFrame.from_dict(dict(ranked), orient="index").rename_axis("term")


def sweep(done: Protection, *, model: str | None = None, progress: Progress | None = None) -> Swept:
    """Close out the accounts again with each term at each end of its range, all else as it is.

    model : one of the protection's; its last unless given. Draws and days are the same, so
    that what moves is the term.

    Raises
    ------
    KeyError : no such model.
    """
    name = done.models[-1] if model is None else model
    arrangements = tuple(done.settings)
    each = list(variations(done))
    found = [
        (variation, _measured(variation.close_out(done, name), name, arrangements))
        for variation in counted(progress or unheard, "assumptions", each, len(each))
    ]
    return Swept(name, arrangements, _measured(done, name, arrangements), tuple(found))


def changes_of_order(before: FloatArray, after: FloatArray) -> list[tuple[int, int]]:
    """Pairs (i, j) of which i was below j and is above it; values as good as equal have no order.

    Examples
    --------
    >>> changes_of_order(np.array([1.0, 2.0, 3.0]), np.array([1.0, 4.0, 3.0]))
    [(1, 2)]
    """
    size = max(float(np.abs(before).max()), float(np.abs(after).max())) * ALIKE
    below = before[:, None] < before - size
    above = after[:, None] > after + size
    return [(int(i), int(j)) for i, j in np.argwhere(below & above)]


def _measured(done: Protection, model: str, arrangements: Sequence[str]) -> FloatArray:
    """(arrangements, MEASURES) USD."""
    rows = []
    for name in arrangements:
        needs = firm_needs(done, model, name)
        two = largest(needs.usd.sum(axis=3), 2)
        losses = (Losses.of(done, model, name, b) for b in (FELLOW, FUND, UNCOVERED))
        rows.append(
            [
                float(Posted.of(done, model, name).total.mean()),
                *(float(each.yearly.mean()) for each in losses),
                exceeded_seldom(two, needs.weight, confidence=CONFIDENCE),
            ]
        )
    return np.array(rows)


def _relative(held: FloatArray, there: FloatArray) -> FloatArray:
    """Relative changes; infinite from nothing to something, 0 from nothing to nothing.

    Less than a cent a year is nothing: what is left of sums that cancel has no ratio.

    Examples
    --------
    >>> _relative(np.array([2.0, 1e-20, 0.0]), np.array([3.0, -5e-17, 1.0])).tolist()
    [0.5, 0.0, inf]
    """
    held, there = (np.where(np.abs(usd) < CENT, 0.0, usd) for usd in (held, there))
    gap = there - held
    change = np.divide(gap, held, out=np.where(gap > 0.0, np.inf, 0.0), where=held > 0.0)
    return np.where(np.abs(change) < SAME, 0.0, change)
