"""Declared instruments against plain arithmetic: P&L, sensitivities, units, buckets."""

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

import backtest as bt
import strategies as st
from backtest.data.rolls import contract_name, last_trading_days
from backtest.instruments import Declaration, declare, parse_instrument
from backtest.instruments.contracts import Contract
from tests.support.by_hand import duration_convexity
from tests.support.declared import declared_instruments, declared_market


@pytest.fixture(scope="module")
def market():
    return declared_market(60)


@pytest.fixture(scope="module")
def declared():
    return declared_instruments(buckets=True)


def required(model, market, instrument, usd=1e6):
    book = bt.Book(("p",), (instrument,), [[usd]])
    return model.margin(market, book, bt.Coverage())[-1, 0]


def test_a_name_means_what_is_declared_until_others_are():
    declare({"SOL": Declaration(kind="coin", silo="NODAL")})
    assert parse_instrument("SOL").silo == "NODAL" and parse_instrument("SOL").name == "SOL"
    assert parse_instrument("SOL@OCC").name == "SOL@OCC"
    declare({})
    assert parse_instrument("SOL") == bt.Spot("SOL")


def test_a_price_moves_as_its_factor(market, declared):
    gold, level = declared["GOLD"], market.level("XAU")
    np.testing.assert_allclose(gold.pnl(market, 2)[:-2], level[2:] / level[:-2] - 1, rtol=1e-12)
    assert gold.usd_of_units(market)["coins"][5] == level[5]
    es = declared["ES"].usd_of_units(market)["contracts"]
    np.testing.assert_allclose(es, 50.0 * market.level("ES"))


def test_a_bond_by_its_yield_is_priced_coupon_by_coupon(market, declared):
    baa, level = declared["BAA"], market.level("BAA")
    days = (market.dates[3:] - market.dates[:-3]).astype(float)
    for t in (0, 17, 56):
        aged, later = days[t] / 365.25, level[t + 3]
        coupons = [level[t] / 2 * (1 + later / 2) ** (-2 * (i / 2 - aged)) for i in range(1, 41)]
        price = sum(coupons) + (1 + later / 2) ** (-2 * (20 - aged))
        assert baa.pnl(market, 3)[t] == pytest.approx(price - 1, rel=1e-10)
        duration, convexity = duration_convexity(level[t], 20.0)
        assert baa.sensitivity(market)[t] == pytest.approx([-duration, convexity], rel=1e-10)


def test_an_index_by_spread_and_duration_carries_and_moves(market, declared):
    total = market.level("IG-OAS") + market.level("10Y")
    change = total[2:] - total[:-2]
    years = (market.dates[2:] - market.dates[:-2]).astype(float) / 365.25
    expected = total[:-2] * years - 6.5 * change + 55.0 * change**2 / 2
    np.testing.assert_allclose(declared["IG"].pnl(market, 2)[:-2], expected, rtol=1e-10)
    shocks = np.array([[0.01, -0.005]])
    expected = -6.5 * 0.005 + 55.0 / 2 * (0.01**2 + 0.005**2)
    assert declared["IG"].scenarios(market, 3, shocks)[0] == pytest.approx(expected)


def test_historical_var_of_a_spread_bond_is_that_of_its_two_shocks(market, declared):
    """The third largest loss of 50 days, by plain numpy."""
    x = np.column_stack([market.level("IG-OAS"), market.level("10Y")])
    shocks = (x[2:] - x[:-2])[-50:]
    losses = (6.5 * shocks - 55.0 * shocks**2 / 2).sum(axis=1)
    model = st.HistoricalVaR(lookback=50)
    book = bt.Book(("p",), (declared["IG"],), [[1e6]])
    found = model.margin(market, book, bt.Coverage(confidence=0.94))[-1, 0]
    assert found == pytest.approx(1e6 * np.sort(losses)[-3], rel=1e-10)


def test_simm_puts_it_into_the_declared_bucket(market, declared):
    simm = st.Simm(parameters="simm/2.1")
    assert required(simm, market, declared["GOLD"]) == pytest.approx(1e6 * 0.20)  # 12: 20 %
    assert required(simm, market, declared["EURUSD"]) == pytest.approx(1e6 * 0.081)
    # A spread of 6.5 years of duration is 650 USD a basis point: bucket 2 weighs 107 bp of it,
    # the 10-year yield 51 bp, and the products of credit and of rates do not offset.
    assert required(simm, market, declared["IG"]) == pytest.approx(650 * (107 + 51))


