"""The 24/7 clock: a factor's own days, losses and scenarios on them, calls that settle on them."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from numpy.testing import assert_allclose, assert_array_equal

import backtest as bt
import strategies as st
from backtest.account.account import settled_by
from backtest.book.closeout import Closeout
from backtest.cli import main
from backtest.config.load import read_study
from backtest.config.models import build_model
from backtest.market.calendars import is_session
from backtest.model.delta_gamma import book_scenarios
from backtest.replay.origin import Prices
from backtest.studies.clocks.study import compare_clocks
from strategies.parts import parts_of
from tests.support import by_hand
from tests.support.contracts import contract_cases

COVERAGE = bt.Coverage(confidence=0.95, mpor=2)
CASES = contract_cases()
YIELDS = ("3M", "2Y", "5Y", "10Y", "30Y")


def levels_of(days: pd.DatetimeIndex, seed: int) -> pd.DataFrame:
    """Random levels of five yields and two prices; only the yields' open days will be used."""
    rng = np.random.default_rng(seed)
    yields = 0.03 + np.cumsum(rng.standard_t(4, (len(days), 5)) * 4e-4, axis=0)
    prices = 100 * np.exp(np.cumsum(rng.standard_t(4, (len(days), 2)) * 0.03, axis=0))
    frame = pd.DataFrame(np.hstack([np.clip(yields, 0, 0.2), prices]), index=days)
    return frame.set_axis([*YIELDS, "BTC", "ETH"], axis=1)


def around_market(days: int = 260, seed: int = 3, start: str = "2021-12-01") -> bt.Market:
    """Every calendar day; yields keep SIFMA's."""
    index = pd.date_range(start, periods=days)
    frame = levels_of(index, seed)
    traded = np.ones(frame.shape, dtype=bool)
    traded[:, :5] = is_session("SIFMA", index.to_numpy().astype("M8[D]"))[:, None]
    standing = frame.where(traded).ffill()
    return bt.Market.from_frame(standing, traded=traded, simulated=True, source="random walks")


@pytest.fixture(scope="module")
def around() -> bt.Market:
    return around_market()


def folder_of(market: bt.Market, folder):
    """The market as files: yields on their own days, prices on all."""
    frame = market.to_frame().rename_axis("Date")
    yields = (100 * frame.loc[market.trades(YIELDS), list(YIELDS)]).round(12)
    yields.to_csv(folder / "treasury_par_yields.csv")
    for name in ("BTC", "ETH"):
        frame[[name]].rename(columns={name: "Close"}).to_csv(folder / f"{name.lower()}_usd.csv")
    return folder


# --- tests ---------------------------------------------------------------------------------------


def test_tests_stand_as_far_apart_as_close_outs_that_wait_for_a_market(around):
    book = bt.Book.from_frame(pd.DataFrame({"UST10Y": [1e6], "BTC": [1e6]}, index=["pool"]), around)
    coverage = bt.Coverage(mpor=2)
    study = bt.run(around, book, {"mine": st.HistoricalVaR(lookback=60)}, coverage=coverage)
    table = study.tests(draws=0)
    # Two bond days from a Friday end on Tuesday, or on Wednesday after a holiday.
    assert Closeout(book, coverage).rows(around) == 5 and (table["every"] == 5).all()
    assert table["kupiec_p"].to_numpy() == pytest.approx(study.scores["kupiec_p"])


# --- markets -------------------------------------------------------------------------------------


def test_steps_are_counted_in_a_factors_own_days(around):
    weekly = around.shocks(2)
    for j, name in enumerate(around.factors):
        own = np.flatnonzero(around.trades([name]))
        for k, row in enumerate(own):
            if k < 2:
                assert np.isnan(weekly[row, j])
            else:
                now, then = around.levels[row, j], around.levels[own[k - 2], j]
                expected = now - then if name in YIELDS else now / then - 1
                assert weekly[row, j] == pytest.approx(expected, abs=1e-15)
        assert np.isnan(np.delete(weekly[:, j], own)).all()


@settings(max_examples=20, deadline=None)
@given(cut=some.integers(0, 99), horizon=some.integers(1, 5))
def test_until_keeps_own_days(cut, horizon):
    market = around_market(100)
    part = market.until(cut)
    assert_array_equal(part.shocks(horizon), market.shocks(horizon)[: cut + 1])


