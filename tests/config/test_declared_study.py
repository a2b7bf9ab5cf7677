"""Instruments and accounts that a study declares: files in, mistakes said, results that travel."""

import re

import numpy as np
import pandas as pd
import pytest

import backtest as bt
from backtest.config.load import build_book, load_study, read_study
from backtest.instruments import declare
from backtest.studies.inputs import read_inputs
from backtest.studies.prices import load_prices
from backtest.studies.run.study import execute
from tests.support.commands import backtest

STUDY = """
name = "stranger"
seed = 1
[data]
source = "prices"
[models.siloed]
kind = "siloed"
base = { kind = "historical_var", lookback = 60 }
[models.span]
kind = "span"
[sizing]
kind = "historical_var"
lookback = 60
[instruments.SOL]
kind = "coin"
file = "sol.csv"
silo = "NODAL"
buckets = { span = "ETH", haircut = "ETH" }
[instruments.GOLD]
kind = "spot"
asset_class = "commodity"
factor = "XAU"
file = "lbma.csv"
column = "PM"
buckets = { span = 0.08, haircut = 0.15 }
[instruments.IG]
kind = "bond"
factor = "IG-OAS"
file = "oas.csv"
column = "BAMLC0A0CM"
silo = "FICC"
duration = 7.0
yield_factor = "7Y"
buckets = { span = 0.05, haircut = 0.1 }
[books."SOL and gold"]
usd = { SOL = 1e6, GOLD = 2e6 }
[books."IG against SOL"]
risk = { IG = 1, SOL = -1 }
"""
ACCOUNTS = """account,instrument,amount,unit,silo,group
A,SOL,-100,coins,,house
A,GOLD,2e5,usd,OCC,house
B,IG,1e6,face,,client
"""


@pytest.fixture(autouse=True)
def nothing_declared_afterwards():
    yield
    declare({})


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A stranger's folder: a coin of every day, gold, par yields, a spread as FRED writes it."""
    monkeypatch.chdir(tmp_path)
    generator, prices = np.random.default_rng(11), tmp_path / "prices"
    prices.mkdir()
    days = pd.bdate_range("2020-01-02", periods=420)
    every = pd.date_range(days[0], days[-1])

    def walk(index, start, size):
        moves = np.cumsum(size * generator.standard_t(5, len(index)))
        return pd.Series(start * np.exp(moves), index).round(6)

    def write(name, date, **columns):
        frame = pd.DataFrame(columns).rename_axis(date)
        frame.to_csv(prices / name, date_format="%Y-%m-%d")

    write("sol.csv", "Date", Close=walk(every, 20.0, 0.04))
    write("lbma.csv", "Date", PM=walk(days, 1500.0, 0.008))
    write("treasury_par_yields.csv", "Date", **{"7Y": walk(days, 1.8, 0.01)})
    write("oas.csv", "observation_date", BAMLC0A0CM=walk(days, 1.2, 0.01))
    write("dax.csv", "Date", Close=walk(days, 12000.0, 0.01))
    write("eurusd_usd.csv", "Date", Close=walk(days, 1.1, 0.004))
    (tmp_path / "study.toml").write_text(STUDY)
    return tmp_path


def with_accounts(place, accounts=ACCOUNTS, table='[accounts]\nfile = "accounts.csv"\n'):
    (place / "study.toml").write_text(STUDY + table)
    (place / "accounts.csv").write_text(accounts)


def loaded(place):
    config, _ = load_study(place / "study.toml")
    return config, load_prices(config, clock="business")[0]


def refusal(place):
    """The one line by which a command that reads this study ends."""
    with pytest.raises(bt.BacktestError) as refused:
        read_inputs(place / "study.toml", data=None, seed=None, progress=lambda *_: None)
    message = str(refused.value)
    assert "\n" not in message
    return message


def test_factors_are_those_of_the_positions(place):
    config, market = loaded(place)
    assert set(market.factors) == {"SOL", "XAU", "IG-OAS", "7Y"}
    assert dict(zip(market.factors, market.kinds, strict=True))["IG-OAS"] == "yield"
    raw = pd.read_csv(place / "prices" / "oas.csv", index_col=0)["BAMLC0A0CM"] / 100
    np.testing.assert_allclose(market.level("IG-OAS"), raw[market.dates.astype(str)])
    book = build_book(config, market)
    assert book.silos == ("NODAL", "CME", "FICC")
    assert book.to_frame().loc["SOL and gold", "GOLD"] == 2e6


