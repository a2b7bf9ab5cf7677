"""Overlays against their rules in plain loops, and what wrapping must keep."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as draw
from hypothesis.extra.numpy import arrays

import backtest as bt
import strategies as st
from backtest.book.liquidation import LiquidationCost, load_costs
from backtest.config.models import build_model
from backtest.model.protocol import model
from backtest.model.wrapping import longest_lookback, with_lookback
from backtest.parameters.registry import field_names
from strategies.overlays.correlation_break import kept_share
from strategies.overlays.speed import limited_margin
from tests.support.contracts import HISTORICAL

COVERAGE = bt.Coverage(confidence=0.95, mpor=2)
BASE = st.HistoricalVaR(lookback=60)
MARGINS = arrays(np.float64, (30, 1), elements=draw.floats(0, 1e9))
CONTRACT = {
    "ten_year_floor": [
        {"base": HISTORICAL, "days": 120, "step": 20},
        {"base": HISTORICAL, "floor": {"kind": "haircut_only"}},
    ],
    "buffer": [{"base": HISTORICAL}, {"base": {"kind": "siloed", "base": HISTORICAL}, "days": 20}],
    "stress_blend": [
        {"base": HISTORICAL, "days": 30},
        {"base": HISTORICAL, "stressed": {"kind": "haircut_only"}, "weight": 0.5},
    ],
    "speed_limit": [
        {"base": HISTORICAL},
        {"base": HISTORICAL, "up": 0.01, "down": 0.0},
        {"base": HISTORICAL, "up": 0.1, "down": 1.0, "days": 20},
    ],
    "cap": [{"base": HISTORICAL, "days": 20}, {"base": HISTORICAL, "quantile": 0.5, "days": 0}],
    "concentration_add_on": [{"base": HISTORICAL, "participation": 1e-4}],
    "liquidity_add_on": [{"base": HISTORICAL}],
    "correlation_break": [
        {"base": HISTORICAL, "windows": 3, "days": 30},
        {"base": HISTORICAL, "windows": 2, "days": 30, "by": "instrument"},
    ],
    "minimum": [
        {"base": HISTORICAL},
        {"base": {"kind": "buffer", "base": HISTORICAL}, "rate": 0.1},
    ],
}
WAIVERS = {
    ("concentration_add_on", "doubles with the book"): "twice the size takes twice as long to sell",
    ("liquidity_add_on", "doubles with the book"): "impact grows with the square root of size",
    ("correlation_break", "more confidence never lowers it"): (
        "the share of margin that netting keeps may fall as confidence rises"
    ),
}


@model
class Worst:
    """A model of a user's own: the worst loss so far, without parts."""

    def margin(self, market, book, coverage):
        loss = pd.DataFrame(book.loss(market, coverage).sum(axis=2)).shift(coverage.longest)
        return loss.expanding().max().clip(lower=0.0).to_numpy()


def margin(overlay, market, book):
    return overlay.margin(market, book, COVERAGE)


def test_buffer_is_its_rule_in_words(small_market, small_book):
    base = margin(BASE, small_market, small_book)
    buffered = margin(st.Buffer(base=BASE, days=40), small_market, small_book)
    states = set()
    for day in range(61, 260):
        for p in range(4):
            own = base[day, p]
            average = np.mean([m for m in base[max(0, day - 39) : day + 1, p] if not np.isnan(m)])
            if own <= average:
                state, wanted = "whole", 1.25 * own
            elif own <= 1.25 * average:
                state, wanted = "drawn down", 1.25 * average
            else:
                state, wanted = "exhausted", own
            states.add(state)
            assert buffered[day, p] == pytest.approx(wanted, rel=1e-9)
    assert states >= {"whole", "drawn down"}


def test_an_exhausted_buffer_leaves_the_base_and_is_rebuilt(small_market):
    steps = np.concatenate([np.full(60, 100.0), np.full(200, 200.0)])

    @model
    class Step:
        def margin(self, market, book, coverage):
            return np.tile(steps[: len(market.dates), None], (1, len(book.portfolios)))

    book = bt.Book.from_frame(pd.DataFrame({"BTC": [1.0]}))
    buffered = margin(st.Buffer(base=Step(), days=50), small_market, book)[:, 0]
    assert buffered[59] == 125.0 and buffered[60] == 200.0 and buffered[109] == 250.0
    assert (np.diff(buffered[60:110]) >= 0).all()


