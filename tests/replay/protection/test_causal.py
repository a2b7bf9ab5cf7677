"""Margins and collateral of accounts and firms on a day come from closes up to it."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import backtest as bt
import strategies as st
from tests.support.markets import random_market

MODELS = {
    "siloed": st.Siloed(base=st.HistoricalVaR(lookback=60)),
    "cross": st.CrossMargining(base=st.HistoricalVaR(lookback=60)),
    "var": st.HistoricalVaR(lookback=60),
}
LEGS = {
    "UST10Y": [1e8, 5e7, -8e7, 3e7],
    "ZN~curve": [-9e7, 0.0, 7e7, -3e7],
    "BTC": [0, 2e6, 1e6, 0],
}
ACCOUNTS = ["basis", "coin and bond", "opposite", "own"]
STRUCTURE = bt.Structure(
    (
        *(bt.Member(name, "A") for name in ACCOUNTS[:3]),
        bt.Member("own", "A", "house"),
    ),
    {"A": bt.Firm(multiplier=1.2, posts="intraday")},
)


def protected(market):
    """The accounts under every model and arrangement."""
    book = bt.Book.from_frame(pd.DataFrame(LEGS, index=ACCOUNTS))
    return bt.protect(market, book, MODELS, STRUCTURE, draws=1)


@pytest.fixture(scope="module")
def market():
    return random_market(220, seed=5)


@pytest.fixture(scope="module")
def whole(market):
    return protected(market)


def known(outcome):
    """What houses and firms know at a close; (days, ...)."""
    holdings = outcome.holdings
    return {
        "required": outcome.required,
        "asked of firms": holdings.required,
        "posted": holdings.posted,
        "at the house": holdings.at_house,
        "advanced": holdings.advanced,
    }


def test_nothing_that_is_known_at_a_close_moves_when_the_future_is_cut_off(market, whole):
    compared = 0
    for last in (120, 170, 200):
        cut = protected(market.until(market.dates[last]))
        days = len(cut.days)
        assert (cut.days == whole.days[:days]).all()
        for key, outcome in cut.outcomes.items():
            for what, amounts in known(outcome).items():
                before = known(whole.outcomes[key])[what][:days]
                assert np.array_equal(amounts, before), (key, what, last)
                compared += 1
    assert compared == 3 * 3 * 6 * 5


def test_nor_when_the_future_is_another_one(market, whole):
    last = 150
    levels = market.levels.copy()
    levels[last + 1 :] *= 1.5
    other = protected(replace(market, levels=levels))
    on = int(np.flatnonzero(whole.window.dates == market.dates[last])[0]) + 1
    for key, outcome in other.outcomes.items():
        for what, amounts in known(outcome).items():
            assert np.array_equal(amounts[:on], known(whole.outcomes[key])[what][:on]), (key, what)
    assert not np.array_equal(other.loss[:on], whole.loss[:on])  # which is an outcome
