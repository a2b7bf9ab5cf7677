"""From gross to required through time: the steps of requirements by day, on average, by regime.

The parts of a requirement add up to it on every day, so their means over any set of days add up to
its mean; the tables have no residual.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from backtest.book.book import Book
from backtest.book.coverage import Coverage
from backtest.market.episodes import EPISODES
from backtest.market.market import Market
from backtest.model.protocol import MarginModel
from backtest.model.window import ScoredWindow
from backtest.types import BoolArray, Progress, counted, unheard
from strategies.parts import parts_of

StepsByDay = dict[tuple[str, str], pd.DataFrame]  # (model, portfolio): days x steps, USD

REQUIRED = "required"  # the last step: the sum of the others
THIRDS = ("calm third", "middle third", "volatile third")
EVERY = "all days"
VOLATILITY_DAYS = 60  # days that each day's volatility is measured over
COLUMNS = ["model", "portfolio", "regime", "step", "usd", "share_of_gross", "days"]


def steps_by_day(
    market: Market,
    book: Book,
    models: Mapping[str, MarginModel],
    *,
    coverage: Coverage,
    score_from: str | None = None,
    progress: Progress = unheard,
) -> StepsByDay:
    """USD of every step on every scored day, by model and portfolio; 'required' is the last column.

    A model without parts is compared with the same model on each silo alone (see
    `strategies.parts`). Days are those that `run` would score: all models have a requirement and
    the loss is known.

    Examples
    --------
    >>> import backtest as bt, strategies as st
    >>> market = bt.load_market("sample", end="2018-12-31")
    >>> book = bt.Book.from_frame(pd.DataFrame({"UST10Y": [1e8], "BTC": [5e6]}, index=["p"]))
    >>> table = steps_by_day(market, book, {"offset": st.CorrelationOffset()},
    ...                      coverage=bt.Coverage())
    >>> table["offset", "p"].columns.tolist()
    ['gross', 'diversification', 'offset', 'cap', 'required']
    """
    each = counted(progress, "steps by day", models.items(), len(models))
    parts = {name: parts_of(model, market, book, coverage) for name, model in each}
    required = {name: np.add.reduce(list(part.steps.values())) for name, part in parts.items()}
    loss = book.loss(market, coverage)
    window = ScoredWindow.of(market, required, loss, score_from, models=models).checked()
    dates = pd.DatetimeIndex(window.dates, name="date")
    return {
        (name, portfolio): pd.DataFrame(
            {step: values[window.rows, p] for step, values in part.steps.items()}
            | {REQUIRED: required[name][window.rows, p]},
            index=dates,
        )
        for name, part in parts.items()
        for p, portfolio in enumerate(book.portfolios)
    }


def steps_by_regime(
    by_day: StepsByDay,
    market: Market,
    book: Book,
    *,
    stress: Mapping[str, tuple[str, str]] = EPISODES,
    progress: Progress = unheard,
) -> pd.DataFrame:
    """Mean USD of every step, and its share of gross, over all days and over those of each regime.

    by_day : of `steps_by_day`. Regimes are the thirds of the days by the book's own volatility
    (standard deviation of its one-day P&L over the 60 days before); the thirds use the whole
    history, so the label of a day is known only in hindsight. Further regimes: the `stress` windows
    (first and last day) that hold a scored day.

    Returns
    -------
    Tidy: model, portfolio, regime, step, usd, share_of_gross, days.

    Examples
    --------
    >>> import backtest as bt, strategies as st
    >>> market = bt.load_market("sample", end="2018-12-31")
    >>> book = bt.Book.from_frame(pd.DataFrame({"UST10Y": [1e8], "BTC": [5e6]}, index=["p"]))
    >>> days = steps_by_day(market, book, {"var": st.HistoricalVaR()}, coverage=bt.Coverage())
    >>> table = steps_by_regime(days, market, book).pivot(index="regime", columns="step",
    ...                                                   values="usd")
    >>> bool((table.drop(columns="required").sum(axis=1) - table["required"]).abs().max() < 1e-6)
    True
    """
    pieces = []
    dates = pd.DatetimeIndex(next(iter(by_day.values())).index)
    thirds = volatility_thirds(dates, market, book)
    windows = {
        name: np.asarray((dates >= pd.Timestamp(first)) & (dates <= pd.Timestamp(last)))
        for name, (first, last) in stress.items()
    }
    for (model, portfolio), steps in counted(
        progress, "steps by regime", by_day.items(), len(by_day)
    ):
        regimes = {EVERY: np.ones(len(dates), dtype=bool)} | thirds[portfolio] | windows
        for regime, days in regimes.items():
            if not days.any():
                continue
            usd = steps[days].mean()
            table = pd.DataFrame({"step": usd.index, "usd": usd.to_numpy()})
            table["share_of_gross"] = table["usd"] / usd["gross"]
            count = int(days.sum())
            pieces.append(table.assign(model=model, portfolio=portfolio, regime=regime, days=count))
    return pd.concat(pieces, ignore_index=True)[COLUMNS]


def volatility_thirds(
    dates: pd.DatetimeIndex, market: Market, book: Book
) -> dict[str, dict[str, BoolArray]]:
    """For each portfolio: which of `dates` are in the calm, middle and volatile third."""
    one_day = book.loss(market, Coverage(mpor=1)).sum(axis=2)
    # The loss of a day t is that of the day after t: shifted by one, it is known at the close of t.
    losses = pd.DataFrame(one_day, index=pd.DatetimeIndex(market.dates)).shift(1)
    spread = losses.rolling(VOLATILITY_DAYS, min_periods=2).std(ddof=0).loc[dates]
    # By rank and not by value, so that ties are shared out and each third has as many days.
    third = np.minimum(3 * (spread.rank(method="first") - 1) // len(spread), 2)
    return {
        portfolio: {name: (third[p] == t).to_numpy() for t, name in enumerate(THIRDS)}
        for p, portfolio in enumerate(book.portfolios)
    }
