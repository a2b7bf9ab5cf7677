"""Credit granted by each model against credit supported by the data then at hand, through time."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from backtest.book.book import Book
from backtest.book.closeout import Closeout
from backtest.book.coverage import Coverage
from backtest.market.market import Market
from backtest.model.protocol import MarginModel
from backtest.offset.history import silo_shifts
from backtest.offset.supportable import silo_histories
from strategies.parts import parts_of

WINDOW = 750  # scored days behind each estimate of what is supported
STEP = 20  # scored days between two estimates


def granted_and_supported(
    market: Market,
    book: Book,
    models: Mapping[str, MarginModel],
    *,
    base: MarginModel,
    coverage: Coverage,
    window: int = WINDOW,
    step: int = STEP,
) -> pd.DataFrame:
    """Tidy frame: date, portfolio, series, share of the silos' summed margin.

    Series are the models' names (granted: 1 - required / gross, gross from the model's own parts
    or, where it has none, from the same model silo by silo) and 'supported total' and 'supported
    dependence': estimates over the `window` scored days whose losses were known by that date, so
    that both are on the table on the same day. Rolling estimates rest on some `window`/100
    exceedances each and are drawn, not tested. A model whose requirement is gross and nothing
    else grants no credit and has no series.

    Examples
    --------
    >>> import backtest as bt, strategies as st
    >>> market = bt.load_market("sample")
    >>> book = bt.Book.from_frame(pd.DataFrame({"UST10Y": [1e8], "BTC": [5e6]}, index=["p"]))
    >>> table = granted_and_supported(market, book, {"offset": st.CorrelationOffset()},
    ...                               base=st.HistoricalVaR(), coverage=bt.Coverage(), step=500)
    >>> sorted(table["series"].unique())
    ['offset', 'supported dependence', 'supported total']
    """
    histories = silo_histories(market, book, base=base, coverage=coverage)
    rows, overlap = [], Closeout(book, coverage).rows(market)
    for name, history in histories.items():
        for last in range(window, history.days + 1, step):
            part = history.between(slice(last - window, last))
            if part.not_estimable():
                continue
            found = part.reduction(silo_shifts(window, len(history.silos)))
            at = market.dates.searchsorted(part.dates[-1]) + overlap
            known = market.dates[min(at, len(market.dates) - 1)]
            rows.append((known, name, "supported total", found.total))
            rows.append((known, name, "supported dependence", found.dependence))
    columns = ["date", "portfolio", "series", "share"]
    pieces = [pd.DataFrame(rows, columns=columns)]
    held = book.select([book.portfolios.index(name) for name in histories])
    for model_name, model in models.items():
        steps = parts_of(model, market, held, coverage).steps
        if len(steps) == 1:
            continue
        gross, required = steps["gross"], np.add.reduce(list(steps.values()))
        share = 1.0 - required / np.where(gross > 0, gross, np.nan)
        known_days = ~np.isnan(share).all(axis=1)
        wide = pd.DataFrame(
            share[known_days], index=market.dates[known_days], columns=list(held.portfolios)
        )
        tidy = (
            wide.rename_axis("date")
            .reset_index()
            .melt("date", var_name="portfolio", value_name="share")
        )
        pieces.append(tidy.assign(series=model_name)[columns])
    table = pd.concat(pieces, ignore_index=True)
    table["date"] = pd.to_datetime(table["date"])
    return table
