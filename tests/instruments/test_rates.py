"""Bills, curve-implied futures and swaps: QuantLib, published examples, full repricing."""

import numpy as np
import pandas as pd
import pytest
import QuantLib as ql

import backtest as bt
import strategies as st
from backtest.instruments import (
    CurveFuture,
    Future,
    Swap,
    TBill,
    by_factor,
    parse_instrument,
    seasoned_price,
)
from backtest.instruments.bill import bank_discount, bill_price
from backtest.instruments.swap import discount_factors
from backtest.model.delta_gamma import book_scenarios
from tests.support.markets import random_market

NAMES = ("BILL3M", "SWAP10Y", "ZN", "ZN~curve")  # for the laws of all instruments
CURVE = {"3M": 0.051, "2Y": 0.046, "5Y": 0.042, "10Y": 0.0435, "30Y": 0.047}
TODAY = ql.Date(15, 1, 2024)
THIRTY = ql.Thirty360(ql.Thirty360.BondBasis)  # every half-year is exactly half a year


def one_day(**shifts):
    """A market of one day, some yields shifted."""
    moved = {f: y + shifts.get(f, 0.0) for f, y in CURVE.items()}
    return bt.Market.from_frame(pd.DataFrame(moved, index=["2024-01-15"]))


def two_days(gap=3, **shifts):
    """The same market and, `gap` calendar days on, one with some yields shifted."""
    days = pd.Timestamp("2024-01-15") + pd.to_timedelta([0, gap], unit="D")
    later = {f: y + shifts.get(f, 0.0) for f, y in CURVE.items()}
    return bt.Market.from_frame(pd.DataFrame([CURVE, later], index=days))


# Bills


@pytest.mark.parametrize("years", [1 / 12, 0.25, 0.5])
@pytest.mark.parametrize("level", [0.0, 0.002, 0.0525, 0.12])
def test_a_bill_up_to_half_a_year_equals_quantlib(years, level):
    months = round(12 * years)
    rate = ql.InterestRate(level, THIRTY, ql.Simple, ql.Annual)
    bill = ql.ZeroCouponBond(
        0, ql.NullCalendar(), 1.0, TODAY + ql.Period(months, ql.Months), ql.Unadjusted, 1.0, TODAY
    )
    ql.Settings.instance().evaluationDate = TODAY
    market = bt.Market.from_frame(pd.DataFrame({f"{months}M": [level]}, index=["2024-01-15"]))
    delta, gamma = TBill(years).sensitivity(market)[0]
    price = ql.BondFunctions.cleanPrice(bill, rate, TODAY)
    assert bill_price(np.array([level]), years)[0] == pytest.approx(price, rel=1e-10)
    modified = ql.BondFunctions.duration(bill, rate, ql.Duration.Modified, TODAY)
    assert delta == pytest.approx(-modified, rel=1e-10)
    assert gamma == pytest.approx(ql.BondFunctions.convexity(bill, rate, TODAY), rel=1e-10)


def test_the_treasurys_own_examples():
    # 31 CFR 356, Appendix B, section VI: bank discount 7.65 %, 364 days; 8.237 % coupon equivalent.
    assert bank_discount(0.92265, 364) == pytest.approx(0.0765, abs=5e-7)
    assert bill_price(np.array([0.08237]), 364 / 365)[0] == pytest.approx(0.92265, abs=5e-6)
    price = 1 - 0.0761 * 181 / 360  # 7.61 %, 181 days
    assert bill_price(np.array([(1 - price) / price * 365 / 181]), 181 / 365)[0] == pytest.approx(
        price, abs=1e-12
    )


@pytest.mark.parametrize("name", ["BILL3M", "BILL1Y"])
def test_a_bill_earns_its_yield_and_loses_its_duration(name):
    bill, shift = parse_instrument(name), 0.0025
    factor, years = bill.factor, bill.tenor
    days = pd.Timestamp("2024-01-15") + pd.to_timedelta([0, 4], unit="D")
    flat = pd.DataFrame({factor: [0.05, 0.05 + shift]}, index=days)
    pnl = bill.pnl(bt.Market.from_frame(flat), 1)
    left = years - 4 / 365.25
    late, now = ((1 + r * min(t, 0.5)) * (1 + r * max(t - 0.5, 0)) for r, t in
                 [(0.05 + shift, left), (0.05, years)])  # fmt: skip
    assert pnl[0] == pytest.approx(now / late - 1, rel=1e-12) and np.isnan(pnl[1])
    shocks = np.array([-shift, 0.0, shift])
    levels = bill_price(0.05 + shocks, years) / bill_price(np.array([0.05]), years) - 1
    np.testing.assert_allclose(
        bill.scenarios(bt.Market.from_frame(flat), 0, shocks), levels, atol=2e-8
    )


# Swaps


