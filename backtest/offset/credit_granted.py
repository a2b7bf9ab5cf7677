"""Credit that each model grants, and credit that the data of the time support, day by day."""

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
from backtest.types import Progress, counted, unheard, within
from strategies.parts import parts_of

ESTIMATED_TOTAL, ESTIMATED_OFFSET = "estimated total", "estimated offset"  # series
WINDOW = 750  # scored days in each estimate of the credit
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
    progress: Progress = unheard,
) -> pd.DataFrame:
    """Long table: date, portfolio, series, share of the sum of the silos' margins.

    The series of a model is the credit it grants: 1 - required / gross, with gross from the steps
    of the model or, for a model without steps, from the same model applied to each silo alone. The
    series 'estimated total' and 'estimated offset' are estimates over the `window` scored days
    whose losses were known on that date, so both sides use the same information. An estimate has
    about `window` / 100 exceedances behind it: it is shown and not tested. A model whose
    requirement has no step after gross grants no credit and has no series.

    Examples
    --------
    >>> import backtest as bt, strategies as st
    >>> market = bt.load_market("sample")
    >>> book = bt.Book.from_frame(pd.DataFrame({"UST10Y": [1e8], "BTC": [5e6]}, index=["p"]))
    >>> table = granted_and_supported(market, book, {"offset": st.CorrelationOffset()},
    ...                               base=st.HistoricalVaR(), coverage=bt.Coverage(), step=500)
    >>> sorted(table["series"].unique())
    ['estimated offset', 'estimated total', 'offset']
    """
    histories = silo_histories(market, book, base=base, coverage=coverage)
    rows, overlap = [], Closeout(book, coverage).rows(market)
    supported = within(progress, "granted against supported", 0.0, 0.8)
    for name, history in counted(supported, "", histories.items(), len(histories)):
        for last in range(window, history.days + 1, step):
            part = history.between(slice(last - window, last))
            if part.not_estimable():
                continue
            reduction = part.reduction(silo_shifts(window, len(history.silos)))
            row = market.dates.searchsorted(part.dates[-1]) + overlap
            known_on = market.dates[min(row, len(market.dates) - 1)]
            rows.append((known_on, name, ESTIMATED_TOTAL, reduction.total))
            rows.append((known_on, name, ESTIMATED_OFFSET, reduction.dependence))
    columns = ["date", "portfolio", "series", "share"]
    pieces = [pd.DataFrame(rows, columns=columns)]
    silo_book = book.select([book.portfolios.index(name) for name in histories])
    granted = within(progress, "granted against supported", 0.8, 1.0)
    for model_name, model in counted(granted, "", models.items(), len(models)):
        steps = parts_of(model, market, silo_book, coverage).steps
        if len(steps) == 1:
            continue
        gross, required = steps["gross"], np.add.reduce(list(steps.values()))
        share = 1.0 - required / np.where(gross > 0, gross, np.nan)
        known_days = ~np.isnan(share).all(axis=1)
        wide = pd.DataFrame(
            share[known_days], index=market.dates[known_days], columns=list(silo_book.portfolios)
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
