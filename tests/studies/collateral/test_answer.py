"""The page of collateral opens with numbers of its own tables."""

import re
from dataclasses import replace

import numpy as np
import pytest

from backtest.studies.collateral.answer import collateral_answer
from backtest.studies.collateral.page import collateral_exhibit
from backtest.studies.collateral.study import study_collateral
from tests.support.presented import collateral_study


def quiet(what, share):
    pass


@pytest.fixture(scope="module", params=["sample", "real"])
def study(request):
    if request.param == "sample":
        return collateral_study()
    folder = request.getfixturevalue("real_data")
    return study_collateral(None, data=str(folder), seed=None, n_jobs=1, progress=quiet)


def told_points(sentence):
    """Lowest and highest change told of each mix, in percentage points."""
    pattern = (
        r"[Pp]osting ([\w ]+?) "
        r"(?:in place of cash moves the breach rate of all named books together )?"
        r"by ([+-][\d.]+)(?: to ([+-][\d.]+))? points"
    )
    return {m[0].strip(): (float(m[1]), float(m[2] or m[1])) for m in re.findall(pattern, sentence)}


def test_mixes_are_told_against_cash(study):
    first, *_ = collateral_answer(study)
    told = told_points(first)
    assert 1 <= len(told) <= 2
    sums = study.mixes.groupby(["mix", "model"])[["breaches", "observations"]].sum()
    rate = 100 * sums["breaches"] / sums["observations"]
    means = {}
    for mix in study.mixes.index.unique("mix"):
        means[mix] = (rate[mix] - rate["cash"]).mean()
        if mix in told:
            change = rate[mix] - rate["cash"]
            assert told[mix] == pytest.approx((change.min(), change.max()), abs=0.0051)
    others = {mix: mean for mix, mean in means.items() if mix != "cash"}
    assert others[list(told)[-1]] == pytest.approx(max(others.values()))
    assert others[next(iter(told))] == pytest.approx(min(others.values()))


def test_rates_above_the_standard_are_counted_and_the_worst_is_named(study):
    first, *_ = collateral_answer(study)
    table = study.mixes.drop(index="cash", level="mix")
    cash = study.mixes.xs("cash", level="mix")
    found = re.search(
        r"of ([\d,]+) rates of a book, model and mix (\w+) (?:is|are) above 1.00 % beyond the 95 % "
        r"interval \((\w+) of (\d+) with cash\), and the highest is ([\d.]+) % "
        r"\[([\d.]+), ([\d.]+)\], of (.*) \((.*)\) under (.*) with (.*) "
        r"\(with cash ([\d.]+) %\)\.$",
        first,
    )
    n, above, above_cash, n_cash, *rates, book, held, model, mix, in_cash = found.groups()
    assert float(in_cash) / 100 == pytest.approx(cash.loc[(model, book), "breach_rate"], abs=5.1e-5)
    counts = [0 if c == "none" else int(c) for c in (n, above, above_cash, n_cash)]
    assert counts == [
        len(table), (table["low"] > 0.01).sum(), (cash["low"] > 0.01).sum(), len(cash),
    ]  # fmt: skip
    row = table.loc[(mix, model, book)]
    assert row["breach_rate"] == table["breach_rate"].max()
    np.testing.assert_allclose(
        [float(r) / 100 for r in rates], row[["breach_rate", "low", "high"]], atol=5.1e-5
    )
    positions = study.cash_study.exposure.loc[book]
    assert positions.abs().idxmax() in held


def test_haircuts_are_told_with_their_intervals(study):
    _, second, *_ = collateral_answer(study)
    days = int(re.search(r"moves over (\d+) days", second)[1])
    of_horizon = study.adequacy[study.adequacy["horizon"] == days]
    rows = of_horizon[of_horizon["period"] == "all"]
    found = re.search(r"[Oo]f (\d+) published rates .* days pass (\w+) more often", second)
    assert int(found[1]) == len(rows)
    assert (0 if found[2] == "none" else int(found[2])) == (rows["low"] > 0.01).sum()
    unclear = re.search(r"for (\w+) the record cannot tell", second)[1]
    both = (rows["low"] <= 0.01) & (rows["high"] > 0.01)
    assert (0 if unclear == "none" else int(unclear)) == both.sum()
    worst = rows.loc[rows["beyond_rate"].idxmax()]
    told = re.search(r"is ([\d.]+) % on (\w+) .* on ([\d.]+) % \[([\d.]+), ([\d.]+)\]", second)
    assert told[2] == worst["asset"] and float(told[1]) / 100 == pytest.approx(worst["haircut"])
    np.testing.assert_allclose(
        [float(n) / 100 for n in told.groups()[2:]],
        worst[["beyond_rate", "low", "high"]].astype(float),
        atol=5.1e-5,
    )
    assert worst["worst_day"] in second


def test_the_page_opens_with_them_and_says_what_is_not_shown(study):
    answer = collateral_answer(study)
    assert collateral_exhibit(study).answer == answer and len(answer) == 3
    assert "within a day" in answer[-1] and "futures on" in answer[-1]
    assert ("simulated" in answer[-1]) == study.provenance.prices.simulated


def test_one_mix_and_no_stablecoin():
    study = collateral_study()
    assert study.stablecoin is None
    mixes = study.mixes.loc[["cash", "BTC"]]
    first, *_ = collateral_answer(replace(study, mixes=mixes))
    assert list(told_points(first)) == ["BTC"] and f"of {len(mixes) // 2} rates" in first
    cash, *_ = collateral_answer(replace(study, mixes=study.mixes.loc[["cash"]]))
    assert cash == "No asset but cash of the study has prices here, so nothing moves."