def test_accounts_are_portfolios_in_usd_of_the_last_day(place):
    with_accounts(place)
    config, market = loaded(place)
    frame = build_book(config, market).to_frame()
    assert frame.loc["A", "SOL"] == pytest.approx(-100 * market.level("SOL")[-1])
    assert frame.loc["A", "GOLD@OCC"] == 2e5 and frame.loc["B", "IG"] == 1e6
    with_accounts(place, table='[accounts]\nfile = "accounts.csv"\nby = "group"\nvalued="first"\n')
    config, market = loaded(place)
    frame = build_book(config, market).to_frame()
    assert frame.loc["house", "SOL"] == pytest.approx(-100 * market.level("SOL")[0])
    assert "client" in frame.index and "A" not in frame.index


def test_prices_in_another_currency_are_converted_day_by_day(place):
    dax = '[instruments.DAX]\nkind = "etf"\nasset_class = "equity"\nfile = "dax.csv"\n'
    more = dax + 'currency = "EUR"\nfx = "EURUSD"\n[books.dax]\nusd = { DAX = 1e6, SOL = 1e6 }\n'
    (place / "study.toml").write_text(STUDY + more)
    _, market = loaded(place)
    euros, rate = (
        pd.read_csv(place / "prices" / f"{name}.csv", index_col=0)["Close"]
        for name in ("dax", "eurusd_usd")
    )
    days = market.dates.astype(str)
    np.testing.assert_allclose(market.level("DAX"), euros[days] * rate[days], rtol=1e-12)


def test_instruments_may_stand_in_a_file_beside_the_study(place):
    start, end = STUDY.index("[instruments.SOL]"), STUDY.index("[books")
    (place / "contracts.toml").write_text(STUDY[start:end])
    (place / "study.toml").write_text(STUDY[:start] + STUDY[end:])
    config, market = loaded(place)
    assert list(config.instruments) == ["SOL", "GOLD", "IG"] and "SOL" in market.factors
    (place / "study.toml").write_text(STUDY)
    with pytest.raises(bt.StudyError, match="'SOL' is declared in the study and in contracts.toml"):
        load_study(place / "study.toml")


@pytest.mark.parametrize(
    ("accounts", "said"),
    [
        ("A,IGG,1,usd,,\n", "accounts.csv line 2, account 'A': unknown instrument 'IGG'"),
        ("A,IGG,1,usd,,\n", "Did you mean 'IG'?"),
        ("A,SOL,1,coins,,\nA,SOL,5,usd,,\n", "SOL of account 'A' has two units, coins and usd"),
        ("A,SOL,1,coins,,\nA,SOL,1,coins,,\n", "SOL of account 'A' is there twice (lines 2 and 3)"),
        ("A,IG,1,contracts,,\n", "'IG' is not counted in 'contracts'; give face or usd"),
        ("A,SOL,x,coins,,\n", "line 2: amount is 'x'; give a signed number"),
        ("A,SOL,nan,coins,,\n", "amount is 'nan'"),
        ("A,SOL,1,lots,,\n", "unit is 'lots'; known: usd, face, contracts, coins"),
        (",SOL,1,usd,,\n", "line 2: the account is empty"),
        ("A,SOL@CME,1,usd,OCC,\n", "names another silo than 'OCC'"),
        ("A,SOL,1,usd,,x\nA,GOLD,1,usd,,y\n", "account 'A' is in groups 'x' and 'y'"),
        ("SOL and gold,SOL,1,usd,,\n", "has the name of a book"),
    ],
)
def test_a_mistake_in_the_accounts_is_one_line(place, accounts, said):
    with_accounts(place, "account,instrument,amount,unit,silo,group\n" + accounts)
    assert said in refusal(place)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('kind = "coin"', 'kind = "coins"', "instruments.SOL.kind is 'coins'"),
        ('silo = "NODAL"', 'sillo = "NODAL"', "'instruments.SOL.sillo'. Did you mean 'silo'?"),
        ("[instruments.SOL]", "[instruments.ZN]", "instruments.ZN is the name of a contract"),
        ("[instruments.SOL]", '[instruments."SOL@X"]', "cannot be a name of a position"),
        ("duration = 7.0\n", "", "instruments.IG: a bond needs its maturity (by yield)"),
        ('factor = "XAU"', 'factor = "SOL"', "say different things of the factor SOL"),
        ('file = "sol.csv"', 'file = "sun.csv"', "sun.csv"),
        ('span = "ETH"', 'spann = "ETH"', "buckets.spann'. Did you mean 'span'?"),
    ],
)
def test_a_mistake_in_a_declaration_is_one_line(place, old, new, said):
    assert STUDY.count(old) >= 1
    (place / "study.toml").write_text(STUDY.replace(old, new, 1))
    assert said in refusal(place)


