"""The ladder: what shifting keeps, three silos, and when nothing can be said."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as h

import backtest as bt
import strategies as st
from backtest.kernels.pooling import shifted_scales, tail_scale
from backtest.offset import ladder_or_reason
from backtest.offset.history import by_ratio, silo_shifts
from backtest.scores import equal_coverage_scale
from tests.support import by_hand
from tests.support.markets import random_market

COVERAGE = bt.Coverage(confidence=0.95)
BASE = st.HistoricalVaR(lookback=60)


@settings(deadline=None)
@given(
    seed=h.integers(0, 10_000),
    days=h.integers(20, 60),
    confidence=h.sampled_from([0.9, 0.95]),
    zeros=h.booleans(),
)
def test_tail_scale_equals_sorting(seed, days, confidence, zeros):
    generator = np.random.default_rng(seed)
    loss, margin = np.round(generator.normal(size=days), 1), generator.uniform(0.5, 1.5, days)
    if zeros:
        margin[generator.integers(0, days, 3)] = 0.0
    count = int(np.floor(round(days * (1 - confidence), 9))) + 1
    found = tail_scale(loss, margin, np.empty(count))
    assert found == by_hand.equal_coverage(loss, margin, confidence)
    panel = equal_coverage_scale(loss[:, None], margin[:, None], confidence=confidence)
    assert found == panel[0]


def test_shifts_move_loss_and_margin_together():
    generator = np.random.default_rng(0)
    loss, margin = generator.normal(size=(2, 50)), generator.uniform(1, 2, (2, 50))
    shifts = np.array([[0, 7], [3, 0], [0, 49]])
    found = np.empty(3)
    shifted_scales(by_ratio(loss, margin), shifts, 3, found)
    for r, (a, b) in enumerate(shifts):
        pooled_loss = np.roll(loss[0], a) + np.roll(loss[1], b)
        pooled_margin = np.roll(margin[0], a) + np.roll(margin[1], b)
        assert found[r] == pytest.approx(np.sort(pooled_loss / pooled_margin)[-3])


def test_every_relative_shift_from_60_to_n_less_60():
    shifts = silo_shifts(300, 2)
    assert shifts[:, 1].tolist() == list(range(60, 241)) and (shifts[:, 0] == 0).all()


def test_three_silos_are_parted_pair_by_pair_and_seeded():
    shifts = silo_shifts(1000, 3, seed=4)
    assert shifts.shape == (400, 3)
    for a, b in [(0, 1), (0, 2), (1, 2)]:
        apart = np.abs(shifts[:, a] - shifts[:, b])
        assert np.minimum(apart, 1000 - apart).min() >= 60
    np.testing.assert_array_equal(shifts, silo_shifts(1000, 3, seed=4))
    with pytest.raises(bt.StudyError, match="too few to shift 3 silos 60 days apart"):
        silo_shifts(300, 3)


@pytest.fixture(scope="module")
def market():
    return random_market(900, seed=2)


def ladder(market, **usd):
    book = bt.Book.from_frame(pd.DataFrame([usd], index=["p"]), market)
    return bt.supportable_offset(
        market, book, base=BASE, coverage=COVERAGE, bounds=False
    ).to_frame()


def test_a_hedge_across_silos_is_offset_and_the_same_position_twice_is_neither(market):
    hedge = ladder(market, **{"UST10Y": 1e8, "UST10Y@CME": -1e8}).loc["p"]
    assert hedge["total"] == pytest.approx(1.0, abs=1e-9) and hedge["dependence"] > 0.5
    twice = ladder(market, **{"UST10Y": 1e8, "UST10Y@CME": 1e8}).loc["p"]
    assert twice["total"] == pytest.approx(0.0, abs=1e-9) and twice["dependence"] < -0.1


def test_independent_legs_have_diversification_and_no_offset(market):
    row = ladder(market, UST10Y=1e8, BTC=1e7).loc["p"]
    assert row["diversification"] > 0.05 and abs(row["dependence"]) < 0.12


def test_the_money_saved_is_what_the_pool_asks_less_than_its_silos(market):
    """Plain sorting: each silo scaled to the allowed count, then their sum for the pool."""
    frame = pd.DataFrame({"UST10Y": [1e8], "BTC": [5e6]}, index=["book"])
    book = bt.Book.from_frame(frame, market)
    found = bt.supportable_offset(market, book, base=BASE, coverage=COVERAGE, bounds=False)
    row = found.to_frame().loc["book"]
    loss = book.loss(market, COVERAGE)[:, 0, :]
    margin = np.stack(
        [BASE.margin(market, book.in_silo(silo), COVERAGE)[:, 0] for silo in book.silos], axis=1
    )
    scored = ~(np.isnan(loss).any(axis=1) | np.isnan(margin).any(axis=1))
    loss, margin = loss[scored], margin[scored]
    scale = [by_hand.equal_coverage(loss[:, s], margin[:, s], 0.95) for s in range(2)]
    silos = margin @ np.array(scale)
    pool = silos * by_hand.equal_coverage(loss.sum(axis=1), silos, 0.95)
    assert row["silo_margin"] == pytest.approx(silos.mean(), rel=1e-12)
    assert row["total"] * row["silo_margin"] == pytest.approx(silos.mean() - pool.mean())


def test_raw_takes_margins_as_they_are(market):
    row = ladder(market, UST10Y=1e8, BTC=1e7).loc["p"]
    book = bt.Book.from_frame(pd.DataFrame({"UST10Y": [1e8], "BTC": [1e7]}, index=["p"]), market)
    margin = st.Siloed(base=BASE).margin(market, book, COVERAGE)[61:-2]
    loss = book.loss(market, COVERAGE).sum(axis=2)[61:-2]
    scale = equal_coverage_scale(loss, margin, confidence=0.95)[0]
    assert row["raw"] == pytest.approx(1 - scale)


def test_one_silo_has_no_ladder_and_zero_margin_says_why(market):
    assert ladder(market, UST10Y=1e8, UST2Y=-1e8).empty
    flat = market.levels.copy()
    flat[:, 5] = 100.0
    still = bt.Market(market.dates, market.factors, flat, market.kinds)
    row = ladder(still, UST10Y=1e8, BTC=1e7).loc["p"]
    assert np.isnan(row["total"]) and "margin of CME is zero" in row["reason"]


def test_a_study_keeps_its_other_tables_where_the_ladder_has_too_few_days(market):
    """The default base looks back 500 days: on 400 it knows no margin, and the ladder says so."""
    short = random_market(400)
    frame = pd.DataFrame(
        {"UST10Y": [1e8, 1e8], "BTC": [-1e7, 0.0]}, index=["pool", "one silo alone"]
    )
    book, base = bt.Book.from_frame(frame), st.HistoricalVaR()
    found = ladder_or_reason(short, book, base=base, coverage=bt.Coverage()).to_frame()
    assert list(found.index) == ["pool"] and np.isnan(found.loc["pool", "total"])
    assert "shorten the [sizing] lookback" in found.loc["pool", "reason"]
    assert found.loc["pool", ["usd_FICC", "usd_CME"]].tolist() == [1e8, 1e7]
    whole = ladder_or_reason(market, book, base=BASE, coverage=bt.Coverage(), resamples=20)
    again = bt.supportable_offset(market, book, base=BASE, resamples=20)
    pd.testing.assert_frame_equal(whole.to_frame(), again.to_frame())


def test_three_silos_that_cannot_be_shifted_apart_are_not_estimable():
    frame = pd.DataFrame({"UST10Y": [1e8], "BTC": [1e7], "ETH@OTHER": [1e7]}, index=["p"])
    found = bt.supportable_offset(random_market(400), bt.Book.from_frame(frame), base=BASE)
    assert "3 silos need 720" in found.to_frame().loc["p", "reason"]


def test_too_short_a_history_is_refused():
    with pytest.raises(bt.StudyError, match="too few to shift"):
        ladder(random_market(170), UST10Y=1e8, BTC=1e7)
