"""What is computed once for several models: the same numbers, and nobody's but the package's."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

import backtest as bt
import strategies as st
from backtest.estimators.fits import counting_fits
from backtest.model.asking import required_margin
from backtest.model.causality import CausalityError, check_causal
from backtest.model.sharing import are_ours, once, sharing
from backtest.replay.margins import margin_block
from tests.support.cheats import Planted
from tests.support.markets import random_market

COVERAGE = bt.Coverage(confidence=0.95, mpor=2)
VAR = st.HistoricalVaR(lookback=60)


@pytest.fixture(scope="module")
def market():
    return random_market(260, seed=3)


@pytest.fixture(scope="module")
def book():
    frame = pd.DataFrame(
        {"UST10Y": [5e7, -1e8, 0.0], "UST5Y@CME": [0.0, 1e6, 0.0], "BTC": [5e6, -1e6, 1e6]},
        index=["both", "pair", "coin"],
    )
    return bt.Book.from_frame(frame)


class Counts(st.HistoricalVaR):
    """A user's model that counts how often it is asked, and writes into what it is given."""

    def margin(self, market, book, coverage):
        asked.append((id(market), id(book)))
        answer = VAR.margin(market, book, coverage)
        object.__setattr__(book, "portfolios", ("another",) * len(book.portfolios))
        return answer


asked: list[tuple[int, int]] = []


@pytest.mark.parametrize("mpor", [2, {"FICC": 3, "CME": 2}])
@pytest.mark.parametrize("rebalance", ["daily", "never"])
def test_margins_together_are_those_of_each_model_alone(market, book, mpor, rebalance):
    coverage = bt.Coverage(confidence=0.95, mpor=mpor)
    garch = st.FilteredHistorical(lookback=80, volatility="garch", fit_lookback=100)
    models = {
        "siloed": st.Siloed(base=VAR),
        "offset": st.CorrelationOffset(base=VAR, lookback=60),
        "by instrument": st.CorrelationOffset(base=VAR, lookback=60, by="instrument"),
        "var": VAR,
        "shorter": st.HistoricalVaR(lookback=40),
        "buffer": st.Buffer(base=VAR),
        "garch": garch,
        "siloed garch": st.Siloed(base=garch),
        "offset garch": st.CorrelationOffset(base=garch),
        "covariance": st.VarianceCovariance(lookback=60),
    }
    held = replace(book, rebalance=rebalance)
    together = margin_block(market, held, models, coverage)
    for name, model in models.items():
        with counting_fits() as fits:
            alone = required_margin(model, market, held, coverage)
        assert_array_equal(together.required[name], alone)
        assert together.fits[name] == fits
    assert together.fits["offset garch"]["GARCH-t"].tried > 0


def test_a_users_model_is_asked_anew_about_copies_of_its_own(market, book):
    mine = Counts(lookback=60)
    asked.clear()
    models = {"siloed": st.Siloed(base=mine), "offset": st.CorrelationOffset(base=mine), "a": mine}
    required = margin_block(market, book, models, COVERAGE).required
    assert len(asked) == 2 + 2 + 1 and not {(id(market), id(book))} & set(asked)
    assert book.portfolios == ("both", "pair", "coin")
    ours = margin_block(market, book, {"siloed": st.Siloed(base=VAR), "a": VAR}, COVERAGE).required
    assert_array_equal(required["siloed"], ours["siloed"])
    assert_array_equal(required["a"], ours["a"])


def test_a_users_instrument_is_asked_anew(market):
    class Mine(bt.Spot):
        def sensitivity(self, market):
            asked.append((0, 0))
            return super().sensitivity(market)

    asked.clear()
    held = bt.Book(("coin",), (Mine("BTC"),), [[1e6]])
    margin_block(market, held, {"var": VAR, "es": st.HistoricalVaR(measure="es")}, COVERAGE)
    margin_block(market, held, {"siloed": st.Siloed(base=VAR)}, COVERAGE)
    assert len(asked) == 3 and not are_ours(Mine("BTC"))


