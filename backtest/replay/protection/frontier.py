"""The frontier: what fellow customers lose against the margin that pooling saves.

A point is a model under an arrangement; a curve runs as firms ask their customers for more than
the houses do. What pooling costs is the difference to `silos` of the same model, on the same days.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from backtest.clearing.arrangement import SILOS
from backtest.clearing.ledger import BEARERS, FELLOW, OTHERS
from backtest.clearing.structure import Structure
from backtest.replay.protection.posted import Posted
from backtest.replay.protection.protect import Protection, close_out
from backtest.replay.protection.summary import Losses
from backtest.replay.protection.tabled import columns_of, tabled
from backtest.scores.money.rare import RareMean, differs, rare_difference
from backtest.types import FloatArray, Progress, counted, unheard

FACTORS = (1.0, 1.1, 1.25, 1.5, 2.0)
NONE = RareMean(0.0, 0.0, 0.0, 0)  # of nothing lost in either
Key = tuple[str, str]


@dataclass(frozen=True, eq=False)
class Frontier:
    """Margin and fellow customers' losses as customers' multiplier runs over a grid.

    Parameters
    ----------
    factors : of the stated multiplier of customers, ascending from 1.
    margin : mean USD that accounts post. fellow : what fellow customers lose by day. Both by
        (model, arrangement), one a factor.
    price : see `prices`.
    """

    factors: tuple[float, ...]
    margin: dict[Key, list[float]]
    fellow: dict[Key, list[Losses]]
    price: pd.DataFrame

    @classmethod
    def of(
        cls,
        done: Protection,
        *,
        factors: Sequence[float] = FACTORS,
        progress: Progress = unheard,
    ) -> "Frontier":
        """Close out all accounts of a protection again, at every multiplier.

        The margins of the houses, resources and firms' capital stay as they are; what is over a
        house's margin is at the firm.
        """
        margin: dict[Key, list[float]] = {key: [] for key in done.outcomes}
        fellow: dict[Key, list[Losses]] = {key: [] for key in done.outcomes}
        for factor in counted(progress, "multipliers", factors, len(factors)):
            again = done if factor == 1.0 else _asking(done, factor)
            for key in done.outcomes:
                margin[key].append(float(Posted.of(again, *key).total.mean()))
                fellow[key].append(Losses.of(again, *key, FELLOW))
        return cls(tuple(factors), margin, fellow, prices(done))

    def _others(self) -> list[Key]:
        """Arrangements that can be compared with silos of their model."""
        return [key for key in self.margin if key[1] != SILOS and (key[0], SILOS) in self.margin]

    def curve(self) -> pd.DataFrame:
        """One row a (model, arrangement, factor); 95 % intervals over dates.

        `margin` mean USD; `saved` share of that of `silos` of the same model as stated; `fellow`
        USD a year that fellow customers lose, and `extra` that over `silos`; `_low` and `_high` NaN
        where fewer than five events are behind them.
        """
        rows = {}
        for key, amounts in self.fellow.items():
            base = (key[0], SILOS)
            for place, factor in enumerate(self.factors):
                lost = amounts[place].amount
                row = {
                    "margin": self.margin[key][place],
                    "fellow": float(amounts[place].yearly.mean()),
                    "fellow_low": lost.low,
                    "fellow_high": lost.high,
                    "events": lost.events,
                }
                if base in self.fellow:
                    row["saved"] = share_saved(row["margin"], self.margin[base][0])
                    more = difference(amounts[place], self.fellow[base][0])
                    row |= {"extra": more.mean, "extra_low": more.low, "extra_high": more.high}
                rows[*key, factor] = row
        return tabled(rows, "model", "arrangement", "factor")

    def even(self) -> pd.DataFrame:
        """The multiplier at which pooling costs fellow customers no more than `silos` do.

        One row a (model, arrangement): `factor`, 1 where none is needed, infinite where none of the
        grid is enough, NaN where fellow customers never lose under either; `saved`, the share of
        silos' margin that is still saved there. `supported` is the first factor of the grid from
        which on even the upper end of the interval of the difference is at or below zero, infinite
        where there is none; NaN where events are too few for an interval. `saved_supported` there.
        """
        rows, factors = {}, np.array(self.factors)
        for key in self._others():
            base = (key[0], SILOS)
            lost = np.array([float(one.yearly.mean()) for one in self.fellow[key]])
            limit = float(self.fellow[base][0].yearly.mean())
            high = [difference(one, self.fellow[base][0]).high for one in self.fellow[key]]
            nothing = not (lost.any() or limit)
            found = np.nan if nothing else float(crossing(factors, lost, limit))
            supported = np.nan if nothing else _supported(factors, np.array(high))
            rows[key] = {
                "factor": found,
                "saved": self._saved(key, found),
                "supported": supported,
                "saved_supported": self._saved(key, supported),
            }
        return tabled(rows, "model", "arrangement")

    def _saved(self, key: Key, factor: float) -> float:
        """Share of silos' margin that is saved at a multiplier; NaN where there is none."""
        if not np.isfinite(factor):
            return float("nan")
        there = float(np.interp(factor, self.factors, self.margin[key]))
        return share_saved(there, self.margin[key[0], SILOS][0])


