"""`backtest protect` from a study file to a folder of results, and what a user may get wrong."""

import hashlib
import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

import backtest as bt
from backtest.clearing import Rules
from backtest.clearing.ledger import BEARERS
from backtest.config.load import load_study
from backtest.studies.run.reproduce import compare_rerun, promise
from tests.support.commands import one_line, quiet, refused, typed
from tests.support.structures import STRESS, STRUCTURE, write_structured

CSV = "account,firm,kind,house,regime,resources,default_rate\n"
ROWS = (
    "long both,A,customer,,,0,\n"
    "hedged,A,customer,CME,LSOC,,\nhedged,A,customer,FICC,15c3-3,,\ncoin,A,house,,,,\n"
)
FROM_FILE = '\n[books.hedged]\nrisk = { UST10Y = 1, "ZN~curve" = -1 }\n[structure]\ndraws = 5\n'
FROM_FILE += 'file = "structure.csv"\n'


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    folder = tmp_path_factory.mktemp("protect")
    write_structured(folder)
    study = folder / "study.toml"
    text = study.read_text()
    assert text.count("draws = 20") == 1
    study.write_text(text.replace("draws = 20", "draws = 20\nfire_sale = true"))
    done = typed("protect", "study.toml", "--seed", "7", cwd=folder)
    assert done.returncode == 0, done.stderr
    (result,) = (folder / "results").iterdir()
    return result


def test_every_model_has_a_row_under_every_arrangement(result):
    table = pd.read_csv(result / "outcomes.csv", index_col=["model", "arrangement"])
    assert len(table) == 2 * 6 and set(table.index.get_level_values("model")) == {"siloed", "var"}
    assert (table[["fellow_day", "fund_day", "firms_fail"]] >= 0).all(axis=None)
    margin = table["margin"].reset_index().pivot_table("margin", "arrangement", "model")
    assert margin["siloed"].to_numpy() == pytest.approx(
        margin["siloed"].iloc[0]
    )  # which grants nothing across houses
    assert margin.loc["customers gross, commingled", "var"] < margin.loc["silos", "var"]
    borne = table[[bearer for bearer in BEARERS if bearer != "accounts"]]
    assert (borne >= -0.01).all(axis=None) and (borne.sum(axis=1) > 0).all()
    drawn = pd.read_csv(result / "figures" / "who_bears.csv")
    assert drawn["usd_a_year"].sum() == pytest.approx(borne.to_numpy().sum())


def test_fire_sales_have_a_table_where_the_study_asks(result):
    table = pd.read_csv(result / "fire_sale.csv", index_col=["model", "arrangement"])
    outcomes = pd.read_csv(result / "outcomes.csv", index_col=["model", "arrangement"])
    assert table["fellow_usd"].to_numpy() == pytest.approx(outcomes["fellow_usd"].to_numpy())
    assert (table["sale_days"] > 0).any() and (table["largest"] >= 0.0).all()
    assert "If those who cannot pay move prices (approximate)" in (
        result / "report.html"
    ).read_text(encoding="utf-8")


def test_houses_ask_less_where_a_firms_customers_are_margined_net(result):
    table = pd.read_csv(result / "where_margin_is.csv", index_col=["model", "arrangement", "house"])
    there = table["of_it_at_the_house"].groupby(["arrangement", "model"]).sum()
    gross, net = (there.loc[f"customers {way}, commingled"] for way in ("gross", "omnibus"))
    assert (net < gross).all()


def test_the_manifest_says_where_the_numbers_come_from(result):
    manifest = json.loads((result / "manifest.json").read_text())
    assert manifest["seed"] == 7 and manifest["as_of"]
    names = [source["name"] for source in manifest["parameters"]["structure"]]
    rules = [name.partition("/")[0] for name in names]
    assert rules == ["protection_assumed", "customer_regimes", "waterfall"]
    assert set(manifest["causality"]) >= {"siloed", "var"}
    assumed = Rules.of().assumptions
    assert manifest["details"]["assumptions"] == assumed.model_dump()
    assert manifest["details"]["stated"] == [] and manifest["details"]["coordination"] == 1.0
    assert manifest["study"]["structure"]["firms"]["A"]["capital"] == 1e5