def test_schedules_take_the_declared_line(market, declared):
    assert required(st.HaircutOnly(), market, declared["CL"]) == pytest.approx(2e5)
    assert required(st.Span(), market, declared["CL"]) == pytest.approx(1e5)
    long_ten_years = required(st.StandardSchedule(), market, declared["IG"])
    assert long_ten_years == pytest.approx(1e5)  # credit of eight years, one position: NGR is 1
    bare = declared_instruments(buckets=False)
    assert required(st.StandardSchedule(), market, bare["EURUSD"]) == pytest.approx(6e4)
    with pytest.raises(bt.StudyError, match="no line for LQD.*no maturity"):
        required(st.StandardSchedule(), market, bare["LQD"])


def test_an_unknown_bucket_is_said(market):
    table = {"kind": "spot", "asset_class": "commodity", "factor": "XAU"}
    for bucket in ("commodity 18", "metal 1", "equity"):
        declare({"G": Declaration(**table, buckets={"simm": bucket})})
        with pytest.raises(bt.StudyError, match=f"G is declared to be in '{bucket}' of SIMM"):
            required(st.Simm(), market, parse_instrument("G"))
    declare({"G": Declaration(**table, buckets={"haircut": "XYZ", "span": "XYZ"})})
    gold = parse_instrument("G")
    declare({})
    for model in (st.HaircutOnly(), st.Span()):
        with pytest.raises(
            bt.StudyError, match=r"G.*mend buckets\.\w+ of \[instruments.G\], 'XYZ'"
        ):
            required(model, market, gold)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"kind": "spot"}, "a spot needs an asset_class"),
        ({"kind": "coin", "multiplier": 5.0}, "multiplier belongs to a future, not to a coin"),
        ({"kind": "coin", "maturity": 5.0}, "maturity belongs to a bond"),
        ({"kind": "future", "asset_class": "equity", "roll": "none"}, "needs a multiplier"),
        ({"kind": "future", "asset_class": "equity", "multiplier": 1.0}, "needs its roll"),
        (
            {"kind": "future", "asset_class": "equity", "multiplier": 1.0, "roll": "last_friday"},
            "roll and reference belong together",
        ),
        ({"kind": "bond"}, "needs its maturity"),
        ({"kind": "bond", "duration": 5.0}, "duration and yield_factor belong together"),
        ({"kind": "bond", "duration": 5.0, "yield_factor": "OAS"}, "name a par yield"),
        ({"kind": "bond", "maturity": 5.3}, "multiple of half a year"),
        ({"kind": "coin", "currency": "EUR"}, "need the factor that converts them"),
        ({"kind": "coin", "fx": "EURUSD"}, "need the factor that converts them"),
        ({"kind": "coin", "currency": "EUR", "fx": "USDJPY"}, "name the exchange rate EURUSD"),
        ({"kind": "bond", "maturity": 5.0, "currency": "EUR", "fx": "EURUSD"}, "moves by yields"),
    ],
)
def test_a_declaration_that_makes_no_sense_says_why(table, said):
    with pytest.raises(ValidationError, match=said):
        Declaration(**table)


@pytest.mark.parametrize(
    ("rule", "month", "day"),
    [
        ("third_before_25th_of_month_before", "2020-05", "2020-04-21"),  # CLK20
        ("third_before_25th_of_month_before", "2020-06", "2020-05-19"),  # CLM20, Memorial Day
        ("third_before_25th_of_month_before", "2024-01", "2023-12-19"),  # CLF24, Christmas
        ("third_friday", "2024-03", "2024-03-15"),  # ESH24
        ("third_last_business_day", "2023-12", "2023-12-27"),  # GCZ23
    ],
)
def test_rules_of_last_trading_days(rule, month, day):
    terms = Contract(
        title="X", reference="Y", multiplier=1.0, last_trading=rule, cycle=tuple(range(1, 13))
    )
    first = pd.Timestamp(f"{month}-01")
    found = last_trading_days(terms, first, first)
    assert [f"{d:%Y-%m-%d}" for d in found] == [day]
    letter = "FGHJKMNQUVXZ"[first.month - 1]
    assert contract_name("X", terms, found[0]) == f"X{letter}{first:%y}"
