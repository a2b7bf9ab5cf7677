"""Margins set silo by silo: sums, the joint margin, and the offset ladder as for a run."""

import numpy as np
import pandas as pd
import pytest

import backtest as bt
import strategies as st
from backtest.model.asking import required_margin
from backtest.replay.validation.checks import examine
from backtest.replay.validation.given import read_given
from backtest.studies.validate.ladder import given_ladder
from backtest.types import Progress

FRAME = pd.DataFrame(
    {"UST10Y": [1e8, -5e7, 1e8], "BTC": [5e6, 5e6, 0.0]}, index=["long both", "basis", "bond"]
)


@pytest.fixture(scope="module")
def world():
    market = bt.load_market("sample", end="2019-12-31")
    return market, bt.Book.from_frame(FRAME, market), bt.Coverage()


@pytest.fixture(scope="module")
def silos(world):
    """Loss and margin a day, account and silo, of a historical VaR in each silo."""
    market, book, coverage = world
    losses, days = book.loss(market, coverage), pd.DatetimeIndex(market.dates)
    tables = []
    for place, silo in enumerate(book.silos):
        margin = required_margin(st.HistoricalVaR(), market, book.in_silo(silo), coverage)
        for p, account in enumerate(book.portfolios):
            if not np.abs(book.in_silo(silo).exposure[p]).any():
                continue
            columns = {"loss": losses[:, p, place], "required": margin[:, p]}
            part = pd.DataFrame({"date": days, "account": account, "silo": silo} | columns)
            tables.append(part.iloc[600:])
    return pd.concat(tables)


def ladder(table: pd.DataFrame, coverage: bt.Coverage, bounded=()) -> pd.DataFrame:
    quiet: Progress = lambda what, share: None  # noqa: E731
    examined = examine(read_given(table), pnl="mpor", mpor=2, confidence=0.99, signs_checked=False)
    return given_ladder(examined, coverage=coverage, bounded=bounded, progress=quiet)


def test_the_ladder_of_given_silos_is_that_of_the_model_that_set_them(world, silos):
    market, book, coverage = world
    first = str(market.dates[600])
    expected = bt.supportable_offset(
        market, book, base=st.HistoricalVaR(), coverage=coverage, score_from=first,
        bounds=["basis"],
    ).to_frame()  # fmt: skip
    found = ladder(silos, coverage, bounded={"basis"})
    usd = [column for column in found if column.startswith("usd_")]
    assert found[usd].isna().all(axis=None) and "bond" not in found.index
    pd.testing.assert_frame_equal(found.drop(columns=usd), expected.drop(columns=usd))


def test_without_a_joint_margin_the_sum_of_the_silos_is_scored(silos):
    study = bt.validate(silos)
    assert study.models == ("house",)
    by_day = silos[silos["account"] == "basis"].groupby("date")["required"].sum()
    np.testing.assert_allclose(study.required["house"]["basis"], by_day, rtol=1e-12)


def test_a_joint_margin_is_tested_beside_the_sum_of_the_silos(silos):
    keys = ["date", "account"]
    joint = silos.groupby(keys, as_index=False)[["loss", "required"]].sum(min_count=1)
    joint["required"] *= 0.8
    study = bt.validate(pd.concat([silos, joint.assign(silo="")]))
    assert set(study.models) == {"siloed", "house"}
    savings = study.summary().loc["house", "saving_vs_siloed"]
    assert savings.tolist() == pytest.approx([0.2] * 3)


def test_silos_that_do_not_add_up_are_refused(silos):
    keys = ["date", "account"]
    joint = silos.groupby(keys, as_index=False)[["loss", "required"]].sum(min_count=1)
    joint["loss"] *= 1.01
    with pytest.raises(bt.DataError, match="two losses for 'long both'.*by the sum of the silos"):
        bt.validate(pd.concat([silos, joint.assign(silo="")]))


def test_a_day_that_one_silo_lacks_is_refused(silos):
    rows = np.flatnonzero((silos["silo"] == "CME") & (silos["account"] == "basis"))
    gap = silos.iloc[np.delete(np.arange(len(silos)), rows[[50, 51]])]
    with pytest.raises(bt.DataError, match=r"no row of silo 'CME' for 'basis' on 2018-.*\(2 such"):
        bt.validate(gap)