def changed_and_sealed_again(folder: Path, name: str, table: pd.DataFrame) -> None:
    """Put another table into a folder, with a page that says it was there."""
    table.to_csv(folder / name, index=False)
    content = json.loads((folder / "page.json").read_text())
    content["files"][name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    del content["record_sha256"]
    text = json.dumps(content, sort_keys=True)
    content["record_sha256"] = hashlib.sha256(text.encode()).hexdigest()
    (folder / "page.json").write_text(json.dumps(content))


def test_a_table_beside_the_study_travels_with_it_and_all_is_computed_again(tmp_path):
    write_structured(tmp_path, structure=FROM_FILE + STRESS)
    (tmp_path / "structure.csv").write_text(CSV + ROWS)
    done = typed("protect", "study.toml", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (result,) = (tmp_path / "results").iterdir()
    manifest = json.loads((result / "manifest.json").read_text())
    assert list(manifest["study"]["beside"]) == ["structure.csv"]
    sealed = set(json.loads((result / "page.json").read_text())["files"])
    assert {"structure.csv", "stress_losses.csv", "manifest.json"} <= sealed
    assert promise(result).endswith("numbers to within 1e-09 of themselves")
    # The folder has all it takes: of all tables, a rerun gives all but the number changed here.
    (tmp_path / "structure.csv").unlink()
    table = pd.read_csv(result / "outcomes.csv")
    table.loc[3, "margin"] *= 1.0 + 1e-6
    changed_and_sealed_again(result, "outcomes.csv", table)
    (line,) = compare_rerun(result, data=None, progress=quiet)
    assert line.startswith(f"outcomes.csv: margin of {', '.join(table.iloc[3, :2])}: "), line


@pytest.fixture
def copied(result, tmp_path):
    return Path(shutil.copytree(result, tmp_path / "copied"))


@pytest.mark.parametrize("name", ["outcomes.csv", "manifest.json", "study.toml"])
def test_nothing_runs_where_a_file_of_the_folder_was_changed(name, copied, monkeypatch):
    monkeypatch.setattr("backtest.studies.protect.reopen.study_protection", None)
    (copied / name).write_bytes((copied / name).read_bytes() + b"\n")
    line = one_line(typed("reproduce", copied, cwd=copied))
    assert f"{name} of " in line and "is not as the command wrote it" in line


def test_a_study_without_a_structure_keeps_its_hash_and_is_refused(tmp_path):
    study = write_structured(tmp_path, structure="")
    assert "structure" not in load_study(study)[0].resolved()
    line = refused(typed("protect", "study.toml", cwd=tmp_path), tmp_path)
    assert "has no [structure]" in line and "docs/structure.md" in line


INLINE = {
    "an account that is not there": (
        ('"hedged", firm', '"hegded", firm'), "account 'hedged' has no firm; give it one",
    ),
    "an account twice": (
        ('account = "hedged"', 'account = "long both"'), "account 'long both' has resources",
    ),
    "a kind": (('kind = "house"', 'kind = "own"'), "kind 'own'; known: customer, house."),
    "a regime": (
        ('"hedged", firm = "A"', '"hedged", firm = "A", regime = "5d"'),
        "structure.accounts.1: account 'hedged' is under regime '5d'; known: 4d, 15c3-3",
    ),
    "a firm without accounts": (("{ A = {", "{ B = {"), "firm 'B' carries no account"),
    "a house nobody clears at": (
        ("{ capital = 1e5 }", "{ contributions = { LCH = 1e6 } }"),
        "house 'LCH'; the book clears at",
    ),
    "a house nobody clears at, without a regime": (
        ('"hedged", firm = "A"', '"hedged", firm = "A", house = "CMEE"'), "house 'CMEE'; the book",
    ),
    "a multiplier in percent": (("capital = 1e5", "multiplier = 110.0"), "at most 100 times"),
    "negative capital": (("1e5", "-1.0"), "structure.firms.A: a firm has capital -1.0; give 0"),
    "no number": (("resources = 0.0", "resources = nan"), "finite number"),
    "a misspelt key": (("resources", "resource"), "Did you mean 'resources'?"),
    "a misspelt key of a firm": (("capital", "captial"), "Did you mean 'capital'?"),
    "a way of posting": (("capital = 1e5", 'posts = "daily"'), "'intraday' or 'as paid'"),
    "an arrangement": (
        ("draws = 20", 'arrangements = ["pooled"]'),
        "structure.arrangements names 'pooled'; known: 'silos'",
    ),
    "an arrangement twice": (
        ("draws = 20", 'arrangements = ["silos", "silos"]'), "names 'silos' twice",
    ),
    "an assumption": (
        ("draws = 20", "assumptions = { recovry = 1.0 }"), "no term 'recovry'; known:",
    ),
    "an assumption out of range": (
        ("draws = 20", "assumptions = { recovery = 1.5 }"), "recovery is 1.5",
    ),
    "an assumption without end": (
        ("draws = 20", "assumptions = { porting_days = inf }"), "should be a finite number",
    ),
    "a year of no days": (
        ("draws = 20", "assumptions = { margin_days = 1e-9 }"), "greater than or equal to 1",
    ),
    "another rule's version": (
        ("draws = 20", 'parameters = ["simm/2.1"]'), "'simm/2.1', which no structure takes",
    ),
    "a firm with a name that cannot be printed": (
        ('"hedged", firm = "A"', '"hedged", firm = "A\\u0007"'), "the firm is 'A\\x07', which",
    ),
    "a sheet of no workbook": (("draws = 20", 'sheet = "A"'), "there is no `file`; remove it."),
    "a file that cannot be": (
        ("draws = 20", 'file = "\\u0000"'), "cannot read '\\x00' beside the study: embedded",
    ),
    "a version that there is not": (
        ("draws = 20", 'parameters = ["waterfall/1900"]'), "'waterfall/1900', which no structure",
    ),
    "more than there is": (("capital = 1e5", "capital = 1e16"), "equal to 1000000000000000"),
    "no draws": (("draws = 20", "draws = 0"), "structure.draws is 0"),
    "a firm's own account under a regime": (
        ('kind = "house"', 'kind = "house", regime = "4d"'), "the firm's own and under a",
    ),
}  # fmt: skip


@pytest.mark.parametrize("mistake", INLINE)
def test_a_mistake_is_one_line(mistake, tmp_path):
    (right, wrong), words = INLINE[mistake]
    assert right in STRUCTURE
    write_structured(tmp_path, structure=STRUCTURE.replace(right, wrong, 1))
    line = refused(typed("protect", "study.toml", cwd=tmp_path), tmp_path)
    assert words in line, line


TABLES = {
    "no such file": (None, "cannot read 'structure.csv'"),
    "a column is missing": ("account,firm\ncoin,A\n", "no column 'kind'; it has account, firm"),
    "a column too many": (CSV.replace("house", "silo", 1) + ROWS, "a column 'silo'; known:"),
    "blanks in its head are none of a name": (
        CSV.replace(",", ", ") + ROWS.replace("LSOC", "lsoc"), "'hedged' is under regime 'lsoc'",
    ),
    "a column twice": (CSV.replace("regime", " firm") + ROWS, "has 2 columns 'firm'; keep the"),
    "semicolons": ((CSV + ROWS).replace(",", ";"), "separates columns by ';'; save it with commas"),
    "cells without a head": (CSV + ROWS.replace("\n", ",\n"), "more cells than its head; give"),
    "Latin-1": (
        (CSV + "Zürich,A,customer,,,,\n").encode("latin-1"), "is not UTF-8 (byte 0xfc at 55); save",
    ),
    "no row": (CSV, "holds no account"),
    "an amount": (CSV + ROWS.replace(",,0,", ",,lots,"), "line 2: resources is 'lots'; give a"),
    "no amount": (CSV + ROWS.replace(",,0,", ",,nan,"), "line 2: resources is 'nan'"),
    "negative": (CSV + ROWS.replace(",,0,", ",,-1,"), "line 2: account 'long both' has resources"),
    "an empty firm": (CSV + ROWS.replace("coin,A", "coin,"), "line 5: the firm is empty"),
    "two firms": (
        CSV + ROWS.replace("hedged,A,customer,FICC", "hedged,B,customer,FICC"),
        "account 'hedged' has firm 'A' (structure.csv line 3) and 'B' (structure.csv line 4)",
    ),
    "a house twice": (
        CSV + ROWS.replace("FICC", "CME"), "account 'hedged' is twice at CME (structure.csv line",
    ),
    "more than there is": (CSV + ROWS.replace(",,0,", ",,1e16,"), "line 2: resources is '1e16'"),
    "a rate above one": (CSV + ROWS.replace(",,0,", ",,0,2"), "default_rate 2.0, which would be"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", TABLES)
def test_a_mistake_in_a_table_is_one_line(mistake, tmp_path):
    content, words = TABLES[mistake]
    write_structured(tmp_path, structure=FROM_FILE)
    if content is not None:
        content = content if isinstance(content, bytes) else content.encode()
        (tmp_path / "structure.csv").write_bytes(content)
    line = refused(typed("protect", "study.toml", cwd=tmp_path), tmp_path)
    assert words in line, line


def test_the_default_study_is_the_packaged_one_whatever_lies_here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "customers-and-houses").mkdir()
    assert load_study(None, default="customers-and-houses")[0].structure is not None


def test_what_a_study_states_is_no_assumption_of_ours():
    rules = Rules.of(stated={"resources": 2.0})
    assert rules.assumptions.resources == 2.0 and rules.stated == ("resources",)
    with pytest.raises(bt.StudyError, match="porting is True; give a number"):
        Rules.of(stated={"porting": True})