def quantlib_curve(market):
    """QuantLib's own bootstrap of the par curve, from par bonds at every half-year."""
    ql.Settings.instance().evaluationDate = TODAY
    tenors = [bt.market.tenor_years(f) for f in market.factors]
    helpers = []
    for i in range(1, 61):
        par = float(np.interp(i / 2, tenors, market.levels[0]))
        schedule = ql.Schedule(
            TODAY, TODAY + ql.Period(6 * i, ql.Months), ql.Period(6, ql.Months), ql.NullCalendar(),
            ql.Unadjusted, ql.Unadjusted, ql.DateGeneration.Backward, False,
        )  # fmt: skip
        quote = ql.QuoteHandle(ql.SimpleQuote(100.0))
        helpers.append(ql.FixedRateBondHelper(quote, 0, 100.0, schedule, [par], THIRTY))
    curve = ql.PiecewiseLogLinearDiscount(TODAY, helpers, THIRTY, ql.IterativeBootstrap(1e-15))
    curve.enableExtrapolation()
    return curve


def quantlib_swap(market, tenor, fixed):
    """Receiver swap priced by QuantLib on that curve."""
    handle = ql.YieldTermStructureHandle(quantlib_curve(market))
    index = ql.IborIndex(
        "half-year", ql.Period(6, ql.Months), 0, ql.USDCurrency(), ql.NullCalendar(),
        ql.Unadjusted, False, THIRTY, handle,
    )  # fmt: skip
    schedule = ql.Schedule(
        TODAY, TODAY + ql.Period(tenor, ql.Years), ql.Period(6, ql.Months), ql.NullCalendar(),
        ql.Unadjusted, ql.Unadjusted, ql.DateGeneration.Backward, False,
    )  # fmt: skip
    swap = ql.VanillaSwap(
        ql.VanillaSwap.Receiver, 1.0, schedule, fixed, THIRTY, schedule, index, 0.0, THIRTY
    )
    swap.setPricingEngine(ql.DiscountingSwapEngine(handle))
    return swap


@pytest.mark.parametrize("tenor", [2, 5, 10, 30])
def test_swaps_equal_quantlib_in_rate_annuity_and_curvature(tenor):
    factor, market = f"{tenor}Y", one_day()
    priced = quantlib_swap(market, tenor, CURVE[factor])
    assert priced.fairRate() == pytest.approx(CURVE[factor], abs=1e-10)
    assert priced.NPV() == pytest.approx(0.0, abs=1e-10)
    delta, gamma = Swap(tenor).sensitivity(market)[0]
    assert delta == pytest.approx(-1e4 * priced.fixedLegBPS(), rel=1e-8)
    step = 1e-4
    up, down = (
        quantlib_swap(one_day(**{factor: s}), tenor, CURVE[factor]).NPV() for s in (step, -step)
    )
    assert delta == pytest.approx((up - down) / (2 * step), rel=1e-5)
    assert gamma == pytest.approx((up + down) / step**2, rel=1e-4)


def test_discount_factors_equal_quantlib():
    market = one_day()
    curve = quantlib_curve(market)
    ours = discount_factors(market, 30)[0]
    for i, discount in enumerate(ours, start=1):
        at = TODAY + ql.Period(6 * i, ql.Months)
        assert discount == pytest.approx(curve.discount(at), abs=1e-10)


@pytest.mark.parametrize("tenor", [2, 10])
def test_a_seasoned_swap_is_its_fixed_leg_less_its_floating_leg(tenor):
    factor, gap = f"{tenor}Y", 3
    market = two_days(gap, **{factor: 0.002, "3M": 0.001})
    nodes = np.concatenate([[1.0], discount_factors(market.until(1), tenor)[1]])
    times = np.arange(1, 2 * tenor + 1) / 2 - gap / 365.25
    discount = np.exp(np.interp(times, np.arange(len(nodes)) / 2, np.log(nodes)))
    fixed = CURVE[factor] / 2 * discount.sum() + discount[-1]
    floating = 1 + CURVE["3M"] * gap / 365.25
    pnl = Swap(tenor).pnl(market, 1)
    assert pnl[0] == pytest.approx(fixed - floating, abs=1e-12) and np.isnan(pnl[1])


@pytest.mark.parametrize("other", ["3M", "2Y", "30Y"])
def test_at_par_a_swap_feels_its_own_yield_alone(other):
    moved = quantlib_swap(one_day(**{other: 1e-4}), 10, CURVE["10Y"])
    assert moved.NPV() == pytest.approx(0.0, abs=1e-9)


# Curve-implied futures


@pytest.mark.parametrize("code", ["ZT", "ZF", "ZN", "ZB"])
def test_a_curve_future_is_a_forward_priced_cash_flow_by_cash_flow(code):
    contract, gap = CurveFuture(code), 3
    market = two_days(gap, **{"2Y": 0.001, "5Y": 0.002, "10Y": 0.002, "30Y": 0.001, "3M": -0.001})
    tenors = [bt.market.tenor_years(f) for f in CURVE]
    aged, maturity = gap / 365.25, contract.maturity
    coupon = np.interp(maturity, tenors, market.levels[0])
    later = np.interp(maturity - aged, tenors, market.levels[1])
    times = np.arange(1, int(2 * maturity) + 1) / 2 - aged
    flows = np.full(len(times), coupon / 2)
    flows[-1] += 1
    dirty = (flows * (1 + later / 2) ** (-2 * times)).sum()
    tau, (now, then) = contract.to_delivery, market.level("3M")
    before = 1 + now * tau - coupon * tau
    after = dirty * (1 + then * (tau - aged)) - coupon * tau
    assert contract.pnl(market, 1)[0] == pytest.approx(after / before - 1, abs=1e-12)