def test_always_trading_is_the_business_clock(small_market):
    same = replace(small_market, traded=np.ones(small_market.levels.shape, dtype=bool))
    assert_array_equal(same.shocks(2), small_market.shocks(2))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: t[:-1], "traded has shape"),
        (lambda t: np.vstack([~t[:1], t[1:]]), "did not trade on 2021-12-01, the first day"),
        (lambda t: np.where(np.arange(len(t))[:, None] == 2, False, t), "3M moves on 2021-12-03"),
    ],
)
def test_what_own_days_cannot_be(around, change, said):
    with pytest.raises(bt.DataError, match=said) as caught:
        replace(around, traded=change(np.array(around.traded)))
    assert "\n" not in str(caught.value)


# --- losses and margins --------------------------------------------------------------------------


def test_a_loss_counts_the_mpor_in_own_days(around):
    """Struck on Saturday: the bond at Friday's close, closed out two SIFMA days later."""
    book = bt.Book.from_frame(pd.DataFrame({"UST10Y": [1e8], "BTC": [1e6]}, index=["both"]))
    loss = book.loss(around, COVERAGE)[:, 0]
    frame, own = around.to_frame(), np.flatnonzero(around.trades(["10Y"]))
    for row in range(5, 200):
        struck = own[own <= row][-1]
        out = own[own > row][1]
        days = int((around.dates[out] - around.dates[struck]).astype(int))
        bond = by_hand.treasury_pnl(
            frame["10Y"].iloc[struck], frame.iloc[out].to_dict(), 10.0, days
        )
        coin = frame["BTC"].iloc[row + 2] / frame["BTC"].iloc[row] - 1
        assert_allclose(loss[row], [-1e8 * bond, -1e6 * coin], rtol=1e-9, atol=1e-6)
    known = ~np.isnan(loss).any(axis=1)
    assert (np.diff(known.astype(int)) <= 0).all()  # what is not known is one block at the end
    assert known.sum() == min(own[-2], 258)


def test_saturdays_loss_of_a_bond_is_fridays(around):
    book = bt.Book.from_frame(pd.DataFrame({"UST10Y": [1e8]}, index=["bond"]))
    loss = book.loss(around, COVERAGE)[:, 0, 0]
    saturday = pd.DatetimeIndex(around.dates).day_of_week == 5
    rows = np.flatnonzero(saturday & ~np.isnan(loss))
    assert len(rows) > 30
    assert_array_equal(loss[rows], loss[rows - 1])


@pytest.mark.parametrize("table", CASES)
def test_every_model_is_causal_around_the_clock(table, around, small_book):
    audit = bt.check_causal(build_model(table), around, small_book, coverage=COVERAGE)
    assert audit.largest_change <= 1e-9


@pytest.mark.parametrize("table", CASES)
def test_each_portfolio_stands_alone_around_the_clock(table, around, small_book):
    book = bt.Book.from_frame(
        pd.concat([small_book.to_frame(), pd.DataFrame({"BTC": [1e6]}, index=["coin"])]).fillna(0.0)
    )
    model = build_model(table)
    together = model.margin(around, book, COVERAGE)
    assert not np.isnan(together[-1]).any()
    for p in range(len(book.portfolios)):
        alone = model.margin(around, book.select([p]), COVERAGE)
        assert_allclose(alone[:, 0], together[:, p], rtol=1e-9)


@pytest.mark.parametrize("table", CASES)
def test_parts_are_known_when_the_margin_is_around_the_clock(table, around):
    frame = pd.DataFrame({"UST10Y": [1e7, 0.0, 1e7], "BTC": [0.0, 1e6, 1e6]})
    book = bt.Book.from_frame(frame)
    model = build_model(table)
    required = model.margin(around, book, COVERAGE)
    parts = parts_of(model, around, book, COVERAGE)
    np.testing.assert_allclose(sum(parts.steps.values()), required, rtol=1e-9, atol=1e-6)
    np.testing.assert_allclose(parts.by_silo.sum(axis=2), required, rtol=1e-9, atol=1e-6)


