"""Scenarios of a book drawn from a Student copula of its shocks."""

from functools import lru_cache

import numpy as np

from backtest.estimators.dependence import t_copula
from backtest.estimators.schedule import refit_days
from backtest.estimators.student_curves import MixedDraws, student_quantiles
from backtest.kernels.copula import joined_draws
from backtest.kernels.drawn_tail import drawn_tails
from backtest.model.delta_gamma import Scenarios
from backtest.model.tails import nan_estimates
from backtest.types import FloatArray, tail_count


class JointDraws:
    """Scenarios of a book drawn from the copula of its shocks, the same random numbers on all days.

    Columns of one factor over the same days have the same draws; their squares likewise.

    Parameters
    ----------
    scenarios : of the book. lookback : shocks of a fit. draws, seed : of the random numbers.
    """

    def __init__(self, scenarios: Scenarios, *, lookback: int, draws: int, seed: int) -> None:
        self.lookback = lookback
        source = np.column_stack([scenarios.factor, scenarios.steps])
        _, first, source_of_column = np.unique(
            source, axis=0, return_index=True, return_inverse=True
        )
        # Of each factor the shock itself comes before its square.
        self.shocks = np.ascontiguousarray(scenarios.shocks[:, first])
        self.source_of_column = source_of_column.ravel()
        self.squares = np.flatnonzero(scenarios.power == 2)
        rng = np.random.default_rng(seed)
        rng.random(draws)  # those of `mixed_draws`
        self.mixing = mixed_draws(draws, seed)
        self.normal = rng.standard_normal((draws, len(first)))

    def on(self, day: int) -> FloatArray:
        """(columns, draws) scenarios of the copula fitted on `day`."""
        window = self.shocks[day - self.lookback + 1 : day + 1]
        # Random numbers are drawn for all factors, moving or not: from day to day margins change
        # with the market and never with them.
        moving = np.flatnonzero(np.ptp(window, axis=0) > 0.0)
        drawn = np.empty((len(moving), len(self.normal)))
        if len(moving) == len(self.normal.T):
            self._draw(window, self.normal, drawn)
        elif len(moving):
            normal = np.ascontiguousarray(self.normal[:, moving])
            self._draw(np.ascontiguousarray(window[:, moving]), normal, drawn)
        if len(moving) < len(self.normal.T):
            some, drawn = drawn, np.repeat(window[-1][:, None], len(self.normal), axis=1)
            drawn[moving] = some
        values = drawn[self.source_of_column]
        for column in self.squares:
            np.multiply(values[column], values[column] / 2.0, out=values[column])
        return values

    def _draw(self, window: FloatArray, normal: FloatArray, out: FloatArray) -> None:
        """Draws of the factors of a window (days, factors), all moving, into out."""
        correlation, freedom = t_copula(window)
        joined_draws(
            normal,
            np.linalg.cholesky(correlation),
            self.mixing.at(freedom),
            np.append(student_quantiles(self.lookback, freedom), np.inf),
            np.sort(window.T, axis=1),
            out,
        )


def drawn_estimates(
    scenarios: Scenarios,
    *,
    confidence: float,
    lookback: int,
    draws: int,
    seed: int,
    refit_every: int,
) -> FloatArray:
    """VaR and ES, (2, days, portfolios) USD, of draws from a copula; NaN while warming up.

    The copula is fitted to the last `lookback` shocks every `refit_every` weekdays; in between,
    the draws stay and sensitivities are those of the day.
    """
    joint = JointDraws(scenarios, lookback=lookback, draws=draws, seed=seed)
    out, begin = nan_estimates(scenarios), scenarios.first + lookback - 1
    due, days = refit_days(scenarios.dates, refit_every), len(scenarios.unit)
    fits = [day for day in range(begin, days) if day == begin or due[day]]
    count = tail_count(draws, confidence)
    for day, following in zip(fits, [*fits, days][1:], strict=True):
        until = slice(day, following)
        drawn_tails(joint.on(day), scenarios.unit[until], scenarios.exposure, count, *out[:, until])
    return out


@lru_cache(maxsize=2)
def mixed_draws(draws: int, seed: int) -> MixedDraws:
    """Mixing draws of a seed, kept from one group of portfolios, and one path, to the next."""
    return MixedDraws(np.random.default_rng(seed).random(draws))