def test_sensitivities_by_factor_equal_full_repricing():
    contract, market = CurveFuture("ZN"), one_day()
    found = by_factor(contract, market)
    assert list(found) == ["5Y", "10Y", "3M"]

    def value(**shifts):
        levels = one_day(**shifts)
        later = 0.7 * levels.level("5Y") + 0.3 * levels.level("10Y")
        coupon = 0.7 * CURVE["5Y"] + 0.3 * CURVE["10Y"]
        dirty = seasoned_price(np.array([coupon]), later, 6.5, np.zeros(1))
        struck = 1 + (CURVE["3M"] - coupon) * 0.25
        return float((dirty[0] * (1 + levels.level("3M")[0] * 0.25) - coupon * 0.25) / struck - 1)

    step = 1e-4
    for factor, sensitivity in found.items():
        slope = (value(**{factor: step}) - value(**{factor: -step})) / (2 * step)
        assert sensitivity[0, 0] == pytest.approx(slope, rel=1e-6)
    both = {"5Y": 0.005, "10Y": 0.005}
    shocks = np.array([[0.005, 0.005, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.01]])
    expected = [value(**both), 0.0, value(**{"3M": 0.01})]
    np.testing.assert_allclose(contract.scenarios(market, 0, shocks), expected, atol=7e-6)


def test_a_book_has_a_column_for_each_factor_of_an_instrument():
    market = random_market(60)
    frame = pd.DataFrame({"UST10Y": [1e6], "ZN~curve": [-2e6]}, index=["pair"])
    book = bt.Book.from_frame(frame, market)
    made = book_scenarios(market, book, coverage=bt.Coverage(mpor=2))
    assert made.instrument.tolist() == [0, 0, 1, 1, 1, 1, 1]  # 3M is not curved
    assert made.silo.tolist() == [0, 0, 1, 1, 1, 1, 1]
    pnl = (made.exposure[0] * made.unit[-1] * made.shocks[40]).sum()
    shocks = market.shocks(2)[40]
    alone = [
        shocks[[market.column("10Y")]],
        shocks[[market.column(f) for f in ("5Y", "10Y", "3M")]],
    ]
    last = len(market.dates) - 1
    by_hand = sum(
        usd * float(np.ravel(i.scenarios(market, last, shock[None, :]))[0])
        for usd, i, shock in zip([1e6, -2e6], book.instruments, alone, strict=True)
    )
    assert pnl == pytest.approx(by_hand, rel=1e-12)


# Names and haircuts


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("BILL3M", TBill(0.25)),
        ("BILL1Y@CME", TBill(1.0, silo="CME")),
        ("ZN", Future("ZN")),
        ("ZB@LCH", Future("ZB", silo="LCH")),
        ("BTC_CME", Future("BTC_CME")),
        ("ZN~curve", CurveFuture("ZN")),
        ("ZT~curve@FICC", CurveFuture("ZT", silo="FICC")),
        ("SWAP10Y", Swap(10.0)),
        ("SPY", bt.Spot("SPY")),
    ],
)
def test_names_make_instruments_and_instruments_names(name, made):
    assert parse_instrument(name) == made and made.name == name


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("BILL2Y", "whole months, 1 to 12"),
        ("SWAP6M", "give whole years"),
        ("ZZ~curve", "unknown future 'ZZ'; known: ZT"),
        ("BTC_CME~curve", "is no bond future"),
    ],
)
def test_a_contract_that_is_not_traded_is_refused(name, said):
    with pytest.raises(bt.StudyError, match=said):
        parse_instrument(name)


def test_haircuts_of_the_new_instruments():
    market = random_market(5)
    book = bt.Book.from_frame(pd.DataFrame({"SWAP10Y": [-1e6], "ZN~curve": [2e6]}, index=["one"]))
    schedules = (
        "haircuts/cme/2014",
        "haircuts/cme_futures/2026",
        "haircuts/uncleared_schedule/2020",
    )
    margin = st.HaircutOnly(schedules=schedules).margin(market, book, bt.Coverage())
    np.testing.assert_allclose(margin[:, 0], 0.04 * 1e6 + 0.021 * 2e6)
    bills = bt.Book.from_frame(pd.DataFrame({"BILL6M": [1e6]}, index=["one"]))
    assert st.HaircutOnly().margin(market, bills, bt.Coverage())[0, 0] == 0.005 * 1e6
    with pytest.raises(
        bt.StudyError, match=r"no haircut for SWAP10Y .*\(haircuts/uncleared_schedule/2020\)"
    ):
        st.HaircutOnly().margin(market, book, bt.Coverage())