def test_a_joint_book_keeps_its_requirement_while_bonds_rest(around):
    frame = pd.DataFrame({"UST10Y": [1e8, 0.0], "BTC": [5e6, 5e6]}, index=["both", "coin"])
    book = bt.Book.from_frame(frame)
    required = st.HistoricalVaR(lookback=60).margin(around, book, COVERAGE)
    rest = np.flatnonzero(~around.trades(["10Y"]))
    rest = rest[rest > 150]
    assert_array_equal(required[rest, 0], required[rest - 1, 0])
    assert (required[rest, 1] != required[rest - 1, 1]).any()  # crypto alone is asked every day


def test_the_joint_requirement_by_hand(around):
    """The k-th largest loss of the last 60 common days, each leg's shock over its own two days."""
    frame = pd.DataFrame({"UST10Y": [1e8], "BTC": [-5e6]}, index=["pool"])
    required = st.HistoricalVaR(lookback=60).margin(around, bt.Book.from_frame(frame), COVERAGE)
    own = np.flatnonzero(around.trades(["10Y"]))
    y, p = around.level("10Y"), around.level("BTC")
    for day in (150, 157, 158, 200, 259):
        common = own[own <= day]
        duration, convexity = by_hand.duration_convexity(y[common[-1]], 10.0)
        pnls = []
        for k in range(len(common) - 60, len(common)):
            shock = y[common[k]] - y[common[k - 2]]
            bond = 1e8 * (-duration * shock + convexity * shock**2 / 2)
            pnls.append(bond - 5e6 * (p[common[k]] / p[common[k] - 2] - 1))
        margin = by_hand.historical_margin(pnls, 3)
        assert required[day, 0] == pytest.approx(margin, rel=1e-10)


def test_scenarios_of_what_nobody_holds_take_no_day(around):
    frame = pd.DataFrame({"UST10Y": [0.0], "BTC": [1.0]}, index=["coin"])
    past = book_scenarios(around, bt.Book.from_frame(frame), coverage=COVERAGE)
    assert past.shocks.shape == (260, 1)
    assert_array_equal(past.dates, around.dates)


def test_overlap_is_the_longest_close_out_in_rows(around, small_market, small_book):
    assert Closeout(small_book, COVERAGE).rows(small_market) == 2
    # Thursday 23 December 2021 to Monday: SIFMA rests on the 24th.
    rows = np.flatnonzero(around.trades(["10Y"]))
    assert Closeout(small_book, COVERAGE).rows(around) == (rows[2:] - rows[:-2]).max() == 5


# --- calls that settle on a calendar -------------------------------------------------------------


def test_cash_waits_for_fedwire_and_a_stablecoin_does_not():
    days = np.arange("2024-10-11", "2024-10-17", dtype="M8[D]")  # Friday .. Wednesday
    required = np.array([[1.0], [3.0], [3.0], [3.0], [3.0], [3.0]])
    for settlement, held in {
        "cash": [1, 1, 1, 1, 3, 3],  # called on Saturday; Columbus Day shuts Fedwire
        "stablecoin": [1, 1, 3, 3, 3, 3],
        "margin_days": [1, 1, 3, 3, 3, 3],
    }.items():
        terms = bt.AccountTerms(settlement=settlement)
        history = bt.account.replay_account(required, np.zeros((6, 1)), terms, dates=days)
        assert history.held_value[:, 0].tolist() == held
        assert history.call[:, 0].tolist() == [0, 2, 0, 0, 0, 0]


@settings(max_examples=50, deadline=None)
@given(
    lag=some.integers(0, 4),
    settlement=some.sampled_from(["cash", "stablecoin"]),
    gaps=some.lists(some.integers(1, 5), min_size=2, max_size=30),
)
def test_settlement_counts_payment_days(lag, settlement, gaps):
    days = np.datetime64("2021-11-20") + np.cumsum(gaps)
    terms = bt.AccountTerms(call_lag=lag, settlement=settlement)
    found = settled_by(terms, len(days), dates=days)
    assert (np.diff(found) >= 0).all() and (found >= np.arange(len(days))).all()
    calendar = {"cash": "Fedwire", "stablecoin": "24/7"}[settlement]
    for t, call in enumerate(days):
        paid, left = call, lag
        while left or not is_session(calendar, np.array([paid]))[0]:
            paid = paid + 1
            left -= left > 0 and bool(is_session(calendar, np.array([paid]))[0])
        expected = next((s for s, day in enumerate(days) if day >= paid), len(days))
        assert found[t] == expected


