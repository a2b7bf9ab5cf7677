"""Scenarios of books with options, which are revalued in full on every day.

Models call `priced_scenarios`. A book without options gets the constant shocks of
`book_scenarios`; a book with options gets a `Revaluation`, which prices every window of shocks at
the levels of its day. Both have `tails` and `covariance`, and no array of size days x portfolios x
scenarios is ever stored.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from backtest.book.book import Book
from backtest.book.closeout import Closeout
from backtest.book.coverage import Coverage
from backtest.instruments import Revalued, is_option
from backtest.kernels.window_tail import window_pnl, window_tail
from backtest.market.market import Market
from backtest.model.delta_gamma import Scaling, Scenarios, book_scenarios, days_of_shocks
from backtest.types import Dates, FloatArray, RowNumbers, StudyError, first_known


@dataclass(frozen=True, eq=False)
class Revaluation:
    """Scenarios whose values depend on the day of valuation.

    A portfolio's scenario P&L is exposure x unit x value, summed over columns. First come the
    delta-gamma columns of linear instruments (value = shock), then one column per option: its P&L
    per 1 USD today under the joint historical shocks of its factors, while as many calendar days
    pass as in history.

    Parameters
    ----------
    market : levels at which the options are priced.
    shocks : (days, delta-gamma columns) shock that ends on each day; leading rows NaN.
    revalued : the options. joint : for each, (days, factors) shocks of its factors.
    scale : for each, (days, factors) multiple of the joint shocks on the day of valuation: ones,
        or a volatility.
    elapsed : for each, (days,) calendar days that its shocks took.
    unit : (days, columns) USD per 1 USD of exposure and unit of value.
    exposure : (portfolios, columns) signed USD.
    silo : (columns,) index into the book's silos. instrument : (columns,) index into its holdings.
    factor, power, steps : of the delta-gamma columns, as in `Scenarios`.
    joint_factors : for each option, columns of the market. joint_steps : for each, days that its
        shocks span.
    """

    market: Market
    shocks: FloatArray
    revalued: tuple[Revalued, ...]
    joint: tuple[FloatArray, ...]
    scale: tuple[FloatArray, ...]
    elapsed: tuple[FloatArray, ...]
    unit: FloatArray
    exposure: FloatArray
    silo: FloatArray
    instrument: FloatArray
    factor: RowNumbers
    power: RowNumbers
    steps: RowNumbers
    joint_factors: tuple[list[int], ...]
    joint_steps: tuple[int, ...]

    @property
    def dates(self) -> Dates:
        """(days,) days of the scenarios: all days of the market."""
        return self.market.dates

    @property
    def first(self) -> int:
        """First day whose shock is known for every factor."""
        return first_known(np.column_stack([self.shocks, *self.joint]))

    def values(self, day: int, *, lookback: int) -> FloatArray:
        """(columns, lookback) scenario values on `day`; the last is that of the day's shock."""
        window = slice(day - lookback + 1, day + 1)
        fixed = self.shocks.shape[1]
        out = np.empty((self.unit.shape[1], lookback))
        out[:fixed] = self.shocks[window].T
        # The P&L of an option depends on today's price, volatility and time left as much as on the
        # shock, so it cannot be stored with the shock: it is priced again on every day.
        priced = zip(self.revalued, self.joint, self.scale, self.elapsed, strict=True)
        for row, (instrument, joint, scale, elapsed) in enumerate(priced, start=fixed):
            out[row] = instrument.scenarios(
                self.market, day, joint[window] * scale[day], elapsed=elapsed[window]
            )
        return out

    def tails(self, lookback: int, *, count: int) -> tuple[FloatArray, FloatArray]:
        """VaR and ES (days, portfolios) as `tail_losses` defines them; NaN while warming up."""
        days = len(self.unit)
        tails = np.full((2, days, len(self.exposure)), np.nan)
        for day in range(self.first + lookback - 1, days):
            values = self.values(day, lookback=lookback)
            window_tail(values, self.unit[day], self.exposure, count, tails[0, day], tails[1, day])
        return tails[0], tails[1]

    def covariance(self, lookback: int) -> FloatArray:
        """(days, columns, columns) covariance of the values on each day; leading rows NaN."""
        days, width = self.unit.shape
        out = np.full((days, width, width), np.nan)
        for day in range(self.first + lookback - 1, days):
            values = self.values(day, lookback=lookback)
            values -= values.mean(axis=1, keepdims=True)
            out[day] = values @ values.T / lookback
        return out


