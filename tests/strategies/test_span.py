"""SPAN: the published array, the slow twin, what credits and charges do."""

import itertools

import numpy as np
import pandas as pd
import pytest

import backtest as bt
import strategies as st
from backtest.instruments import Option, Spot, parse_instrument
from backtest.instruments.black import black_price
from strategies.span.arrays import PAIRED, Grid, risk_array
from strategies.span.credits import intercommodity_credit
from strategies.span.ranges import load_span

ONE_DAY = bt.Market.from_frame(
    pd.DataFrame({"BTC": [1e5], "ETH": [4e3]}, index=pd.to_datetime(["2024-01-02"]))
)
NO_CREDITS = {"credits": (), "intermonth": 0.0}
CONTRACT = {
    "span": [
        {},
        {"scan_multiple": 3.0, "lookback": 60},
        {"credits": [[{"UST2Y": 4.0, "UST10Y": -1.0}, 0.9], [{"BTC": 1.0, "UST10Y": -1.0}, 0.5]]},
    ],
}


def book_of(market, **usd):
    return bt.Book.from_frame(pd.DataFrame(usd, index=["p"]), market)


def required(model, market, coverage=None, **usd):
    return model.margin(market, book_of(market, **usd), coverage or bt.Coverage())[-1, 0]


def test_the_published_array_of_a_long_future():
    # McMillan, Options as a Strategic Investment, SPAN chapter: a range of 10,000 USD, an extreme
    # move of twice that counted at 35 %. There a gain is positive; here a loss is.
    array = risk_array(
        Spot("BTC"),
        ONE_DAY,
        scan=np.array([0.2]),
        volatility=0.3,
        grid=Grid(extreme=2.0, cover=0.35),
        elapsed=1.0,
    )
    usd = 50_000.0 * array[0]
    printed = [0, 0, 3330, 3330, -3330, -3330, 6670, 6670, -6670, -6670]
    printed += [10_000, 10_000, -10_000, -10_000, 7_000, -7_000]
    np.testing.assert_allclose(-usd, printed, atol=5.0)
    model = st.Span(scan={"BTC": 0.2}, extreme=2.0, cover=0.35)
    assert required(model, ONE_DAY, BTC=50_000.0) == pytest.approx(10_000.0, abs=1e-9)
    assert required(model, ONE_DAY, BTC=-50_000.0) == pytest.approx(10_000.0, abs=1e-9)


def test_scenarios_pair_by_price_move():
    grid = Grid(3.0, 0.33)
    np.testing.assert_array_equal(grid.moves, grid.moves[PAIRED])
    np.testing.assert_array_equal(grid.volatility[:14], -grid.volatility[PAIRED][:14])
    assert len({(m, v) for m, v in zip(grid.moves, grid.volatility, strict=True)}) == 16


def test_an_extreme_move_decides_only_where_its_share_exceeds_the_range():
    for extreme, cover, share in ((3.0, 0.33, 1.0), (2.0, 0.35, 1.0), (3.0, 0.5, 1.5)):
        model = st.Span(scan={"BTC": 0.4}, extreme=extreme, cover=cover)
        assert required(model, ONE_DAY, BTC=1e6) == pytest.approx(0.4e6 * share)


@pytest.mark.parametrize("rate", [0.0, 0.3, 0.8, 1.0])
def test_two_equal_legs_save_the_rate_because_both_are_credited(rate):
    model = st.Span(scan={"BTC": 0.4, "ETH": 0.4}, credits=(({"BTC": 1.0, "ETH": -1.0}, rate),))
    against = required(model, ONE_DAY, BTC=1e6, ETH=-1e6)
    assert against == pytest.approx((1 - rate) * 0.8e6)
    assert required(model, ONE_DAY, BTC=1e6, ETH=1e6) == pytest.approx(0.8e6)