def share_saved(margin: float, base: float) -> float:
    """Share of a margin that another saves; NaN of none.

    Examples
    --------
    >>> share_saved(30.0, 40.0), share_saved(0.0, 0.0)
    (0.25, nan)
    """
    return 1.0 - margin / base if base > 0.0 else float("nan")


def prices(done: Protection) -> pd.DataFrame:
    """What pooling costs each bearer: USD a year for a million USD of margin saved.

    One row a (model, arrangement, bearer): `extra` USD a year over `silos` and `per_million`, both
    with intervals, NaN where events are too few; `per_million` NaN too where no margin is saved.
    What accounts pay of their own is left out.
    """
    rows = {}
    for model, arrangement in done.outcomes:
        if arrangement == SILOS or (model, SILOS) not in done.outcomes:
            continue
        ours, theirs = (Posted.of(done, model, name).total.mean() for name in (arrangement, SILOS))
        saved = float(theirs - ours)
        unit = 1e6 / saved if saved > 1e-9 * theirs else np.nan
        for place in OTHERS:
            one, other = (Losses.of(done, model, name, place) for name in (arrangement, SILOS))
            more = difference(one, other)
            rows[model, arrangement, BEARERS[place]] = {
                **columns_of("extra", more.ends),
                **columns_of("per_million", more.times(unit).ends),
            }
    return tabled(rows, "model", "arrangement", "bearer")


def difference(one: Losses, other: Losses) -> RareMean:
    """USD a year that is paid more, paired by day; nothing at all where neither ever pays."""
    if not (one.yearly.any() or other.yearly.any()):
        return NONE
    return rare_difference(one.yearly, other.yearly, seen=differs(one.base, other.base))


def crossing(factors: FloatArray, lost: FloatArray, limit: float) -> float:
    """The smallest factor from which on losses are at or below a limit.

    factors, lost : (factors,), ascending factors. Between two factors losses are taken as a
    straight line; infinite where even the last is above the limit.

    Examples
    --------
    >>> crossing(np.array([1.0, 2.0, 3.0]), np.array([8.0, 4.0, 2.0]), 3.0)
    2.5
    """
    above = np.flatnonzero(lost > limit)
    if not len(above):
        return float(factors[0])
    last = int(above[-1])
    if last == len(factors) - 1:
        return float("inf")
    share = (lost[last] - limit) / (lost[last] - lost[last + 1])
    return float(factors[last] + share * (factors[last + 1] - factors[last]))


def _supported(factors: FloatArray, high: FloatArray) -> float:
    """The first factor from which on no upper end is above zero."""
    above = np.flatnonzero(high > 0.0)
    rest = factors[above[-1] + 1 :] if len(above) else factors
    known = ~np.isnan(high[len(factors) - len(rest) :])
    if not len(rest):
        return float("inf")
    return float(rest[0]) if known.all() else float("nan")


def _asking(done: Protection, factor: float) -> Protection:
    """The same accounts where firms ask their customers for a multiple of what they ask now."""
    rules = next(iter(done.settings.values())).rules
    firms = {}
    for name in done.structure.firm_names:
        firm = done.structure.firm(name)
        stated = rules.assumptions.multiplier if firm.multiplier is None else firm.multiplier
        firms[name] = replace(firm, multiplier=factor * stated)
    return close_out(
        done.margined,
        Structure(done.structure.members, firms, done.structure.houses),
        stated=done.stated,
        arrangements=[setting.arrangement for setting in done.settings.values()],
        models=done.models,
        rules=rules,
        coordination=done.coordination,
        draws=done.draws,
        seed=done.seed,
        path=done.path,
    )
