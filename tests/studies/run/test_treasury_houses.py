"""The page of the three houses of Treasuries tells the numbers of today."""

import re
from pathlib import Path

import pytest

import backtest as bt
from backtest.config.load import build_book, load_study
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
def scored(real_data):
    """Summary of the study by MPOR of the losses."""
    study, _ = load_study(Path("treasury-houses"))
    market = bt.load_market(real_data, factors=study.data.factors, start=study.data.start)
    book, models = build_book(study, market), study.margin_models()
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
