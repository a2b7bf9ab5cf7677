"""The clearing mandate: steps from today to cross-margining, against hand computation."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

import backtest as bt
import strategies as st
from backtest.parameters.files import header, load_parameters
from backtest.studies.protect.mandate import (
    ALL_BOOKS,
    ALONE,
    CROSSED,
    EVERY,
    NONE,
    SURVEYED,
    MandateMargins,
    MandateTerms,
    figures_table,
    mandate_margins,
    mandate_table,
)

TERMS = MandateTerms.read()


@dataclass(frozen=True)
class OnePercentOfNet:
    """Asks one per cent of the net position in USD, so that every margin is known by head."""

    def margin(self, market, book, coverage):
        return 0.01 * np.abs(book.usd(market).sum(axis=2))


@pytest.fixture(scope="module")
def margins():
    market = bt.load_market("sample", end="2018-12-31")
    legs = {"UST10Y": [100e6, -50e6], "UST2Y": [-40e6, 0.0], "UST5Y@CME": [-80e6, 30e6]}
    book = bt.Book.from_frame(pd.DataFrame(legs, index=["basis", "hedger"]), market)
    return mandate_margins(OnePercentOfNet(), market, book, bt.Coverage())


def test_every_step_by_head(margins):
    steps = {step: margin[-1].tolist() for step, margin in margins.steps(TERMS).items()}
    assert list(steps) == [NONE, SURVEYED, EVERY, ALONE, CROSSED]
    # The basis book finances 140m (both sides), nets to 60m at FICC, to 20m short of it with CME.
    assert steps[NONE] == pytest.approx([0.8e6, 0.3e6])
    assert steps[SURVEYED] == pytest.approx([0.8e6 + 0.0052 * 140e6, 0.3e6 + 0.0052 * 50e6])
    assert steps[EVERY] == pytest.approx([0.8e6 + 2.8e6, 0.3e6 + 1e6])
    assert steps[ALONE] == pytest.approx([0.8e6 + 0.6e6, 0.3e6 + 0.5e6])
    assert steps[CROSSED] == pytest.approx([0.2e6, 0.2e6])


def test_the_table_has_changes_from_today_and_their_cost(margins):
    table = mandate_table(margins, TERMS, scored=slice(100, 300), spread=(0.0025, 0.01, 0.02))
    row = table.loc[("basis", CROSSED)]
    change = 0.2e6 - (0.8e6 + 0.0052 * 140e6)
    assert row["change"] == pytest.approx(change) and row["cost"] == pytest.approx(0.01 * change)
    # Margins that never move have no width but that of the rates.
    assert row["change_low"] == pytest.approx(change) == row["change_high"]
    assert (row["cost_low"], row["cost_high"]) == pytest.approx((0.02 * change, 0.0025 * change))
    both = table.loc[["basis", "hedger"]].groupby("step", sort=False)["margin"].sum()
    np.testing.assert_allclose(table.loc[ALL_BOOKS, "margin"], both)


def test_bounds_are_those_of_the_days_and_of_paired_differences():
    days = np.arange(400.0)[:, None]
    zero = np.zeros_like(days)
    moving = MandateMargins(("a",), zero, zero, 1e6 + days, 2e6 + days)
    table = mandate_table(moving, TERMS, scored=slice(0, 400), spread=(0.01, 0.01, 0.01)).loc["a"]
    low, high = table.loc[ALONE, ["margin_low", "margin_high"]] - table.loc[ALONE, "margin"]
    assert low < -10 and high > 10
    difference = table.loc[CROSSED, "margin_low"] - table.loc[ALONE, "margin_low"]
    assert difference == pytest.approx(1e6)  # the same days are drawn for both


def test_a_book_without_the_house_is_one_line():
    market = bt.load_market("sample", end="2018-12-31")
    book = bt.Book.from_frame(pd.DataFrame({"BTC": [1e6]}, index=["coin"]), market)
    with pytest.raises(bt.StudyError, match="no position is at 'FICC'; silos of the book: CME"):
        mandate_margins(st.HistoricalVaR(), market, book, bt.Coverage())


def test_figures_agree_with_one_another_where_they_can():
    value = figures_table(TERMS)["value"]
    margin = value["margin on it (value-at-risk), USD"]
    of_it = value["of it segregated margin of indirect participants, USD"]
    assert round(of_it / margin, 2) == 0.46  # as DTCC prints the share
    after = value["margin after the mandate over margin before"]
    assert round(77.9e9 / (77.9e9 - margin), 1) == after
    zero = value["bilateral Treasury repo at zero haircut, USD"]
    volumes = np.array([21.6, 40.6, 593.9, 108.9, 38.0])  # Kahn and McCormick, figure 2
    assert zero / (volumes.sum() * 1e9) == pytest.approx(TERMS.zero_share, abs=0.001)
    assert all(len(text) > 5 for text in figures_table(TERMS)["read"])


def test_the_haircut_that_is_assumed_has_its_range():
    (uncertain,) = header("mandate_survey").uncertain
    assert uncertain.term == "haircut.value" and uncertain.low < TERMS.haircut < uncertain.high
    assert not load_parameters("mandate_survey")["haircut"]["verified"]
