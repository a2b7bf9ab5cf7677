"""Days to close out: by instrument, silo and portfolio, and when a loss is known."""

import numpy as np
import pandas as pd
import pytest

import backtest as bt
from backtest.book.closeout import Closeout

MIXED = bt.Coverage(mpor={"FICC": 4, "CME": 2, "crypto": 1})


@pytest.fixture
def book():
    usd = {
        "UST10Y": [1.0, 0.0, 0.0],
        "UST5Y@CME": [0.0, 1.0, 0.0],
        "BTC": [1.0, 0.0, 0.0],
        "SPY": [0.0, -1.0, 0.0],
    }
    return bt.Book.from_frame(pd.DataFrame(usd, index=["apart", "alike", "nothing"]))


def test_days_are_those_of_the_class_then_of_the_silo(book):
    assert [i.asset_class for i in book.instruments] == ["treasury"] * 2 + ["crypto", "equity"]
    mixed = Closeout(book, MIXED)
    assert mixed.by_instrument == (4, 2, 1, 2) and mixed.longest == 4
    assert mixed.by_silo == {"FICC": 4, "CME treasury": 2, "CME crypto": 1, "CME equity": 2}
    assert Closeout(book, bt.Coverage(mpor=2)).by_silo == {"FICC": 2, "CME": 2}


@pytest.mark.parametrize(
    ("mpor", "said"),
    [
        ({"FICC": 3}, "no days for silo 'CME' or asset class 'treasury'"),
        ({"treasury": 3, "crypto": 2}, "no days for silo 'CME' or asset class 'equity'"),
    ],
)
def test_an_instrument_without_days_is_named(book, mpor, said):
    with pytest.raises(bt.StudyError, match=said):
        _ = Closeout(book, bt.Coverage(mpor=mpor)).by_instrument


def test_portfolios_close_out_over_what_they_hold(book):
    closeout = Closeout(book, MIXED)
    assert closeout.by_portfolio.tolist() == [4, 2, 1]
    assert closeout.shared.tolist() == [1, 0, 0]


def test_a_loss_is_known_when_it_has_a_value(small_market, small_book):
    coverage = bt.Coverage(mpor={"FICC": 3, "CME": 2})
    closeout, loss = Closeout(small_book, coverage), small_book.loss(small_market, coverage)
    known = closeout.known_from(small_market)
    assert closeout.rows(small_market) == 3
    np.testing.assert_array_equal(known < len(loss), ~np.isnan(loss).any(axis=(1, 2)))
    cut = small_market.until(int(known[100]))
    assert not np.isnan(small_book.loss(cut, coverage)[100]).any()
    assert np.isnan(small_book.loss(cut, coverage)[101]).all()