def test_dates_are_asked_for_and_must_be_reached():
    with pytest.raises(bt.StudyError, match="needs the dates"):
        settled_by(bt.AccountTerms(settlement="cash"), 3)
    late = np.array(["2030-12-30", "2031-01-02"], "M8[D]")
    with pytest.raises(bt.DataError, match="the Fedwire calendar reaches"):
        settled_by(bt.AccountTerms(settlement="cash"), 2, dates=late)
    with pytest.raises(bt.StudyError, match="settlement is 'gold'"):
        bt.AccountTerms(settlement="gold")


# --- data and study files ------------------------------------------------------------------------


def test_a_folder_on_both_clocks(around, tmp_path):
    folder = folder_of(around, tmp_path)
    read = bt.load_market(folder, clock="24/7")
    assert_array_equal(read.dates, around.dates)
    assert_array_equal(read.traded, around.traded)
    assert_allclose(read.levels, around.levels, rtol=1e-12)
    business = bt.load_market(folder)
    assert business.traded is None
    assert_array_equal(business.dates, around.dates[around.trades(YIELDS)])
    part = bt.load_market(folder, clock="24/7", start="2022-01-01", end="2022-02-01")
    assert str(part.dates[0]) == "2022-01-03" and part.traded[0].all()  # bonds open on Monday


def test_a_day_without_crypto_is_dropped_and_listed(around, tmp_path):
    folder = folder_of(around, tmp_path)
    coin = pd.read_csv(folder / "eth_usd.csv")
    coin[coin["Date"] != "2022-01-07"].to_csv(folder / "eth_usd.csv", index=False)  # a Friday
    market = bt.load_market(folder, clock="24/7")
    assert market.dropped.astype(str).tolist() == ["2022-01-07"]
    saturday = market.dates.searchsorted(np.datetime64("2022-01-08"))
    assert market.level("10Y")[saturday] == market.level("10Y")[saturday - 1]


def test_days_that_are_no_session_are_dropped_and_sessions_without_data_listed(around, tmp_path):
    folder = folder_of(around, tmp_path)
    table = pd.read_csv(folder / "treasury_par_yields.csv")
    holiday = table.iloc[[20]].assign(Date="2021-12-31")  # SIFMA open; next the 1st, a Saturday
    table = table[table["Date"] != "2021-12-15"]
    extra = holiday.assign(Date="2022-01-17")  # Martin Luther King Day
    table = pd.concat([table, extra]).sort_values("Date")
    table.to_csv(folder / "treasury_par_yields.csv", index=False)
    for clock in ("business", "24/7"):
        market = bt.load_market(folder, clock=clock, calendar="SIFMA")
        assert market.dropped.astype(str).tolist() == ["2022-01-17"]
        assert market.missing.astype(str).tolist() == ["2021-12-15"]
        row = market.dates.searchsorted(np.datetime64("2022-01-17"))
        kept = str(market.dates[row]) == "2022-01-17"
        assert kept == (clock == "24/7")  # crypto trades on
        if kept:
            assert not market.traded[row, 0] and np.isnan(market.shocks(1)[row, 0])


def test_stocks_and_bonds_share_their_days_and_no_return_is_made_up(real_data):
    stocks = pd.read_csv(real_data / "sp500.csv")[["Date", "SPY_adjclose"]].dropna()
    market = bt.load_market(real_data, factors=("10Y", "BTC", "SPY"), start="2014-09-02")
    assert market.dropped.astype(str).tolist() == [
        "2015-04-03", "2021-04-02", "2023-04-07", "2025-01-09", "2026-04-03",
    ]  # fmt: skip
    unchanged = stocks.set_index("Date")["SPY_adjclose"].diff() == 0
    still = market.dates[1:][market.shocks(1)[1:, 2] == 0].astype(str)
    assert unchanged[list(still)].all()  # only where the source itself has the same price twice
    around = bt.load_market(
        real_data, factors=("10Y", "BTC", "SPY"), clock="24/7", start="2014-09-02"
    )
    day = around.dates.searchsorted(np.datetime64("2023-04-07"))  # bonds quoted, stocks shut
    assert around.traded[day].tolist() == [True, True, False]
    assert np.isnan(around.shocks(1)[day, 2])
    columbus = around.dates.searchsorted(np.datetime64("2023-10-09"))
    assert around.traded[columbus].tolist() == [False, True, True]


