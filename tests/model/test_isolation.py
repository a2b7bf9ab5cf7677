"""A model in a process that holds only the past: the same numbers, or those of a causal world."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import backtest as bt
import strategies as st
from backtest.instruments import Declaration, declare, parse_instrument
from backtest.model.causality import CausalityError, check_causal
from backtest.model.isolation import Isolated, IsolatedWithParts, isolated
from backtest.model.opened_files import recording
from backtest.studies.run.study import execute
from tests.model.test_user_models import TEN_LINES, write_own
from tests.support.cheats import Planted
from tests.support.commands import quiet, write_prices
from tests.support.markets import random_market

COVERAGE = bt.Coverage()
MARKET = random_market(130, seed=3)
VAR = st.HistoricalVaR(lookback=40)
CAUSAL = {
    "var": VAR,
    "siloed": st.Siloed(base=VAR),
    "offset": st.CorrelationOffset(base=VAR, lookback=40),
    "haircut": st.HaircutOnly(),
    "filtered": st.FilteredHistorical(lookback=40),
    "garch": st.GarchVaR(lookback=60),
}
QUICK = ("siloed",)


@pytest.fixture(scope="module")
def book():
    frame = pd.DataFrame({"UST10Y": [5e7, 1e8], "BTC": [5e6, 0.0]}, index=["both", "bond"])
    return bt.Book.from_frame(frame)


@pytest.mark.parametrize(
    "name", [n if n in QUICK else pytest.param(n, marks=pytest.mark.slow) for n in CAUSAL]
)
def test_a_causal_model_has_the_same_margins_and_parts(name, book):
    model = CAUSAL[name]
    alone = isolated(model)
    np.testing.assert_allclose(
        alone.margin(MARKET, book, COVERAGE), model.margin(MARKET, book, COVERAGE), rtol=1e-12
    )
    if isinstance(alone, IsolatedWithParts):
        parts, plain = (m.parts(MARKET, book, COVERAGE) for m in (alone, model))
        np.testing.assert_allclose(parts.by_silo, plain.by_silo, rtol=1e-12)
        assert list(parts.steps) == list(plain.steps) and parts.silos == plain.silos
        for step, values in plain.steps.items():
            np.testing.assert_allclose(parts.steps[step], values, rtol=1e-9, atol=1e-6)


def test_a_model_that_looks_ahead_gets_the_margins_of_a_causal_world(book):
    cheat = Planted("quantile of the whole sample", 40)
    with pytest.raises(CausalityError):
        check_causal(cheat, MARKET, book, coverage=COVERAGE)
    margin = isolated(cheat).margin(MARKET, book, COVERAGE)
    for day in (10, 60, 129):
        past = cheat.margin(MARKET.until(day), book, COVERAGE)[-1]
        np.testing.assert_array_equal(margin[day], past)
    audit = check_causal(isolated(cheat), MARKET, book, coverage=COVERAGE)
    assert audit.isolated and audit.cut_days == ()


@pytest.mark.slow
def test_days_on_which_not_all_trade_are_told_as_they_are(book):
    days = pd.date_range("2022-01-03", periods=90)
    traded = np.column_stack([days.day_of_week < 5, np.ones(90, dtype=bool)])
    walk = np.random.default_rng(0).normal(0, [0.0005, 0.03], (90, 2)).cumsum(axis=0)
    levels = np.column_stack([0.04 + walk[:, 0], 100 * np.exp(walk[:, 1])])
    for t in range(1, 90):
        levels[t, 0] = levels[t, 0] if traded[t, 0] else levels[t - 1, 0]
    frame = pd.DataFrame(levels, index=days, columns=["10Y", "BTC"])
    market = bt.Market.from_frame(frame, traded=traded)
    model = st.Siloed(base=st.HistoricalVaR(lookback=25))
    np.testing.assert_array_equal(
        isolated(model).margin(market, book, COVERAGE), model.margin(market, book, COVERAGE)
    )


class Does:
    """Does something beside margining."""

    def __init__(self, what, place):
        self.what, self.place = what, str(place)

    def margin(self, market, book, coverage):
        import subprocess
        from pathlib import Path

        print("a model may print")
        if self.what == "write":
            Path(self.place).write_text("the future")
        if self.what == "read":
            Path(self.place).read_text()
        if self.what == "start":
            subprocess.run([sys.executable, "-c", ""])
        if self.what == "leave":
            import os

            os._exit(7)
        return np.ones((len(market.dates), len(book.portfolios)))


class AsksForSilo:
    """Margins by the clearing house of a name that the study declares."""

    def margin(self, market, book, coverage):
        size = {"NODAL": 2.0, "CME": 1.0}[parse_instrument("SOL").silo]
        return np.full((len(market.dates), len(book.portfolios)), size)


def test_it_knows_what_a_study_declares(book):
    declare({"SOL": Declaration(kind="coin", silo="NODAL")})
    try:
        margin = isolated(AsksForSilo()).margin(MARKET.until(2), book, COVERAGE)
    finally:
        declare({})
    assert (margin == 2.0).all()


@pytest.mark.parametrize("what", ["write", pytest.param("start", marks=pytest.mark.slow)])
def test_it_can_leave_nothing_behind(what, tmp_path, book):
    with pytest.raises(PermissionError, match="an isolated model may not do this"):
        isolated(Does(what, tmp_path / "x")).margin(MARKET, book, COVERAGE)
    assert not (tmp_path / "x").exists()


def test_what_it_reads_is_recorded_and_its_end_is_one_line(tmp_path, book):
    (tmp_path / "prices.csv").write_text("1")
    opened = set()
    with recording(opened):
        margin = isolated(Does("read", tmp_path / "prices.csv")).margin(MARKET, book, COVERAGE)
    assert (margin == 1.0).all() and str(tmp_path / "prices.csv") in {f.name for f in opened}
    with pytest.raises(RuntimeError, match="it left with exit code 7"):
        isolated(Does("leave", "")).margin(MARKET, book, COVERAGE)


def test_its_process_ends_quietly_where_who_asked_was_killed():
    done = subprocess.run(
        [sys.executable, "-m", "backtest.model.isolated_process"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_only_the_class_itself_is_taken_for_isolated(book):
    class Pretends(Isolated):
        def margin(self, market, book, coverage):
            return np.full((len(market.dates), len(book.portfolios)), market.levels[-1, -1])

    with pytest.raises(CausalityError):
        check_causal(Pretends(VAR), MARKET, book, coverage=COVERAGE)


def test_a_known_market_tells_of_no_later_day(small_market):
    days = small_market.dates
    told = replace(
        small_market,
        dropped=days[[3, 200]] + 1,
        missing=days[[5, 201]] + 1,
        adjusted=tuple(bt.market.Adjustment("BTC", days[d], 0.1, "roll") for d in (7, 202)),
    )
    known = told.until(100)
    assert len(known.dropped) == len(known.missing) == len(known.adjusted) == 1


@pytest.mark.slow
def test_a_run_of_ten_lines_is_the_same_in_its_own_process(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", sys.path.copy())
    prices = write_prices(tmp_path / "prices", days=200)
    study = write_own(tmp_path, prices, TEN_LINES, kind="own_isolated:WorstOfYear")
    plain, alone = (execute(study, isolate=isolate, progress=quiet) for isolate in (False, True))
    pd.testing.assert_frame_equal(plain.study.summary(), alone.study.summary())
    origin = alone.study.provenance
    assert origin.causality["own"].isolated and origin.models["own"].startswith("Isolated(own_")
    assert origin.sha256 == plain.study.provenance.sha256


@pytest.mark.slow
def test_a_run_with_a_declared_coin_is_the_same_in_its_own_process(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", sys.path.copy())
    monkeypatch.chdir(tmp_path)
    prices = write_prices(tmp_path / "prices", days=150)
    (prices / "btc_usd.csv").rename(prices / "sol.csv")
    code = TEN_LINES.replace("required[t] =", "required[t] = house(book) *") + (
        "def house(book):\n    from backtest.instruments import parse_instrument\n"
        "    return 1.5 if parse_instrument('SOL') in book.instruments else 1.0\n"
    )
    study = write_own(tmp_path, prices, code, kind="own_declared:WorstOfYear")
    text = study.read_text().replace('"BTC"', '"SOL"').replace("BTC =", "SOL =")
    study.write_text(text + '[instruments.SOL]\nkind = "coin"\nfile = "sol.csv"\n')
    plain, alone = (execute(study, isolate=isolate, progress=quiet) for isolate in (False, True))
    declare({})
    pd.testing.assert_frame_equal(plain.study.summary(), alone.study.summary())
    assert alone.study.provenance.causality["own"].isolated


def test_a_process_that_ends_in_the_middle_of_an_answer_is_one_line(book, monkeypatch):
    """As where the system kills it for its memory."""
    code = (
        "import pickle, sys; pickle.load(sys.stdin.buffer)\n"
        "sys.stdout.buffer.write(pickle.dumps(b'x' * 1000)[:500])"
    )

    def ending(module: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    monkeypatch.setattr("backtest.model.isolation.start_shielded", ending)
    with pytest.raises(bt.StudyError, match="the process of Hist.* ended with code 0; see"):
        isolated(VAR).margin(MARKET, book, COVERAGE)
