"""A model cannot harm what others are given: it is refused, or the others' numbers are the same."""

from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
import pytest

import backtest as bt
import strategies as st
from backtest.book.lending import lent
from backtest.model.asking import answer_of
from backtest.model.isolation import isolated
from backtest.replay.forecasts import model_forecasts
from tests.support.harms import HARMLESS, REFUSED, VAR, Harmful
from tests.support.markets import random_market

COVERAGE = bt.Coverage(mpor={"FICC": 2, "CME": 2})
OTHERS = {"siloed": st.Siloed(base=VAR), "var": VAR}
HARMS = [*REFUSED, *HARMLESS]


@pytest.fixture(scope="module")
def market():
    return random_market(200, seed=3)


@pytest.fixture(scope="module")
def book():
    frame = pd.DataFrame({"UST10Y": [5e7, 1e8], "BTC": [5e6, -1e6]}, index=["both", "pair"])
    return bt.Book.from_frame(frame, liquidation=bt.book.LiquidationCost())


@pytest.fixture(scope="module")
def honest(market, book):
    return bt.run(market, book, OTHERS, coverage=COVERAGE, audit=False)


def outcome(name, ask):
    """What `ask` gives, or None where the harm was refused, as those of REFUSED must be."""
    try:
        answer = ask()
    except (bt.BacktestError, ValueError, AttributeError) as error:
        assert name in REFUSED or "elsewhere" in str(error), error
        return None
    assert name in HARMLESS
    return answer


@pytest.mark.parametrize("audit", [False, pytest.param(True, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", HARMS)
def test_a_run_beside_it_is_the_same(name, audit, market, book, honest):
    models = {"harmful": Harmful(name)} | OTHERS
    given, held = lent(market), lent(book)
    study = outcome(name, lambda: bt.run(given, held, models, coverage=COVERAGE, audit=audit))
    # What the caller holds is whole, whatever happened.
    np.testing.assert_array_equal(given.levels, market.levels)
    np.testing.assert_array_equal(held.exposure, book.exposure)
    assert held.instruments == book.instruments and held.portfolios == book.portfolios
    if study is not None:
        assert study.loss.equals(honest.loss)
        assert study.scores.loc[list(OTHERS)].equals(honest.scores)
        for other in OTHERS:
            assert study.required[other].equals(honest.required[other])
            assert study.shortfall[other].equals(honest.shortfall[other])


@pytest.mark.parametrize("method", ["parts", "forecast"])
@pytest.mark.parametrize("name", HARMS)
def test_its_parts_and_forecasts_come_from_copies(name, method, market, book):
    given, held = lent(market), lent(book)
    outcome(name, lambda: answer_of(Harmful(name), method, given, held, COVERAGE))
    np.testing.assert_array_equal(given.levels, market.levels)
    np.testing.assert_array_equal(held.exposure, book.exposure)
    assert held.instruments == book.instruments and COVERAGE.confidence == 0.99


@pytest.mark.parametrize("name", HARMLESS)
def test_paths_and_forecasts_beside_it_are_the_same(name, market, book):
    simulator, models = bt.StationaryBootstrap(block_size=20), {"harmful": Harmful(name)} | OTHERS
    both, alone = (
        bt.monte_carlo(simulator, market, book, m, coverage=COVERAGE, paths=2, seed=1)
        for m in (models, OTHERS)
    )
    np.testing.assert_array_equal(both.scores[:, 1:], alone.scores)
    tables = [model_forecasts(m, market, book, coverage=COVERAGE) for m in (models, OTHERS)]
    forecasts = [t[t["model"] == "var"].reset_index(drop=True) for t in tables]
    assert forecasts[0].equals(forecasts[1])


def test_sizing_by_it_leaves_the_market_whole(market, book):
    weights = pd.DataFrame({"UST10Y": [1.0], "BTC": [-1.0]}, index=["pair"])
    given = lent(market)
    terms = {"coverage": COVERAGE, "gross": 1e8}
    for name in HARMS:
        try:
            sized = bt.Book.risk_matched(weights, given, base=Harmful(name), **terms)
        except (ValueError, AttributeError):
            continue
        finally:
            np.testing.assert_array_equal(given.levels, market.levels)
        expected = bt.Book.risk_matched(weights, market, base=VAR, **terms)
        assert sized.instruments == expected.instruments
        np.testing.assert_array_equal(sized.exposure, expected.exposure)


@dataclass(frozen=True)
class Tabled(bt.Spot):
    """A user's instrument that holds what can be changed."""

    table: dict = field(default_factory=lambda: {"factor": 1.0}, hash=False)


def test_what_an_instrument_holds_is_copied_too(market):
    instrument = Tabled("BTC")
    book = bt.Book(("coin",), (instrument,), np.array([[1e6]]))

    class Empties:
        def margin(self, market, book, coverage):
            book.instruments[0].table.clear()
            return VAR.margin(market, book, coverage)

    bt.run(market, book, {"empties": Empties()}, audit=False)
    assert instrument.table == {"factor": 1.0}


@pytest.mark.slow
@pytest.mark.parametrize("name", HARMS)
def test_workers_and_processes_of_their_own_are_no_way_round(name, market, book, honest):
    models = {"harmful": Harmful(name)} | OTHERS
    terms = {"coverage": COVERAGE, "audit": False}
    many = outcome(name, lambda: bt.run(market, book, models, n_jobs=2, block=1, **terms))
    first = market.rows(slice(0, 80))
    alone = {"harmful": isolated(Harmful(name))} | OTHERS
    short = outcome(name, lambda: bt.run(first, book, alone, **terms))
    if many is not None:
        assert many.scores.loc[list(OTHERS)].equals(honest.scores)
    if short is not None:
        expected = bt.run(first, book, OTHERS, **terms)
        assert short.required["var"].equals(expected.required["var"])
        assert short.loss.equals(expected.loss)


def test_an_isolated_model_may_have_an_mpor_by_silo(market, book):
    first = market.rows(slice(0, 70))
    margin = isolated(VAR).margin(first, book, COVERAGE)
    np.testing.assert_array_equal(margin, VAR.margin(first, book, replace(COVERAGE)))
