"""What is made of a study with a superseded rule says so: screen, page, Word and PDF."""

import html
import json
import re
from dataclasses import replace

import docx
import pytest
from pypdf import PdfReader

import backtest as bt
import strategies as st
from backtest.account.mix import Mix
from tests.support.commands import typed, write_prices, write_study

OLD = """
[models.old]
kind = "haircut_only"
schedules = ["haircuts/cme/2014", "haircuts/cftc_pilot"]


[grid.models.var]
lookback = [40, 60]
"""
WORDS = "SUPERSEDED RULES: old: haircuts/cme/2014 was superseded by haircuts/cme/2021 on 2021-09-13"
STUDIES = ("run", "offset", "closeout", "collateral", "clocks", "grid")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("superseded")
    write_prices(folder / "prices", days=520)
    path = write_study(folder)
    path.write_text(path.read_text() + OLD)
    return folder


@pytest.fixture(scope="module")
def made(place):
    """What a command printed and the folder that it left, by command; each runs once."""
    known = {}

    def make(command, *arguments):
        if command not in known:
            done = typed(command, *arguments, "--out", f"out-{command}", cwd=place)
            assert done.returncode == 0, done.stderr
            (folder,) = (f for f in (place / f"out-{command}").iterdir() if f.name != "texts")
            known[command] = (done.stdout, folder)
        return known[command]

    return make


def said(text):
    """Words of a page or a screen without marks and line ends."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", text)).split())


@pytest.mark.parametrize("command", STUDIES)
def test_every_study_says_it(made, command):
    screen, folder = made(command, "study.toml")
    assert WORDS in said(screen)
    assert WORDS in json.loads((folder / "page.json").read_text())["alarms"]
    pages = list(folder.glob("*.html"))
    assert pages and all(WORDS in said(page.read_text()) for page in pages)


def test_a_page_that_is_drawn_again_still_says_it(made, place):
    _, folder = made("run", "study.toml")
    (page,) = folder.glob("report.html")
    page.write_text("gone")
    done = typed("report", folder, cwd=place)
    assert done.returncode == 0, done.stderr
    assert WORDS in said(page.read_text())


def test_what_asks_no_model_uses_no_rule(made):
    arguments = ("study.toml", "--paths", "19", "--histories", "0")
    screen, folder = made("simulate", *arguments)
    assert "RULES" not in screen and '"models": {}' in (folder / "manifest.json").read_text()


def test_a_comparison_says_it_of_its_runs(made, place):
    _, first = made("run", "study.toml")
    other = typed("run", "study.toml", "--seed", 5, "--out", "out-other", cwd=place)
    assert other.returncode == 0, other.stderr
    (second,) = (place / "out-other").iterdir()
    screen, folder = made("compare", first, second)
    assert WORDS in said(screen)
    assert all(WORDS in said(page.read_text()) for page in folder.glob("*.html"))


@pytest.mark.parametrize("command", ["annex", "dossier"])
def test_documents_say_it_in_every_form(made, command):
    _, run = made("run", "study.toml")
    chosen = ("--model", "old") if command == "dossier" else ()
    screen, folder = made(command, run, *chosen)
    assert WORDS in said(screen)
    assert WORDS in said((folder / f"{command}.html").read_text())
    word = docx.Document(str(folder / f"{command}.docx")).paragraphs
    assert any(WORDS in paragraph.text for paragraph in word)
    pages = PdfReader(folder / f"{command}.pdf").pages
    assert WORDS in " ".join(" ".join(page.extract_text() for page in pages).split())


def test_collateral_and_sizing_name_rules_too(small_market, small_book):
    posted = bt.AccountTerms(collateral=Mix({"UST10Y": 1.0}, haircuts=("haircuts/cme/2014",)))
    day = "2022-01-03"
    run = bt.run(small_market, small_book, {"net": st.NetCapital()}, account=posted, as_of=day)
    behind = WORDS.removeprefix("SUPERSEDED RULES: old: ")
    assert run.provenance.alarms()[0] == f"SUPERSEDED RULES: collateral: {behind}"
    sizing = {"kind": "haircut_only", "schedules": ["haircuts/cme/2014", "haircuts/occ"]}
    sized = replace(run.provenance, account=None, study={"sizing": sizing})
    assert sized.alarms()[0] == f"SUPERSEDED RULES: sizing: {behind}"
    assert behind in sized.rules()
    assert behind in replace(sized, parameters={}).rules()