def priced_scenarios(
    market: Market,
    book: Book,
    *,
    coverage: Coverage,
    scaling: Scaling = "overlapping",
    same_days: int | None = None,
) -> Scenarios | Revaluation:
    """Scenarios of a book: options revalued in full, all other instruments by delta and gamma.

    scaling, same_days : see `book_scenarios`.

    Examples
    --------
    >>> import pandas as pd
    >>> days = pd.bdate_range("2024-01-02", periods=4)
    >>> levels = {"SPY": [500.0, 505.0, 490.0, 470.0], "VIX": [0.12, 0.12, 0.16, 0.24]}
    >>> market = Market.from_frame(pd.DataFrame(levels, index=days))
    >>> book = Book.from_frame(pd.DataFrame({"SPY": [1.0], "SPY-PUT-30D": [1.0]}, index=["put"]))
    >>> priced_scenarios(market, book, coverage=Coverage()).values(3, lookback=2).round(4).tolist()
    [[-0.02, -0.0693], [0.0185, 0.0656]]
    """
    linear = book_scenarios(market, book, coverage=coverage, scaling=scaling, same_days=same_days)
    options = [(i, x) for i, x in enumerate(book.instruments) if is_option(x)]
    if not options:
        return linear
    if market.traded is not None:
        raise StudyError(
            f"{options[0][1].name} is revalued in full, which needs the business clock; leave it "
            "out or set [clock] kind = 'business'."
        )
    # A crash raises implied volatility on the same day. Price and volatility are therefore shocked
    # as a pair: two columns of their own would be added, and the crash would lose its vega.
    columns = [i for i, _ in options]
    joint, elapsed, moved_by, spans = [], [], [], []
    horizons = Closeout(book, coverage).by_instrument
    for i, instrument in options:
        days = days_of_shocks(horizons[i], scaling=scaling, same_days=same_days)
        shocks = market.shocks(days) * (horizons[i] / days) ** 0.5
        moved_by.append([market.column(factor) for factor in instrument.moved_by])
        joint.append(shocks[:, moved_by[-1]])
        spans.append(days)
        elapsed.append(_calendar_days(market, days) * (horizons[i] / days))
    is_linear = ~np.isin(linear.instrument, columns)
    return Revaluation(
        market=market,
        shocks=linear.shocks[:, is_linear],
        revalued=tuple(instrument for _, instrument in options),
        joint=tuple(joint),
        scale=tuple(np.ones_like(shocks) for shocks in joint),
        elapsed=tuple(elapsed),
        unit=np.column_stack([linear.unit[:, is_linear], book.unit_index(market)[:, columns]]),
        exposure=np.column_stack([linear.exposure[:, is_linear], book.exposure[:, columns]]),
        silo=np.append(linear.silo[is_linear], [book.silos.index(x.silo) for _, x in options]),
        instrument=np.append(linear.instrument[is_linear], columns),
        factor=linear.factor[is_linear],
        power=linear.power[is_linear],
        steps=linear.steps[is_linear],
        joint_factors=tuple(moved_by),
        joint_steps=tuple(spans),
    )


def each_window(
    scenarios: Scenarios | Revaluation, lookback: int
) -> Iterator[tuple[int, FloatArray]]:
    """Each day with a full window, and the P&L (portfolios, lookback) of its positions over it.

    USD, the latest scenario last. The array is overwritten every day: copy it to keep it.
    """
    pnl = np.empty((len(scenarios.exposure), lookback))
    for day in range(scenarios.first + lookback - 1, len(scenarios.unit)):
        window_pnl(
            scenarios.values(day, lookback=lookback), scenarios.unit[day], scenarios.exposure, pnl
        )
        yield day, pnl


def _calendar_days(market: Market, over: int) -> FloatArray:
    """(days,) calendar days of the shock over `over` margin days that ends on each day."""
    out = np.full(len(market.dates), np.nan)
    out[over:] = (market.dates[over:] - market.dates[:-over]).astype(np.float64)
    return out
