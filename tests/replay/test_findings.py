"""What stands beside the scores: disclosures, swings, money, families, pairs; and `power`."""

import json
from collections import Counter

import numpy as np
import pandas as pd
import pytest

import backtest as bt
import strategies as st
from backtest import cli
from backtest.replay.findings import Findings, findings
from backtest.replay.findings.disclosures import disclosure_table, money_table, swing_table
from backtest.replay.findings.family import (
    ADJUSTED,
    detectable_sentence,
    disagreement_sentence,
    dominance_table,
    family_summary,
    family_tests,
    study_weights,
)
from backtest.replay.findings.unverified import MARK, unverified_parameters, unverified_sentence
from backtest.replay.worst import worst_rows
from backtest.scores import bootstrap_pvalues, holm
from backtest.scores.detectable import detectable_rate
from backtest.studies.power.study import detectable_table, study_power
from backtest.studies.run.findings_tables import TESTED, outcomes_table
from backtest.studies.run.tables import cost_table, coverage_table, pooled_table
from backtest.types import StudyError
from strategies import HistoricalVaR
from tests.support import presented
from tests.support.commands import write_prices, write_study


@pytest.fixture(scope="module")
def study():
    return presented.study()


def scored(study, frame):
    return frame.loc[study.scored].to_numpy()


def test_disclosures_are_counted_from_the_frames(study):
    table = disclosure_table(study)
    summary = study.summary()
    for model in study.models:
        rows = summary.xs(model, level="model")
        assert table.loc["6.5 (count)", model] == rows["breaches"].sum()
        assert table.loc["6.5 (observations)", model] == rows["observations"].sum()
        assert table.loc["6.5 (coverage)", model] == pytest.approx(
            1 - rows["breaches"].sum() / rows["observations"].sum()
        )
        peak = rows["max_shortfall"].max()
        assert table.loc["6.5 (peak)", model] == pytest.approx(0.0 if np.isnan(peak) else peak)
        called = study.call[model].loc[study.scored].sum(axis=1).max()
        assert table.loc["6.8", model] == pytest.approx(called)
        assert table.loc["6.1", model] == pytest.approx(rows["mean_margin"].sum())


def test_swings_agree_with_scores_and_cost_with_the_pooled_scale(study):
    table = swing_table(study)
    assert table.index.equals(study.summary().index)
    np.testing.assert_allclose(table["peak_to_trough"], study.summary()["peak_to_trough"])
    for model in study.models:
        cost = table.loc[model, "margin"].mean()
        pooled = study.pooled.loc[model]
        assert cost == pytest.approx(pooled["equal_coverage_margin"])
    assert (table["rise_within_30"] >= table["rise_30"]).all()
    assert (table.loc["_haircut", "calls_10"] == 0).all()


def test_money_is_count_times_mean(study):
    table, summary = money_table(study), study.summary()
    np.testing.assert_allclose(
        table["total_excess"], (summary["exceedances"] * summary["mean_excess"]).fillna(0.0)
    )
    np.testing.assert_allclose(
        table["total_shortfall"], (summary["breaches"] * summary["mean_shortfall"]).fillna(0.0)
    )
    assert (table["beyond_50"].fillna(0) <= table["beyond_10"].fillna(0)).all()


def test_a_family_is_all_books_under_one_model(study):
    tests = family_tests(study)
    summary = family_summary(study, tests)
    assert tests["coverage_p"].equals(study.summary()["coverage_p"])
    assert (tests["benjamini_hochberg"] <= tests["holm"] + 1e-12).all()
    assert (summary["tested"] == len(study.exposure)).all()
    for model in study.models:
        marked = scored(study, study.loss) > scored(study, study.required[model])
        alone = bootstrap_pvalues(marked, weights=study_weights(study))
        adjusted = tests.xs(model, level="model")
        assert (adjusted["romano_wolf"] >= alone - 1e-12).all()
        np.testing.assert_array_equal(adjusted["holm"], holm(adjusted["coverage_p"]))