@pytest.mark.parametrize(
    ("kind", "said"),
    [("sample", "has business days only"), ("treasury", "has business days only")],
)
def test_a_source_without_weekends_has_no_24_7_clock(kind, said):
    with pytest.raises(bt.DataError, match=said):
        bt.load_market(kind, clock="24/7")


def test_a_calendar_the_study_outgrows_is_one_line_and_exit_2(tmp_path, capsys):
    days = pd.bdate_range("2030-12-02", periods=60)
    levels_of(days, 1)[["BTC"]].set_axis(["Close"], axis=1).rename_axis("Date").to_csv(
        tmp_path / "btc_usd.csv"
    )
    study = tmp_path / "far.toml"
    study.write_text(
        '[data]\nfactors = ["BTC"]\n[clock]\ncalendar = "SIFMA"\n'
        '[models.var]\nkind = "historical_var"\nlookback = 20\n[books.coin]\nusd = { BTC = 1e6 }\n'
    )
    with pytest.raises(SystemExit) as stopped:
        main(["run", str(study), "--data", str(tmp_path), "--out", str(tmp_path / "out")])
    assert stopped.value.code == 2
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert said.startswith("backtest: the SIFMA calendar reaches from 1990-01-01 to 2030-12-31")


def test_a_misspelt_clock_is_named():
    with pytest.raises(bt.StudyError, match=r"unknown key 'clock.calender'. Did you mean"):
        read_study('[clock]\ncalender = "SIFMA"\n', where="x.toml")
    with pytest.raises(bt.StudyError, match="clock.kind is 'weekly'"):
        read_study('models = {}\nbooks = {}\n[clock]\nkind = "weekly"\n', where="x.toml")


def test_simulators_need_the_business_clock(around, small_book):
    with pytest.raises(bt.StudyError, match="simulated histories need") as caught:
        bt.monte_carlo(
            bt.StationaryBootstrap(block_size=10),
            around,
            small_book,
            {"var": st.HistoricalVaR(lookback=60)},
            paths=1,
        )
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("clock", ["business", "24/7"])
def test_a_hole_after_the_end_does_no_harm(real_data, clock):
    factors = ("10Y", "BTC", "USDC")  # USDC has no price from 2022-02-14 to 2022-04-30
    sunday = bt.load_market(real_data, factors=factors, end="2022-02-13", clock=clock)
    assert str(sunday.dates[-1]) == {"business": "2022-02-11", "24/7": "2022-02-13"}[clock]
    wider = bt.load_market(real_data, factors=("10Y", "BTC"), start="2018-10-09", clock=clock)
    wider = wider.until("2022-02-13")
    np.testing.assert_array_equal(sunday.dates, wider.dates)
    np.testing.assert_array_equal(sunday.levels[:, :2], wider.levels)
    for start, end in ((None, "2005-01-03"), ("2020-01-03", "2020-01-02")):
        with pytest.raises(bt.DataError, match=f"share no day.* to {end}; choose others"):
            bt.load_market(real_data, factors=factors, start=start, end=end, clock=clock)


def test_a_whole_run_around_the_clock(around, small_book):
    models = {"siloed": st.Siloed(base=st.HistoricalVaR(lookback=60))}
    study = bt.run(
        around, small_book, models, account=bt.AccountTerms(settlement="cash"), coverage=COVERAGE
    )
    data = study.provenance.prices
    assert data.clock == "24/7" and data.days == 260
    untold = Prices.of(replace(around, traded=None))
    assert data.levels_sha256 != untold.levels_sha256


# --- the study of clocks -------------------------------------------------------------------------


