"""Earlier history is looked back to by positions that need no younger factor, and by no others."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import backtest as bt
from backtest.config.models import build_model
from backtest.market.earlier import Earlier
from backtest.model import required_margin
from strategies.parts import parts_of
from tests.support.contracts import COVERAGE, contract_cases
from tests.support.markets import random_market

CASES = contract_cases()
DAYS, BEFORE = 260, 240
BOOKS = {
    "bonds": {"UST2Y": 1e7, "UST10Y": -5e6},
    "both": {"UST10Y": 1e7, "BTC": 1e6},
    "coin": {"BTC": -1e6},
    "nothing": {},
    "bond elsewhere": {"UST10Y@CME": 1e7},
}


@pytest.fixture(scope="module")
def whole():
    """All factors on all days."""
    return random_market(BEFORE + DAYS, seed=8)


@pytest.fixture(scope="module")
def market(whole):
    """The same, but that no price is known before its last days."""
    frame = whole.to_frame()
    frame.iloc[:BEFORE, 5:] = np.nan
    since = frame.index[BEFORE]
    return bt.Market.from_frame(frame, since=since, simulated=True, source="random walks")


@pytest.fixture(scope="module")
def book(market):
    return bt.Book.from_frame(pd.DataFrame(BOOKS).T.fillna(0.0), market)


@pytest.mark.parametrize("table", CASES)
def test_margins_are_those_of_the_longest_history_of_their_factors(table, whole, market, book):
    model = build_model(table)
    required = required_margin(model, market, book, COVERAGE)
    yields = replace(
        whole,
        factors=whole.factors[:5],
        levels=whole.levels[:, :5],
        kinds=whole.kinds[:5],
        before=Earlier(whole.dates[:0], whole.levels[:0, :5], left_out=("BTC", "ETH")),
    )
    rows = [0, 4]
    alone = book.select(rows).holding([i for i, x in enumerate(book.instruments) if x.maturity])
    expected = required_margin(model, yields, alone, COVERAGE)[-DAYS:]
    np.testing.assert_allclose(required[:, rows], expected, rtol=1e-9)
    others = [1, 2, 3]
    if table["kind"] == "siloed":
        others = [2, 3]  # a leg of the other may look back
    if "base" not in table and "houses" not in table:
        plain = required_margin(model, replace(market, before=None), book, COVERAGE)
        np.testing.assert_allclose(required[:, others], plain[:, others], rtol=1e-9)


@pytest.mark.parametrize("table", CASES)
def test_parts_and_forecasts_look_back_as_margins_do(table, market, book):
    model = build_model(table)
    required, parts = (
        required_margin(model, market, book, COVERAGE),
        parts_of(model, market, book, COVERAGE),
    )
    assert parts.silos == book.silos
    np.testing.assert_allclose(parts.by_silo.sum(axis=2), required, rtol=1e-9)
    np.testing.assert_allclose(sum(parts.steps.values()), required, rtol=1e-9, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("table", CASES)
def test_the_audit_cuts_the_future_and_not_the_past(table, market, book):
    audit = bt.check_causal(build_model(table), market, book, coverage=COVERAGE)
    assert audit.largest_change <= 1e-9


def test_a_cut_keeps_the_past_and_nothing_later(market):
    for day in (0, 5, 100):
        past = market.until(day)
        assert past.before is market.before
        assert past.before.dates[-1] < past.dates[0]
    assert market.rows(slice(3, None)).before is None
    assert np.isnan(market.before.levels[:, 5:]).all()


def test_a_model_that_is_given_a_longer_market_is_told_no_later_day(market, book):
    seen = []

    class Watches:
        def margin(self, market, book, coverage):
            seen.append((market.dates[0], market.dates[-1], len(market.factors)))
            return np.ones((len(market.dates), len(book.portfolios)))

    required_margin(Watches(), market.until(10), book, COVERAGE)
    last = market.dates[10]
    assert {(len_, end) for _, end, len_ in seen} == {(5, last), (7, last)}
    assert sorted({start for start, _, _ in seen}) == [market.before.dates[0], market.dates[0]]


def test_a_model_that_looks_across_books_is_asked_about_all_of_them_at_once(market, book):
    class Ranks:
        across_books = True

        def margin(self, market, book, coverage):
            size = np.abs(book.exposure).sum(axis=1)
            return np.tile(size.argsort().argsort() + 1.0, (len(market.dates), 1))

    required = required_margin(Ranks(), market, book, COVERAGE)
    assert sorted(required[0]) == [1.0, 2.0, 3.0, 4.0, 5.0]


@pytest.mark.parametrize("kind", ["historical_var", "siloed", "ficc_var", "correlation_offset"])
def test_positions_by_day_look_back_as_constant_ones_do(kind, market, book):
    table = next(case.values[0] for case in CASES if case.values[0]["kind"] == kind)  # noqa: PD011
    model, days = build_model(table), len(market.dates)
    by_day = replace(book, exposure=np.tile(book.exposure, (days, 1, 1)), dates=market.dates)
    constant, daily = (required_margin(model, market, b, COVERAGE) for b in (book, by_day))
    np.testing.assert_allclose(daily, constant, rtol=1e-9)
    assert not np.isnan(daily[0, 0])  # bonds, before any price was known
    sold = by_day.exposure.copy()
    sold[days // 2 :] = 0.0
    parted = required_margin(model, market, replace(by_day, exposure=sold), COVERAGE)
    np.testing.assert_allclose(parted[: days // 2], constant[: days // 2], rtol=1e-9)


def test_units_bought_once_are_bought_on_the_first_day_of_the_study(whole, book):
    frame = whole.to_frame().iloc[:, 5:]
    frame.iloc[:BEFORE, 1] = np.nan
    market = bt.Market.from_frame(frame, since=frame.index[BEFORE], simulated=True)
    held = bt.Book.from_frame(
        pd.DataFrame({"BTC": [1e6, 1e6], "ETH": [0.0, 1e6]}), market, rebalance="never"
    )
    haircut = build_model({"kind": "haircut_only", "haircuts": {"BTC": 0.2, "ETH": 0.2}})
    required = required_margin(haircut, market, held, COVERAGE)
    growth = market.level("BTC") / market.level("BTC")[0]
    np.testing.assert_allclose(required[:, 0], 2e5 * growth, rtol=1e-12)


def test_histories_that_a_gap_interrupts_begin_after_it(whole):
    frame = whole.to_frame()
    frame.iloc[:BEFORE, 5:] = np.nan
    frame.iloc[100:130, 4] = np.nan  # the 30-year, for six weeks
    market = bt.Market.from_frame(frame, since=frame.index[BEFORE], simulated=True)
    longest = bt.Book.from_frame(pd.DataFrame({"UST10Y": [1.0]}), market)
    from backtest.model.histories import factors_of, longer

    history = longer(market, factors_of(market, longest, 0))
    assert history.dates[0] == np.datetime64(frame.index[130].date())
    assert history.before is not None and len(history.before.dates) == 130


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda e, m: Earlier(m.dates[:5], m.levels[:5]), "ends before it"),
        (lambda e, m: Earlier(e.dates, e.levels[:, :3]), "3 columns, the market 7 factors"),
        (lambda e, m: Earlier(e.dates[::-1], e.levels), "ascending days"),
        (lambda e, m: Earlier(e.dates, np.where(e.levels > 0, -1.0, e.levels)), "is -1, before"),
    ],
)
def test_an_earlier_history_that_cannot_be_is_refused(market, change, said):
    with pytest.raises(bt.DataError, match=said):
        replace(market, before=change(market.before, market))


def test_no_earlier_day_is_ever_scored(market, book):
    """With it, a bond is scored sooner; what needs a young factor has its numbers to the bit."""
    models = {"var": build_model({"kind": "historical_var", "lookback": 60})}
    plain = replace(market, before=None)
    first, last = market.dates[0], market.dates[-COVERAGE.longest - 1]
    scored = {}
    for name, rows in (("bonds", [0]), ("coin", [2])):
        studies = [
            bt.run(m, book.select(rows), models, coverage=COVERAGE, audit=False)
            for m in (market, plain)
        ]
        scored[name] = [study.scored for study in studies]
        for study in studies:
            assert study.scored[0] >= first and study.scored[-1] == last
            assert len(study.required["var"]) == len(market.dates)
        if name == "coin":
            pd.testing.assert_frame_equal(*(study.summary() for study in studies))
    assert scored["bonds"][0][0] == first < scored["bonds"][1][0]
    assert (scored["coin"][0] == scored["coin"][1]).all()
