"""The specification curve: one estimate under every combination of reasonable settings."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd

from backtest.book.book import Book
from backtest.book.coverage import Coverage
from backtest.market.market import Market
from backtest.model.protocol import MarginModel
from backtest.offset.history import SHORTEST_SHIFT
from backtest.offset.supportable import estimate_history, silo_histories
from backtest.types import Progress, counted, unheard

LOOKBACKS = (250, 500, 1000)
MPORS = (1, 2, 5, 10)  # margin days
WINDOWS = (None, 1000)  # scored days from the start; None is all
STARTS = (None, "2019-01-01", "2020-07-01", "2022-01-01")  # first scored day; None is the first
COLUMNS = (
    "portfolio", "lookback", "mpor", "window", "start", "observations", "total", "diversification",
    "dependence", "total_bound", "dependence_bound",
)  # fmt: skip


def specification_curve(
    market: Market,
    book: Book,
    *,
    base: Callable[[int], MarginModel],
    coverage: Coverage,
    lookbacks: Sequence[int] = LOOKBACKS,
    mpors: Sequence[int] = MPORS,
    windows: Sequence[int | None] = WINDOWS,
    starts: Sequence[str | None] = STARTS,
    resamples: int = 1000,
    progress: Progress = unheard,
) -> pd.DataFrame:
    """One row for each (portfolio, lookback, MPOR, window, start): estimates and bounds.

    base : returns the base model for a lookback. Specifications with fewer scored days than the
    window, or than the shifts need, are left out.

    Examples
    --------
    >>> import backtest as bt, strategies as st
    >>> market = bt.load_market("sample")
    >>> book = bt.Book.from_frame(pd.DataFrame({"UST10Y": [1e8], "BTC": [5e6]}, index=["p"]))
    >>> curve = specification_curve(
    ...     market, book, base=lambda n: st.HistoricalVaR(lookback=n), coverage=bt.Coverage(),
    ...     lookbacks=(250, 500), mpors=(2,), windows=(None,), starts=(None,), resamples=5)
    >>> len(curve)
    2
    """
    rows, pairs = [], list(product(lookbacks, mpors))
    for lookback, mpor in counted(progress, "specification curve", pairs, len(pairs)):
        if len(market.dates) <= lookback + 2 * mpor + 2 * SHORTEST_SHIFT:
            continue
        histories = silo_histories(
            market, book, base=base(lookback), coverage=replace(coverage, mpor=mpor)
        )
        for name, history in histories.items():
            for start in starts:
                first = (
                    0 if start is None else int(history.dates.searchsorted(np.datetime64(start)))
                )
                for window in windows:
                    days = history.days - first if window is None else window
                    if days <= 2 * SHORTEST_SHIFT or first + days > history.days:
                        continue
                    part = history.between(slice(first, first + days))
                    estimate = estimate_history(
                        name, part, {}, confidence=0.95, resamples=resamples
                    )
                    rows.append(
                        {
                            "portfolio": name,
                            "lookback": lookback,
                            "mpor": mpor,
                            "window": "all" if window is None else str(window),
                            "start": str(part.dates[0]),
                            "observations": days,
                            "total": estimate.total,
                            "diversification": estimate.diversification,
                            "dependence": estimate.dependence,
                            "total_bound": estimate.total_bound,
                            "dependence_bound": estimate.dependence_bound,
                        }
                    )
    # Two starts before the first scored day give the same specification.
    keys = ["portfolio", "lookback", "mpor", "window", "start"]
    return pd.DataFrame(rows, columns=list(COLUMNS)).drop_duplicates(keys, ignore_index=True)
