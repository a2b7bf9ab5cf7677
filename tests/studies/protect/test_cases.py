"""The packaged cases, and the tables in dollars of a study from its file to its folder."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from backtest.clearing import ARRANGEMENTS
from backtest.config.load import load_study
from backtest.config.structure import build_structure
from backtest.studies.protect.cases import HEADLINE
from backtest.studies.protect.dollar_sections import dollar_sentence
from tests.studies.run.test_packaged import CASES
from tests.support.commands import refused, typed
from tests.support.structures import STRUCTURE, write_structured

MORE = """
[mandate]
model = "var"

[collateral]
mix = { cash = 0.5, BTC = 0.5 }
"""
HEADED = 'headline = ["hedged"]\n'


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cases")
    study = write_structured(folder, structure=STRUCTURE + MORE)
    study.write_text(HEADED + study.read_text())
    done = typed("protect", "study.toml", cwd=folder)
    assert done.returncode == 0, done.stderr
    (result,) = (folder / "results").iterdir()
    return result


def read(result, name, *index):
    return pd.read_csv(result / f"{name}.csv", index_col=list(index))


@pytest.mark.parametrize("name", CASES)
def test_a_case_has_firms_fellow_customers_and_says_what_its_sizes_are(name):
    study, _ = load_study(Path(name))
    structure = build_structure(study.structure, study.beside)
    assert {m.account for m in structure.members} == set(study.books)
    at_a = [m for m in structure.members if m.firm == "A" and m.kind == "customer"]
    assert len(at_a) >= 8 and study.headline[0] in {m.account for m in at_a}
    assert "assumption" in study.caption
    # Whoever is a firm's own account says so, and so does every customer.
    if name != "clearing-mandate":
        for member in structure.members:
            words = study.books[member.account].explain
            whose = "Customer" if member.kind == "customer" else "House account"
            assert words.startswith(f"{whose} of {member.firm}:") or words.startswith(
                f"{whose} of {member.firm}."
            )


def test_the_fund_and_the_desk_of_the_basis_case_hold_the_same():
    study, _ = load_study(Path("basis-fund"))
    fund, desk = (study.books[name] for name in ("basis fund", "basis desk of B"))
    assert (fund.risk, fund.gross) == (desk.risk, desk.gross)
    for name, table in study.books.items():
        if name.endswith(", A"):
            assert table.usd == study.books[f"{name[:-1]}B"].usd


def test_the_accounts_of_the_mandate_are_those_of_the_basis_case():
    mandate, basis = (load_study(Path(n))[0].books for n in ("clearing-mandate", "basis-fund"))
    for name, table in mandate.items():
        same = basis.get(f"{name}, A", basis.get(name))
        assert (table.usd, table.risk, table.gross) == (same.usd, same.risk, same.gross)


def test_every_table_is_in_the_folder_and_in_the_page(result):
    names = (
        "dollars", "dollars_by_bearer", "account_dollars", "supported_savings", "dollars_swept",
        "dollars_posted", "own_capital", "mandate", "published_figures",
    )  # fmt: skip
    page = (result / "report.html").read_text()
    for name in names:
        assert (result / f"{name}.csv").is_file() and f'id="{name}"' in page, name
    table = read(result, "dollars", "model", "arrangement")
    assert len(table) == 2 * len(ARRANGEMENTS)
    told = dollar_sentence(table, "var", HEADLINE[0])
    assert told in re.sub(r"\s+", " ", page.replace("&#39;", "'"))


def test_the_sweep_begins_with_what_is_assumed_and_moves_one_term_at_a_time(result):
    table = read(result, "dollars", "model", "arrangement")
    swept = read(result, "dollars_swept", "assumption", "value")
    assert swept.index[0][0] == "as assumed"
    row = table.loc[("var", HEADLINE[0])]
    np.testing.assert_allclose(
        swept.iloc[0][["net", "loss_others"]], row[["net", "loss_others"]], rtol=1e-9
    )
    moved = swept.groupby(level="assumption").size()
    assert {"resources", "firm capital", "coordination of houses"} <= set(moved.index)
    # What accounts have to post hangs on the multiplier alone.
    margins = swept["funding_freed"].groupby(level="assumption").nunique()
    assert (margins.drop("multiplier") == 1).all()


def test_cash_is_what_other_collateral_is_compared_with(result):
    posted = read(result, "dollars_posted", "collateral", "arrangement")
    assert (posted.loc["cash", ["extra", "extra_low", "extra_high"]] == 0.0).all(axis=None)
    silos = posted.xs("silos", level="arrangement")
    # Half in Bitcoin at a haircut of a fifth: 0.5 + 0.5 / 0.8 of market value for each USD.
    ratio = silos.loc["the study's mix", "market_value"] / silos.loc["cash", "market_value"]
    assert ratio == pytest.approx(1.125)
    assert silos.loc["BTC", "market_value"] / silos.loc["cash", "market_value"] == 1.25


def test_a_study_without_other_collateral_or_mandate_has_no_such_tables(tmp_path):
    write_structured(tmp_path)
    assert typed("protect", "study.toml", cwd=tmp_path).returncode == 0
    (result,) = (tmp_path / "results").iterdir()
    for name in ("mandate", "dollars_posted", "account_dollars", "supported_savings"):
        assert not (result / f"{name}.csv").exists()
    assert (result / "dollars.csv").is_file()


def test_a_study_that_compares_nothing_with_silos_has_no_dollars(tmp_path):
    one = STRUCTURE.replace("draws = 20", 'draws = 20\narrangements = ["house pooled"]')
    write_structured(tmp_path, structure=one)
    assert typed("protect", "study.toml", cwd=tmp_path).returncode == 0
    (result,) = (tmp_path / "results").iterdir()
    assert not (result / "dollars.csv").exists()


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ('model = "vra"', "mandate.model is 'vra', which is not in the study; name one of"),
        ('model = "var"\nsilo = "LCH"', "no position is at 'LCH'; silos of the book: CME, FICC"),
        ("", "'mandate.model' is missing; add it."),
    ],
)
def test_a_mandate_that_cannot_be_asked_about_is_one_line(lines, says, tmp_path, monkeypatch):
    monkeypatch.setattr("backtest.studies.protect.study.protect", None)  # before any close-out
    write_structured(tmp_path, structure=f"{STRUCTURE}\n[mandate]\n{lines}\n")
    assert says in refused(typed("protect", "study.toml", cwd=tmp_path), tmp_path)


def test_a_mandate_beside_no_silos_is_one_line(tmp_path):
    one = STRUCTURE.replace("draws = 20", 'arrangements = ["house pooled"]')
    write_structured(tmp_path, structure=f'{one}\n[mandate]\nmodel = "var"\n')
    line = refused(typed("protect", "study.toml", cwd=tmp_path), tmp_path)
    assert "structure.arrangements has house pooled; name 'silos' and 'customers gross," in line
