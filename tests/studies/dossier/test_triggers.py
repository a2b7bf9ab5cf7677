"""Triggers are the counts at which the verdict on coverage itself turns."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from backtest.scores.overlapping.verdict import coverage_p
from backtest.scores.power import critical_count
from backtest.studies.dossier.folders import read_folders
from backtest.studies.dossier.outcome_findings import monitor_findings
from backtest.studies.dossier.triggers import (
    marked_days,
    rejecting_count,
    surest_count,
    trigger_table,
    watch_table,
)


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
    first = pd.Timestamp("2019-07-31")
    on = [first if p <= 0.05 else pd.NaT for p in pvalues]
    watched = pd.DataFrame({"pvalue": pvalues, "rejected_on": on}, index=["one, a", "two"])
    found = list(monitor_findings(SimpleNamespace(label="s", noun="book"), watched))
    assert [finding.severity for finding in found] == [severity] * (severity is not None)
    if found:
        assert "reached 20 in 1 of 2 books" in found[0].sentence
        assert ": 'one, a'. They test the coverage of each day" in found[0].sentence
        assert "in 1 of 2 books, first on 2019-07-31." in found[0].sentence


def test_where_no_count_is_rejected_there_is_none():
    assert rejecting_count(8, horizon=1, confidence=0.5, clustered=False) is None


def test_the_record_is_held_to_the_triggers_on_every_day(folders):
    (folder,) = read_folders([folders.run])
    each = folder.scored
    triggers = trigger_table(each)
    watched = watch_table(each, "offset", each.books, triggers)
    daily = pd.read_parquet(folders.run / "daily.parquet")
    days = [str(day.date()) for day in each.study.scored]
    for book in each.books:
        rows = daily[(daily["model"] == "offset") & (daily["portfolio"] == book)]
        rows = rows.assign(day=pd.to_datetime(rows["date"]).dt.strftime("%Y-%m-%d"))
        exceeded = (rows["loss"] > rows["required"])[rows["day"].isin(days)].to_numpy()
        counts = [exceeded[end - 250 : end].sum() for end in range(250, len(exceeded) + 1)]
        assert watched.loc[book, "most_250"] == max(counts)
        assert watched.loc[book, "last_250"] == counts[-1]
        held_to = triggers.loc[[250]].to_numpy().max()
        assert watched.loc[book, "crossed_250"] == sum(count >= held_to for count in counts)
        low = triggers.assign(**{"alone": 1.0, "in runs": 1.0})
        crossed = watch_table(each, "offset", each.books, low).loc[book, "crossed_250"]
        assert crossed == sum(count >= 1 for count in counts)
    triggers.iloc[0, 0] = np.nan
    assert np.isnan(surest_count(triggers))