def test_floor_is_the_longest_lookback_that_history_fills(small_market, small_book):
    overlay = st.TenYearFloor(base=BASE, days=150, step=30)
    assert overlay.lookbacks == (90, 120, 150)
    required = margin(overlay, small_market, small_book)
    base = margin(BASE, small_market, small_book)
    versions = {
        n: margin(st.HistoricalVaR(lookback=n), small_market, small_book) for n in (90, 120, 150)
    }
    raised = 0
    for day in range(61, 260):
        filled = [n for n in (90, 120, 150) if n <= day - 1]  # the first shock ends on day 2
        floor = versions[max(filled)][day] if filled else np.zeros(4)
        np.testing.assert_allclose(required[day], np.maximum(base[day], floor), rtol=1e-12)
        raised += (floor > base[day]).any()
    assert raised > 20


@pytest.mark.parametrize("cls", [c for c in st.MODELS.values() if "lookback" in field_names(c)])
def test_the_lookback_of_a_model_is_found_and_changed_beside_its_published_terms(cls):
    assert longest_lookback(cls()) >= 250
    assert longest_lookback(with_lookback(cls(), 333)) == 333


def test_stress_blend_is_its_rule_in_plain_loops(small_market, small_book):
    required = margin(st.StressBlend(base=BASE, days=30, weight=0.4), small_market, small_book)
    base = margin(BASE, small_market, small_book)
    year = margin(st.HistoricalVaR(lookback=30), small_market, small_book)
    for day in range(61, 260, 7):
        for p in range(4):
            worst = max(m for m in year[: day + 1, p] if not np.isnan(m))
            wanted = 0.6 * base[day, p] + 0.4 * max(base[day, p], worst)
            assert required[day, p] == pytest.approx(wanted, rel=1e-12)


@given(MARGINS, draw.floats(0, 1), draw.floats(0, 1), draw.integers(1, 7))
def test_speed_limit_holds_and_lets_go(base, up, down, days):
    out = limited_margin(base, up=up, down=down, days=days)
    for day, (own, now) in enumerate(zip(base[:, 0].tolist(), out[:, 0].tolist(), strict=True)):
        previous = out[day - days, 0] if day >= days else 0.0
        if previous == 0.0:
            assert now == own
        else:
            assert now == min(max(own, (1 - down) * previous), (1 + up) * previous)


def test_cap_is_a_quantile_of_the_margins_so_far(small_market, small_book):
    base = margin(BASE, small_market, small_book)
    capped = margin(st.Cap(base=BASE, quantile=0.8, days=30), small_market, small_book)
    lowered = 0
    for day in range(61, 260):
        past = base[61 : day + 1]  # gross exposure never changes in this book
        wanted = base[day]
        if len(past) > 30:
            wanted = np.minimum(wanted, np.quantile(past, 0.8, axis=0))
        np.testing.assert_allclose(capped[day], wanted, rtol=1e-12)
        lowered += (capped[day] < base[day]).any()
    assert np.isnan(capped[:61]).all() and lowered > 20


def test_cap_of_a_position_that_grows_grows_with_it(small_market):
    frame = pd.DataFrame({"BTC": [1e6]}, index=["held"])
    usd = bt.Book.from_frame(frame, small_market)
    units = bt.Book.from_frame(frame, small_market, rebalance="never")
    cap = st.Cap(base=BASE, quantile=0.5, days=0)
    value = small_market.level("BTC") / small_market.level("BTC")[0]
    np.testing.assert_allclose(
        margin(cap, small_market, units)[:, 0],
        margin(cap, small_market, usd)[:, 0] * value,
        rtol=1e-9,
    )


def test_concentration_doubles_what_takes_four_times_the_mpor(small_market):
    volume = load_costs("liquidation/2025").contract["BTC"].adv_usd
    usd = 4 * 2 * 0.2 * volume  # four times two days of a fifth of the volume
    book = bt.Book.from_frame(pd.DataFrame({"BTC": [usd, usd / 4]}, index=["large", "small"]))
    base = margin(BASE, small_market, book)
    required = margin(st.ConcentrationAddOn(base=BASE, participation=0.2), small_market, book)
    np.testing.assert_allclose(required, base * [2.0, 1.0], rtol=1e-9)


