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

FEWEST_SCENARIOS = 20  # days of stress known before they count


def _apart(windows: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """The windows, if they are days in order and do not overlap; ValueError otherwise."""
    last = ""
    for begin, end in sorted(windows):
        if date.fromisoformat(begin) > date.fromisoformat(end) or begin <= last:
            raise ValueError(
                f"the window {begin} to {end} ends before it begins, or overlaps another; give "
                "windows apart from each other"
            )
        last = end
    return windows


Windows = Annotated[tuple[tuple[str, str], ...], AfterValidator(_apart)]


@model
class StressedVaR(MarginOfForecast):
    r"""The larger of historical simulation and of the same over windows of stress, or a blend.

    .. math:: M_t = \max\bigl(V_t, (1 - b) V_t + b S_t\bigr) \;\text{or}\; (1 - b) V_t + b S_t

    with V the value-at-risk over the last `lookback` scenarios, S that over all scenarios which
    ended in `windows` on or before day t, both for the positions of day t at today's levels, b =
    `weight`. Until 20 such days are known S counts as V: a model of that day could not know the
    stress to come. Margin at day t uses closes up to and including t. USD.

    Parameters
    ----------
    lookback : scenarios of V. windows : first and last day of each stress, ISO; they may not
        overlap. weight : b, 1 takes S alone into the comparison. floored : True for the larger of
        the two, False for the blend. measure : 'var' or 'es'.
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
        """VaR and ES, each with its own stress; no density."""
        return scenario_tails(
            market,
            book,
            coverage,
            estimate=lambda past: self._tails(past, coverage.confidence),
            scaling=self.scaling,
        )

    def _tails(self, past: Scenarios | Revaluation, confidence: float) -> list[DaysByPortfolios]:
        """VaR and ES, (days of the scenarios, portfolios)."""
        recent = past.tails(self.lookback, count=tail_count(self.lookback, confidence))
        stressed, chosen = nan_estimates(past), self._chosen(past.dates)
        for day in range(first_known(recent[0]), len(recent[0])):
            ended = chosen[past.first : day + 1]
            if ended.sum() < FEWEST_SCENARIOS:
                continue
            values = np.ascontiguousarray(past.values(day, lookback=len(ended))[:, ended])
            count = tail_count(int(ended.sum()), confidence)
            window_tail(values, past.unit[day], past.exposure, count, *stressed[:, day])
        return [self._joined(plain, worse) for plain, worse in zip(recent, stressed, strict=True)]

    def _joined(self, recent: DaysByPortfolios, stressed: DaysByPortfolios) -> DaysByPortfolios:
        blend = (1.0 - self.weight) * recent + self.weight * stressed
        joined = np.maximum(recent, blend) if self.floored else blend
        return np.where(np.isnan(stressed), recent, joined)

    def _chosen(self, dates: Dates) -> BoolArray:
        """(days of the scenarios,) whether a shock that ends on the day is one of stress."""
        out = np.zeros(len(dates), dtype=np.bool_)
        for begin, end in self.windows:
            out |= (dates >= np.datetime64(begin, "D")) & (dates <= np.datetime64(end, "D"))
        return out