def test_credits_are_taken_in_priority_order_from_what_is_left():
    delta = {"A": np.array([10.0]), "B": np.array([-6.0]), "C": np.array([-8.0])}
    risk = {name: np.array([1.0]) for name in delta}
    first, second = ({"A": 1.0, "B": -1.0}, 0.5), ({"A": 1.0, "C": -2.0}, 1.0)
    found = intercommodity_credit(delta, risk, credits=[first, second])
    # 6 spreads of A against B; the 4 of A that are left take 8 of C.
    assert [float(found[k][0]) for k in "ABC"] == [3.0 + 4.0, 3.0, 8.0]
    found = intercommodity_credit(delta, risk, credits=[second, first])
    # 4 spreads against C, then 6 against B: nothing is left over either way, but by other ways.
    assert [float(found[k][0]) for k in "ABC"] == [4.0 + 3.0, 3.0, 8.0]
    delta["A"] = np.array([5.0])
    found = intercommodity_credit(delta, risk, credits=[first, second])
    assert [float(found[k][0]) for k in "ABC"] == [2.5, 2.5, 0.0]


def test_a_credit_never_exceeds_the_price_risk_it_is_taken_from():
    generator = np.random.default_rng(5)
    delta = {name: generator.normal(size=200) for name in "ABCD"}
    risk = {name: generator.uniform(0.0, 0.5, 200) for name in delta}
    credits = [
        ({a: generator.uniform(0.5, 3.0), b: -generator.uniform(0.5, 3.0)}, 1.0)
        for a, b in itertools.permutations("ABCD", 2)
    ]
    for name, credit in intercommodity_credit(delta, risk, credits=credits).items():
        assert (credit >= 0).all()
        assert (credit <= np.abs(delta[name]) * risk[name] * (1 + 1e-12)).all()
        assert (credit > 0).any()


def test_contracts_on_one_commodity_net_and_pay_for_the_spread(option_market):
    model = st.Span(scan={"BTC": 0.4}, intermonth=0.1)
    assert required(model, option_market, BTC=1e6, **{"BTC-PERP": -1e6}) == pytest.approx(0.04e6)
    assert required(model, option_market, BTC=1e6, **{"BTC-PERP": 1e6}) == pytest.approx(0.8e6)
    apart = st.Span(scan={"BTC": 0.4, "perpetuals": 0.4}, commodities={"BTC-PERP": "perpetuals"})
    alone = required(apart, option_market, BTC=1e6, **{"BTC-PERP": -1e6})
    assert alone == pytest.approx(0.8e6)


def test_delivery_and_the_short_option_minimum_are_floors_and_charges(option_market):
    model = st.Span(scan={"BTC": 0.4}, delivery={"BTC": 0.05})
    assert required(model, option_market, BTC=-1e6) == pytest.approx(0.45e6)
    far = "SPY-PUT-30D-50"  # far out of the money: no scenario makes it worth anything
    floored = st.Span(short_option_minimum=0.01, elapsed=0.0)
    assert required(floored, option_market, **{far: -1e6}) == pytest.approx(1e4, rel=1e-6)
    assert required(floored, option_market, **{far: 1e6}) < 1e3