def test_what_a_users_model_asks_of_ours_is_not_kept(market, book):
    class Shifts:
        """Moves prices by force, and asks about them: its own answer, and nobody else's."""

        def margin(self, market, book, coverage):
            before = VAR.margin(market, book, coverage)
            levels = market.levels
            object.__setattr__(market, "levels", np.flip(levels, axis=0))
            shifted = required_margin(VAR, market, book, coverage)
            object.__setattr__(market, "levels", levels)
            assert not np.array_equal(before, shifted, equal_nan=True)
            return shifted

    both = margin_block(market, book, {"shifts": Shifts(), "var": VAR}, COVERAGE).required
    after = margin_block(market, book, {"var": VAR, "shifts": Shifts()}, COVERAGE).required
    alone = required_margin(VAR, market, book, COVERAGE)
    for required in (both, after):
        assert_array_equal(required["var"], alone)
        assert not np.array_equal(required["shifts"], alone, equal_nan=True)


def test_no_answer_serves_another_market_or_another_question(market, book):
    later = replace(
        market, levels=market.levels * np.linspace(1.0, 1.2, len(market.levels))[:, None]
    )
    others = {
        "shorter": (market.until(150), book, COVERAGE),
        "other prices": (later, book, COVERAGE),
        "larger": (market, replace(book, exposure=2.0 * book.exposure), COVERAGE),
        "fewer": (market, book.select([0, 2]), COVERAGE),
        "other clearing house": (market, book.in_silo("CME"), COVERAGE),
        "safer": (market, book, replace(COVERAGE, confidence=0.99)),
        "longer": (market, book, replace(COVERAGE, mpor=3)),
        "units": (market, replace(book, rebalance="never"), COVERAGE),
    }
    expected = {name: required_margin(VAR, *question) for name, question in others.items()}
    with sharing(market):
        whole = required_margin(VAR, market, book, COVERAGE)
        for name, question in others.items():
            assert_array_equal(required_margin(VAR, *question), expected[name], err_msg=name)
        assert_array_equal(required_margin(VAR, market, book, COVERAGE), whole)


def test_who_writes_into_an_answer_writes_into_no_others(market, book):
    with sharing(market):
        first = required_margin(VAR, market, book, COVERAGE)
        expected = first.copy()
        first[:] = -1.0
        assert_array_equal(required_margin(VAR, market, book, COVERAGE), expected)


def test_positions_by_day_are_as_without(market, book):
    amounts = np.repeat(book.exposure[None], len(market.dates), axis=0)
    amounts[100:, 0] *= -1.0
    daily = replace(book, exposure=amounts, dates=market.dates)
    models = {"siloed": st.Siloed(base=VAR), "offset": st.CorrelationOffset(base=VAR)}
    together = margin_block(market, daily, models, COVERAGE)
    for name, model in models.items():
        assert_array_equal(together.required[name], required_margin(model, market, daily, COVERAGE))


@pytest.mark.parametrize("cheat", ["rolling quantile not shifted", "halved before gains"])
def test_the_audit_finds_the_same_where_answers_are_shared(market, book, cheat):
    planted = st.Siloed(base=Planted(cheat, 60))
    apart = check_causal(VAR, market, book, coverage=COVERAGE)
    with sharing(market):
        assert check_causal(VAR, market, book, coverage=COVERAGE) == apart
        required_margin(planted, market, book, COVERAGE)
        with pytest.raises(CausalityError):
            check_causal(planted, market, book, coverage=COVERAGE)


def test_nothing_is_kept_beyond_the_block_or_where_a_question_has_no_hash(market):
    calls: list[int] = []
    with sharing(market):
        for question in ("a", "a", ["a"], ["a"]):
            once(market, question, lambda: calls.append(1))
        with sharing(None):
            once(market, "a", lambda: calls.append(1))
        once(market, "a", lambda: calls.append(1))
    once(market, "a", lambda: calls.append(1))
    assert len(calls) == 5