def test_liquidity_adds_the_cost_of_every_position(small_market, small_book):
    required = margin(st.LiquidityAddOn(base=BASE, share=0.5), small_market, small_book)
    cost = LiquidationCost().cost(
        small_market,
        small_book.instruments,
        exposure=small_book.exposure,
        index=small_book.unit_index(small_market),
    )
    wanted = margin(BASE, small_market, small_book) + 0.5 * cost
    np.testing.assert_allclose(required, wanted, rtol=1e-12)
    assert (cost[100] > 0).all()


def test_kept_share_by_hand_and_a_break_that_nothing_nets_against(small_market, small_book):
    kept = np.random.default_rng(2).uniform(0.2, 1.0, (40, 2))
    kept[:5] = np.nan
    out = kept_share(kept, 3, 10, 2.0)
    for day in (5, 14, 15, 24, 25, 39):
        seen = [kept[day - b, 1] for b in (0, 10, 20) if day - b >= 5]
        assert out[day, 1] == pytest.approx(np.mean(seen) + 2.0 * np.std(seen), rel=1e-12)
    base = margin(BASE, small_market, small_book)
    overlay = st.CorrelationBreak(base=BASE, windows=3, days=30)
    required = margin(overlay, small_market, small_book)[61:]
    alone = small_book.portfolios.index("bond only")
    np.testing.assert_allclose(required[:, alone], base[61:, alone], rtol=1e-12)
    siloed = margin(st.Siloed(base=BASE), small_market, small_book)[61:]
    assert (required <= siloed * (1 + 1e-12)).all() and (required >= base[61:]).all()
    assert (required > base[61:] * 1.001).any()


def test_minimum_is_a_share_of_gross(small_market, small_book):
    required = margin(st.Minimum(base=BASE, rate=0.5), small_market, small_book)
    np.testing.assert_allclose(required[100], 0.5 * np.abs(small_book.exposure).sum(axis=1))


@pytest.mark.parametrize(
    "overlay",
    [
        st.Buffer(base=Worst()),
        st.SpeedLimit(base=st.SpeedLimit(base=Worst(), up=0.5), up=0.01),
        st.TenYearFloor(base=Worst(), floor=BASE),
        st.LiquidityAddOn(base=st.LiquidityAddOn(base=Worst())),
    ],
)
def test_parts_of_any_base_and_of_one_overlay_twice(overlay, small_market, small_book):
    required = margin(overlay, small_market, small_book)
    parts = overlay.parts(small_market, small_book, COVERAGE)
    np.testing.assert_allclose(parts.by_silo.sum(axis=2), required, rtol=1e-9)
    np.testing.assert_allclose(sum(parts.steps.values()), required, rtol=1e-9, atol=1e-6)


@pytest.mark.parametrize(
    "overlay",
    [
        {"kind": "ten_year_floor", "days": 120, "step": 20},
        {"kind": "stress_blend", "days": 30},
        {"kind": "correlation_break", "windows": 2, "days": 30},
    ],
    ids=lambda table: table["kind"],
)
def test_models_held_by_name_change_their_lookback_too(overlay, small_market):
    base = {"kind": "historical_var", "lookback": 60}
    frame = pd.DataFrame({"UST10Y": [1e8], "UST5Y@CME": [-1.2e8]}, index=["hedged"])
    book = bt.Book.from_frame(frame)
    once, by_name = (
        build_model(
            overlay | {"base": {"kind": "cross_margining", "base": base, "houses": houses}}
        ).margin(small_market, book, COVERAGE)
        for houses in ({}, {"FICC": base, "CME": base})
    )
    np.testing.assert_allclose(by_name, once, rtol=1e-12)


def test_a_base_without_lookback_asks_for_a_second_model(small_market, small_book):
    for overlay in (st.TenYearFloor(base=Worst()), st.StressBlend(base=st.HaircutOnly())):
        with pytest.raises(bt.StudyError, match="has no lookback to change; name a second model"):
            margin(overlay, small_market, small_book)