def slow_twin(model, market, usd, day):
    """SPAN without credits at one day, in plain loops and its own Black formula."""
    file = load_span(model.parameters)
    extreme = file.extreme if model.extreme is None else model.extreme
    cover = file.cover if model.cover is None else model.cover
    total = 0.0
    for commodity in sorted({n.split("-")[0] for n in usd}):
        members = {n: x for n, x in usd.items() if n.split("-")[0] == commodity}
        worst, scan = 0.0, file.price[commodity]
        moves = [0, 0, 1, 1, -1, -1, 2, 2, -2, -2, 3, 3, -3, -3]
        grid = [(m / 3, 1 if i % 2 == 0 else -1, 1.0) for i, m in enumerate(moves)]
        grid += [(extreme, 0, cover), (-extreme, 0, cover)]
        for move, up, counted in grid:
            loss = 0.0
            for name, exposure in members.items():
                held = parse_instrument(name)
                if not isinstance(held, Option):
                    loss -= exposure * move * scan
                    continue
                price = market.level(held.factor)[day]
                volatility = market.level(held.volatility_factor)[day]
                strike, value = held.moneyness * price, []
                for p, v, left in (
                    (price, volatility, held.days),
                    (
                        price * (1 + move * scan),
                        volatility * (1 + up * file.volatility),
                        held.days - model.elapsed,
                    ),
                ):
                    value.append(
                        black_price(
                            np.array(p),
                            np.array(strike),
                            volatility=np.array(v),
                            years=left / 365.0,
                            kind=held.kind,
                        )
                    )
                loss -= exposure * float(value[1] - value[0]) / price
            worst = max(worst, loss * counted)
        total += worst
    return total


@pytest.mark.parametrize(
    "usd",
    [
        {"SPY-CALL-30D": -1e7, "SPY-PUT-30D": -1e7},
        {"SPY-PUT-60D-90": 1e7, "SPY": 1e7},
        {"SPY-CALL-30D": 5e6, "SPY": -3e6, "BTC": 1e6, "BTC-PERP": -4e5},
    ],
    ids=["short straddle", "protected", "mixed"],
)
def test_equals_the_slow_twin(usd, option_market):
    model = st.Span(short_option_minimum=0.0, **NO_CREDITS)
    found = model.margin(option_market, book_of(option_market, **usd), bt.Coverage())[:, 0]
    for day in (0, 100, 259):
        assert found[day] == pytest.approx(slow_twin(model, option_market, usd, day), rel=1e-9)


def test_scan_ranges_that_follow_the_market_scale_with_it(small_market):
    model = st.Span(scan_multiple=3.0, lookback=60)
    found = required(model, small_market, BTC=1e6)
    level = small_market.level("BTC")
    two_day = level[2:] / level[:-2] - 1.0
    assert found == pytest.approx(3.0 * two_day[-60:].std() * 1e6, rel=1e-12)
    longer = required(model, small_market, bt.Coverage(mpor={"crypto": 5}), BTC=1e6)
    five_day = level[5:] / level[:-5] - 1.0
    assert longer == pytest.approx(3.0 * five_day[-60:].std() * 1e6, rel=1e-12)


def test_pooling_across_silos_is_credit_of_the_parts(small_market):
    usd = {"BTC": 1e6, "UST10Y": 1e8, "UST5Y@CME": -2e8}
    book = book_of(small_market, **usd)
    parts = st.Span().parts(small_market, book, bt.Coverage())
    scan = {"BTC": 0.4e6, "UST10Y": 2.1e6, "UST5Y": 2.8e6}
    assert parts.steps["gross"][-1, 0] == pytest.approx(sum(scan.values()))
    credit = 0.75 * (scan["UST10Y"] + scan["UST5Y"])  # 2 : 1, so that both legs are wholly spread
    assert parts.steps["inter-commodity credit"][-1, 0] == pytest.approx(-credit)
    assert parts.steps["netting within commodities"][-1, 0] == pytest.approx(0.0, abs=1e-6)


def test_no_credit_is_given_between_crypto_and_rates(small_market):
    for sign in (1.0, -1.0):
        together = required(st.Span(), small_market, BTC=1e6, UST10Y=sign * 1e8)
        assert together == pytest.approx(0.4e6 + 2.1e6)


def test_what_has_no_scan_range_is_named(small_market):
    for model, words in (
        (st.Span(), "no scan range for SWAP10Y .*add one under `scan`"),
        (st.Span(parameters="span/cme_1999"), "unknown version 'span/cme_1999' of span; known: "),
    ):
        with pytest.raises(bt.StudyError, match=words):
            required(model, small_market, SWAP10Y=1e6)
