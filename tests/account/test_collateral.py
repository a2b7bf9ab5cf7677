"""Collateral that moves: its marks against loops over holdings, the account, what is refused."""

import csv
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

import backtest as bt
import strategies as st
from backtest.account.account import replay_account
from backtest.account.assets import TokenisedFund
from backtest.account.mix import Mix, collateral_marks
from backtest.config.load import read_study
from backtest.instruments import TBill
from backtest.replay.monte_carlo import path_market
from backtest.studies.collateral.mixes import compare_mixes, wrong_way
from tests.support import reference
from tests.support.markets import random_market

COVERAGE = bt.Coverage(confidence=0.95, mpor=2)
VAR = st.HistoricalVaR(lookback=60)


@pytest.fixture(scope="module")
def market():
    return random_market(200, seed=5)


@pytest.fixture(scope="module")
def book(market):
    frame = pd.DataFrame({"BTC": [1e7, -1e7], "UST10Y": [0.0, 5e7]}, index=["coin", "short coin"])
    return bt.Book.from_frame(frame, market)


def test_marks_are_those_of_holdings_substituted_at_every_close(market):
    """A ledger of units, bought at market value, haircut, exchanged at each close."""
    shares, haircut = {"cash": 0.2, "BTC": 0.5, "ETH": 0.3}, {"BTC": 0.2, "ETH": 0.35}
    mix = Mix(shares, own=haircut)
    marks = collateral_marks(mix, market, horizon=3)
    at_market = collateral_marks(replace(mix, at_closeout="market"), market, horizon=3)
    price = {name: market.level(name) for name in ("BTC", "ETH")}
    value = 1.0  # after haircut
    for t in range(len(market.dates) - 1):
        units = {n: value * shares[n] / (1 - haircut[n]) / price[n][t] for n in price}
        cash = value * shares["cash"]
        then = cash + sum(units[n] * price[n][t + 1] * (1 - haircut[n]) for n in price)
        assert marks.growth[t + 1] == pytest.approx(then / value, rel=1e-12)
        if t + 3 < len(market.dates):
            kept = cash + sum(units[n] * price[n][t + 3] * (1 - haircut[n]) for n in price)
            gross = cash + sum(units[n] * price[n][t + 3] for n in price)
            assert marks.closeout[t] == pytest.approx(kept / value, rel=1e-12)
            assert at_market.closeout[t] == pytest.approx(gross / value, rel=1e-12)
        value = then
    assert marks.posted == pytest.approx(0.2 + 0.5 / 0.8 + 0.3 / 0.65, rel=1e-14)
    assert np.isnan(marks.closeout[-3:]).all() and not np.isnan(marks.closeout[:-3]).any()


def test_collateral_is_valued_when_its_own_book_is_closed_out(market):
    both = pd.DataFrame({"UST10Y": [1e7, 0.0], "BTC": [1e6, 1e6]}, index=["both", "coin"])
    coverage = bt.Coverage(confidence=0.95, mpor={"FICC": 4, "CME": 2})
    terms = bt.AccountTerms(collateral=Mix({"BTC": 1.0}))

    def shortfall(frame, standard):
        book = bt.Book.from_frame(frame, market)
        study = bt.run(market, book, {"var": VAR}, coverage=standard, account=terms, audit=False)
        return study.shortfall["var"]["coin"]

    beside = shortfall(both, coverage)
    alone = shortfall(both.loc[["coin"], ["BTC"]], bt.Coverage(confidence=0.95, mpor=2))
    known = beside.notna()
    assert beside.sum() > 0.0
    np.testing.assert_array_equal(beside[known], alone[known])
    marks = collateral_marks(terms.collateral, market, horizon=np.array([4, 2]))
    price = market.level("BTC")
    for column, days in enumerate((4, 2)):
        np.testing.assert_allclose(marks.closeout[:-days, column], price[days:] / price[:-days])


@pytest.mark.parametrize("asset", ["cash", "BILL3M", "BILL-FUND", "UST10Y", "BTC"])
def test_marks_know_nothing_of_the_future(market, asset):
    mix = Mix({asset: 1.0})
    whole = collateral_marks(mix, market, horizon=2)
    cut = collateral_marks(mix, market.until(120), horizon=2)
    np.testing.assert_array_equal(cut.growth, whole.growth[:121])
    np.testing.assert_array_equal(cut.closeout[:-2], whole.closeout[:119])
    assert np.isnan(cut.closeout[-2:]).all()


