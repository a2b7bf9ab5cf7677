"""Filtered scenarios of a book, dealt into buckets in which their days do not overlap.

Each factor's moves are filtered on their own and scaled to today; then the book is revalued under
all of them at once. A price moves by a logarithmic return, a yield by its difference.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypedDict

import numpy as np

from backtest.estimators.bucketed import FilteredReturns
from backtest.kernels.bucketed import bucketed_tail
from backtest.kernels.window_tail import window_pnl
from backtest.market.market import Market
from backtest.model.delta_gamma import Scenarios
from backtest.model.revaluation import Revaluation
from backtest.types import DaysByPortfolios, FloatArray, RowNumbers, first_known


class Filter(TypedDict):
    """Arguments of `FilteredReturns.of`."""

    step: int
    lookback: int
    burn_in: int
    decay: float
    demeaned: bool


@dataclass(frozen=True, eq=False)
class FilteredScenarios:
    """Scenarios whose moves are filtered factor by factor and scaled to each day's volatility.

    Parameters
    ----------
    market : of the scenarios.
    scenarios : of a book, over `step` days each. settings : of the filter of every factor.

    Examples
    --------
    >>> import pandas as pd, backtest as bt
    >>> from backtest.model.delta_gamma import book_scenarios
    >>> levels = [1.0, 1.01, 1.0, 1.03, 1.02, 1.06]
    >>> days = pd.bdate_range("2024-01-02", periods=6)
    >>> market = Market.from_frame(pd.DataFrame({"BTC": levels}, index=days))
    >>> book = bt.Book.from_frame(pd.DataFrame({"BTC": [1.0]}, index=["long"]))
    >>> plain = book_scenarios(market, book, coverage=bt.Coverage(mpor=1))
    >>> settings = Filter(step=1, lookback=2, burn_in=2, decay=0.9, demeaned=False)
    >>> FilteredScenarios(market, plain, settings).tails(0.4)[-1].round(4).tolist()
    [0.0259]
    """

    market: Market
    scenarios: Scenarios | Revaluation
    settings: Filter
    _filtered: dict[int, FilteredReturns] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        first_order = self.scenarios.power == 1
        columns = self.scenarios.shocks[:, first_order].T
        self._filter(self.scenarios.factor[first_order], columns)
        if isinstance(self.scenarios, Revaluation):
            joint = zip(self.scenarios.joint_factors, self.scenarios.joint, strict=True)
            for factors, shocks in joint:
                self._filter(factors, shocks.T)

    def _filter(self, factors: Iterable[int], columns: FloatArray) -> None:
        for factor, shocks in zip(factors, columns, strict=True):
            if int(factor) not in self._filtered:
                returns = np.log1p(shocks) if self._is_price(factor) else shocks
                self._filtered[int(factor)] = FilteredReturns.of(returns, **self.settings)

    def _is_price(self, factor: int) -> bool:
        return self.market.kinds[factor] == "price"

    @property
    def first(self) -> int:
        """First day on which the moves of every factor can be scaled."""
        return first_known(np.hstack([f.scale for f in self._filtered.values()]))

    def buckets(self) -> RowNumbers:
        """(lookback,) bucket of each scenario of a day, the oldest first: that of the day is 0."""
        return np.arange(self.settings["lookback"] - 1, -1, -1) % self.settings["step"]

    def values(self, day: int) -> FloatArray:
        """(columns, lookback) values of the scenarios on a day, the oldest first.

        NaN where a factor's move began before its volatility was known.
        """
        window = slice(day - self.settings["lookback"] + 1, day + 1)
        buckets = self.buckets()
        moves = {}
        for factor, own in self._filtered.items():
            scaled = own.filtered[window] * own.scale[day, buckets]
            moves[factor] = np.expm1(scaled) if self._is_price(factor) else scaled
        rows = []
        for factor, power in zip(self.scenarios.factor, self.scenarios.power, strict=True):
            move = moves[int(factor)]
            rows.append(move if power == 1 else move * move / 2.0)
        if isinstance(self.scenarios, Revaluation):
            options = self.scenarios
            priced = zip(options.revalued, options.joint_factors, options.elapsed, strict=True)
            for instrument, factors, elapsed in priced:
                joint = np.column_stack([moves[f] for f in factors])
                rows.append(instrument.scenarios(self.market, day, joint, elapsed=elapsed[window]))
        return np.stack(rows)

    def tails(self, share: float) -> DaysByPortfolios:
        """(days, portfolios) mean over buckets of the loss at the quantile `share`; leading NaN."""
        days, exposure = len(self.scenarios.unit), self.scenarios.exposure
        out, buckets = np.full((days, len(exposure)), np.nan), self.buckets()
        pnl = np.empty((len(exposure), self.settings["lookback"]))
        for day in range(self.first, days):
            window_pnl(self.values(day), self.scenarios.unit[day], exposure, pnl)
            bucketed_tail(pnl, buckets, self.settings["step"], share, out[day])
        return out
