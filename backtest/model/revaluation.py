"""Scenarios of books that hold options: what delta and gamma miss is revalued in full, day by day.

`priced_scenarios` is what a model asks for. A book without such instruments gets the scenarios of
`book_scenarios`, whose shocks never change; any other one gets a `Revaluation`, which prices each
window of shocks afresh at the levels of its day. Both answer `tails` and `covariance`, and nothing
of size days x portfolios x scenarios is ever stored.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from backtest.book.book import Book
from backtest.book.closeout import Closeout
from backtest.book.coverage import Coverage
from backtest.estimators.schedule import refit_days
from backtest.instruments import Revalued, is_option
from backtest.kernels.window_tail import window_pnl, window_tail
from backtest.market.market import Market
from backtest.model.delta_gamma import Scaling, Scenarios, book_scenarios, days_of_shocks
from backtest.types import Dates, FloatArray, RowNumbers, StudyError, first_known


@dataclass(frozen=True, eq=False)
class Revaluation:
    """Scenarios whose values depend on the day they are seen from.

    A portfolio's scenario P&L is exposure x unit x value, summed over columns: the delta-gamma
    columns of plain instruments come first (value = shock), then one a revalued instrument (value
    = its P&L per 1 USD today under the joint shocks of its factors, while as many calendar days
    pass as passed in those of history).

    Parameters
    ----------
    market : levels that the revalued instruments are priced at.
    shocks : (days, delta-gamma columns) shock that ends on each day; leading rows NaN.
    revalued : instruments priced anew. joint : for each, (days, factors) shocks of what moves it.
    scale : for each, (days, factors) what joint shocks are multiplied by on the day they are seen
        from: ones, or a volatility.
    elapsed : for each, (days,) calendar days that its shocks took.
    unit : (days, columns) USD per 1 USD of exposure and unit of value.
    exposure : (portfolios, columns) signed USD.
    silo : (columns,) index into the book's silos. instrument : (columns,) index into its holdings.
    factor, power, steps : of the delta-gamma columns, as `Scenarios` has them.
    joint_factors : for each revalued instrument, columns of the market. joint_steps : for each,
        days that its shocks span.
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
        """(days,) of the scenarios: all those of the market."""
        return self.market.dates

    @property
    def first(self) -> int:
        """First day whose shock is known for every factor."""
        return first_known(np.column_stack([self.shocks, *self.joint]))

    def values(self, day: int, *, lookback: int) -> FloatArray:
        """(columns, lookback) scenario values seen from `day`, its own shock the last of them."""
        window = slice(day - lookback + 1, day + 1)
        fixed = self.shocks.shape[1]
        out = np.empty((self.unit.shape[1], lookback))
        out[:fixed] = self.shocks[window].T
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
        """(days, columns, columns) covariance of the values seen from each day; leading NaN."""
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
    """Scenarios of a book, each instrument as its contract asks: delta-gamma, or in full.

    scaling, same_days : as `book_scenarios` takes them.

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
    plain = book_scenarios(market, book, coverage=coverage, scaling=scaling, same_days=same_days)
    held = [(i, x) for i, x in enumerate(book.instruments) if is_option(x)]
    if not held:
        return plain
    if market.traded is not None:
        raise StudyError(
            f"{held[0][1].name} is revalued in full, which needs the business clock; leave it out "
            "or set [clock] kind = 'business'."
        )
    columns = [i for i, _ in held]
    joint, elapsed, moved_by, spans = [], [], [], []
    horizons = Closeout(book, coverage).by_instrument
    for i, instrument in held:
        over = days_of_shocks(horizons[i], scaling=scaling, same_days=same_days)
        shocks = market.shocks(over) * (horizons[i] / over) ** 0.5
        moved_by.append([market.column(factor) for factor in instrument.moved_by])
        joint.append(shocks[:, moved_by[-1]])
        spans.append(over)
        elapsed.append(_calendar_days(market, over) * (horizons[i] / over))
    kept = ~np.isin(plain.instrument, columns)
    return Revaluation(
        market=market,
        shocks=plain.shocks[:, kept],
        revalued=tuple(instrument for _, instrument in held),
        joint=tuple(joint),
        scale=tuple(np.ones_like(shocks) for shocks in joint),
        elapsed=tuple(elapsed),
        unit=np.column_stack([plain.unit[:, kept], book.unit_index(market)[:, columns]]),
        exposure=np.column_stack([plain.exposure[:, kept], book.exposure[:, columns]]),
        silo=np.append(plain.silo[kept], [book.silos.index(x.silo) for _, x in held]),
        instrument=np.append(plain.instrument[kept], columns),
        factor=plain.factor[kept],
        power=plain.power[kept],
        steps=plain.steps[kept],
        joint_factors=tuple(moved_by),
        joint_steps=tuple(spans),
    )


def each_window(past: Scenarios | Revaluation, lookback: int) -> Iterator[tuple[int, FloatArray]]:
    """Each day with a full window, and the P&L (portfolios, lookback) of its positions over it.

    USD, the latest scenario last. The array is written anew every day: copy what is to be kept.
    """
    pnl = np.empty((len(past.exposure), lookback))
    for day in range(past.first + lookback - 1, len(past.unit)):
        window_pnl(past.values(day, lookback=lookback), past.unit[day], past.exposure, pnl)
        yield day, pnl


def each_fit(
    past: Scenarios | Revaluation, lookback: int, refit_every: int
) -> Iterator[tuple[int, FloatArray, bool]]:
    """`each_window`, and whether a fit is due: on the first full window, then by the calendar.

    From the second fit on a history that began later is fitted on the same days.
    """
    due = refit_days(past.dates, refit_every)
    first = past.first + lookback - 1
    for day, pnl in each_window(past, lookback):
        yield day, pnl, day == first or bool(due[day])


def _calendar_days(market: Market, over: int) -> FloatArray:
    """(days,) calendar days of the shock over `over` margin days that ends on each day."""
    out = np.full(len(market.dates), np.nan)
    out[over:] = (market.dates[over:] - market.dates[:-over]).astype(np.float64)
    return out
