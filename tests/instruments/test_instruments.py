"""Prices, durations and losses, against cash-flow loops and QuantLib."""

import numpy as np
import pandas as pd
import pytest
import QuantLib as ql
from hypothesis import given
from hypothesis import strategies as h

import backtest as bt
from backtest.instruments import parse_instrument, seasoned_price
from tests.support import by_hand
from tests.support.markets import random_market

NAMES = ("UST10Y", "UST5Y@CME", "BTC", "BTC_CME", "SPY")  # for the laws of all instruments
YIELDS = h.floats(-0.01, 0.15).filter(lambda y: abs(y) > 1e-6) | h.just(0.0)
TENORS = h.sampled_from([0.5, 2.0, 5.0, 10.0, 30.0])


@given(coupon=YIELDS, later=YIELDS, tenor=TENORS, days=h.integers(1, 20))
def test_closed_form_equals_the_sum_over_coupons(coupon, later, tenor, days):
    curve = {name: later for name in by_hand.TENOR_YEARS}
    price = seasoned_price(np.array([coupon]), np.array([later]), tenor, np.array([days / 365.25]))[
        0
    ]
    assert price - 1 == pytest.approx(
        by_hand.treasury_pnl(coupon, curve, tenor, days), rel=1e-9, abs=1e-12
    )


@pytest.mark.parametrize("tenor", [2, 5, 10, 30])
@pytest.mark.parametrize("level", [1e-6, 0.005, 0.0425, 0.09])
def test_duration_and_convexity_equal_quantlib(tenor, level):
    market = bt.Market.from_frame(pd.DataFrame({f"{tenor}Y": [level]}, index=["2024-01-02"]))
    delta, gamma = bt.Treasury(tenor).sensitivity(market)[0]
    today = ql.Date(15, 1, 2024)
    ql.Settings.instance().evaluationDate = today
    schedule = ql.Schedule(
        today,
        today + ql.Period(tenor, ql.Years),
        ql.Period(6, ql.Months),
        ql.NullCalendar(),
        ql.Unadjusted,
        ql.Unadjusted,
        ql.DateGeneration.Backward,
        False,
    )
    count = ql.Thirty360(ql.Thirty360.BondBasis)  # every half-year is exactly half a year
    bond = ql.FixedRateBond(0, 1.0, schedule, [level], count)
    rate = ql.InterestRate(level, count, ql.Compounded, ql.Semiannual)
    assert delta == pytest.approx(
        -ql.BondFunctions.duration(bond, rate, ql.Duration.Modified), rel=1e-10
    )
    assert gamma == pytest.approx(ql.BondFunctions.convexity(bond, rate), rel=1e-10)


def test_seasoned_price_equals_quantlib():
    tenor, coupon, later, days = 10, 0.04, 0.043, 3
    start = ql.Date(15, 1, 2024)
    ql.Settings.instance().evaluationDate = start
    flows = [(i / 2, coupon / 2) for i in range(1, 2 * tenor + 1)] + [(float(tenor), 1.0)]
    rate = ql.InterestRate(later, ql.Actual365Fixed(), ql.Compounded, ql.Semiannual)
    quoted = sum(flow * rate.discountFactor(t - days / 365.25) for t, flow in flows)
    ours = seasoned_price(np.array([coupon]), np.array([later]), tenor, np.array([days / 365.25]))[
        0
    ]
    assert ours == pytest.approx(quoted, rel=1e-12)


def test_treasury_pnl_rolls_down_the_curve_day_by_day():
    market = random_market(30, seed=5)
    pnl = bt.Treasury(10).pnl(market, 2)
    for t in range(28):
        later = dict(zip(market.factors, market.levels[t + 2], strict=True))
        days = int((market.dates[t + 2] - market.dates[t]).astype(int))
        expected = by_hand.treasury_pnl(market.level("10Y")[t], later, 10, days)
        assert pnl[t] == pytest.approx(expected, rel=1e-9, abs=1e-13)
    assert np.isnan(pnl[28:]).all()


def test_thirty_years_is_flat_beyond_the_curve_and_short_bonds_read_below_two_years():
    market = bt.Market.from_frame(
        pd.DataFrame(
            {"3M": [0.01, 0.01], "2Y": [0.02, 0.02], "30Y": [0.05, 0.05]},
            index=["2024-01-02", "2024-01-03"],
        )
    )
    aged = 1 / 365.25
    two = by_hand.treasury_pnl(0.02, {"3M": 0.01, "2Y": 0.02, "30Y": 0.05}, 2, 1)
    assert bt.Treasury(2).pnl(market, 1)[0] == pytest.approx(two, rel=1e-9)
    slope = (0.02 - 0.01) / 1.75
    assert by_hand.interpolated({"3M": 0.01, "2Y": 0.02}, 2 - aged) == pytest.approx(
        0.02 - slope * aged
    )


def test_delta_gamma_is_close_to_full_repricing_without_carry():
    market = bt.Market.from_frame(pd.DataFrame({"10Y": [0.04]}, index=["2024-01-02"]))
    shocks = np.array([-0.005, 0.0, 0.005])
    full = seasoned_price(np.full(3, 0.04), 0.04 + shocks, 10, np.zeros(3)) - 1
    approximate = bt.Treasury(10).scenarios(market, 0, shocks)
    np.testing.assert_allclose(approximate, full, atol=2e-5)
    assert approximate[1] == 0.0


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("UST2Y", bt.Treasury(2)),
        ("UST6M", bt.Treasury(0.5)),
        ("BTC", bt.Spot("BTC")),
        ("UST5Y@CME", bt.Treasury(5, silo="CME")),
        ("ETH@NODAL", bt.Spot("ETH", silo="NODAL")),
    ],
)
def test_names_make_instruments_and_instruments_names(name, made):
    assert parse_instrument(name) == made and made.name == name


@pytest.mark.parametrize("wrong", ["UST3M", "BTC@", "@CME", ""])
def test_a_name_that_cannot_be_held_is_refused(wrong):
    with pytest.raises(bt.StudyError):
        parse_instrument(wrong)


@pytest.mark.parametrize("tenor", [0, -1, 0.3])
def test_a_bond_needs_whole_coupons(tenor):
    with pytest.raises(bt.StudyError, match="multiple of half a year"):
        bt.Treasury(tenor)
