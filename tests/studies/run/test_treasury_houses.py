"""The page of the three houses of Treasuries tells the numbers of today."""

import re
from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest

import backtest as bt
from backtest.config.load import build_book, load_study
from backtest.parameters.files import header, load_parameters, moved, version_of
from tests.support.places import ROOT

pytestmark = pytest.mark.slow
PAGE = ROOT / "docs" / "treasury-houses.md"
HOUSES = ("ficc", "icc", "cme_sc")


def rows_under(heading):
    """Cells of the first table under a heading, by book: the numbers of each cell."""
    text = PAGE.read_text(encoding="utf-8").split(f"## {heading}\n")[1].split("\n## ")[0]
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    numbers = {
        row[0]: [[float(n) for n in re.findall(r"[\d.]+", cell)] for cell in row[1:]]
        for row in rows[2:]
    }
    assert numbers
    return numbers


@pytest.fixture(scope="module")
def replayed(real_data):
    """Study, market, book and models."""
    study, _ = load_study(Path("treasury-houses"))
    market = bt.load_market(real_data, factors=study.data.factors, start=study.data.start)
    return study, market, build_book(study, market), study.margin_models()


@pytest.fixture(scope="module")
def scored(replayed):
    """Summary of the study by MPOR of the losses."""
    _, market, book, models = replayed
    return {
        days: bt.run(
            market, book, models, coverage=bt.Coverage(confidence=0.99, mpor=days), audit=False
        ).summary()
        for days in (2, 3)
    }


def test_margin_exceedances_and_equal_coverage_of_one_account(scored):
    for book, cells in rows_under("Margin of one account").items():
        for house, told in zip(HOUSES, cells, strict=True):
            row = scored[2].loc[(house, book)]
            found = [
                row["mean_margin"] / 1e6,
                row["exceedances"],
                row["equal_coverage_margin"] / 1e6,
            ]
            assert told == pytest.approx(found, abs=0.00051), (book, house)
            assert row["breaches"] <= row["exceedances"] + 2


def test_customers_gross_and_net(scored):
    for book, cells in rows_under("Customers gross and net, and a bond against its future").items():
        margin = scored[2]["mean_margin"].xs(book, level="portfolio") / 1e6
        for house, told in zip(HOUSES, cells, strict=False):
            assert told == pytest.approx([margin[f"{house}_gross"], margin[house]], abs=0.00051)
        assert cells[3] == pytest.approx([margin["ficc_cme"]], abs=0.00051)


def test_losses_of_three_days(scored):
    for book, cells in rows_under("Over three days").items():
        for house, told in zip(HOUSES, cells, strict=True):
            row = scored[3].loc[(house, book)]
            found = [row["exceedances"], row["equal_coverage_margin"] / 1e6]
            assert told == pytest.approx(found, abs=0.00051), (book, house)


def test_which_guesses_matter(replayed):
    """Terms at the ends of their ranges; every term that is not verified has its row."""
    study, market, book, models = replayed
    book = book.select([book.portfolios.index(n) for n in ("long 10Y", "2s10s steepener")])
    text = PAGE.read_text(encoding="utf-8").split("## Which guesses matter\n")[1]
    rows = re.findall(r"^\| `(\w+)` (\w+) \| (.+) \|$", text, re.MULTILINE)
    told = {(rule, term): cells.split(" | ") for rule, term, cells in rows}
    since = market.dates >= np.datetime64("2017-01-03")
    for house, rule in zip(HOUSES, ("ficc_gsd", "icc_treasury", "cme_sc"), strict=True):
        version, model = version_of(rule), models[house]
        mean = model.margin(market, book, study.standard())[since].mean(axis=0)
        for uncertain in header(version).uncertain:
            term = uncertain.term.removesuffix(".value")
            cells = told.pop((rule, term))
            for end, printed in ((uncertain.low, cells[1:3]), (uncertain.high, cells[4:6])):
                tables = deepcopy(load_parameters(version))
                tables[term]["value"] = end
                with moved(version, tables):
                    margin = model.margin(market, book, study.standard())[since]
                change = 100 * (margin.mean(axis=0) / mean - 1)
                assert [float(n) for n in printed] == pytest.approx(change, abs=0.051), (rule, term)
    assert not told
