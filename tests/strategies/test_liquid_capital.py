"""Haircuts of government securities dealers: by hand, by plain loops, and against the least."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog

import backtest as bt
import strategies as st
from backtest.parameters.files import load_parameters, moved
from strategies.liquid_capital import after_netting, load_liquid_capital

COVERAGE = bt.Coverage()
CONTRACT = {"liquid_capital_402_2": [{}, {"haircuts": {"BTC": 0.35}}]}
FILE = load_parameters("cfr_402_2/2014")
# Days and years at which each category of 402.2(f)(1) begins, in its own words.
BEGINS = {"A": 0, "B": 45 / 365.25, "C": 135 / 365.25, "D": 9 / 12, "E": 1.5, "F": 3.5, "G": 7.5}
BEGINS |= {"H": 15}
TENORS = {"BILL3M": 0.25, "BILL6M": 0.5, "UST1Y": 1, "UST2Y": 2, "UST3Y": 3, "UST5Y": 5}
TENORS |= {"UST7Y": 7, "UST10Y": 10, "UST20Y": 20, "UST30Y": 30}
# Shortest deliverable maturity, and that with the quarter to delivery: rows of factor and place.
FUTURES = {"ZT~curve": (2.0, 2.25), "ZF~curve": (4.5, 4.75), "ZN~curve": (6.5, 6.75)}
FUTURES |= {"ZB~curve": (15.0, 15.25)}


def margin_of(market, **usd):
    book = bt.Book.from_frame(pd.DataFrame([usd], index=["book"]))
    return float(st.LiquidCapital().margin(market, book, COVERAGE)[0, 0])


@pytest.mark.parametrize(
    ("usd", "charge"),
    [
        ({"UST10Y": 100.0}, 3.30),
        ({"UST10Y": -100.0}, 3.30),
        ({"UST5Y": 100.0, "UST7Y": -100.0}, 0.44),  # one category: its offset factor
        ({"UST30Y": 100.0, "UST30Y@CME": -100.0}, 0.0),  # one security, whatever the house
        ({"UST5Y": 100.0, "ZF~curve": -100.0}, 0.44),  # 20 % of 2.20
        ({"UST2Y": 100.0, "UST5Y": -100.0}, 1.32),  # E, F: 20 % of 1.10, and 2.20 - 1.10
        ({"UST10Y": 100.0, "ZN~curve": -100.0}, 1.54),  # G, F: 20 % of 2.20, and 3.30 - 2.20
        ({"UST2Y": 100.0, "UST20Y": -100.0}, 3.84),  # E, H: 40 % of 1.10, and 4.50 - 1.10
        ({"BILL3M": 100.0, "UST30Y": -100.0}, 4.62),  # B and H do not net
        ({"UST30Y": 100.0, "ZB~curve": -100.0}, 0.90),  # fifteen years are in H: 20 % of 4.50
        ({"BTC": 100.0, "UST10Y": -100.0}, 23.30),
    ],
)
def test_by_hand(small_market, usd, charge):
    assert margin_of(small_market, **usd) == pytest.approx(charge, rel=1e-12, abs=1e-12)


def category(years, *, at_least):
    """The last category that begins before a maturity, or with it where a bond has at least it."""
    begun = [c for c, first in BEGINS.items() if first < years or (at_least and first == years)]
    return begun[-1]


def by_loops(usd):
    """402.2a(a), step by step, of USD by instrument."""
    column = FILE["category"]
    net = dict(zip(column["name"], column["rate"], strict=True))
    offset = dict(zip(column["name"], column["offset"], strict=True))
    total, residual = 0.0, {}
    for c in BEGINS:
        bonds = [v for n, v in usd.items() if n in TENORS and category(TENORS[n], at_least=0) == c]
        longs, shorts = sum(v for v in bonds if v > 0), -sum(v for v in bonds if v < 0)
        total += offset[c] * min(longs, shorts)
        interim = [net[c] * (longs - shorts)]
        for name, (deliverable, place) in FUTURES.items():
            if category(place, at_least=1) == c:
                interim.append(net[category(deliverable, at_least=1)] * usd[name])
        positive, negative = sum(v for v in interim if v > 0), -sum(v for v in interim if v < 0)
        total += 0.20 * min(positive, negative)
        residual[c] = positive - negative
    pairs = sorted(FILE["disallowed"].items())  # from the short end
    longest_first = sorted(pairs, key=lambda pair: pair[0][::-1], reverse=True)
    orders = [pairs, longest_first]
    orders += [sorted(order, key=lambda pair: pair[1]) for order in orders]  # by share
    return total + min(netted(residual, order) for order in orders)


def netted(residual, pairs):
    """Residual haircuts after one pair after another, and what is disallowed."""
    residual, total = dict(residual), 0.0
    for (a, b), share in pairs:
        if residual[a] * residual[b] < 0:
            smaller = min(abs(residual[a]), abs(residual[b]))
            total += share * smaller
            for c in (a, b):
                residual[c] -= smaller if residual[c] > 0 else -smaller
    return total + sum(map(abs, residual.values()))


def test_is_its_slow_twin(small_market):
    names = [*TENORS, *FUTURES]
    drawn = np.random.default_rng(2).normal(0.0, 1e6, (40, len(names)))
    book = bt.Book.from_frame(pd.DataFrame(drawn, columns=names))
    required = st.LiquidCapital().margin(small_market, book, COVERAGE)[7]
    expected = [by_loops(dict(zip(names, usd, strict=True))) for usd in drawn]
    np.testing.assert_allclose(required, expected, rtol=1e-12)


def test_netting_is_permitted_and_hardly_above_the_least():
    """The rule leaves a dealer the choice: the least of all choices is that of a linear program."""
    table, rng = load_liquid_capital("cfr_402_2"), np.random.default_rng(0)
    ratios = []
    for residual in rng.normal(size=(300, 8)):
        pairs = [p for p in table.orders[0] if residual[p[0]] * residual[p[1]] < 0]
        least = np.abs(residual).sum()
        if pairs:
            touches = np.array([[float(c in pair[:2]) for pair in pairs] for c in range(8)])
            saved = [share - 2.0 for *_, share in pairs]
            least += linprog(saved, A_ub=touches, b_ub=np.abs(residual)).fun
        ratios.append(float(after_netting(residual, table)) / least)
    assert min(ratios) > 1 - 1e-9
    assert np.mean(np.array(ratios) < 1 + 1e-9) > 0.93 and max(ratios) < 1.03


def test_parts_say_what_each_netting_saves(small_market):
    usd = {"UST5Y": 100.0, "UST7Y": -40.0, "ZF~curve": -30.0, "UST10Y": -50.0}
    book = bt.Book.from_frame(pd.DataFrame([usd], index=["book"]))
    steps = {
        k: v[0, 0] for k, v in st.LiquidCapital().parts(small_market, book, COVERAGE).steps.items()
    }
    assert steps["gross"] == pytest.approx(2.2 * 1.7 + 1.65)
    assert steps["bonds of a category"] == pytest.approx(0.44 * 0.4 - 2.2 * 0.8)
    assert steps["futures of a category"] == pytest.approx((0.2 - 2.0) * 0.66)
    assert steps["between categories"] == pytest.approx((0.2 - 2.0) * 0.66)


def test_a_file_that_names_no_category_is_one_line(small_market, small_book):
    tables = load_parameters("cfr_402_2/2014") | {"disallowed": {"AZ": 0.2}}
    with moved("cfr_402_2/2014", tables), pytest.raises(bt.StudyError, match="no category: z"):
        st.LiquidCapital().margin(small_market, small_book, COVERAGE)
