"""The frontier: what fellow customers lose against the margin that pooling saves.

A point is a model under an arrangement; a curve runs as firms ask their customers for more than
the houses do. What pooling costs is the difference to `silos` of the same model, on the same days.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from backtest.clearing.ledger import BEARERS, CENT, FELLOW
from backtest.clearing.structure import Structure
from backtest.replay.protection.posted import Posted
from backtest.replay.protection.protect import Protection, close_out
from backtest.replay.protection.tabled import tabled
from backtest.replay.protection.yearly import bearers_by_year
from backtest.scores.money.level import ratio_interval
from backtest.scores.money.rare import (
    FEWEST_EVENTS,
    RareMean,
    differs,
    event_amounts,
    rare_difference,
    rare_mean,
)
from backtest.scores.resample import day_weights, stationary_indices
from backtest.types import FloatArray, Progress, counted, unheard

FACTORS = (1.0, 1.1, 1.2, 1.35, 1.5, 1.75, 2.0, 2.5, 3.0)
BASE = "silos"
ENDS = (0.025, 0.975)


@dataclass(frozen=True, eq=False)
class Frontier:
    """Margin and bearers' losses by day, as customers' multiplier runs over a grid.

    Parameters
    ----------
    keys : (model, arrangement) of each row. factors : of the stated multiplier of customers.
    margin : (keys, factors, days) USD that accounts post.
    yearly : (keys, factors, days, bearers) USD a year that each bearer pays. base : USD of each day
        without defaults that come whatever prices do, the events on which intervals rest.
    touched : (keys, days) probability that fellow customers lose, at the stated multiplier.
    weights : (resamples, days) how often each day is drawn, the same for all.
    """

    keys: tuple[tuple[str, str], ...]
    factors: tuple[float, ...]
    margin: FloatArray
    yearly: FloatArray
    base: FloatArray
    touched: FloatArray
    weights: FloatArray

    @classmethod
    def of(
        cls,
        done: Protection,
        *,
        factors: Sequence[float] = FACTORS,
        seed: int = 0,
        progress: Progress = unheard,
    ) -> "Frontier":
        """Close out all accounts of a protection again, at every multiplier.

        factors : of the stated multiplier, ascending from 1. The margins of the houses, resources
        and firms' capital stay as they are; what is over a house's margin is at the firm.
        """
        keys = tuple(done.outcomes)
        days = len(done.days)
        margin = np.empty((len(keys), len(factors), days))
        yearly = np.empty((len(keys), len(factors), days, len(BEARERS)))
        base = np.empty_like(yearly)
        each = list(enumerate(factors))
        for place, factor in counted(progress, "multipliers", each, len(each)):
            again = done if factor == 1.0 else _asking(done, factor)
            for k, key in enumerate(keys):
                margin[k, place] = Posted.of(again, *key).total
                yearly[k, place] = bearers_by_year(again, *key)
                undrawn = again.outcomes[key].base.sum(axis=1)
                base[k, place] = np.where(undrawn < CENT, 0.0, undrawn)
        touched = np.stack([done.outcomes[key].touched[:, 0] for key in keys])
        weights = day_weights(stationary_indices(days, seed=seed))
        return cls(keys, tuple(factors), margin, yearly, base, touched, weights)

    def points(self) -> pd.DataFrame:
        """One row a (model, arrangement), with 95 % intervals over dates.

        `margin` mean USD; `saved` share of that of `silos` of the same model; `fellow_year` USD a
        year that fellow customers lose; `extra` that over `silos`; `fellow_days` probability a day.
        Ends of losses are NaN where the record has too few events (`scores.money.rare`).
        """
        return self._frame(0, self.keys)

    def curve(self) -> pd.DataFrame:
        """The same at each multiplier; one row a (model, arrangement, factor).

        `saved` and `extra` are against `silos` at the stated multiplier.
        """
        rows = pd.concat(
            [self._frame(place, self.keys).assign(factor=f) for place, f in enumerate(self.factors)]
        )
        return rows.set_index("factor", append=True).drop(columns=["fellow_days"])

    def _frame(self, place: int, keys: Sequence[tuple[str, str]]) -> pd.DataFrame:
        rows = {}
        for k, key in enumerate(keys):
            margin, lost = self.margin[k, place], self._fellow(k, place)
            found = rare_mean(np.maximum(lost[0], 0.0), seen=lost[1])
            row = {"margin": margin.mean(), "fellow_year": lost[0].mean()}
            row["fellow_low"], row["fellow_high"] = found.low, found.high
            if (key[0], BASE) in self.keys:
                silos = self.keys.index((key[0], BASE))
                ratio, low, high = ratio_interval(margin, self.margin[silos, 0])
                more = self._more(k, silos, place, FELLOW)
                row |= {"saved": 1.0 - ratio, "saved_low": 1.0 - high, "saved_high": 1.0 - low}
                row |= {"extra": more.mean, "extra_low": more.low, "extra_high": more.high}
            row["fellow_days"] = self.touched[k].mean()
            rows[key] = row
        return tabled(rows, "model", "arrangement")

    def price(self) -> pd.DataFrame:
        """What pooling costs each bearer: USD a year for a million USD of margin saved.

        One row a (model, arrangement, bearer): `extra` USD a year over `silos`, `per_million`, both
        with intervals of the losses, NaN where events are too few; NaN where no margin is saved.
        What accounts pay themselves is left out.
        """
        rows = {}
        for k, (model, arrangement) in enumerate(self.keys):
            if arrangement == BASE or (model, BASE) not in self.keys:
                continue
            base = self.keys.index((model, BASE))
            saved = float((self.margin[base, 0] - self.margin[k, 0]).mean())
            for b, bearer in enumerate(BEARERS):
                if bearer == "accounts":
                    continue
                more = self._more(k, base, 0, b)
                price = more.times(1e6 / saved if saved > 0.0 else np.nan)
                row = {"extra": more.mean, "extra_low": more.low, "extra_high": more.high}
                row |= {"per_million": price.mean}
                row |= {"per_million_low": price.low, "per_million_high": price.high}
                rows[model, arrangement, bearer] = row
        return tabled(rows, "model", "arrangement", "bearer")

    def even(self) -> pd.DataFrame:
        """The multiplier at which pooling costs fellow customers no more than `silos` do.

        One row a (model, arrangement): `factor`, 1 where none is needed, infinite where none within
        the grid is enough, NaN where fellow customers never lose under either; `saved`, the share
        of silos' margin that is still saved at it; with an interval of resampled days where silos
        and pool have events enough, and `never`, the share of resamples in which no multiplier is
        enough.
        """
        rows = {}
        for k, (model, arrangement) in enumerate(self.keys):
            if arrangement == BASE or (model, BASE) not in self.keys:
                continue
            base = self.keys.index((model, BASE))
            places = range(len(self.factors))
            lost = np.stack([self._means(self._fellow(k, place)[0]) for place in places], axis=1)
            margin = np.stack([self._means(self.margin[k, place]) for place in places], axis=1)
            stand, limit = self._means(self.margin[base, 0]), self._means(self._fellow(base, 0)[0])
            factor = crossing(np.array(self.factors), lost, limit)
            at = np.where(np.isfinite(factor), factor, np.nan)
            there = np.array(
                [np.interp(f, self.factors, m) for f, m in zip(at, margin, strict=True)]
            )
            saved = 1.0 - there / stand
            if not (lost[0].any() or limit[0]):
                factor = saved = np.full_like(factor, np.nan)
            row = {"factor": factor[0], "saved": saved[0]}
            events = min(len(event_amounts(self._fellow(one, 0)[1])) for one in (k, base))
            row["factor_low"], row["factor_high"] = (
                np.quantile(factor[1:], ENDS, method="nearest")
                if events >= FEWEST_EVENTS
                else (np.nan,) * 2
            )
            row["never"] = np.isinf(factor[1:]).mean()
            rows[model, arrangement] = row
        return tabled(rows, "model", "arrangement")

    def _means(self, by_day: FloatArray) -> FloatArray:
        """(1 + resamples,) mean of (days,), of the record first."""
        of_record = by_day.mean(keepdims=True)
        return np.concatenate([of_record, self.weights @ by_day / len(by_day)])

    def _fellow(self, k: int, place: int) -> tuple[FloatArray, FloatArray]:
        """(days,) USD a year that fellow customers lose; USD of each day without drawn defaults."""
        return self.yearly[k, place, :, FELLOW], self.base[k, place, :, FELLOW]

    def _more(self, k: int, silos: int, place: int, bearer: int) -> RareMean:
        """USD a year that a bearer pays over what it pays under `silos`."""
        one, other = self.base[k, place, :, bearer], self.base[silos, 0, :, bearer]
        return rare_difference(
            self.yearly[k, place, :, bearer],
            self.yearly[silos, 0, :, bearer],
            seen=differs(one, other),
        )


def _asking(done: Protection, factor: float) -> Protection:
    """The same accounts where firms ask their customers for a multiple of what they ask now."""
    assumed = next(iter(done.settings.values())).rules
    firms = {}
    for name in done.structure.firm_names:
        firm = done.structure.firm(name)
        stated = assumed.assumptions.multiplier if firm.multiplier is None else firm.multiplier
        firms[name] = replace(firm, multiplier=factor * stated)
    return close_out(
        done.margined,
        Structure(done.structure.members, firms, done.structure.houses),
        stated=done.stated,
        arrangements=[setting.arrangement for setting in done.settings.values()],
        models=done.models,
        rules=assumed,
        coordination=done.coordination,
        draws=done.draws,
        seed=done.seed,
        path=done.path,
    )


def crossing(factors: FloatArray, lost: FloatArray, limit: FloatArray) -> FloatArray:
    """The smallest factor from which on losses are at or below a limit.

    factors : (factors,) ascending. lost : (rows, factors). limit : (rows,). Between two factors
    losses are taken as a straight line; infinite where even the last is above the limit.

    Examples
    --------
    >>> lost = np.array([[8.0, 4.0, 2.0], [1.0, 1.0, 0.0], [9.0, 9.0, 9.0]])
    >>> crossing(np.array([1.0, 2.0, 3.0]), lost, np.array([3.0, 1.0, 1.0])).tolist()
    [2.5, 1.0, inf]
    """
    above = lost > limit[:, None]
    rows = np.arange(len(lost))
    # The last factor with too much; the crossing lies between it and the next.
    last = np.where(above.any(axis=1), above.shape[1] - 1 - above[:, ::-1].argmax(axis=1), -1)
    after = np.minimum(last + 1, len(factors) - 1)
    before = np.maximum(last, 0)
    step = lost[rows, before] - lost[rows, after]
    share = np.divide(lost[rows, before] - limit, step, out=np.zeros(len(lost)), where=step > 0.0)
    crossed = factors[before] + share * (factors[after] - factors[before])
    found: FloatArray = np.where(last < 0, factors[0], crossed)
    return np.where(last == len(factors) - 1, np.inf, found)