def test_a_tokenised_fund_pays_late_and_below_its_bills(market):
    fund = TokenisedFund(redemption_lag=4, token_basis=0.002, token_haircut=0.02)
    bills = 1 + TBill(0.25).pnl(market, 2)
    later = market.level("3M")[2:]
    expected = bills[:-2] * 0.998 / (1 + later * 4 / 365.25)
    np.testing.assert_allclose(fund.proceeds(market, 2)[:-2], expected, rtol=1e-14)
    mix = Mix({"BILL-FUND": 1.0})
    bill = Mix({"BILL3M": 1.0})
    assert mix.rates["BILL-FUND"] > bill.rates["BILL3M"]
    np.testing.assert_array_equal(
        collateral_marks(mix, market, horizon=2).growth,
        collateral_marks(bill, market, horizon=2).growth,
    )


def test_the_more_conservative_schedule_decides_and_own_haircuts_come_first():
    assert Mix({"UST5Y": 1.0}, haircuts=("haircuts/cme/2014", "haircuts/occ/2023")).rates == {
        "UST5Y": 0.03
    }
    assert (
        Mix(
            {"UST5Y": 1.0}, haircuts=("haircuts/occ/2023", "haircuts/cme/2014"), rule="first"
        ).rates["UST5Y"]
        == 0.025
    )
    assert (
        Mix({"UST30Y": 1.0}, haircuts=("haircuts/cme/2014", "haircuts/occ/2023")).rates["UST30Y"]
        == 0.08
    )
    assert Mix({"BILL3M": 1.0}, haircuts=("haircuts/cme/2014",)).rates["BILL3M"] == 0.005
    assert Mix({"BTC": 1.0}, own={"BTC": 0.4}).rates["BTC"] == 0.4


def test_a_mix_of_cash_alone_is_cash(market, book):
    plain = bt.run(market, book, {"var": VAR}, coverage=COVERAGE, audit=False)
    mixed = bt.run(
        market,
        book,
        {"var": VAR},
        coverage=COVERAGE,
        account=bt.AccountTerms(collateral=Mix({"cash": 1.0})),
        audit=False,
    )
    pd.testing.assert_frame_equal(plain.summary(), mixed.summary(), check_exact=True)
    pd.testing.assert_frame_equal(plain.held["var"], mixed.held["var"], check_exact=True)


@pytest.mark.parametrize("lag", [0, 1, 3])
@pytest.mark.parametrize("at_closeout", ["after haircut", "market"])
def test_the_account_is_its_ledger(market, book, lag, at_closeout):
    required = VAR.margin(market, book, COVERAGE)
    loss = book.loss(market, COVERAGE).sum(axis=2)
    mix = Mix({"cash": 0.4, "BTC": 0.6}, at_closeout=at_closeout)
    terms = bt.AccountTerms(call_lag=lag, minimum_transfer=1e4, collateral=mix)
    marks = collateral_marks(mix, market, horizon=2)
    history = replay_account(required, loss, terms, marks=marks)
    held, call, shortfall = reference.replay(
        required, loss, growth=marks.growth, closeout=marks.closeout,
        arrival=np.arange(len(required)) + lag, minimum=1e4,
        returned=True,
    )  # fmt: skip
    np.testing.assert_allclose(history.held_value, held, rtol=1e-12)
    np.testing.assert_allclose(history.call, call, rtol=1e-9, atol=1e-3)
    np.testing.assert_allclose(history.shortfall, shortfall, rtol=1e-9, atol=1e-3)
    known = ~np.isnan(required).any(axis=1)
    known[-2:] = False
    assert not np.isnan(history.collateral[known]).any()


def test_bitcoin_posted_against_bitcoin_day_by_day_on_real_prices(real_market):
    """One account on the real history by a plain loop: held, breaches, shortfalls."""
    coverage = bt.Coverage()
    frame = pd.DataFrame({"BTC": [1e8]}, index=["coin"])
    study = bt.run(
        real_market,
        bt.Book.from_frame(frame, real_market),
        {"var": st.HistoricalVaR()},
        coverage=coverage,
        account=bt.AccountTerms(collateral=Mix({"BTC": 1.0})),
        audit=False,
    )
    price = real_market.level("BTC").tolist()
    required = study.required["var"]["coin"].tolist()
    value, called, breaches, worst = None, 0.0, 0, 0.0
    for t in range(501, len(price)):
        if value is None:
            value = required[t]
        else:
            value = value / price[t - 1] * price[t] + called
            called = 0.0
            if value > required[t]:
                value = required[t]
            elif required[t] - value > 1e-12 * required[t]:
                called = required[t] - value
        assert study.held["var"]["coin"].iloc[t] == pytest.approx(value, rel=1e-9)
        if t + 2 < len(price):
            loss = 1e8 * (1 - price[t + 2] / price[t])
            short = loss - value * price[t + 2] / price[t]
            breaches += short > 0
            worst = max(worst, short)
            assert study.shortfall["var"]["coin"].iloc[t] == pytest.approx(
                max(short, 0.0), rel=1e-9, abs=1e-6
            )
    row = study.summary().loc[("var", "coin")]
    assert (row["breaches"], row["observations"]) == (breaches, 2196)
    assert row["max_shortfall"] == pytest.approx(worst, rel=1e-9)
    assert breaches == 36  # cash: 20