@pytest.mark.slow
def test_the_weekends_share_by_plain_loops(real_data):
    """Bitcoin alone at 99 %: margins, exceedances and the weekend's share, day by day."""
    found = compare_clocks(None, data=str(real_data), seed=None, progress=lambda what, share: None)
    yields = pd.read_csv(real_data / "treasury_par_yields.csv", index_col="Date", parse_dates=True)
    yields = yields[["3M", "2Y", "5Y", "10Y", "30Y"]].dropna()
    coins = [
        pd.read_csv(real_data / f"{name}_usd.csv", index_col="Date", parse_dates=True)["Close"]
        for name in ("btc", "eth")
    ]
    crypto = pd.concat(coins, axis=1, join="inner").iloc[:, 0]
    scored = found.provenance.scored
    first, last = pd.Timestamp(scored.first_scored), pd.Timestamp(scored.last_scored)
    for clock, series in {
        "24/7": crypto[crypto.index >= "2015-08-10"],
        "business": crypto[crypto.index.isin(yields.index)],
    }.items():
        price, days = series.to_numpy(), series.index
        count = over = strikes = spanning = 0
        excess = excess_over = 0.0
        for t in range(501, len(price) - 2):
            if not first <= days[t] <= last:
                continue
            moves = [price[s] / price[s - 2] - 1 for s in range(t - 499, t + 1)]
            margin = max(0.0, sorted(-m for m in moves)[-5])
            loss = 1 - price[t + 2] / price[t]
            held = pd.date_range(days[t] + pd.Timedelta(days=1), days[t + 2])
            spans = any(day.day_of_week >= 5 for day in held)
            strikes, spanning = strikes + 1, spanning + spans
            if loss > margin:
                count, excess = count + 1, excess + loss - margin
                over, excess_over = over + spans, excess_over + (loss - margin) * spans
        row = found.weekends.loc[("var", "Bitcoin only", clock)]
        assert row["exceedances"] == count and row["over_weekends"] == over
        assert row["strikes"] == pytest.approx(spanning / strikes, rel=1e-12)
        assert row["excess"] == pytest.approx(100e6 * excess, rel=1e-9)
        assert row["excess_share"] == pytest.approx(excess_over / excess, rel=1e-9)
    moves = [
        (day.day_of_week >= 5, math.log(crypto[day] / crypto[day - pd.Timedelta(days=1)]) ** 2)
        for day in crypto.index[crypto.index > "2015-08-10"]
        if day - pd.Timedelta(days=1) in crypto.index and day <= pd.Timestamp("2026-06-04")
    ]
    share = sum(m for weekend, m in moves if weekend) / sum(m for _, m in moves)
    assert found.variance.loc["BTC", "weekend_variance"] == pytest.approx(share, rel=1e-9)
    business = bt.load_market(real_data)
    bond, coin = bt.Treasury(10).pnl(business, 5)[:-5], bt.Spot("BTC").pnl(business, 5)[:-5]
    row = found.correlation.loc[("BTC", "UST10Y", 5, "same days")]
    assert row["correlation"] == pytest.approx(np.corrcoef(bond, coin)[0, 1], rel=1e-9)
    assert row["low"] < row["correlation"] < row["high"]


def test_the_command_writes_its_page(around, tmp_path, capsys):
    folder = tmp_path / "prices"
    folder.mkdir()
    folder_of(around_market(300), folder)
    study = tmp_path / "small.toml"
    study.write_text(
        'name = "small"\n[coverage]\nconfidence = 0.95\n'
        '[sizing]\nkind = "historical_var"\nlookback = 60\n'
        '[models.var]\nkind = "historical_var"\nlookback = 60\n'
        "[books.pool]\nusd = { BTC = 1e6, UST10Y = 1e7 }\n[books.bond]\nusd = { UST10Y = 1e7 }\n"
    )
    with pytest.raises(SystemExit) as stopped:
        main(["clocks", str(study), "--data", str(folder), "--out", str(tmp_path / "out")])
    assert stopped.value.code == 0
    assert "1 books that hold crypto" in " ".join(capsys.readouterr().out.split())
    (result,) = (tmp_path / "out").iterdir()
    written = {path.name for path in result.rglob("*") if path.is_file()}
    assert {"weekdays.svg", "correlation.png", "weekends.csv", "report.html"} <= written
    settings_table = pd.read_csv(result / "settings.csv")
    assert len(settings_table) == 5 and (settings_table["strikes"] > 100).all()


def test_books_without_crypto_have_no_weekend(around, tmp_path):
    folder_of(around, tmp_path)
    study = tmp_path / "bonds.toml"
    study.write_text(
        '[models.var]\nkind = "historical_var"\nlookback = 60\n[books.bond]\nusd = { UST10Y = 1e7 }'
    )
    with pytest.raises(bt.StudyError, match="no named book holds what trades at weekends"):
        compare_clocks(study, data=str(tmp_path), seed=None, progress=lambda what, share: None)
