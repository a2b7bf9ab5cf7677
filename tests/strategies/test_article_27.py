"""EMIR Article 27: netting of what history shows dependent and whose losses are shared, by hand."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import backtest as bt
import strategies as st
from backtest.estimators.reliable import reliably_correlated, significant_correlation
from strategies.article_27 import chains
from tests.support.books import book_of
from tests.support.contracts import HISTORICAL
from tests.support.markets import random_market

HS = st.HistoricalVaR(lookback=60)
COVERAGE = bt.Coverage(confidence=0.95)
TEST = {"correlation_days": 80, "windows": 2, "confidence": 0.9, "large_moves": 0.2}
CONTRACT = {
    "emir_27": [
        {"base": HISTORICAL},
        {"base": HISTORICAL, "losses": "one default fund", **TEST},
        {
            "base": HISTORICAL,
            "losses": "allocation agreed",
            "dependence": "stated",
            "no_risk": [["UST10Y", "UST10Y@CME"]],
        },
    ],
}


def shown_by_loops(moves, t, *, days, windows, confidence, large_moves):
    """The test of one pair on one day: every window and the largest moves, by numpy alone."""
    z = {0.9: 1.2815515655446004, 0.99: 2.3263478740408408}[confidence]
    length = days // windows
    found = []
    for part in range(windows):
        last = t - part * length
        if last - length + 1 < 0:
            return False
        window = moves[last - length + 1 : last + 1]
        found.append((np.corrcoef(window.T)[0, 1], np.tanh(z / np.sqrt(length - 3))))
    if t - days + 1 < 0:
        return False
    window = moves[t - days + 1 : t + 1]
    one, other = (window / np.sqrt((window**2).mean(axis=0))).T
    count = int(round(days * large_moves))
    plus = sorted(abs(one + other))[-count] ** 2
    minus = sorted(abs(one - other))[-count] ** 2
    found.append(((plus - minus) / (plus + minus), np.tanh(z / np.sqrt(count - 3))))
    return any(all(sign * r >= least for r, least in found) for sign in (1, -1))


def test_each_day_of_the_test_by_loops():
    rng = np.random.default_rng(3)
    common = rng.standard_t(4, 300)
    strength = np.linspace(-1.0, 1.0, 300)  # the dependence turns in the middle
    moves = np.column_stack([common, strength * common + 0.6 * rng.standard_normal(300)])
    settings = {"days": 60, "windows": 3, "confidence": 0.9, "large_moves": 0.2}
    shown = reliably_correlated(moves, **settings)
    expected = [shown_by_loops(moves, t, **settings) for t in range(300)]
    assert shown[:, 0, 1].tolist() == expected == shown[:, 1, 0].tolist()
    assert sum(expected[60:120]) > 40 and sum(expected[240:]) > 40 and not any(expected[150:190])
    assert shown[:, 0, 0].all()


def test_independent_moves_are_hardly_ever_shown_and_strong_ones_nearly_always():
    """Two years, four parts, 99 %: of 400 independent pairs none; at a correlation of .7 all."""
    rng = np.random.default_rng(8)
    settings = {"days": 500, "windows": 4, "confidence": 0.99, "large_moves": 0.1}
    found = {}
    for rho in (0.0, 0.7):
        one = rng.standard_t(5, (500, 400))
        other = rho * one + np.sqrt(1 - rho**2) * rng.standard_t(5, (500, 400))
        pairs = [np.column_stack([one[:, i], other[:, i]]) for i in range(400)]
        found[rho] = sum(bool(reliably_correlated(p, **settings)[-1, 0, 1]) for p in pairs)
    assert found[0.0] == 0 and found[0.7] >= 390
    assert significant_correlation(125, 0.99) == pytest.approx(0.20756, abs=1e-5)


def alone_and_joint(market, book, columns):
    parts = [HS.margin(market, book.holding([c]), COVERAGE) for c in columns]
    return np.sum(parts, axis=0), HS.margin(market, book.holding(columns), COVERAGE)


def test_80_per_cent_of_the_difference_where_dependence_is_stated(small_market, small_book):
    model = st.Article27(base=HS, losses="one default fund", dependence="stated")
    required = model.margin(small_market, small_book, COVERAGE)
    gross, joint = alone_and_joint(small_market, small_book, range(len(small_book.instruments)))
    assert_allclose(required, gross - 0.8 * np.maximum(gross - joint, 0.0), rtol=1e-12)
    assert (required[100:] < gross[100:]).any()


def test_without_an_allocation_of_losses_nothing_is_netted_between_houses(small_market):
    book = book_of({"UST10Y": 1e8, "UST2Y": -9e7, "UST10Y@CME": -1e8, "BTC": 5e6})
    model = st.Article27(base=HS, dependence="stated")
    expected = 0.0
    for columns in ([0, 1], [2, 3]):
        gross, joint = alone_and_joint(small_market, book, columns)
        expected = expected + gross - 0.8 * np.maximum(gross - joint, 0.0)
    assert_allclose(model.margin(small_market, book, COVERAGE), expected, rtol=1e-12)
    assert model.nets_nothing(book) and not st.Article27(losses="one default fund").nets_nothing(
        book
    )


def test_100_per_cent_within_a_set_without_risk(small_market):
    """One bond at two houses with one default fund: the set nets in full, the rest at 80 %."""
    book = book_of({"UST10Y": 1e8, "UST10Y@CME": -8e7, "BTC": 5e6})
    same = (("UST10Y", "UST10Y@CME"),)
    shared = {"base": HS, "no_risk": same, "dependence": "stated"}
    model = st.Article27(**shared, losses="allocation agreed")
    _, pair = alone_and_joint(small_market, book, [0, 1])
    coin = HS.margin(small_market, book.holding([2]), COVERAGE)
    joint = HS.margin(small_market, book, COVERAGE)
    expected = pair + coin - 0.8 * np.maximum(pair + coin - joint, 0.0)
    assert_allclose(model.margin(small_market, book, COVERAGE), expected, rtol=1e-12)
    gross = model.parts(small_market, book, COVERAGE).steps["gross"]
    apart = st.Article27(**shared).margin(small_market, book, COVERAGE)
    at_cme = HS.margin(small_market, book.holding([1, 2]), COVERAGE)
    assert (apart[100:] > expected[100:]).all()  # two default funds: not one product
    assert_allclose(
        apart,
        gross
        - 0.8
        * np.maximum(gross - HS.margin(small_market, book.holding([0]), COVERAGE) - at_cme, 0.0),
        rtol=1e-9,
    )


def test_only_what_is_shown_is_netted_each_day_by_loops():
    """Two yields that move alike beside a coin that does not: who is netted, and with whom."""
    market = random_market(400, seed=5)
    levels = market.levels.copy()
    rng = np.random.default_rng(2)
    two, ten = market.column("2Y"), market.column("10Y")
    levels[200:, two] = levels[199, two] + 0.5 * (levels[200:, ten] - levels[199, ten])
    levels[200:, two] += 1e-5 * rng.standard_normal(200)
    market = bt.Market(market.dates, market.factors, levels, market.kinds)
    book = book_of({"UST2Y": 2e8, "UST10Y": -5e7, "BTC": 5e6}, {"UST2Y": 1e8, "BTC": -5e6})
    model = st.Article27(base=HS, losses="one default fund", **TEST)
    required = model.margin(market, book, COVERAGE)
    pnl = np.column_stack([i.pnl(market, 1) for i in book.instruments])
    moves = np.vstack([np.full(3, 0.0), pnl[:-1]])
    settings = {("days" if k == "correlation_days" else k): v for k, v in TEST.items()}
    shown_days = 0
    for t in range(90, 400, 3):
        pairs = {
            (i, j)
            for i in range(3)
            for j in range(i)
            if shown_by_loops(moves[1:, [i, j]], t - 1, **settings)
        }
        shown_days += (1, 0) in pairs
        for p, held in enumerate(([0, 1, 2], [0, 2])):
            linked = np.array(
                [[i == j or (max(i, j), min(i, j)) in pairs for j in range(3)] for i in range(3)]
            )
            expected = 0.0
            for group in chains(linked, held):
                gross, joint = (x[t, p] for x in alone_and_joint(market, book, group))
                expected += gross - 0.8 * max(gross - joint, 0.0)
            assert required[t, p] == pytest.approx(expected, rel=1e-12)
    assert 40 < shown_days < 100


@pytest.mark.parametrize(
    "settings", [{"windows": 300}, {"correlation_days": 20, "large_moves": 0.1}]
)
def test_a_test_that_can_show_nothing_is_refused(settings, small_market, small_book):
    with pytest.raises(bt.StudyError, match="can show nothing; it needs more than 3"):
        st.Article27(base=HS, **settings).margin(small_market, small_book, COVERAGE)


def test_a_misspelt_or_repeated_instrument_without_risk_is_refused(small_market, small_book):
    for sets, said in (
        ((("UTS10Y",),), "names 'UTS10Y', which is no instrument"),
        ((("BTC", "ETH"), ("BTC",)), "names 'BTC' twice"),
    ):
        with pytest.raises(bt.StudyError, match=said):
            st.Article27(no_risk=sets).margin(small_market, small_book, COVERAGE)


def test_real_prices_never_show_that_treasuries_depend_on_coins(real_market):
    """What docs/arrangements.md says: none of eight pairs on any day, and who depends on whom."""
    names = ["BTC", "ETH", "UST2Y", "UST5Y", "UST10Y", "UST30Y"]
    book = book_of(dict.fromkeys(names, 1e6))
    model = st.Article27(losses="one default fund")
    linked = model.linked(real_market, book)[500:]
    shown = pd.DataFrame(linked.mean(axis=0), names, names)
    assert (shown.loc[["BTC", "ETH"], names[2:]] == 0.0).all(axis=None)
    bonds = shown.loc[names[2:], names[2:]]
    assert 0.98 <= bonds.min(axis=None) < 1.0 and shown.loc["BTC", "ETH"] == pytest.approx(
        0.90, abs=0.005
    )
    mild = st.Article27(
        losses="one default fund",
        correlation_days=250,
        windows=1,
        confidence=0.95,
        large_moves=0.5,
    ).linked(real_market, book)[251:]
    assert 0.08 < mild.mean(axis=0)[:2, 2:].max() <= 0.09
    pool = book_of({"BTC": 1e7, "UST10Y": -1e8})
    parts = model.parts(real_market, pool, bt.Coverage())
    assert (parts.steps["netting of the groups"][500:] == 0.0).all()
