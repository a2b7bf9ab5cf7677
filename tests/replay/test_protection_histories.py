"""Margins by house with earlier history: no account waits for a house where it holds nothing."""

import numpy as np
import pandas as pd

import backtest as bt
import strategies as st
from backtest.replay.protection.margins import margins_by_house
from backtest.types import unheard


def test_an_account_without_positions_at_a_house_needs_no_margin_there_from_the_first_day(
    small_market,
):
    since = pd.Timestamp(small_market.dates[160])
    market = bt.Market.from_frame(small_market.to_frame(), since=since, simulated=True)
    legs = {"UST10Y": [1e8, 0.0], "BTC": [0.0, 1e7]}
    book = bt.Book.from_frame(pd.DataFrame(legs, index=["note", "coin"]), market)
    models = {"var": st.HistoricalVaR(lookback=60)}
    (margins,) = margins_by_house(
        models, market, book, bt.Coverage(), kind="customer", progress=unheard
    ).values()
    assert len(margins.alone) == 100 and not np.isnan(margins.known).any()
    note, coin = margins.alone[:, 0], margins.alone[:, 1]
    assert (note[:, 1] == 0.0).all() and (coin[:, 0] == 0.0).all()
    assert (note[:, 0] > 0.0).all() and (coin[:, 1] > 0.0).all()
