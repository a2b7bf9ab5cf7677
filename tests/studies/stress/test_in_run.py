"""Stress tests and limits in `backtest run`: asked by a study, shown, stored, read back."""

import json

import numpy as np
import pandas as pd
import pytest

import backtest as bt
from backtest.clearing import Rules
from backtest.clearing.arrangement import ARRANGEMENTS
from backtest.clearing.setting import Setting
from backtest.clearing.structure import Firm, House, Member, Structure
from backtest.config.load import read_study
from backtest.studies.run.page import run_exhibit
from backtest.studies.run.reopen import stored_run
from backtest.studies.run.reproduce import compare_rerun
from backtest.studies.run.study import execute
from backtest.studies.stress.backing import assumed_backing, stated_backing
from tests.config.test_study_file import GOOD
from tests.support.commands import backtest, quiet, run_and_store, write_prices, write_study

ASKED = """
[stress]
worst_days = 2
days = ["2022-06-01"]
own."coins and bonds" = { BTC = -0.3, "10Y" = 0.004 }

[limits.account]
stress_loss = 1.0
concentration = 0.6
volume = 1.0
leverage = 10.0
"""


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A study with a stress test, and its results folder."""
    folder = tmp_path_factory.mktemp("stress")
    study = write_study(folder, source=str(write_prices(folder / "prices", days=300)))
    study.write_text(study.read_text() + ASKED)
    return study, run_and_store(study, folder / "results", command="backtest run")


def test_tables_are_written_shown_read_back_and_reproduced(written):
    study, result = written
    names = {path.stem for path in result.glob("stress_*.csv")}
    assert names == {f"stress_{n}" for n in ("losses", "margins", "reverse", "moves", "limits")}
    manifest = json.loads((result / "manifest.json").read_text())
    assert {f"{name}.csv" for name in names} <= set(manifest["files"])
    page = (result / "report.html").read_text()
    for words in ("Stress test", "Reverse stress", "Limits of risk", "crypto halves"):
        assert words in page
    assert (result / "figures" / "reverse_stress.svg").is_file()
    again = stored_run(result)
    for name, table in again.stress.by_file().items():
        pd.testing.assert_frame_equal(table, pd.read_csv(result / f"{name}.csv").fillna(
            {c: "" for c in ("start", "model", "because") if c in table}
        ), check_dtype=False)  # fmt: skip
    sections = {section.name for section in run_exhibit(again).sections}
    assert {"stress-losses", "reverse-stress", "risk-limits"} <= sections
    assert compare_rerun(result, data=None, progress=quiet) == []


def test_the_numbers_are_those_of_the_prices(written):
    study, result = written
    losses = pd.read_csv(result / "stress_losses.csv").set_index(["portfolio", "scenario"])
    assert losses.loc[("coin", "crypto halves"), "loss"] == pytest.approx(0.5e6)
    assert losses.loc[("coin", "coins and bonds"), "loss"] == pytest.approx(0.3e6)
    margins = pd.read_csv(result / "stress_margins.csv").set_index(["portfolio", "model"])
    run = execute(study, progress=quiet)
    assert set(margins["day"]) == {f"{run.study.loss.index[-1]:%Y-%m-%d}"}
    required = run.study.required["var"]["coin"]
    assert margins.loc[("coin", "var"), "margin"] == required.iloc[-1]
    limits = pd.read_csv(result / "stress_limits.csv").set_index(["name", "limit", "model"])
    row = limits.loc[("coin", "leverage", "var")]
    assert row["value"] == pytest.approx(1e6 / required.iloc[-1])
    known = required.dropna()
    assert (row["days"], row["days_over"]) == (len(known), (1e6 / known > 10.0).sum())
    # One book of one coin: the same share of it uses the margin up in each direction it can.
    reverse = pd.read_csv(result / "stress_reverse.csv")
    coin = reverse[(reverse["name"] == "coin") & (reverse["model"] == "var")]
    ends = coin.set_index("direction")["multiple"]
    assert ends["joint"] == pytest.approx(ends["BTC down"], rel=1e-8)
    assert not coin.set_index("direction").loc["BTC up", "reached"]


def test_a_study_without_them_keeps_its_hash_and_shows_none():
    plain = read_study(GOOD, where="s.toml").resolved()
    assert "stress" not in plain and "limits" not in plain
    asked = read_study(GOOD + "[limits.account]\nleverage = 5.0\n", where="s.toml").resolved()
    assert asked["limits"]["account"]["leverage"] == 5.0
    # Limits alone ask for the usual scenarios, whose version is part of what numbers depend on.
    assert asked["stress"]["parameters"] == "stress_scenarios/2026"


SAID = {
    "[stress]\nday = '2020'\n": "stress.day is '2020'; give a day as YYYY-MM-DD.",
    "[stress]\ndays = ['2020-01-01', '2020-01-01']\n": "stress.days names '2020-01-01' twice",
    "[stress]\ndays = ['soon']\n": "stress.days is 'soon'; give a day",
    "[stress]\nscenaros = ['x']\n": "unknown key 'stress.scenaros'. Did you mean 'scenarios'?",
    "[stress]\ndirections = ['up']\n": "stress.directions.0 is 'up': ",
    "[stress]\nworst_days = 0\n": "stress.worst_days is 0: ",
    "[stress.own.x]\n": "stress.own.'x' moves nothing",
    "[stress.own.x]\nBTC = 'half'\n": "stress.own.x.BTC is 'half': ",
    "[stress]\nparameters = 'stress'\n": "unknown rule 'stress'; known: ",
    "[limits]\n": "[limits] has no limit; give one",
    "[limits.account]\nleverage = 0\n": "limits.account.leverage is 0: ",
    "[limits.account]\nconcentration = 2.0\n": "limits.account.concentration is 2.0: ",
    "[limits.house]\nleverage = 1\n": "unknown key 'limits.house'.",
}


@pytest.mark.parametrize("text", list(SAID))
def test_a_mistake_is_one_line_before_any_price_is_read(text):
    with pytest.raises(bt.StudyError) as refused:
        read_study(GOOD + text, where="s.toml")
    message = str(refused.value)
    assert message.startswith(f"s.toml: {SAID[text]}") and "\n" not in message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[stress]\nscenarios = ['x']\n", "stress.scenarios names 'x'; known for these prices: "),
        ("[stress.own.x]\nGOLD = 0.1\n", "scenario 'x' moves 'GOLD', which the market does not"),
        ("[stress]\ndays = ['2022-06-04']\n", "stress.days names 2022-06-04, which is no margin"),
        ("[stress]\nday = '2031-01-01'\n", "stress.day is 2031-01-01, which is no margin day"),
        ("[limits.firm]\nleverage = 1.0\n", "[limits.firm] limits firms, and the study has none"),
    ],
)
def test_what_these_prices_do_not_have_is_one_line_and_exit_code_2(
    written, tmp_path, text, message
):
    study, _ = written
    own = tmp_path / "own.toml"
    own.write_text(study.read_text().replace(ASKED, text))
    done = backtest("run", own, "--out", tmp_path / "out", cwd=tmp_path)
    assert done.returncode == 2 and message in done.stderr.replace("\n", " ")
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())


def test_a_path_has_no_days_of_the_calendar(written):
    """On a simulated path the scenarios that are stated are left, and its own worst days."""
    study, _ = written
    run = execute(study, path=0, progress=quiet)
    assert np.isfinite(run.stress.margins["loss"]).all()
    assert "as from 2022-06-01" not in set(run.stress.losses["scenario"])


FIRMS = """
[limits.firm]
stress_loss = 1.0
leverage = 1.0

