"""The margin of a day is that of its positions held for ever, under every model; no later trade."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import backtest as bt
import strategies as st
from backtest.config.models import build_model
from backtest.model import required_margin
from backtest.model.asking import answer_of, takes_days
from backtest.model.episodes import Episodes
from tests.support.contracts import COVERAGE, contract_cases

CASES = contract_cases()
TRADES = (0, 90, 140, 141, 220)  # rows after which positions are others


def traded(book, market, seed=0):
    """The book with its rows in another order, signs and sizes after each trade."""
    rng = np.random.default_rng(seed)
    days, portfolios = len(market.dates), len(book.portfolios)
    exposure = np.empty((days, *book.exposure.shape))
    for first in TRADES:
        sizes = rng.choice([-1.0, 1.0], (portfolios, 1)) * rng.uniform(0.5, 2.0, (portfolios, 1))
        exposure[first:] = sizes * book.exposure[rng.permutation(portfolios)]
    exposure[150:160, 1] = 0.0  # an account that is empty for a while
    return replace(book, exposure=exposure, dates=market.dates)


def constant(book, day, units=None):
    return replace(book, exposure=book.exposure[day], dates=None, units=units)


@pytest.mark.parametrize("table", CASES)
def test_margin_is_that_of_the_positions_of_the_day(table, small_market, small_book):
    model, book = build_model(table), traded(small_book, small_market)
    required = required_margin(model, small_market, book, COVERAGE)
    for day in (139, 140, 155):
        alone = required_margin(model, small_market, constant(book, day), COVERAGE)
        np.testing.assert_allclose(required[day], alone[day], rtol=1e-9)


@pytest.mark.parametrize("model", [st.Siloed(), st.CorrelationOffset(), st.EwmaVaR(), st.Span()])
def test_positions_that_do_not_change_are_a_constant_book(model, small_market, small_book):
    days = len(small_market.dates)
    exposure = np.broadcast_to(small_book.exposure, (days, *small_book.exposure.shape))
    held = replace(small_book, exposure=exposure, dates=small_market.dates)
    np.testing.assert_allclose(
        required_margin(model, small_market, held, COVERAGE),
        required_margin(model, small_market, small_book, COVERAGE),
        rtol=1e-9,
    )


# Their margin of a day depends on fits or margins of earlier days, when units were worth other USD.
REMEMBER = {
    "buffer",
    "cap",
    "caviar_var",
    "correlation_break",
    "cross_margining",
    "ewma_var",
    "extreme_value_var",
    "ficc_var",
    "garch_var",
    "speed_limit",
    "stress_blend",
    "uncleared_schedule",
}
MEMORYLESS = [case for case in CASES if str(case.id).rpartition("-")[0] not in REMEMBER]


@pytest.mark.parametrize("table", MEMORYLESS)
def test_units_are_their_usd_of_the_day(table, small_market, small_book):
    classes = [i.asset_class for i in small_book.instruments]
    units = tuple("face" if c == "treasury" else "coins" for c in classes)
    first = np.array([1.0, 1.0, *small_market.levels[0, 5:7]])
    counted = replace(small_book, exposure=small_book.exposure / first, units=units)
    model = build_model(table)
    in_units = required_margin(model, small_market, counted, COVERAGE)
    for day in (259,):
        usd = replace(small_book, exposure=counted.usd(small_market)[day])
        in_usd = required_margin(model, small_market, usd, COVERAGE)
        np.testing.assert_allclose(in_units[day], in_usd[day], rtol=1e-9)


def test_the_four_candidates_take_positions_by_day_at_once(small_market, small_book):
    book = traded(small_book, small_market)
    for model in (st.Siloed(), st.HaircutOnly(), st.CorrelationOffset(), st.HistoricalVaR()):
        assert takes_days(model, small_market, book)


def test_parts_and_forecasts_are_those_of_the_positions_of_the_day(small_market, small_book):
    book, model = traded(small_book, small_market), st.CorrelationOffset(lookback=60)
    parts = answer_of(model, "parts", small_market, book, COVERAGE)
    required = required_margin(model, small_market, book, COVERAGE)
    np.testing.assert_allclose(parts.by_silo.sum(axis=2), required, rtol=1e-9)
    forecaster = st.GarchVaR(lookback=60, refit_every=60)
    forecast = answer_of(forecaster, "forecast", small_market, book, COVERAGE)
    for day in (140, 250):
        alone = forecaster.forecast(small_market, constant(book, day), COVERAGE)
        for name in ("value_at_risk", "expected_shortfall", "pit"):
            by_day, same = getattr(forecast, name)[day], getattr(alone, name)[day]
            np.testing.assert_allclose(by_day, same, rtol=1e-9)


def test_an_account_is_a_row_of_episodes(small_market, small_book):
    book = traded(small_book, small_market)
    episodes = Episodes.of(book)
    assert (np.diff(episodes.last) >= 0).all()
    for p in range(len(book.portfolios)):
        for day in range(len(small_market.dates)):
            number = episodes.number[day, p]
            assert episodes.last[number] >= day
            np.testing.assert_array_equal(episodes.book.exposure[number], book.exposure[day, p])


class KnowsTheNextTrade:
    """Margins the larger of the positions of the day and of the end, which it must not know."""

    def takes_days(self, market, book):
        return True

    def margin(self, market, book, coverage):
        gross = np.abs(book.exposure).sum(axis=2)
        return np.maximum(gross, gross[-1])


def test_the_audit_cuts_later_trades_off(small_market, small_book):
    book = traded(small_book, small_market)
    with pytest.raises(bt.BacktestError, match="is not causal"):
        bt.check_causal(KnowsTheNextTrade(), small_market, book, coverage=COVERAGE)
    honest = bt.check_causal(st.HistoricalVaR(lookback=60), small_market, book, coverage=COVERAGE)
    assert honest.largest_change <= 1e-9


def test_a_run_on_positions_by_day_is_a_run(small_market, small_book):
    models = {
        "siloed": st.Siloed(base=st.HistoricalVaR(lookback=60)),
        "ewma": st.EwmaVaR(lookback=60),
    }
    book = traded(small_book, small_market)
    study = bt.run(small_market, book, models, coverage=COVERAGE)
    for name, model in models.items():
        required = required_margin(model, small_market, book, COVERAGE)
        np.testing.assert_array_equal(study.required[name].to_numpy(), required)
    assert study.summary().shape[0] == 8
    assert len(study.provenance.causality["ewma"].cut_days) > 4
    same = bt.run(small_market, book, models, coverage=COVERAGE, block=1)
    pd.testing.assert_frame_equal(same.summary(), study.summary())
