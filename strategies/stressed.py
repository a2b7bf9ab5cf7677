"""Stressed VaR: historical simulation of today's positions over days of stress."""

from datetime import date
from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge, Le
from pydantic import AfterValidator

from backtest.book.book import Book
from backtest.book.coverage import Coverage
from backtest.kernels.window_tail import window_tail
from backtest.market.market import Market
from backtest.model.delta_gamma import Scenarios
from backtest.model.forecasting import MarginOfForecast, Measure
from backtest.model.protocol import Forecast, model
from backtest.model.revaluation import Revaluation
from backtest.model.tails import nan_estimates, scenario_tails
from backtest.types import BoolArray, Dates, DaysByPortfolios, first_known, tail_count

FEWEST_SCENARIOS = 20  # days of stress needed before they count


def _check_windows(windows: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """The windows; ValueError where one ends before it begins, or two overlap."""
    last = ""
    for begin, end in sorted(windows):
        if date.fromisoformat(begin) > date.fromisoformat(end) or begin <= last:
            raise ValueError(
                f"the window {begin} to {end} ends before it begins, or overlaps another; give "
                "windows apart from each other"
            )
        last = end
    return windows


Windows = Annotated[tuple[tuple[str, str], ...], AfterValidator(_check_windows)]


@model(kind="stressed_var")
class StressedVaR(MarginOfForecast):
    r"""Historical simulation of recent days and of windows of stress: the larger, or a blend.

    .. math:: M_t = \max\bigl(V_t, (1 - b) V_t + b S_t\bigr) \;\text{or}\; (1 - b) V_t + b S_t

    with V the value-at-risk over the last `lookback` scenarios, S that over all scenarios which
    ended in `windows` on or before day t, both for the positions of day t at today's levels, b =
    `weight`. Until 20 such days have passed S counts as V, since no model can know a stress before
    it happens. Margin at day t uses closes up to and including t. USD.

    Parameters
    ----------
    lookback : scenarios of V. windows : first and last day of each stress, ISO; they may not
        overlap. weight : b, 1 compares V with S alone. floored : True for the larger of V and the
        blend, False for the blend. measure : 'var' or 'es'.
    scaling : 'overlapping' MPOR-day shocks, or 'sqrt': one-day shocks times sqrt(MPOR).

    References
    ----------
    Basel Committee (2009). Revisions to the Basel II market risk framework, paragraph 718(lxxvi).

    Examples
    --------
    >>> StressedVaR(windows=(("2008-09-01", "2009-03-31"),)).weight
    1.0
    """

    lookback: Annotated[int, Ge(20)] = 500
    windows: Windows = (("2020-02-20", "2020-04-30"),)
    weight: Annotated[float, Ge(0), Le(1)] = 1.0
    floored: bool = True
    measure: Measure = "var"
    scaling: Literal["overlapping", "sqrt"] = "overlapping"

    def forecast(self, market: Market, book: Book, coverage: Coverage) -> Forecast:
        """VaR and ES, each with that of the stress windows; without a density."""
        return scenario_tails(
            market,
            book,
            coverage,
            estimate=lambda scenarios: self._tails(scenarios, coverage.confidence),
            scaling=self.scaling,
        )

    def _tails(
        self, scenarios: Scenarios | Revaluation, confidence: float
    ) -> list[DaysByPortfolios]:
        """VaR and ES, (days of the scenarios, portfolios)."""
        recent = scenarios.tails(self.lookback, count=tail_count(self.lookback, confidence))
        stressed_tails, is_stress = (
            nan_estimates(scenarios),
            in_windows(self.windows, scenarios.dates),
        )
        for day in range(first_known(recent[0]), len(recent[0])):
            stress_so_far = is_stress[scenarios.first : day + 1]
            if stress_so_far.sum() < FEWEST_SCENARIOS:
                continue
            values = np.ascontiguousarray(
                scenarios.values(day, lookback=len(stress_so_far))[:, stress_so_far]
            )
            count = tail_count(int(stress_so_far.sum()), confidence)
            window_tail(
                values, scenarios.unit[day], scenarios.exposure, count, *stressed_tails[:, day]
            )
        return [
            self._joined(recent_tail, stressed_tail)
            for recent_tail, stressed_tail in zip(recent, stressed_tails, strict=True)
        ]

    def _joined(self, recent: DaysByPortfolios, stressed: DaysByPortfolios) -> DaysByPortfolios:
        blend = (1.0 - self.weight) * recent + self.weight * stressed
        margin = np.maximum(recent, blend) if self.floored else blend
        return np.where(np.isnan(stressed), recent, margin)


def in_windows(windows: Windows, dates: Dates) -> BoolArray:
    """(days of the scenarios,) whether the shock that ends on the day is in a window."""
    out = np.zeros(len(dates), dtype=np.bool_)
    for begin, end in windows:
        out |= (dates >= np.datetime64(begin, "D")) & (dates <= np.datetime64(end, "D"))
    return out
