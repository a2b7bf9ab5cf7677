"""The causality audit: what it finds of planted look-ahead, and that it accuses no honest model."""

import numpy as np
import pandas as pd
import pytest

import backtest as bt
import strategies as st
from backtest.model.audit_days import days_before_losses, other_future
from backtest.model.causality import CausalityError, check_causal
from tests.support.cheats import CHEATS, Planted
from tests.support.markets import random_market

COVERAGE = bt.Coverage()
BOOKS = {
    "BTC and 10Y": {"BTC": 5e7, "UST10Y": 5e7},
    "10Y": {"UST10Y": 1e8},
    "short BTC": {"BTC": -1e8},
    "BTC against ETH": {"BTC": 5e7, "ETH": -5e7},
}


def book_of(name):
    return bt.Book.from_frame(pd.DataFrame(BOOKS[name], index=[name]))


def caught(model, market, book, **ask):
    try:
        check_causal(model, market, book, coverage=COVERAGE, **ask)
    except CausalityError:
        return True
    return False


# In this market the worst month lies before the first margin, so that cheat looks at nothing.
EFFECTIVE = [name for name in CHEATS if name != "stress window chosen from the whole history"]


@pytest.mark.parametrize("name", EFFECTIVE)
def test_a_planted_cheat_is_caught(name):
    market = random_market(1000, seed=5, start="2018-01-01")
    assert caught(Planted(name, 100), market, book_of("BTC and 10Y"))


@pytest.mark.slow
def test_every_planted_cheat_is_caught_on_real_prices(real_market):
    """docs/causality.md: 30 cheats, 4 books, 3 windows, 2 look-backs."""
    missed, audits = [], 0
    for begin in (0, 700, 1400):
        window = real_market.rows(slice(begin, begin + 1250))
        for book in map(book_of, BOOKS):
            for name in CHEATS:
                for days in (60, 250):
                    audits += 1
                    planted = Planted(name, days)
                    if not caught(planted, window, book, seed=begin):
                        missed.append((planted, window, book))
    assert audits == 720 and len(missed) <= 0.05 * audits
    # A book without crypto gains nothing by tomorrow's crypto: such margins move at no cut at all.
    for planted, window, book in missed:
        assert not caught(planted, window, book, cuts=range(2, 1249))


@pytest.mark.parametrize("name", BOOKS)
def test_honest_models_are_not_accused(name, small_market):
    for model in (st.HistoricalVaR(lookback=60), st.GarchVaR(lookback=80), st.HaircutOnly()):
        audit = check_causal(model, small_market, book_of(name), coverage=COVERAGE)
        assert audit.largest_change <= 1e-9
        assert audit.before_losses >= 5 and len(audit.replaced_days) == 3


class Pool:
    """Each account is asked for its share of the gross of all."""

    def margin(self, market, book, coverage):
        gross = np.abs(book.exposure).sum(axis=1)
        return np.tile(1e8 * gross / gross.sum(), (len(market.dates), 1))


class DeclaredPool(Pool):
    across_books = True


def test_a_model_that_looks_across_books_must_say_so(small_market, small_book):
    with pytest.raises(CausalityError, match="across_books = True"):
        check_causal(Pool(), small_market, small_book, coverage=COVERAGE)
    audit = check_causal(DeclaredPool(), small_market, small_book, coverage=COVERAGE)
    assert audit.alone == () and audit.largest_change == 0.0


def test_a_declared_pool_is_margined_whole_whatever_the_block(small_market, small_book):
    """Undeclared, 300 accounts were asked 500m, 200m or 100m at blocks of 64, 256, 512."""
    models = {"pool": DeclaredPool()}
    studies = [bt.run(small_market, small_book, models, block=block) for block in (1, 3, 64)]
    for study in studies:
        assert study.required["pool"].sum(axis=1).iloc[-1] == pytest.approx(1e8)
    with pytest.raises(CausalityError, match="across_books = True"):
        bt.run(small_market, small_book, {"pool": Pool()}, block=1)


def test_named_portfolios_are_always_audited():
    market = random_market(300, seed=8)
    names = [f"book {n:02d}" for n in range(40)]
    frame = pd.DataFrame({"UST10Y": np.linspace(1e6, 9e7, 40)}, index=names)
    book = bt.Book.from_frame(frame, market)
    study = bt.run(market, book, {"var": st.HistoricalVaR(lookback=60)}, audit=["book 17"])
    audited = study.provenance.causality["var"].portfolios
    assert "book 17" in audited and len(audited) == 9


def test_days_before_losses_are_those_on_which_the_loss_is_not_known():
    loss = np.zeros((50, 2))
    loss[20, 0], loss[31, 1] = 5.0, 3.0
    required = np.full((50, 2), 10.0)
    assert days_before_losses(loss, required, 2) == {20: [0], 21: [0], 31: [1], 32: [1]}
    # A small loss that uses all of a small margin counts as well.
    loss[40, 0], required[40, 0] = 0.5, 0.5
    assert days_before_losses(loss, required, 1).keys() == {20, 31, 40}


def test_another_future_begins_after_its_day_and_is_a_market(small_market):
    other = other_future(small_market, 100, seed=1)
    np.testing.assert_array_equal(other.levels[:101], small_market.levels[:101])
    assert (other.levels[101:] != small_market.levels[101:]).mean() > 0.9
    assert (other.levels.max(axis=0) <= small_market.levels.max(axis=0)).all()


class SinceTheFirstDay:
    """Grows with the number of days since the history began."""

    def margin(self, market, book, coverage):
        days = np.arange(len(market.dates), dtype=float)[:, None]
        return np.repeat(1e6 * np.sqrt(days), len(book.portfolios), axis=1)


def test_a_later_start_is_measured(small_market):
    book = book_of("BTC and 10Y")
    plain = check_causal(st.HistoricalVaR(lookback=60), small_market, book, coverage=COVERAGE)
    assert plain.later_start == 0.0
    first = check_causal(SinceTheFirstDay(), small_market, book, coverage=COVERAGE)
    assert first.later_start is not None and first.later_start > 0.01


class Windowed:
    """The largest loss of the 60 days known before; numpy refuses a past of fewer days."""

    def __init__(self, fails_before: int = 0) -> None:
        self.fails_before = fails_before

    def margin(self, market, book, coverage):
        if len(market.dates) < self.fails_before:
            raise RuntimeError("too few days for me")
        loss = book.loss(market, coverage).sum(axis=2)
        windows = np.lib.stride_tricks.sliding_window_view(np.nan_to_num(loss), 60, axis=0)
        required = np.full_like(loss, np.nan)
        known_after = 59 + coverage.longest
        required[known_after:] = np.maximum(windows.max(axis=2), 0.0)[: len(loss) - known_after]
        return required


def test_a_model_need_not_stand_a_past_that_it_asks_nothing_of(small_market, small_book):
    study = bt.run(small_market, small_book, {"windowed": Windowed()})
    assert study.provenance.causality["windowed"].largest_change < 1e-12


def test_a_model_that_fails_on_a_past_which_has_margins_is_told_so(small_market, small_book):
    with pytest.raises(RuntimeError, match="too few days for me"):
        bt.run(
            small_market, small_book, {"windowed": Windowed(fails_before=len(small_market.dates))}
        )
