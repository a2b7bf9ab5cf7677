"""The page of the power of tests opens with numbers of its own tables."""

import re

import pytest

from backtest.studies.power.answer import power_answer
from backtest.studies.power.page import power_exhibit
from backtest.studies.power.study import study_power


@pytest.fixture(scope="module", params=[([100, 250], []), ([60], ["x2"])])
def result(request):
    days, alternatives = request.param
    return study_power(days, confidence=0.99, alternative=alternatives, histories=100, seed=3)


def test_the_smallest_rates_are_those_of_the_table(result):
    first, *_ = power_answer(result)
    told = {
        int(days.replace(",", "")): float(rate) / 100
        for rate, days in re.findall(r"([\d.]+) % in ([\d,]+) days", first)
    }
    assert told == pytest.approx(result.smallest["independent days"].to_dict(), abs=5.1e-5)
    overlapping = re.search(r"days, and (.*) if an MPOR of 2", first)[1]
    rates = [float(rate) / 100 for rate in re.findall(r"([\d.]+) %", overlapping)]
    worst = result.smallest["MPOR of 2, at worst"].tolist()
    assert rates == pytest.approx(worst, abs=5.1e-5)


def test_tests_that_reject_right_models_are_counted(result):
    _, second, *_ = power_answer(result)
    table = result.power.reset_index()
    longest = table["days"].max()
    assert f"records of {longest:,} days" in second
    error = 1.0 / result.provenance.study["histories"] ** 0.5
    for name, words in (("right", "on independent days"), ("overlap", "with an MPOR of 2")):
        rows = table[(table["days"] == longest) & (table["alternative"] == name)]
        if rows.empty:
            assert words not in second
            continue
        count, total = re.search(rf"{words} (\w+) of (\d+) tests", second).groups()
        more = rows[rows["rejected"] - rows["nominal"] > error]
        assert (0 if count == "none" else int(count), int(total)) == (len(more), len(rows))
        if len(more):
            worst = more.loc[(more["rejected"] - more["nominal"]).idxmax()]
            found = re.search(rf"{words} .*?\(([\w ,-]+) most, ([\d.]+) % for", second)
            assert found[1] == worst["test"]
            assert float(found[2]) / 100 == pytest.approx(worst["rejected"], abs=5.1e-4)


def test_what_is_not_shown_counts_the_alternatives(result):
    *_, last = power_answer(result)
    tried = set(result.power.index.unique("alternative")) - {"right"}
    assert int(re.search(r"the (\d+) alternatives? tried", last)[1]) == len(tried)
    assert power_exhibit(result).answer == power_answer(result)