def test_mixes_compared_are_those_a_run_with_them_gives(market, book):
    study = bt.run(market, book, {"var": VAR}, coverage=COVERAGE, audit=False)
    mix = Mix({"cash": 0.5, "BTC": 0.5})
    mixes = {"cash": "cash", "half": mix, "half, market": replace(mix, at_closeout="market")}
    found = compare_mixes(study, market, mixes, horizon=2, account=bt.AccountTerms())
    columns = ["observations", "exceedances", "breaches", "breach_rate", "mean_shortfall",
               "max_shortfall"]  # fmt: skip
    for name, posted in mixes.items():
        alone = bt.run(
            market,
            book,
            {"var": VAR},
            coverage=COVERAGE,
            account=bt.AccountTerms(collateral=posted),
            audit=False,
        )
        expected = alone.summary().loc["var"]
        own = found.loc[(name, "var")]
        pd.testing.assert_frame_equal(
            own[columns], expected[columns], check_dtype=False, check_names=False
        )
        scored = alone.held["var"].loc[alone.scored]
        np.testing.assert_allclose(own["mean_held"], scored.mean())
    half, at_market = found.loc["half"], found.loc["half, market"]
    np.testing.assert_array_equal(half["breaches_at_market"], at_market["breaches"])
    np.testing.assert_allclose(half["mean_posted"], half["mean_held"] * (0.5 + 0.5 / 0.8))


def test_a_later_market_opens_the_account_on_its_first_day(market, book):
    study = bt.run(market, book, {"var": VAR}, coverage=COVERAGE, audit=False)
    days = slice(100, 180)
    later = replace(market, dates=market.dates[days], levels=market.levels[days])
    found = compare_mixes(study, later, {"cash": "cash"}, horizon=2, account=bt.AccountTerms())
    assert set(found["observations"]) == {78}
    gone = np.delete(np.arange(200), 130)[100:180]
    holed = replace(market, dates=market.dates[gone], levels=market.levels[gone])
    with pytest.raises(bt.StudyError, match=str(market.dates[130 + 1])):
        compare_mixes(study, holed, {"cash": "cash"}, horizon=2, account=bt.AccountTerms())


def test_wrong_way_risk_is_seen(market, book):
    study = bt.run(market, book, {"var": VAR}, coverage=COVERAGE, audit=False)
    found = wrong_way(study, market, {"BTC": Mix({"BTC": 1.0}), "cash": "cash"}, horizon=2)
    assert found.loc[("BTC", "coin"), "correlation"] == pytest.approx(-1.0)
    assert found.loc[("BTC", "coin"), "mean_change_on_worst"] < 0
    assert found.loc[("BTC", "short coin"), "correlation"] > 0
    assert np.isnan(found.loc[("cash", "coin"), "correlation"])


