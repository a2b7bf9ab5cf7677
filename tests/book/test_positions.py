"""Books from tables of positions: what days without a row say, units, and what is refused."""

import numpy as np
import pandas as pd
import pytest

import backtest as bt
from backtest import memory

DAYS = pd.bdate_range("2024-01-02", periods=6)
MARKET = bt.Market.from_frame(
    pd.DataFrame(
        {
            "10Y": np.linspace(0.040, 0.045, 6),
            "BTC": [50e3, 51e3, 49e3, 60e3, 61e3, 40e3],
            "ZN": [110.0, 111.0, 110.5, 109.0, 108.0, 108.5],
        },
        index=DAYS,
    )
)


def table(*rows, unit="usd"):
    return pd.DataFrame(rows, columns=["date", "account", "instrument", unit])


def book(frame, gaps="unchanged"):
    return bt.Book.from_positions(frame, MARKET, gaps=gaps)


def test_days_without_a_row_say_what_the_user_says():
    frame = table(
        (DAYS[1], "a", "BTC", 5.0), (DAYS[3], "a", "BTC", -2.0), (DAYS[1], "b", "UST10Y", 7.0)
    )
    kept, flat = book(frame), book(frame, gaps="flat")
    assert [i.name for i in kept.instruments] == ["BTC", "UST10Y"]
    assert kept.exposure[:, 0, 0].tolist() == [0.0, 5.0, 5.0, -2.0, -2.0, -2.0]
    assert kept.exposure[:, 1, 1].tolist() == [0.0, 7.0, 7.0, 7.0, 7.0, 7.0]
    assert flat.exposure[:, 0, 0].tolist() == [0.0, 5.0, 0.0, -2.0, 0.0, 0.0]
    assert kept.is_held.tolist() == [[True, False], [False, True]]


def test_units_are_worth_what_their_contract_says():
    coins = book(table((DAYS[0], "a", "BTC", 2.0), unit="coins"))
    np.testing.assert_allclose(coins.usd(MARKET)[:, 0, 0], 2.0 * MARKET.level("BTC"))
    notes = book(table((DAYS[0], "a", "ZN", -3.0), unit="contracts"))
    # A point of a contract on 100,000 of face is 1,000 dollars.
    np.testing.assert_allclose(notes.usd(MARKET)[:, 0, 0], -3000.0 * MARKET.level("ZN"))
    loss = notes.loss(MARKET, bt.Coverage(mpor=1))[:-1, 0, 0]
    np.testing.assert_allclose(loss, 3000.0 * np.diff(MARKET.level("ZN")), rtol=1e-12)
    face = book(table((DAYS[0], "a", "UST10Y", 1e6), unit="face"))
    assert (face.usd(MARKET) == 1e6).all()


def test_largest_is_of_each_position_with_its_sign():
    frame = table(
        (DAYS[0], "a", "BTC", 5.0), (DAYS[1], "a", "BTC", -9.0), (DAYS[2], "a", "BTC", 1.0)
    )
    assert book(frame).largest(MARKET).loc["a", "BTC"] == -9.0


def test_names_stay_text():
    frame = table((DAYS[0], "001", "BTC", 1.0), (DAYS[0], "NA", "BTC", 1.0))
    assert book(frame).portfolios == ("001", "NA")


def test_loss_is_that_of_the_positions_held_from_each_close():
    frame = table((DAYS[0], "a", "BTC", 10.0), (DAYS[2], "a", "BTC", -10.0))
    loss = book(frame).loss(MARKET, bt.Coverage(mpor=2))[:, 0, 0]
    price = MARKET.level("BTC")
    change = price[2:] / price[:-2] - 1.0
    np.testing.assert_allclose(loss[:-2], np.array([-10.0, -10.0, 10.0, 10.0]) * change, rtol=1e-12)
    assert np.isnan(loss[-2:]).all()


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (table((DAYS[0], "a", "BTC", 1.0), (DAYS[0], "a", "BTC", 2.0)), "is twice"),
        (table(("2024-02-01", "a", "BTC", 1.0)), "after the last day with prices"),
        (table(("2023-12-01", "a", "BTC", 1.0)), "before the first day with prices"),
        (table(("2024-01-06", "a", "BTC", 1.0)), "2024-01-06 is a day without prices"),
        (table((DAYS[0], "a", "BCT", 1.0)), "Did you mean 'BTC'?"),
        (table((DAYS[0], "a", "BTC", "much")), "usd is 'much'; give a number"),
        (table((DAYS[0], "a", "BTC", np.inf)), "usd is inf"),
        (table((DAYS[0], "a", "BTC", np.nan)), "has no amount"),
        (table((DAYS[0], None, "BTC", 1.0)), "row 1 of the positions has no account"),
        (table((DAYS[0], "a", "BTC", 1.0), unit="face"), "is not counted in 'face'; give coins"),
        (table((DAYS[0], "a", "BTC", 1.0), unit="lots"), "unknown column 'lots'"),
        (table((DAYS[0], "a", "BTC", 1.0)).drop(columns="account"), "lack 'account'"),
        (table((DAYS[0], "a", "BTC", 1.0)).drop(columns="usd"), "no amounts"),
        (table(("01/02/2024", "a", "BTC", 1.0)), "give a day as YYYY-MM-DD"),
        (table((DAYS[0], "a", "BTC", 1.0)).iloc[:0], "no row"),
        (table((DAYS[0], "a", "BTC", 1.0)).assign(coins=2.0), "has two units, usd and coins"),
        (
            pd.concat(
                [
                    table((DAYS[0], "a", "BTC", 1.0)),
                    table((DAYS[1], "a", "BTC", 1.0), unit="coins"),
                ]
            ),
            "is in coins, and BTC in usd before",
        ),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_line(frame, message):
    with pytest.raises(bt.BacktestError) as refused:
        book(frame)
    assert message in str(refused.value) and "\n" not in str(refused.value)


def test_gaps_are_named_one_way_or_the_other():
    with pytest.raises(bt.BacktestError, match="'unchanged' or 'flat'"):
        book(table((DAYS[0], "a", "BTC", 1.0)), gaps="zero")


def test_a_history_longer_than_the_positions_is_refused():
    known = book(table((DAYS[0], "a", "BTC", 1.0)))
    later = bt.Market.from_frame(
        pd.DataFrame({"BTC": [1.0, 2.0]}, index=pd.bdate_range("2024-01-09", periods=2))
    )
    with pytest.raises(bt.BacktestError, match="and not for 2024-01-10"):
        known.loss(later, bt.Coverage(mpor=1))


def test_more_positions_than_memory_holds_are_refused_before_they_are_made(monkeypatch):
    monkeypatch.setattr(memory, "memory_left", lambda: 3 * 8 * 2 * 2 * 6 - 1.0)
    frame = table((DAYS[0], "a", "BTC", 5.0), (DAYS[1], "b", "UST10Y", 7.0))
    with pytest.raises(bt.StudyError, match="2 accounts in 2 instruments on 6 days need about"):
        book(frame)
    monkeypatch.setattr(memory, "memory_left", lambda: 3 * 8 * 2 * 2 * 6.0)
    assert book(frame).exposure.shape == (6, 2, 2)
