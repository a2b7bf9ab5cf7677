"""The Eurex-like model by plain loops, and its stress floor; published numbers are in studies."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import backtest as bt
import strategies as st
from backtest.instruments import by_factor
from backtest.market.earlier import Earlier
from backtest.types import StudyError
from tests.support import reference

COVERAGE = bt.Coverage(confidence=0.95, mpor=2)
SHORT = {"lookback": 60, "burn_in": 20}
STRESS = (("2020-03-02", "2020-04-10"), ("2020-06-01", "2020-06-30"))
CONTRACT = {
    "eurex_like": [
        {**SHORT, "stress": []},
        {"mpor": 2, "lookback": 61, "burn_in": 30, "demeaned": False, "decay": 0.9},
        {"mpor": 1, **SHORT, "stress": [list(w) for w in STRESS], "stress_confidence": 0.99},
    ],
}
DAY = 250


def moves_of_the_day(market, column, *, step, lookback, **settings):
    """(lookback,) moves of a factor on `DAY`, the latest first, and the bucket of each."""
    shocks = market.shocks(step)[:, column]
    is_price = market.kinds[column] == "price"
    returns = np.log(1.0 + shocks) if is_price else shocks
    filtered, scale = reference.filtered_returns(returns, step=step, lookback=lookback, **settings)
    buckets = np.arange(lookback) % step
    scaled = filtered[DAY - lookback + 1 : DAY + 1][::-1] * scale[DAY, buckets]
    return (np.exp(scaled) - 1.0 if is_price else scaled), buckets


@pytest.mark.parametrize("step", [1, 3])
def test_margin_is_that_of_plain_loops(step, small_market, small_book):
    settings = {"lookback": 70, "burn_in": 24, "decay": 0.92, "demeaned": True}
    model = st.EurexLike(mpor=step, confidence=0.95, factor=1.2, stress=(), **settings)
    found = model.margin(small_market, small_book, COVERAGE)
    pnl = np.zeros((4, 70))
    for i, instrument in enumerate(small_book.instruments):
        for name, sensitivity in by_factor(instrument, small_market).items():
            column = small_market.column(name)
            move, buckets = moves_of_the_day(small_market, column, step=step, **settings)
            delta, gamma = sensitivity[DAY]
            unit = delta * move + gamma * move**2 / 2.0
            pnl += np.outer(small_book.exposure[:, i], unit)
    wanted = [1.2 * max(0.0, reference.bucketed_tail(own, buckets, 0.05)) for own in pnl]
    np.testing.assert_allclose(found[DAY], wanted, rtol=1e-9)
    assert min(wanted) > 0.0


def test_options_are_revalued_under_filtered_moves(option_market):
    book = bt.Book.from_frame(pd.DataFrame({"SPY-PUT-30D": [-1e7], "SPY": [2e6]}, index=["put"]))
    settings = {"lookback": 60, "burn_in": 20, "decay": 0.94, "demeaned": False}
    model = st.EurexLike(mpor=2, confidence=0.95, factor=1.0, stress=(), **settings)
    found = model.margin(option_market, book, COVERAGE)[DAY, 0]
    put = book.instruments[0]
    moves = {}
    for name in ("SPY", "VIX"):
        column = option_market.column(name)
        moves[name], buckets = moves_of_the_day(option_market, column, step=2, **settings)
    dates = option_market.dates
    rows = np.arange(DAY, DAY - 60, -1)
    elapsed = (dates[rows] - dates[rows - 2]).astype(float)
    joint = np.column_stack([moves[name] for name in put.moved_by])
    pnl = -1e7 * put.scenarios(option_market, DAY, joint, elapsed=elapsed) + 2e6 * moves["SPY"]
    assert found == pytest.approx(reference.bucketed_tail(pnl, buckets, 0.05), rel=1e-9)


def test_stress_floor_is_the_tail_of_the_windows_and_never_earlier(small_market):
    book = bt.Book.from_frame(pd.DataFrame({"BTC": [1.0, -1.0]}, index=["long", "short"]))
    model = st.EurexLike(**SHORT, stress=STRESS, stress_confidence=0.93)
    floor = model.stress_floor(small_market, book, COVERAGE)
    dates, three = small_market.dates, small_market.shocks(3)[:, small_market.column("BTC")]
    returns, buckets = [], []
    for begin, end in STRESS:
        rows = np.flatnonzero((dates >= np.datetime64(begin)) & (dates <= np.datetime64(end)))
        for place, row in enumerate(rows[:1:-1]):  # the first two returns began before the window
            returns.append(three[row])
            buckets.append(place % 3)
    for p, sign in enumerate((1.0, -1.0)):
        wanted = reference.bucketed_tail(sign * np.array(returns), np.array(buckets), 0.07)
        assert floor[-1, p] == pytest.approx(wanted, rel=1e-12)
    known = ~np.isnan(floor[:, 0])
    assert (np.diff(known.astype(int)) >= 0).all()
    assert dates[known.argmax()] > np.datetime64(STRESS[0][0]) + 20
    margin = model.margin(small_market, book, COVERAGE)
    without = st.EurexLike(**SHORT, stress=()).margin(small_market, book, COVERAGE)
    scored = ~np.isnan(without[:, 0])
    np.testing.assert_array_equal(margin[scored], np.fmax(without, floor)[scored])


def test_study_decides_neither_confidence_nor_mpor(small_market, small_book):
    model = st.EurexLike(**SHORT)
    one, other = (
        model.margin(small_market, small_book, bt.Coverage(confidence=c, mpor=days))
        for c, days in ((0.9, 1), (0.99, 5))
    )
    np.testing.assert_array_equal(one, other)


def test_windows_before_the_first_price_are_said_to_be_left_out(small_market):
    words = st.EurexLike().leaves_out(small_market)
    assert words.startswith("eurex_like leaves 7 of 7 windows of stress out of its floor")
    assert str(small_market.dates[0]) in words
    assert words.endswith(f"{small_market.dates[0]}.")
    assert st.EurexLike(stress=STRESS).leaves_out(small_market) == ""
    days = np.arange("2008-01-01", "2019-12-31", 7, dtype="datetime64[D]")
    levels = np.full((len(days), 7), 0.03)
    levels[:, 5:] = np.nan
    older = replace(small_market, before=Earlier(days, levels))
    ending = "Positions on 3M, 2Y, 5Y, 10Y, 30Y alone have those since 2008-01-01."
    assert st.EurexLike().leaves_out(older).endswith(ending)


def test_a_burn_in_without_a_return_for_every_bucket_is_refused(small_market, small_book):
    with pytest.raises(StudyError, match=r"burn_in is 4.*at least twice"):
        st.EurexLike(burn_in=4, mpor=5).margin(small_market, small_book, COVERAGE)


def test_on_real_prices_the_published_terms_cover(real_market):
    frame = pd.DataFrame({"UST10Y": [1.0, 0.0, 0.5], "BTC": [0.0, 1.0, 0.5]}, index=list("abc"))
    book = bt.Book.from_frame(frame)
    model = st.EurexLike(lookback=500, burn_in=200, demeaned=False)
    margin = model.margin(real_market, book, COVERAGE)
    known = ~np.isnan(margin[:, 0])
    assert known.sum() > 1500
    loss = book.loss(real_market, bt.Coverage(mpor=3)).sum(axis=2)[known]
    beyond = (loss > margin[known]).mean(axis=0)
    assert (beyond < 0.02).all()
    assert (margin[known][:, 2] <= margin[known][:, :2].mean(axis=1) * (1 + 1e-9)).mean() > 0.9
