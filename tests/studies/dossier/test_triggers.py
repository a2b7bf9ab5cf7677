"""Triggers are the counts at which the verdict on coverage itself turns."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from backtest.scores.overlapping.verdict import coverage_p
from backtest.scores.power import critical_count
from backtest.studies.dossier.outcome_findings import monitor_findings
from backtest.studies.dossier.triggers import marked_days, rejecting_count


@pytest.mark.parametrize("days", [250, 500, 1000])
@pytest.mark.parametrize("confidence", [0.95, 0.99])
def test_on_independent_days_it_is_the_critical_count_of_the_binomial_test(days, confidence):
    count = rejecting_count(days, horizon=1, confidence=confidence, clustered=False)
    assert count == critical_count(days, confidence=confidence)


@pytest.mark.parametrize("clustered", [False, True])
@pytest.mark.parametrize("run", [1, 2, 5])
@pytest.mark.parametrize("horizon", [2, 5])
def test_it_and_every_larger_count_are_rejected_and_one_less_is_not(horizon, run, clustered):
    settings = {"horizon": horizon, "confidence": 0.99, "clustered": clustered}
    count = rejecting_count(250, run=run, **settings)
    assert count is not None

    def p(number):
        return float(coverage_p(marked_days(250, number, run=run)[:, None], **settings)[0])

    assert p(count - 1) > 0.05
    assert all(p(number) <= 0.05 for number in range(count, 40))


@pytest.mark.parametrize("run", [1, 2, 3, 7])
def test_days_are_marked_in_runs_of_the_length_that_is_asked(run):
    for count in range(1, 60):
        marked = marked_days(500, count, run=run)
        assert marked.sum() == count
        edges = np.flatnonzero(np.diff(np.concatenate([[0], marked.astype(int), [0]])))
        lengths = np.diff(edges)[::2]
        assert sorted(lengths)[-1] == min(run, count)
        assert (lengths < run).sum() <= 1


@pytest.mark.parametrize(
    ("pvalues", "severity"),
    [([0.5, 0.2], None), ([0.04, 0.5], "medium"), ([0.001, 0.5], "high")],
)
def test_a_trigger_that_is_crossed_is_a_finding(pvalues, severity):
    watched = pd.DataFrame({"pvalue": pvalues}, index=["one, a", "two"])
    found = list(monitor_findings(SimpleNamespace(label="s", noun="book"), watched))
    assert [finding.severity for finding in found] == [severity] * (severity is not None)
    if found:
        assert "reached 20 in 1 of 2 books" in found[0].sentence
        assert found[0].sentence.endswith("'one, a'.")


def test_where_no_count_is_rejected_there_is_none():
    assert rejecting_count(8, horizon=1, confidence=0.5, clustered=False) is None