def test_a_price_below_zero_is_no_slip_to_remove(place):
    """Oil closed at -37.63 on 2020-04-20."""
    frame = pd.read_csv(place / "prices" / "lbma.csv")
    frame.loc[100, "PM"] = -37.63
    frame.to_csv(place / "prices" / "lbma.csv", index=False)
    with pytest.raises(bt.DataError) as refused:
        loaded(place)
    message = str(refused.value)
    assert "-37.63" in message and "no model or shock can take" in message
    assert not re.search(r"remove (the|that) row", message)


def test_prices_that_are_no_ticks_are_refused(place):
    future = STUDY.replace('kind = "spot"', 'kind = "future"').replace(
        'column = "PM"', 'column = "PM"\nmultiplier = 100.0\nroll = "none"\ntick = 0.1'
    )
    (place / "study.toml").write_text(future)
    with pytest.raises(bt.DataError, match=r"prices are no whole ticks of 0\.1"):
        loaded(place)
    frame = pd.read_csv(place / "prices" / "lbma.csv", index_col=0).round(1)
    frame.to_csv(place / "prices" / "lbma.csv")
    assert "XAU" in loaded(place)[1].factors


def test_declarations_hold_for_the_study_that_was_read_last(place):
    load_study(place / "study.toml")
    assert bt.instruments.parse_instrument("SOL").silo == "NODAL"
    read_study("models = {}\n[books.b]\nusd = { BTC = 1 }\n", where="x.toml")
    assert bt.instruments.parse_instrument("SOL").silo == "CME"


@pytest.mark.slow
def test_accounts_alone_are_audited_and_get_bounds(place):
    """As named books are; a study of random books alone is one too."""
    start, end = STUDY.index("[models.span]"), STUDY.index("[sizing]")
    study = STUDY[:start] + STUDY[end : STUDY.index("[books")]
    (place / "accounts.csv").write_text(ACCOUNTS)
    random = '[random]\nportfolios = 2\ninstruments = ["SOL", "GOLD"]\n'
    for more, names in (
        ('[accounts]\nfile = "accounts.csv"\n', ["A", "B"]),
        (random, ["random 01"]),
    ):
        (place / "study.toml").write_text(study + more)
        run = execute(place / "study.toml", progress=lambda *_: None)
        assert run.study.provenance.causality["siloed"].portfolios[0] == names[0]
        assert run.ladder.index[0] == names[0] and set(run.named_books) >= set(names)
        assert len(run.forecasts) == 0 or set(run.forecasts["portfolio"]) >= set(names)


@pytest.mark.slow
def test_run_report_reproduce_and_offset(place):
    with_accounts(place)
    assert backtest("run", "study.toml", "--out", "out", cwd=place).returncode == 0
    [folder] = (place / "out").iterdir()
    assert (folder / "accounts.csv").read_text() == ACCOUNTS
    assert backtest("report", str(folder), cwd=place).returncode == 0
    (place / "accounts.csv").unlink()  # the folder has its own
    again = backtest("reproduce", str(folder), cwd=place)
    assert again.returncode == 0 and "reproduced" in again.stdout, again.stdout + again.stderr
    with_accounts(place)
    assert backtest("offset", "study.toml", "--out", "out", cwd=place).returncode == 0
    (folder / "contracts.toml").write_text("[instruments.X]\nkind = 'coin'\n")
    assert "contracts.toml" in backtest("report", str(folder), cwd=place).stderr
