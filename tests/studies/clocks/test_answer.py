"""The page of the clocks opens with numbers of its own tables."""

import re
from dataclasses import replace

import numpy as np
import pytest

from backtest.studies.clocks.answer import clocks_answer
from backtest.studies.clocks.page import clock_exhibit
from backtest.studies.clocks.study import compare_clocks
from tests.studies.clocks.test_clocks import around_market, folder_of

STUDY = """
name = "small"
[data]
factors = ["3M", "2Y", "5Y", "10Y", "30Y", "BTC", "ETH"]
[coverage]
confidence = 0.95
[sizing]
kind = "historical_var"
lookback = 60
[models.siloed]
kind = "siloed"
base = { kind = "historical_var", lookback = 60 }
[models.var]
kind = "historical_var"
lookback = 60
[books."coin alone"]
usd = { BTC = 1e7 }
[books."coin and bond"]
usd = { BTC = 1e7, UST10Y = -5e7 }
"""


def quiet(what, share):
    pass


@pytest.fixture(scope="module", params=["walks", "real"])
def study(request, tmp_path_factory):
    if request.param == "real":
        folder = request.getfixturevalue("real_data")
        return compare_clocks(None, data=str(folder), seed=None, progress=quiet)
    place = tmp_path_factory.mktemp("clocks")
    folder_of(around_market(days=500), place)
    (place / "small.toml").write_text(STUDY)
    return compare_clocks(place / "small.toml", data=str(place), seed=None, progress=quiet)


def rates(words):
    return [float(number) / 100 for number in re.findall(r"[\d.]+", words)]


def test_margin_and_exceedances_of_both_clocks(study):
    first, *_ = clocks_answer(study)
    by_setting = study.settings["mean_margin"].unstack("setting")  # noqa: PD010
    change = by_setting["24/7, cash"] / by_setting["business clock"] - 1
    side, span = re.search(
        r"mean margin (lower by|higher by|that differs by) (.*?) %", first
    ).groups()
    told = [float(n) / 100 for n in re.findall(r"[+-]?[\d.]+", span)]
    told = sorted(-n for n in told) if side == "lower by" else told
    assert (told[0], told[-1]) == pytest.approx((change.min(), change.max()), abs=5.1e-4)
    exceeded = study.settings["exceedance_rate"].unstack("setting")  # noqa: PD010
    for pattern, setting in (
        (r"exceed on ([\d. to]+) % of strikes", "24/7, cash"),
        (r"for ([\d. to]+) % on the business clock", "business clock"),
        (r"exceeded on ([\d. to]+) %", "24/7 margin, weekends not settled"),
    ):
        ends = rates(re.search(pattern, first)[1])
        low, high = exceeded[setting].min(), exceeded[setting].max()
        assert (ends[0], ends[-1]) == pytest.approx((low, high), abs=5.1e-5)
    books, allowed = re.search(r"the ([\d,]+) books? .*and ([\d.]+) % allowed", first).groups()
    assert int(books) == len(study.around.book.portfolios)
    assert float(allowed) / 100 == pytest.approx(1 - study.coverage.confidence)


def test_the_worst_book_weekends_and_correlations(study):
    _, second, *_ = clocks_answer(study)
    rows = study.weekends.xs("24/7", level="clock").drop(index="all", level="portfolio")
    model, book = rows["exceedances"].idxmax()
    assert f"around the clock is {book} (" in second and f"under {model}," in second
    days = study.days.loc["24/7", "scored"]
    share, told_days = re.search(r"exceeds on ([\d.]+) % of ([\d,]+) days", second).groups()
    assert int(told_days.replace(",", "")) == days
    assert float(share) / 100 == pytest.approx(rows["exceedances"].max() / days, abs=5.1e-5)
    business = study.weekends.xs("all", level="portfolio").xs("business", level="clock")
    in_mpor, excess = re.search(
        r"weekends are in ([\d.]+) % of MPORs and in ([\d. to]+) % of the excess", second
    ).groups()
    assert float(in_mpor) / 100 == pytest.approx(business["strikes"].iloc[0], abs=5.1e-4)
    ends, known = rates(excess), business["excess_share"].dropna()
    assert (ends[0], ends[-1]) == pytest.approx((known.min(), known.max()), abs=5.1e-4)
    away = ((study.correlation["low"] > 0) | (study.correlation["high"] < 0)).sum()
    number, count, largest = re.search(
        r"of (\d+) correlations .* days (\w+) (?:has|have) .*size ([\d.]+)\)", second
    ).groups()
    assert int(number) == len(study.correlation)
    assert (0 if count == "none" else int(count)) == away
    assert float(largest) == pytest.approx(study.correlation["correlation"].abs().max(), abs=0.0051)


def test_what_is_not_shown_and_where_the_sentences_stand(study):
    answer = clocks_answer(study)
    assert clock_exhibit(study).answer == answer and len(answer) == 3
    assert "on a Saturday" in answer[-1] and "futures on" in answer[-1]


def test_without_treasuries_or_excess_the_rest_is_said(study):
    bare = replace(
        study,
        correlation=study.correlation.iloc[:0],
        weekends=study.weekends.assign(excess_share=np.nan),
    )
    _, second, _ = clocks_answer(bare)
    assert "correlation" not in second and "weekends" not in second and "nan" not in second
