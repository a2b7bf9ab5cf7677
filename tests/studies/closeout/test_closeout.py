"""Close-out: MPOR by class, the mismatch charge, coordination, liquidation cost, the command."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as h

import backtest as bt
import strategies as st
from backtest.book.closeout import Closeout
from backtest.book.liquidation import LiquidationCost, daily_volatility, load_costs
from backtest.cli import main
from backtest.config.load import build_book, read_study
from backtest.model.by_silo import proportional_shares
from backtest.model.delta_gamma import book_scenarios
from backtest.model.mismatch import MISMATCH
from backtest.scores import break_even_coordination, separate_rate
from backtest.studies.closeout.page import closeout_exhibit
from backtest.studies.closeout.study import estimate_closeout
from backtest.types import DataError
from tests.support import by_hand
from tests.support.markets import random_market
from tests.support.places import needs_prices

LOOKBACK, COUNT = 60, 3  # ceil(60 x 5 %)
UNEQUAL = bt.Coverage(confidence=0.95, mpor={"FICC": 3, "CME": 2})
MODELS = {
    "offset": st.CorrelationOffset(base=st.HistoricalVaR(lookback=LOOKBACK), lookback=LOOKBACK),
    "var": st.HistoricalVaR(lookback=LOOKBACK),
    "es": st.HistoricalVaR(lookback=LOOKBACK, measure="es"),
}


@pytest.fixture(scope="module")
def market():
    return random_market(240, seed=5)


def book_of(market=None, rebalance="daily", **usd):
    return bt.Book.from_frame(pd.DataFrame([usd], index=["p"]), market, rebalance=rebalance)


# --- MPOR by silo or asset class


@pytest.mark.parametrize("name", MODELS)
def test_one_standard_however_it_is_written(name, market, small_book):
    plain, *others = (
        bt.Coverage(confidence=0.95, mpor=mpor)
        for mpor in (2, {"FICC": 2, "CME": 2}, {"treasury": 2, "crypto": 2})
    )
    loss, parts = small_book.loss(market, plain), MODELS[name].parts(market, small_book, plain)
    assert MISMATCH not in parts.steps
    for other in others:
        np.testing.assert_array_equal(small_book.loss(market, other), loss)
        again = MODELS[name].parts(market, small_book, other)
        np.testing.assert_array_equal(again.by_silo, parts.by_silo)
        assert list(again.steps) == list(parts.steps)


def test_a_key_that_names_nothing_is_one_line(market):
    book = book_of(UST10Y=1e6, BTC=1e5)
    wrong = bt.Coverage(mpor={"FICC": 3, "CME": 2, "cripto": 1})
    for call in (
        lambda: bt.run(market, book, MODELS, coverage=wrong),
        lambda: bt.supportable_offset(market, book, coverage=wrong),
        lambda: bt.monte_carlo(bt.StationaryBootstrap(), market, book, MODELS, coverage=wrong),
        lambda: build_book(_study(coverage="mpor = { FICC = 3, CME = 2, cripto = 1 }"), market),
    ):
        with pytest.raises(bt.StudyError, match="mpor names 'cripto', neither a silo"):
            call()
    assert Closeout(book, wrong).standard.mpor == {"FICC": 3, "CME": 2}


# --- the MPOR mismatch


@pytest.mark.parametrize(("first", "second"), [(3, 2), (5, 1), (2, 10)])
@pytest.mark.parametrize("rho", [-0.8, 0.5])
def test_the_earned_correlation_of_a_known_one(first, second, rho):
    days = 40_000
    draws = np.random.default_rng(1).standard_normal((days, 2))
    draws[:, 1] = rho * draws[:, 0] + np.sqrt(1 - rho**2) * draws[:, 1]
    frame = pd.DataFrame(
        {"2Y": 0.05 + np.cumsum(draws[:, 0]) * 1e-5, "10Y": 0.05 + np.cumsum(draws[:, 1]) * 1e-5},
        index=np.datetime64("1900-01-01") + np.arange(days),
    )
    market = bt.Market.from_frame(frame, simulated=True)
    book = book_of(**{"UST2Y": -1e6, "UST10Y@CME": -1e6})
    coverage = bt.Coverage(mpor={"FICC": first, "CME": second})
    shocks = book_scenarios(market, book, coverage=coverage).shocks
    own = np.corrcoef(shocks[max(first, second) :, [0, 2]].T)[0, 1]
    assert own == pytest.approx(rho * min(first, second) / np.sqrt(first * second), abs=0.02)
    lookback = days - max(first, second)
    model = st.CorrelationOffset(
        base=st.HaircutOnly(haircuts={"UST2Y": 0.03, "UST10Y@CME": 0.02}),
        lookback=lookback,
        cap=1.0,
    )
    parts = model.parts(market, book, coverage)
    netted = parts.steps["gross"] + parts.steps["diversification"] + parts.steps["offset"]
    for value, correlation in ((netted, rho), (netted + parts.steps[MISMATCH], own)):
        squared = 3e4**2 + 2e4**2 + 2 * correlation * 3e4 * 2e4
        assert value[-1, 0] == pytest.approx(np.sqrt(squared), rel=0.01)
    assert np.sign(parts.steps[MISMATCH][-1, 0]) == -np.sign(rho)


def pnls_over(market, position, day, horizons, same_days=None):
    """Scenario P&L of each position over its own days, or over the same days scaled up."""
    levels = {name: market.level(name) for name in market.factors}
    found = []
    for name, usd in position.items():
        own = horizons[name]
        step = same_days or own
        scale = (own / step) ** 0.5
        pnl = []
        for s in range(day - LOOKBACK + 1, day + 1):
            series = levels[name]
            if name in by_hand.TENOR_YEARS:
                shock = (series[s] - series[s - step]) * scale
                years = by_hand.TENOR_YEARS[name]
                duration, convexity = by_hand.duration_convexity(series[day], years)
                pnl.append(usd * (-duration * shock + convexity * shock * shock / 2))
            else:
                pnl.append(usd * (series[s] / series[s - step] - 1) * scale)
        found.append(pnl)
    return found


@pytest.mark.parametrize("day", [62, 150, 239])
@pytest.mark.parametrize("coin", [1e7, -1e7])
def test_the_charge_by_hand(market, day, coin):
    book = book_of(UST10Y=5e7, BTC=coin)
    position, horizons = {"10Y": 5e7, "BTC": coin}, {"10Y": 3, "BTC": 2}
    own = pnls_over(market, position, day, horizons)
    same = pnls_over(market, position, day, horizons, same_days=2)
    for name, measure in (("var", "var"), ("es", "es")):
        alone = [by_hand.historical_margin(p, COUNT, measure) for p in own]
        apart = [by_hand.historical_margin(p, COUNT, measure) for p in same]
        required = by_hand.historical_margin(
            [a + b for a, b in zip(*own, strict=True)], COUNT, measure
        )
        scaled = [
            a * alone[0] / apart[0] + b * alone[1] / apart[1] for a, b in zip(*same, strict=True)
        ]
        together = by_hand.historical_margin(scaled, COUNT, measure)
        parts = MODELS[name].parts(market, book, UNEQUAL)
        assert parts.steps["gross"][day, 0] == pytest.approx(sum(alone), rel=1e-8)
        assert parts.steps[MISMATCH][day, 0] == pytest.approx(required - together, rel=1e-8)
        shares = np.array(alone) / sum(alone) * required
        np.testing.assert_allclose(parts.by_silo[day, 0], shares, rtol=1e-8)
    alone = [by_hand.historical_margin(p, COUNT) for p in own]
    netted = [by_hand.offset_margin(alone, pnls, 1.0) for pnls in (own, same)]
    parts = MODELS["offset"].parts(market, book, UNEQUAL)
    assert parts.steps[MISMATCH][day, 0] == pytest.approx(netted[0] - netted[1], rel=1e-7)
    # What is granted of an offset, and no more, can be taken back.
    gross = sum(alone)
    for granted, cap in ((0.8, 1.0), (1.0, 0.1), (0.0, 0.8)):
        model = replace(MODELS["offset"], granted=granted, cap=cap)
        parts = model.parts(market, book, UNEQUAL)
        asked = [gross - min(granted * (gross - m), cap * gross) for m in netted]
        assert parts.by_silo[day, 0].sum() == pytest.approx(asked[0], rel=1e-7)
        expected = pytest.approx(asked[0] - asked[1], rel=1e-7, abs=1e-6)
        assert parts.steps[MISMATCH][day, 0] == expected


@pytest.mark.parametrize("by", ["offset", "var"])
def test_a_hedge_pays_the_charge_and_a_sum_is_let_off(by):
    long = random_market(1400, seed=5)
    model = {"offset": st.CorrelationOffset(cap=1.0), "var": st.HistoricalVaR()}[by]
    coverage = bt.Coverage(mpor={"FICC": 3, "CME": 2})
    # Of one leg and minus itself a day's move is left, 1 / (sqrt 3 + sqrt 2) of gross, and
    # (sqrt 3 - sqrt 2) / (sqrt 3 + sqrt 2) of it if both closed out over the same days.
    hedge = model.parts(long, book_of(**{"UST10Y": 1e8, "UST10Y@CME": -1e8}), coverage).steps
    gross = np.nanmean(hedge["gross"])
    expected = (1 - (np.sqrt(3) - np.sqrt(2))) / (np.sqrt(3) + np.sqrt(2))
    assert np.nanmean(hedge[MISMATCH]) / gross == pytest.approx(expected, abs=0.06)
    twice = model.parts(long, book_of(**{"UST10Y": 1e8, "UST10Y@CME": 1e8}), coverage).steps
    expected = np.sqrt(3 + 2 + 4) / (np.sqrt(3) + np.sqrt(2)) - 1
    assert np.nanmean(twice[MISMATCH]) / np.nanmean(twice["gross"]) == pytest.approx(
        expected, abs=0.03
    )


def test_legs_inside_one_silo_and_one_day_shocks_have_no_charge_between_silos(market):
    classes = bt.Coverage(confidence=0.95, mpor={"treasury": 3, "crypto": 2})
    one_silo = book_of(**{"UST10Y@CME": 1e8, "BTC": 1e7})
    parts = MODELS["offset"].parts(market, one_silo, classes)
    np.testing.assert_allclose(parts.steps[MISMATCH][70:], 0.0, atol=1e-6)
    root = st.HistoricalVaR(lookback=LOOKBACK, scaling="sqrt")
    found = root.parts(market, book_of(UST10Y=1e8, BTC=1e7), UNEQUAL).steps[MISMATCH]
    np.testing.assert_array_equal(found[70:], 0.0)


def test_a_requirement_without_any_silos_own_is_shared_equally():
    shared = proportional_shares(np.zeros((1, 1, 2)), np.array([[4.0]]), gross=np.zeros((1, 1)))
    assert shared.tolist() == [[[2.0, 2.0]]]


# --- coordination


@settings(deadline=None)
@given(seed=h.integers(0, 10_000), silos=h.integers(1, 3), size=h.floats(0.5, 4.0))
def test_coordination_day_by_day(seed, silos, size):
    generator = np.random.default_rng(seed)
    # Quarters add up exactly, so that ties are ties.
    loss = np.round(4 * generator.standard_t(3, (60, 2, silos))) / 4
    allocated = np.round(4 * generator.uniform(0.0, size, (60, 2, silos))) / 4
    found = break_even_coordination(loss, allocated, confidence=0.95)
    for p in range(2):
        apart = pooled = 0
        for t in range(60):
            pairs = list(zip(loss[t, p], allocated[t, p], strict=True))
            apart += any(x > m for x, m in pairs)
            pooled += sum(x for x, _ in pairs) > sum(m for _, m in pairs)
        assert found.any_short[p] == apart / 60
        assert found.pooled_short[p] == pooled / 60
        assert found.pooled_short[p] <= found.any_short[p]
        c = found.break_even[p]
        if np.isinf(c):
            assert found.pooled_short[p] > 0.05
        elif c == 0:
            assert found.any_short[p] <= 0.05 + 1e-12
        else:
            mixed = (1 - c) * found.any_short[p] + c * found.pooled_short[p]
            assert 0 < c <= 1 and mixed == pytest.approx(0.05)


@settings(deadline=None)
@given(seed=h.integers(0, 10_000), silos=h.integers(1, 3), days=h.integers(5, 90))
def test_the_rate_of_separate_silos_by_plain_loops(seed, silos, days):
    generator = np.random.default_rng(seed)
    loss = np.round(4 * generator.standard_t(3, (days, 2, silos))) / 4
    own = np.round(4 * generator.uniform(0.25, 2.0, (days, 2, silos))) / 4
    found = separate_rate(loss, own, confidence=0.95)
    may_exceed = int(days * 0.05 + 1e-9)
    for p in range(2):
        short = set()
        for i in range(silos):
            ratios = [max(0.0, loss[t, p, i] / own[t, p, i]) for t in range(days)]
            scale = sorted(ratios, reverse=True)[may_exceed]
            days_short = {t for t in range(days) if ratios[t] > scale}
            assert len(days_short) <= may_exceed
            short |= days_short
        assert found[p] == pytest.approx(max(len(short) / days, 0.05))
        assert found[p] <= max(silos * 0.05, 0.05) + 1e-12


def test_a_silo_that_asks_for_nothing_is_short_on_every_day_of_a_loss():
    loss = np.random.default_rng(2).standard_normal((400, 1, 2))
    own = np.ones(loss.shape)
    own[:, :, 1] = 0.0
    first = loss[:, 0, 0] > np.sort(loss[:, 0, 0])[-5]
    expected = (first | (loss[:, 0, 1] > 0)).mean()
    assert separate_rate(loss, own)[0] == pytest.approx(expected) and expected > 0.4


def test_separate_silos_that_know_nothing_of_each_other_and_silos_that_are_one():
    one, other = np.random.default_rng(8).standard_normal((2, 200_000))
    loss = np.stack([np.column_stack([one, other]), np.column_stack([one, one])], axis=1)
    apart, same = separate_rate(loss, np.full(loss.shape, 3.0))
    assert apart == pytest.approx(1 - 0.99**2, abs=4e-4) and same == pytest.approx(0.01)
    # A margin of any size is scaled to its own standard first, so its size does not matter.
    assert separate_rate(loss, np.full(loss.shape, 0.1)).tolist() == [apart, same]


def test_a_pool_is_held_against_what_is_allowed():
    loss = np.zeros((200, 2, 2))
    loss[:10, :, 0], loss[:2, :, 1] = 3.0, 3.0
    loss[2:10, :, 1] = -3.0  # some silo short on 10 days, the pool on 2
    allowed = np.array([0.02, 0.005])
    found = break_even_coordination(loss, np.ones(loss.shape), allowed=allowed)
    assert found.break_even.tolist() == [pytest.approx((10 - 4) / (10 - 2)), np.inf]
    assert found.allowed.tolist() == allowed.tolist()
    assert found.pool_misses[0] == found.pool_misses[1]  # of the same standard, 1 %
    assert found.never[0] < found.pool_misses[0] < found.never[1]
    for low, high, rate in zip(found.break_even_low, found.break_even_high, allowed, strict=True):
        alone = break_even_coordination(loss[:, :1], np.ones((200, 1, 2)), confidence=1 - rate)
        assert (low, high) == (alone.break_even_low[0], alone.break_even_high[0])


def test_intervals_hold_the_estimate_and_silence_is_not_identified():
    generator = np.random.default_rng(3)
    loss = generator.standard_normal((1000, 2, 2))
    loss[:, 1] = -1.0
    allocated = np.full((1000, 2, 2), 1.8)
    found = break_even_coordination(loss, allocated, confidence=0.98)
    for name in ("any_short", "pooled_short", "break_even"):
        low, high = getattr(found, f"{name}_low"), getattr(found, f"{name}_high")
        assert low[0] < getattr(found, name)[0] < high[0] < np.inf
        assert np.isnan(low[1]) and np.isnan(high[1])
    assert found.break_even[1] == 0.0 and np.isnan(found.never[1]) and found.never[0] < 0.01
    # Independent legs: P_any is 1 - (1 - p)^2, P_joint the tail of a normal of twice the variance.
    tail = 0.035930
    assert found.any_short[0] == pytest.approx(1 - (1 - tail) ** 2, abs=0.02)
    assert found.pooled_short[0] == pytest.approx(0.005455, abs=0.006)


def test_coordination_refuses_what_it_cannot_use():
    with pytest.raises(DataError, match="days, portfolios, silos"):
        break_even_coordination(np.zeros((3, 1)), np.zeros((3, 1)))
    with pytest.raises(DataError, match="holds NaN"):
        break_even_coordination(np.full((3, 1, 2), np.nan), np.zeros((3, 1, 2)))


# --- liquidation cost


@pytest.mark.parametrize("rebalance", ["daily", "never"])
def test_liquidation_cost_by_hand(market, rebalance):
    usd = {"UST10Y": 5e7, "BTC": -2e7, "ETH": 1e6}
    book = book_of(market, rebalance, **usd)
    coverage = bt.Coverage(mpor=2)
    added = replace(book, liquidation=LiquidationCost()).loss(market, coverage)
    added -= book.loss(market, coverage)
    table = load_costs("liquidation/2025")
    index = book.unit_index(market)
    for day in (0, 1, 40, 237):
        expected = {"FICC": 0.0, "CME": 0.0}
        for i, instrument in enumerate(book.instruments):
            moves = [instrument.pnl(market, 1)[s] for s in range(max(0, day - 60), day)]
            volatility = np.std(moves) if len(moves) > 1 else 0.0
            costs = table.contract[instrument.name]
            held = abs(usd[instrument.name] * index[day, i])
            impact = volatility * np.sqrt(held / costs.adv_usd)
            expected[instrument.silo] += held * (costs.half_spread_bp / 1e4 + impact)
        np.testing.assert_allclose(added[day, 0], list(expected.values()), rtol=1e-7)
    assert np.isnan(added[-2:]).all()


def test_volatility_knows_no_future(market):
    whole = daily_volatility(bt.Treasury(10), market)
    for cut in (1, 59, 60, 150):
        np.testing.assert_array_equal(
            daily_volatility(bt.Treasury(10), market.until(cut)), whole[: cut + 1]
        )


def test_costs_of_other_venues_and_classes():
    table = load_costs("liquidation/2025")
    assert table.of(bt.Spot("ETH", silo="NODAL")) == table.contract["ETH"]
    assert table.of(bt.Treasury(20)) == table.asset_class["treasury"]
    with pytest.raises(bt.StudyError, match="no liquidation cost for VIX"):
        table.of(bt.Spot("VIX"))
    with pytest.raises(bt.StudyError, match="unknown version"):
        load_costs("liquidation/1999")


def test_a_study_asks_for_the_cost_and_says_so(market):
    usd = "usd = { UST10Y = 5e7, BTC = 5e6 }"
    books = [
        build_book(_study(usd=usd, closeout=f"liquidation_cost = {on}"), market)
        for on in ("false", "true")
    ]
    models = {"var": MODELS["var"]}
    bare, charged = (bt.run(market, b, models, audit=False) for b in books)
    without, standard = bare.provenance.held_to, charged.provenance.held_to
    assert without.liquidation is None
    assert standard.liquidation == {"table": "liquidation/2025", "dated": "2025-12-31"}
    pd.testing.assert_frame_equal(bare.required["var"], charged.required["var"])
    assert (charged.loss - bare.loss).dropna().gt(0).all(axis=None)
    assert "liquidation cost (approximate)" in standard.sentence()
    assert "liquidation" not in without.sentence()


# --- the command

TEXT = """
name = "small"
[data]
end = "2018-12-31"
[coverage]
{coverage}
[closeout]
{closeout}
[models.siloed]
kind = "siloed"
[models.offset]
kind = "correlation_offset"
[models.var]
kind = "historical_var"
[books.both]
{usd}
"""


def _text(coverage="", closeout="", usd="usd = { UST10Y = 5e7, BTC = 5e6 }"):
    return TEXT.format(coverage=coverage, closeout=closeout, usd=usd)


def _study(**tables):
    return read_study(_text(**tables), where="small.toml")


def _estimate(path: Path):
    return estimate_closeout(path, data=None, seed=None, progress=lambda what, share: None)


def test_the_command_writes_tables_and_figures(tmp_path, capsys):
    study = tmp_path / "small.toml"
    study.write_text(_text(closeout="coordination = 0.5"))
    with pytest.raises(SystemExit) as stopped:
        main(["closeout", str(study), "--out", str(tmp_path / "out")])
    assert stopped.value.code == 0
    shown = capsys.readouterr().out
    assert "SIMULATED" in shown and "APPROXIMATE" in shown and "breach at 0.5" in shown
    (folder,) = (tmp_path / "out").iterdir()
    names = {path.name for path in folder.rglob("*.*")}
    assert {"coordination.csv", "margin_steps.csv", "liquidation.csv", "report.html"} <= names
    assert {"coordination.png", "margin_steps.svg"} <= names
    for _, rows in pd.read_csv(folder / "margin_steps.csv").groupby(["model", "mpor"]):
        own = rows.set_index("step")["usd"]
        assert own.drop("required").sum() == pytest.approx(own["required"], rel=1e-9)
    # What is allowed is what separate silos would give, not the 1 % of one margin.
    table = pd.read_csv(folder / "coordination.csv")
    assert table["allowed"].between(0.01, table["independent"] + 0.003).all()
    np.testing.assert_allclose(table["independent"], 1 - 0.99**2)
    found = table.set_index("model")
    middle = (found["any_short"] + found["pooled_short"]) / 2
    np.testing.assert_allclose(found["assumed"], middle)


def test_a_study_of_its_own_unequal_days_is_the_last_compared(tmp_path):
    study = tmp_path / "small.toml"
    study.write_text(_text(coverage="mpor = { treasury = 5, crypto = 2 }"))
    found = _estimate(study)
    assert found.unequal == "FICC 5, others 2 days" and found.equal == "2 days"
    assert found.provenance.held_to.mpor == {"FICC": 5, "CME": 2}


def test_every_table_is_scored_from_the_day_the_study_says(tmp_path):
    study = tmp_path / "small.toml"
    study.write_text('score_from = "2018-06-01"\n' + _text(coverage="mpor = 3"))
    found = _estimate(study)
    scored = found.provenance.scored.observations
    assert found.provenance.scored.first_scored == "2018-06-01"
    assert set(found.coordination["observations"]) == {scored}
    longest = scored - 1  # the longest of the MPORs compared is a day longer than the study's
    assert set(found.steps["observations"]) == {longest}


def test_models_without_steps_have_a_page_without_them(tmp_path):
    study = tmp_path / "small.toml"
    study.write_text(re.sub(r'\[models.(offset|var)\]\nkind = ".*"\n', "", _text()))
    page = closeout_exhibit(_estimate(study))
    assert "margin_steps" not in [section.name for section in page.sections]
    assert len(page.sections) == 3


def test_a_replay_of_rules_says_the_shares_of_silos_where_its_base_does(tmp_path):
    study = tmp_path / "small.toml"
    more = '[models.grid]\nkind = "venue_grid"\n[models.haircut]\nkind = "haircut_only"\n'
    study.write_text(f"as_replayed = true\n{_text()}\n{more}")
    models = set(_estimate(study).provenance.models)
    assert {"haircut", "var"} <= models and "grid" not in models


def test_nothing_to_pool_is_one_line(tmp_path):
    study = tmp_path / "small.toml"
    study.write_text(_text(usd="usd = { BTC = 5e6 }"))
    with pytest.raises(bt.StudyError, match="held in two silos"):
        _estimate(study)
    with pytest.raises(bt.StudyError, match="closeout.coordination"):
        _study(closeout="coordination = 2")


@needs_prices
def test_break_even_coordination_on_real_prices_by_a_plain_loop(real_market):
    weights = pd.DataFrame({"UST10Y": [1.0], "BTC": [1.0]}, index=["pool"])
    coverage, base = bt.Coverage(), st.HistoricalVaR()
    book = bt.Book.risk_matched(weights, real_market, base=base, coverage=coverage, gross=100e6)
    usd = dict(zip(("UST10Y", "BTC"), book.exposure[0], strict=True))
    pnl = {i.name: i.pnl(real_market, 2) for i in book.instruments}
    alone = {n: base.margin(real_market, book_of(**{n: usd[n]}), coverage)[:, 0] for n in usd}
    joint = base.margin(real_market, book, coverage)[:, 0]
    apart = pooled = days = 0
    for t in range(len(joint)):
        loss = {n: -usd[n] * pnl[n][t] for n in usd}
        if np.isnan(joint[t]) or np.isnan(loss["BTC"]):
            continue
        days += 1
        share = joint[t] / (alone["UST10Y"][t] + alone["BTC"][t])
        apart += any(loss[n] > alone[n][t] * share for n in usd)
        pooled += sum(loss.values()) > joint[t]
    parts = base.parts(real_market, book, coverage)
    rows = ~np.isnan(parts.by_silo).any(axis=(1, 2)) & ~np.isnan(
        book.loss(real_market, coverage)
    ).any(axis=(1, 2))
    found = break_even_coordination(book.loss(real_market, coverage)[rows], parts.by_silo[rows])
    assert found.any_short[0] == apart / days and found.pooled_short[0] == pooled / days
    allowed = 0.01
    assert found.break_even[0] == pytest.approx(
        (apart / days - allowed) / ((apart - pooled) / days)
    )


@needs_prices
def test_no_pooled_margin_of_the_study_is_worse_than_separate_silos_by_the_pool_alone(real_data):
    """Of 'never', which was said of half the rows against 1 %, none is left."""
    found = estimate_closeout(
        None, data=str(real_data), seed=None, progress=lambda what, share: None
    ).coordination
    assert found["allowed"].between(0.0168, 0.0192).all()
    assert not (found["never"] > 0.5).any()
    assert np.isfinite(found["break_even"]).all()
    assert ((found["pooled_short"] > 0.01) == (found["pool_misses"] > 0.5)).all()
    assert (found["pool_misses"] > 0.5).sum() >= 9


def test_a_silo_that_asks_nothing_is_short_whenever_it_loses():
    loss, own = np.zeros((100, 1, 2)), np.ones((100, 1, 2))
    loss[:30, 0, 0] = 1.0
    own[:, 0, 0] = 0.0
    assert separate_rate(loss, own, confidence=0.95).tolist() == [0.3]