def test_simulated_paths_are_margined_in_the_mix(market, book):
    terms = bt.AccountTerms(collateral=Mix({"BTC": 1.0}))
    simulator, shared = bt.StationaryBootstrap(block_size=20), {"coverage": COVERAGE}
    paths = bt.monte_carlo(
        simulator, market, book, {"var": VAR}, paths=2, seed=3, account=terms, **shared
    )
    path = path_market(simulator, market, seed=3, path=1)
    alone = bt.run(path, book, {"var": VAR}, account=terms, audit=False, **shared)
    from backtest.replay.distribution import COLUMNS

    breaches = paths.scores[1, 0, :, COLUMNS.index("breaches")]
    np.testing.assert_array_equal(breaches, alone.summary()["breaches"])


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"shares": {"cash": 0.5, "BTC": 0.4}}, "sums to 0.9"),
        ({"shares": {}}, "sums to 0"),
        ({"shares": {"cash": 1.5, "BTC": -0.5}}, "BTC has a share of -0.5"),
        ({"shares": {"BTC": float("nan")}}, "share of nan"),
        ({"shares": {"BTC": 1.0}, "own": {"BTC": 1.0}}, "haircut of BTC is 1"),
        ({"shares": {"BTC": 1.0}, "own": {"BTC": -0.1}}, "haircut of BTC is -0.1"),
        ({"shares": {"gold": 1.0}}, "unknown collateral 'gold'"),
        ({"shares": {"BTC@NODAL": 1.0}}, "unknown collateral"),
        ({"shares": {"SOL": 1.0}}, "no haircut for SOL"),
        ({"shares": {"BTC": 1.0}, "haircuts": ("ocm",)}, "unknown rule 'ocm'"),
        ({"shares": {"BTC": 1.0}, "own": {"ETH": 0.1}}, "own names 'ETH'"),
        ({"shares": {"BTC": 1.0}, "caps": {"BTC": 0.5}}, "above its cap of 50.0%"),
        ({"shares": {"BTC": 1.0}, "caps": {"BTC": 2}}, "cap of BTC is 2"),
        ({"shares": {"BTC": 1.0}, "rule": "least"}, "rule is 'least'"),
        ({"shares": {"BTC": 1.0}, "at_closeout": "never"}, "at_closeout is 'never'"),
    ],
)
def test_impossible_mixes_are_refused_in_one_line(wrong, message):
    with pytest.raises(bt.StudyError, match=message) as caught:
        Mix(**wrong)
    assert "\n" not in str(caught.value)


def test_collateral_without_a_price_is_refused(market):
    with pytest.raises(bt.StudyError, match="USDC has no price in this market") as caught:
        collateral_marks(Mix({"USDC": 1.0}), market, horizon=2)
    assert "\n" not in str(caught.value)
    terms = bt.AccountTerms(collateral=Mix({"BTC": 1.0}))
    with pytest.raises(bt.StudyError, match="needs its marks"):
        replay_account(np.ones((3, 1)), np.zeros((3, 1)), terms)


STUDY = """
[models.var]
kind = "historical_var"
[books.coin]
usd = {{ BTC = 1e6 }}
[collateral]
{collateral}
"""


def test_a_study_file_names_its_collateral():
    text = STUDY.format(
        collateral="mix = { cash = 0.5, BTC = 0.5 }\ncaps = { BTC = 0.6 }\n"
        'haircuts = ["haircuts/cftc_pilot/2026-05"]\nat_closeout = "market"'
    )
    posted = read_study(text, where="s.toml").terms().collateral
    assert isinstance(posted, Mix)
    assert posted.rates == {"cash": 0.0, "BTC": 0.2} and posted.at_closeout == "market"


@pytest.mark.parametrize(
    ("collateral", "message"),
    [
        ("mixx = { cash = 1.0 }", "unknown key 'collateral.mixx'. Did you mean 'mix'?"),
        ("caps = { BTC = 1.0 }", "'collateral.mix' is missing"),
        ('mix = { cash = 1.0 }\nrule = "least"', "collateral.rule is 'least'"),
    ],
)
def test_mistakes_in_the_table_are_one_line(collateral, message):
    with pytest.raises(bt.StudyError) as caught:
        read_study(STUDY.format(collateral=collateral), where="s.toml")
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_usdc_can_be_posted_after_the_hole_in_its_prices(real_data):
    factors = ("3M", "10Y", "BTC", "USDC")
    with pytest.raises(bt.DataError, match="2022-02-11 and 2022-05-02"):
        bt.load_market(real_data, factors=factors)
    market = bt.load_market(real_data, factors=factors, start="2022-05-01")
    marks = collateral_marks(Mix({"USDC": 1.0}), market, horizon=1)
    with (real_data / "usdc_usd.csv").open() as file:
        close = {date.fromisoformat(r["Date"]): float(r["Close"]) for r in csv.DictReader(file)}
    friday, monday = (int(market.dates.searchsorted(np.datetime64(d)))
                      for d in ("2023-03-10", "2023-03-13"))  # fmt: skip
    assert monday == friday + 1
    weekend = close[date(2023, 3, 13)] / close[date(2023, 3, 10)]
    assert marks.closeout[friday] == pytest.approx(weekend, rel=1e-12)


def test_a_call_that_settles_after_the_end_of_all_days_is_never_held():
    required = np.array([[1.0], [3.0], [3.0]])
    days = np.arange("2024-01-02", "2024-01-05", dtype="M8[D]")
    for settlement in ("margin_days", "cash"):
        terms = bt.AccountTerms(call_lag=10**30, settlement=settlement)
        held = replay_account(required, np.zeros((3, 1)), terms, dates=days).held_value
        assert held.ravel().tolist() == [1.0, 1.0, 1.0]