def test_all_books_pooled_are_tested_as_one_book_is(small_market, small_book):
    """Clusters of exceedances are allowed for in both, or in neither."""
    models = {"mine": HistoricalVaR(lookback=60)}
    study = bt.run(small_market, small_book.select(np.array([0])), models)
    tests = family_tests(study)
    pooled = family_summary(study, tests)["pooled_p"].loc["mine"]
    assert pooled == pytest.approx(tests["coverage_p"].iloc[0], rel=1e-12) and pooled < 1.0


def test_pairs_speak_of_pooled_rates_and_margins(study):
    table, summary = dominance_table(study), study.summary()
    assert list(table.index) == [
        ("siloed", "_haircut"), ("siloed", "var"), ("_haircut", "var"),
    ]  # fmt: skip
    for (model, against), row in table.iterrows():
        one, other = (summary.xs(name, level="model") for name in (model, against))
        assert row["margin"] == pytest.approx((one["mean_margin"] - other["mean_margin"]).mean())
        assert row["rate"] == pytest.approx(
            (one["exceedance_rate"] - other["exceedance_rate"]).mean()
        )
        assert 0 <= row["dominates"] + row["dominated"] <= 1
    assert dominance_table(presented.treasury_study()) is None


def test_the_sentence_states_the_power_of_the_tests_that_decide(study):
    sentence = detectable_sentence(study)
    for test in ("effective counts", "groups of days"):
        rate = detectable_rate(
            len(study.scored), horizon=study.overlap, clustered=test == "groups of days"
        )
        used = (study.scores["coverage_test"] == test).any()
        assert (f"{rate:.2%} by {test}" in sentence) == (used and not np.isnan(rate))
    assert "by coverage p at 5% and with a probability of 80% or more" in sentence


def test_findings_hold_each_table_under_the_name_of_its_file(study):
    tables = Findings.of(study).by_file()
    assert list(tables) == [
        "disclosures", "procyclicality", "money", "tests", "family", "family_summary",
        "dominance",
    ]  # fmt: skip
    pd.testing.assert_frame_equal(tables["procyclicality"], swing_table(study))
    pd.testing.assert_frame_equal(tables["dominance"], dominance_table(study))
    assert Findings.of(presented.treasury_study()).pairs is None


def test_all_tests_stand_on_the_page_the_worst_row_first(study):
    order = worst_rows(study.scores, None)
    table = outcomes_table(Findings.of(study), order)
    assert [name for name, _ in table.groups] == [f"{model}, {book}" for model, book in order]
    tests = study.tests()
    by = list(table.heads).index("rejected by") - 1
    counts = []
    for _, (row,) in table.groups:
        heads = [head for head in TESTED.values() if head in row[by].text.split(", ")]
        if "coverage p, the verdict" in row[by].text:
            heads.append("coverage p, the verdict")
        assert row[by - 1].text == f"{len(heads)} of {len(TESTED)}"
        counts.append(len(heads))
    assert sum(counts) == (tests[list(TESTED)] == "rejected").to_numpy().sum() > 0
    assert len(table.groups) == len(tests)


def test_corrections_that_disagree_say_why():
    alike = dict.fromkeys(ADJUSTED, 1.0)
    assert disagreement_sentence(pd.DataFrame([alike], index=["var"])) == ""
    rows = [alike, alike | {"romano_wolf": 0.0}, alike | {"romano_wolf": np.nan}]
    summary = pd.DataFrame(rows[:2], index=["var", "es"])
    sentence = disagreement_sentence(summary)
    assert sentence.startswith("The corrections disagree for es: Holm starts from coverage p")
    assert "Benjamini" not in sentence
    assert disagreement_sentence(pd.DataFrame(rows[2:], index=["var"])) == ""


COMPUTED = (
    "disclosure_table", "swing_table", "money_table", "family_tests", "family_summary",
    "dominance_table", "forecast_table",
)  # fmt: skip