[structure]
accounts = [
  { account = "long both", firm = "A", resources = 1e5 },
  { account = "coin", firm = "A", kind = "house" },
]
firms = { A = { capital = 2e5, contributions = { CME = 1e5 } } }
houses = { CME = { capital = 5e4, fund = 1e6 } }
"""


def test_firms_of_a_structure_have_layers_and_limits(written, tmp_path):
    study, _ = written
    own = tmp_path / "own.toml"
    own.write_text(study.read_text().replace(ASKED, "[stress]\n" + FIRMS))
    run = execute(own, progress=quiet)
    reverse = run.stress.reverse
    firm = reverse[(reverse["level"] == "firm") & (reverse["model"] == "var")]
    joint = firm[firm["direction"] == "joint"].set_index("layer")
    assert joint.loc["capital", "loss"] == pytest.approx(2e5, rel=1e-6)
    assert joint.loc["the firm's contributions", "loss"] == pytest.approx(3e5, rel=1e-6)
    assert joint.loc["the funds of its houses", "loss"] == pytest.approx(1.35e6, rel=1e-6)
    ends = joint["multiple"].to_numpy()
    assert (np.diff(ends) > 0.0).all()
    limits = run.stress.limits.set_index(["name", "limit", "model"])
    losses = run.stress.losses.set_index(["portfolio", "scenario"])["loss"]
    # In the worst scenario: what each lacks beyond its margin and resources, over 0.3m.
    worst = limits.loc[("A", "stress_loss", "var")]
    margins = run.stress.margins.set_index(["portfolio", "model"])["margin"]
    lacks = sum(
        max(0.0, losses[name, worst["because"]] - margins[name, "var"] - resources)
        for name, resources in (("long both", 1e5), ("coin", 0.0))
    )
    assert worst["value"] == pytest.approx(lacks / 3e5, rel=1e-12)
    names = {table.caption for s in run_exhibit(run).sections for table in s.tables}
    assert "The nearest move that uses up what stands behind margins" in names


def test_the_funds_of_a_firms_houses_are_everybodys_but_its_own():
    """Of A: capital of CME 3, its outside fund 4, what B pays in there 5; FICC is not its house."""
    members = (Member("a", "A"), Member("b", "B"))
    firms = {
        "A": Firm(capital=1.0, contributions={"CME": 2.0}),
        "B": Firm(capital=1.0, contributions={"CME": 5.0, "FICC": 6.0}),
    }
    houses = {"CME": House(capital=3.0, fund=4.0), "FICC": House(capital=7.0, fund=8.0)}
    structure = Structure(members, firms, houses)
    stated = stated_backing(structure)
    assert stated.fund == {"A": 3.0 + 4.0 + 5.0, "B": 3.0 + 4.0 + 2.0 + 7.0 + 8.0}
    margin = np.array([[0.0, 10.0], [20.0, 10.0]])  # of a and b at FICC and CME
    setting = Setting(
        structure, ("FICC", "CME"), ARRANGEMENTS["silos"], Rules.of(), margin, margin > 0.0
    )
    assumed = assumed_backing(setting)
    assert assumed.fund == stated.fund and assumed.capital == stated.capital
    assert assumed.contributions == {"A": pytest.approx(2.0), "B": pytest.approx(11.0)}
    share = Rules.of().assumptions.resources
    assert assumed.resources == {"a": pytest.approx(10 * share), "b": pytest.approx(30 * share)}
