"""SIMM: the public worked example to the cent, hand checks, and what it makes of a book."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import QuantLib as ql

import backtest as bt
import strategies as st
from strategies.simm.add_ons import add_ons
from strategies.simm.aggregation import simm_margin
from strategies.simm.crif import read_crif, sensitivities
from strategies.simm.parameters import load_simm
from strategies.simm.sensitivity import Sensitivity
from strategies.simm.tables import NORMAL_995
from tests.support.places import PEER_DATA

EXAMPLE = PEER_DATA / "simm"
V2_1 = load_simm("simm/2.1")
NAMES = {
    "Rates": "rates",
    "Fx": "fx",
    "CreditQualifying": "credit_qualifying",
    "CreditNonQualifying": "credit_other",
    "Equity": "equity",
    "Commodity": "commodity",
    "BaseCorrelation": "base correlation",
}
CONTRACT = {
    "simm": [
        {},
        {"crypto": "commodity", "scaling": "sqrt"},
        {"crypto": "other", "crypto_weights": {"floating": 40.0}},
        {"crypto": "other", "horizon": 1, "parameters": "simm/2.8+2506"},
    ],
}


def margin_of(found):
    return simm_margin(found, V2_1)


def book_of(market, **usd):
    return bt.Book.from_frame(pd.DataFrame(usd, index=["p"]), market)


def printed_tree(path):
    """{(product, risk, measure): margin, bucket margins and weighted sensitivities} as printed."""
    tree, totals = {}, {}
    at = {}
    for line in path.read_text(encoding="utf-8-sig").splitlines():
        found = re.search(
            r"(Product|Risk|Sensitivity|Bucket|Weighting|Model|Add-on) ?(.*) = (.*)$", line
        )
        kind, name, value = found.groups() if found else ("", "", "")
        if not kind:
            continue
        number = float(value.replace(",", ""))
        name = name.replace("RatesFx", "RatesFX")
        if "Model" in at and at["Model"] != "SIMM" and kind != "Model":
            continue
        at[kind] = name
        if kind in ("Product", "Risk", "Model", "Add-on"):
            totals[kind, name] = number
        elif kind == "Sensitivity":
            tree[at["Product"], at["Risk"], name] = (number, [], [])
        elif kind in ("Bucket", "Weighting"):
            key = (at["Product"], at["Risk"], at["Sensitivity"])
            tree[key][1 if kind == "Bucket" else 2].append(number)
    return tree, totals


@pytest.fixture(scope="module", params=[("TreePledgor.txt", -1.0), ("TreeSecured.txt", 1.0)])
def example(request):
    if not EXAMPLE.is_dir():
        pytest.skip("no published example beside this checkout: its licence is not known")
    name, sign = request.param
    crif = read_crif(EXAMPLE / "Crif.csv")
    found = [replace(s, amount=sign * s.amount) for s in sensitivities(crif)]
    return crif, margin_of(found), *printed_tree(EXAMPLE / name)


def test_the_public_example_is_met_to_the_cent_in_every_sub_tree(example):
    _, tree, printed, _ = example
    assert len(printed) == 19  # 6 classes x delta, vega, curvature, and base correlation
    for (product, risk, measure), (margin, buckets, leaves) in printed.items():
        node = tree[product][NAMES[risk]][NAMES.get(measure, measure.lower())]
        assert float(node.value) == pytest.approx(margin, abs=0.005001), (risk, measure)
        assert sorted(float(b.value) for b in node.children) == pytest.approx(
            sorted(buckets), abs=0.005001
        )
        weighted = [float(leaf.value) for bucket in node.children for leaf in bucket.children]
        assert sorted(weighted) == pytest.approx(sorted(leaves), abs=0.005001), (risk, measure)


def test_classes_products_add_ons_and_the_total(example):
    crif, tree, _, totals = example
    for product in tree.children:
        assert float(product.value) == pytest.approx(totals["Product", product.name], abs=0.005001)
        for risk in product.children:
            name = next(k for k, v in NAMES.items() if v == risk.name)
            assert float(risk.value) == pytest.approx(totals["Risk", name], abs=0.005001)
    extra = sum(add_ons(crif, tree).values())
    assert float(tree.value) + extra == pytest.approx(totals["Model", "SIMM"], abs=0.01)


def test_coal_by_hand():
    # 57^2 + 95^2 - 2 x 0.27 x 57 x 95 = 96.69488^2
    coal = [
        Sensitivity("Commodity", "commodity", "delta", "1", name, np.array(usd))
        for name, usd in (("Americas", -3e6), ("Europe", 5e6))
    ]
    tree = margin_of(coal)
    leaves = [float(leaf.value) for leaf in tree["Commodity"]["commodity"]["delta"]["1"].children]
    assert leaves == [-57e6, 95e6]
    assert f"{float(tree.value):,.2f}" == "96,694,880.94"


def test_a_position_over_its_threshold_is_concentrated():
    def one(amount):
        dollar = Sensitivity("RatesFX", "rates", "delta", "USD", "USD", np.array(amount), "5y")
        return float(margin_of([dollar]).value)

    assert one(200e6) == pytest.approx(51.0 * 200e6)
    assert one(840e6) == pytest.approx(51.0 * 840e6 * 2.0)  # four times the 210m of the dollar


def test_bonds_against_a_dense_matrix(small_market):
    usd = {"UST2Y": 4e7, "UST5Y": -3e7, "UST10Y": 2e7, "UST30Y": -1e7}
    found = st.Simm(parameters="simm/2.1").margin(
        small_market, book_of(small_market, **usd), bt.Coverage()
    )[:, 0]
    weights = np.array([52.0, 51.0, 51.0, 62.0])  # 2y, 5y, 10y, 30y
    rho = np.array(
        [[1.0, 0.91, 0.79, 0.66], [0.91, 1.0, 0.95, 0.84], [0.79, 0.95, 1.0, 0.94]]
        + [[0.66, 0.84, 0.94, 1.0]]
    )
    for day in (0, 130, 259):
        row = small_market.until(day)
        point = []
        for name, exposure in usd.items():
            bond = bt.Treasury(float(name[3:-1]))
            up, down = (bond.scenarios(row, day, np.array([shift]))[0] for shift in (1e-6, -1e-6))
            point.append(exposure * (up - down) / 2e-6 * 1e-4)
        weighted = weights * np.array(point)
        assert found[day] == pytest.approx(np.sqrt(weighted @ rho @ weighted), rel=1e-9)


def test_a_yield_between_two_vertices_is_shared_by_both(small_market):
    frame = small_market.to_frame().assign(**{"7Y": 0.03})
    market = bt.Market.from_frame(frame)
    tree = st.Simm(parameters="simm/2.1").tree(market, book_of(market, UST7Y=1e7), bt.Coverage())
    five, ten = (
        float(leaf.value[-1, 0]) for leaf in tree["RatesFX"]["rates"]["delta"]["USD"].children
    )
    assert five / ten == pytest.approx(0.6 / 0.4)


@pytest.mark.parametrize(
    ("way", "weight"), [("own_class", 1.32), ("commodity", 0.58), ("other", 0.54)]
)
def test_crypto_by_its_class_and_never_against_treasuries(way, weight, small_market):
    model = st.Simm(crypto=way, parameters="simm/2.1")

    def required(**usd):
        return model.margin(small_market, book_of(small_market, **usd), bt.Coverage())[-1, 0]

    assert required(BTC=1e6) == pytest.approx(weight * 1e6)
    bond = required(UST10Y=1e7)
    assert required(BTC=1e6, UST10Y=1e7) == pytest.approx(weight * 1e6 + bond)
    assert required(BTC=1e6, UST10Y=-1e7) == pytest.approx(weight * 1e6 + bond)
    rho = 0.0 if way == "other" else 0.73
    spread = (2.0 - 2.0 * rho) ** 0.5
    assert required(BTC=1e6, ETH=-1e6) == pytest.approx(weight * 1e6 * spread)


def test_pegged_coins_need_a_weight_of_their_own(small_market):
    market = bt.Market.from_frame(small_market.to_frame().assign(USDC=1.0))
    book = book_of(market, USDC=1e6)
    with pytest.raises(bt.StudyError, match="no risk weight for pegged coins.*crypto_weights"):
        st.Simm(parameters="simm/2.1").margin(market, book, bt.Coverage())
    given = st.Simm(crypto_weights={"pegged": 5.0})
    assert given.margin(market, book, bt.Coverage())[-1, 0] == pytest.approx(5e4)


def test_the_root_of_time_takes_each_leg_to_its_own_mpor(small_market):
    coverage = bt.Coverage(mpor={"treasury": 5, "crypto": 1})
    for usd, days in (({"UST10Y": 1e7}, 5), ({"BTC": 1e6}, 1)):
        book = book_of(small_market, **usd)
        ten = st.Simm(parameters="simm/2.1").margin(small_market, book, coverage)
        own = st.Simm(scaling="sqrt", parameters="simm/2.1").margin(small_market, book, coverage)
        np.testing.assert_allclose(own, ten * (days / 10.0) ** 0.5, rtol=1e-12)


def test_an_option_by_quantlib(option_market):
    """Delta and vega bumped in QuantLib; curvature and vega margin by the formula."""
    usd, day = -1e6, 200
    tree = st.Simm(parameters="simm/2.1").tree(
        option_market, book_of(option_market, **{"SPY-PUT-30D": usd}), bt.Coverage()
    )
    price = option_market.level("SPY")[day]
    volatility = option_market.level("VIX")[day]

    def value(p, v):
        return ql.blackFormula(ql.Option.Put, price, p, v * (30.0 / 365.0) ** 0.5) / price

    delta = (value(price * 1.0001, volatility) - value(price * 0.9999, volatility)) / 2e-4 * 0.01
    vega = (value(price, volatility + 1e-5) - value(price, volatility - 1e-5)) / 2e-5 * 0.01
    implied = 17.0 * (365.0 / 14.0) ** 0.5 / 2.3263478740408408
    node = tree["Equity"]["equity"]
    assert node["delta"].value[day, 0] == pytest.approx(17.0 * abs(usd * delta), rel=1e-6)
    weighted = 0.28 * 0.59 * implied * abs(usd * vega)
    assert node["vega"].value[day, 0] == pytest.approx(weighted, rel=1e-6)
    curved = 0.5 * 14.0 / 30.0 * implied * abs(usd * vega)
    expected = curved * (1.0 + NORMAL_995**2 - 1.0)
    assert node["curvature"].value[day, 0] == pytest.approx(expected, rel=1e-6)


def test_curvature_asks_margin_of_who_is_short_options(option_market):
    def curvature(usd):
        book = book_of(option_market, **{"SPY-CALL-30D": usd})
        tree = st.Simm(parameters="simm/2.1").tree(option_market, book, bt.Coverage())
        return tree["Equity"]["equity"]["curvature"].value[:, 0]

    assert (curvature(-1e6) > 0).all()
    np.testing.assert_allclose(curvature(1e6), 0.0, atol=1e-6)


def test_a_listed_treasury_future_is_read_from_the_curve(small_market):
    market = bt.Market.from_frame(small_market.to_frame().assign(ZN=110.0))
    listed = st.Simm(parameters="simm/2.1").margin(market, book_of(market, ZN=1e7), bt.Coverage())
    implied = st.Simm(parameters="simm/2.1").margin(
        market, book_of(market, **{"ZN~curve": 1e7}), bt.Coverage()
    )
    np.testing.assert_array_equal(listed, implied)
    assert (listed > 0.01e7).all()


def test_what_simm_cannot_margin_is_named(small_market, tmp_path):
    market = bt.Market.from_frame(small_market.to_frame().assign(GOLD=2e3))
    with pytest.raises(bt.StudyError, match="no risk class here for GOLD"):
        st.Simm(parameters="simm/2.1").margin(market, book_of(market, GOLD=1e6), bt.Coverage())
    with pytest.raises(bt.StudyError, match="unknown version .simm/9. of simm; known: "):
        st.Simm(parameters="simm/9").margin(market, book_of(market, BTC=1e6), bt.Coverage())
    path = tmp_path / "crif.csv"
    path.write_text("RiskType\tAmountUSD\nRisk_FX\tmany\n")
    with pytest.raises(bt.DataError, match="give AmountUSD as plain numbers"):
        read_crif(path)