def test_a_whole_run_computes_each_finding_once(tmp_path, monkeypatch, capsys):
    """Tables, page and screen read what `Findings.of` computed; a report computes it again."""
    calls = Counter()

    def counted(name):
        compute = getattr(findings, name)

        def once_more(*arguments, **words):
            calls[name] += 1
            return compute(*arguments, **words)

        return once_more

    for name in COMPUTED:
        monkeypatch.setattr(findings, name, counted(name))
    prices = write_prices(tmp_path / "prices", days=300)
    study = write_study(tmp_path, source=str(prices))
    for arguments in (["run", str(study), "--out", str(tmp_path / "results")], ["report"]):
        calls.clear()
        given = arguments if arguments[1:] else ["report", str(*(tmp_path / "results").iterdir())]
        with pytest.raises(SystemExit) as ended:
            cli.main(given)
        assert ended.value.code == 0, capsys.readouterr().err
        assert calls == dict.fromkeys(COMPUTED, 1)


def test_power_prints_and_stores_what_was_asked(tmp_path, capsys):
    arguments = ["power", "--days", "40", "--days", "80", "--histories", "100"]
    with pytest.raises(SystemExit) as ended:
        cli.main([*arguments, "--alternative", "x2", "--out", str(tmp_path)])
    assert ended.value.code == 0
    (folder,) = tmp_path.iterdir()
    shown = capsys.readouterr().out
    tables = shown[shown.index("Records rejected") : shown.index("The smallest miscoverage")]
    assert "80 days" in tables and "rate x 2" in tables and "clustered" not in tables
    power = pd.read_csv(folder / "figures" / "power.csv")
    assert set(power["alternative"]) == {"right", "x2"} and set(power["days"]) == {40, 80}
    smallest = pd.read_csv(folder / "smallest_detectable.csv", index_col="days")
    pd.testing.assert_frame_equal(smallest, detectable_table([40, 80], confidence=0.99))
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["study"]["alternatives"] == ["right", "x2"]
    page = (folder / "report.html").read_text()
    assert "SIMULATED" not in page and "<script" not in page


@pytest.mark.parametrize(
    ("days", "names", "words"),
    [
        ([40], ["x9"], "known: right, x1.5"),
        ([4], [], "20 days or more"),
        ([30, 40, 50, 60, 70], [], "at most 4"),
    ],
)
def test_power_refuses_what_it_cannot_show(days, names, words):
    with pytest.raises(StudyError, match=words):
        study_power(days, confidence=0.99, alternative=names, histories=100)


VERIFIED = ("haircuts/cme/2014", "haircuts/cftc_pilot/2026-03")


def study_of(market, book, **models):
    return bt.run(market, book, models, coverage=bt.Coverage())


def test_tables_mark_what_rests_on_unverified_parameters(small_market, small_book):
    verified = st.HaircutOnly(schedules=VERIFIED)
    study = study_of(small_market, small_book, scan=st.Span(), haircut=verified)
    named = list(small_book.portfolios)
    assert unverified_parameters(study) == {"scan": ["span/2026"]}
    for shown in (coverage_table(study, named), cost_table(study, named)):
        assert [row[0].text for row in shown.groups[0][1]] == [f"scan {MARK}", "haircut"]
        assert "(scan: span/2026)" in shown.note
    assert [name for name, _ in pooled_table(study).groups] == [f"scan {MARK}", "haircut"]


def test_nothing_is_marked_where_all_is_verified(small_market, small_book):
    models = {
        "haircut": st.HaircutOnly(schedules=VERIFIED),
        "net": st.NetCapital(schedules=VERIFIED),
    }
    study = study_of(small_market, small_book, **models)
    assert unverified_parameters(study) == {} and unverified_sentence(study) == ""
    assert [name for name, _ in pooled_table(study).groups] == ["haircut", "net"]
