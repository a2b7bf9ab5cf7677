"""Cover-1 and cover-2: what a house needs beyond margin if its largest members fail.

CPMI-IOSCO, Principles for financial market infrastructures (2012), Principle 4, key
consideration 4: resources for the default of the participant and its affiliates with the largest
exposure, or of the two largest, in extreme but plausible conditions. EMIR asks the same in
Article 42(3), and 17 CFR 39.33(a)(1) of systemically important houses.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from backtest.market.episodes import EPISODES
from backtest.replay.protection.protect import Protection
from backtest.replay.protection.tabled import tabled
from backtest.replay.protection.units import Units
from backtest.scores.money.seldom import seldom
from backtest.types import FloatArray

CONFIDENCE = 0.999
EVERYWHERE = "all houses"


@dataclass(frozen=True, eq=False)
class Needs:
    """What the failure of each firm needs beyond margin.

    Parameters
    ----------
    usd : (states, days, firms, houses) USD. weight : (states,) probability of each state: houses
        close out jointly, or apart.
    """

    usd: FloatArray
    weight: FloatArray


def firm_needs(done: Protection, model: str, arrangement: str) -> Needs:
    """What a house lacks if a firm fails with every customer of its that lacks something.

    Nobody pays from resources. Customers lack what their units lack (`Units`): each account by
    itself where margin is gross, the net position where it is omnibus, so that gains of fellow
    customers count there alone. What the firm advanced, and then what its own account has left at
    that house, lower it; what its own account lacks is added, and nobody else's money pays that.
    Neither the firm's contribution nor a guaranty of another house is taken off.
    """
    units, outcome = Units.of(done, model, arrangement), done.outcomes[model, arrangement]
    firms = np.arange(len(done.structure.firm_names))
    of_firm = units.firm == firms[:, None]
    states = [(True, done.coordination), (False, 1.0 - done.coordination)]
    needs, weights = [], []
    for joint, weight in states:
        if weight > 0.0:
            lack, left = units.lacks(joint=joint)
            customers = _by_firm(of_firm & ~units.own, lack)
            own, surplus = (_by_firm(of_firm & units.own, part) for part in (lack, left))
            rest = np.maximum(customers - outcome.holdings.advanced, 0.0)
            needs.append(np.maximum(rest - surplus, 0.0) + own)
            weights.append(weight)
    return Needs(np.stack(needs), np.array(weights))


def _by_firm(members: np.ndarray, amounts: FloatArray) -> FloatArray:
    """(days, firms, houses) sums of (days, units, houses); members : (firms, units)."""
    sums: FloatArray = np.einsum("fu,tuh->tfh", members.astype(np.float64), amounts, optimize=True)
    return sums


def largest(needs: FloatArray, count: int) -> FloatArray:
    """Sum of the `count` largest firms; needs (..., firms) USD.

    Examples
    --------
    >>> largest(np.array([3.0, 7.0, 5.0]), 2).item(), largest(np.array([3.0]), 2).item()
    (12.0, 3.0)
    """
    total: FloatArray = np.sort(needs, axis=-1)[..., ::-1][..., :count].sum(axis=-1)
    return total


def cover(
    done: Protection,
    *,
    confidence: float = CONFIDENCE,
    windows: Mapping[str, tuple[str, str]] = EPISODES,
) -> pd.DataFrame:
    """Cover-1 and cover-2 by model, arrangement, house and number of firms; USD.

    No more than (1 - confidence) of the record's days exceed `size`; `low` is the lower end of its
    95 % interval, from days that say as much as `effective_days` independent ones (`seldom`). There
    is no upper end: no record bounds what lies beyond its worst days, and in the long run more than
    one day in a thousand exceeds a `size` at 99.9 % (docs/intervals.md). `largest` is that of the
    worst `day`, with the firms that it is of; a column a stress window has the largest in it, NaN
    outside the record.

    Examples
    --------
    >>> import backtest as bt, strategies as st
    >>> from backtest.clearing import Member, Structure
    >>> from backtest.replay.protection import protect
    >>> market = bt.load_market("sample", end="2018-12-31")
    >>> book = bt.Book.from_frame(pd.DataFrame({"UST10Y": [1e8], "BTC": [5e6]}, index=["fund"]))
    >>> done = protect(market, book, {"var": st.HistoricalVaR()}, Structure((Member("fund", "A"),)))
    >>> sizes = cover(done).reset_index().query("house == 'CME' and arrangement == 'silos'")["size"]
    >>> bool(sizes.iloc[0] == sizes.iloc[1] > 0)  # there is one firm
    True
    """
    houses = [*done.book.silos, *([EVERYWHERE] if len(done.book.silos) > 1 else [])]
    rows = {}
    for model, arrangement in done.outcomes:
        needs = firm_needs(done, model, arrangement)
        for place, house in enumerate(houses):
            by_firm = needs.usd.sum(axis=3) if house == EVERYWHERE else needs.usd[..., place]
            least = 0.0  # two firms need no less than one, whatever days each end is counted from
            for count in (1, 2):
                need = largest(by_firm, count)
                found = seldom(need, needs.weight, confidence=confidence)
                least = max(least, found.low)
                at = np.unravel_index(need.argmax(), need.shape)
                named = np.argsort(-by_firm[at], kind="stable")[:count]
                rows[model, arrangement, house, count] = {
                    "size": found.size,
                    "low": least,
                    "effective_days": found.days,
                    "largest": float(need[at]),
                    "day": done.days[int(at[1])],
                    "firms": ", ".join(
                        done.structure.firm_names[f] for f in named if by_firm[at][f] > 0.0
                    ),
                    **_in_windows(done, need.max(axis=0), windows),
                }
    return tabled(rows, "model", "arrangement", "house", "cover")


def _in_windows(
    done: Protection, need: FloatArray, windows: Mapping[str, tuple[str, str]]
) -> dict[str, float]:
    """The largest of (days,) USD in each window; NaN where no scored day is in it."""
    found = {}
    for name, (first, last) in windows.items():
        within = (done.days >= pd.Timestamp(first)) & (done.days <= pd.Timestamp(last))
        found[name] = float(need[within].max()) if within.any() else np.nan
    return found
