"""`backtest compare`: every number by hand from the two folders, none where none is due."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from backtest.cli import main
from backtest.present.record import read_record
from backtest.studies.compare.inputs import dotted
from backtest.studies.compare.page import comparison_exhibit
from backtest.studies.compare.study import COLUMNS, compare_runs
from backtest.studies.run.store import write_numbers
from backtest.studies.run.study import execute
from tests.support.commands import (
    quiet,
    refused,
    run_and_store,
    typed,
    write_prices,
    write_study,
)

BOND = '\n[books."bond"]\nusd = { UST10Y = 1e6 }\n'


def stored(folder: Path, name: str, edit=lambda text: text, **fields) -> Path:
    """The sealed numbers of a run of the small study, with its text edited."""
    place = folder / name
    place.mkdir()
    study = write_study(place, **({"source": folder / "prices"} | fields))
    study.write_text(edit(study.read_text() + BOND))
    write_numbers(execute(study, progress=quiet), place)
    return place


def later_prices(yields, btc):
    """Other closes on the last five calendar days of Bitcoin, so other losses on the last rows."""
    btc.loc[btc.index[-5:], "Close"] *= 1.01
    return yields, btc


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    write_prices(folder / "prices", days=300)
    write_prices(folder / "other prices", days=300, edit=later_prices)
    (folder / "a").mkdir()
    study = write_study(folder / "a", source=folder / "prices")
    study.write_text(study.read_text() + BOND)
    first = run_and_store(study, folder / "a", command="backtest run")
    return {
        "a": first,
        "shorter": stored(folder, "shorter", lookback=40),
        "longer": stored(folder, "longer", lookback=80),
        "later": stored(folder, "later", source=folder / "other prices"),
        "larger": stored(folder, "larger", lambda t: t.replace("BTC = 1e6", "BTC = 2e6")),
        "renamed": stored(
            folder, "renamed", lambda t: t.replace("models.var", "models.own").replace(BOND, "")
        ),
        "simulated": stored(
            folder, "simulated", lambda t: t.replace("[data]", '[data]\nend = "2017-12-31"'),
            source="sample",
        ),
    }  # fmt: skip


@pytest.fixture(scope="module")
def shown(runs, tmp_path_factory):
    """What the command prints and writes for a run with another lookback."""
    out = tmp_path_factory.mktemp("out")
    done = typed("compare", runs["a"], runs["shorter"], "--out", out, cwd=out)
    assert done.returncode == 0, done.stderr
    (folder,) = out.iterdir()
    return done.stdout, folder


def table_of(folder, name):
    return pd.read_csv(folder / f"{name}.csv", index_col=0)


def table(folder, name):
    return pd.read_csv(folder / f"{name}.csv", index_col=["model", "portfolio"])


def test_only_the_lookback_is_another_input(shown, runs):
    out, folder = shown
    inputs = pd.read_csv(folder / "inputs.csv", index_col="entry", dtype={"differs": bool})
    assert set(inputs.index[inputs["differs"]]) - {"software.dirty"} == {
        "sha256", "study.models.var.lookback",
    }  # fmt: skip
    assert inputs.loc["study.models.var.lookback", ["A", "B"]].tolist() == ["60", "40"]
    manifest = json.loads((runs["a"] / "manifest.json").read_text())
    assert inputs.loc["data.levels_sha256", "B"] == manifest["data"]["levels_sha256"]
    assert inputs.loc["software.commit", "A"] == (manifest["software"]["commit"] or "none")
    assert "study.models.var.lookback" in out and "no score of theirs differs: siloed." in out
    assert "SIMULATED" not in out


def test_scores_are_those_of_the_two_summaries(shown, runs):
    _, folder = shown
    found = table(folder, "coverage").join(table(folder, "cost"))
    a, b = (table(runs[name], "summary").loc[found.index] for name in ("a", "shorter"))
    assert len(found) == len(a) == 6
    for name in COLUMNS:
        pd.testing.assert_series_equal(found[f"{name}_a"], a[name], check_names=False)
        pd.testing.assert_series_equal(found[f"{name}_b"], b[name], check_names=False)
        np.testing.assert_allclose(found[f"{name}_difference"], b[name] - a[name], rtol=1e-12)
    assert (found.loc["siloed"].filter(like="difference") == 0.0).all(axis=None)
    assert (found.loc["var", "mean_margin_difference"] != 0.0).all()


def test_paired_differences_by_a_loop_over_cosines(shown, runs):
    """Straight from daily.parquet: slow cosines of the daily differences, and the ellipse."""
    _, folder = shown
    found = table(folder, "paired").loc[("var", "long both")]
    manifest = json.loads((runs["a"] / "manifest.json").read_text())
    window = manifest["window"]
    daily = []
    for name in ("a", "shorter"):
        rows = pd.read_parquet(runs[name] / "daily.parquet").set_index("date")
        rows = rows[(rows["model"] == "var") & (rows["portfolio"] == "long both")]
        daily.append(rows.loc[window["first_scored"] : window["last_scored"]])
    a, b = daily
    more = ((b["loss"] > b["required"]).astype(float) - (a["loss"] > a["required"])).to_numpy()
    cost = (b["required"] - a["required"]).to_numpy()
    days = len(a)
    covariance = np.zeros((2, 2))
    for j in range(1, 5):
        wave = np.cos(np.pi * j * (np.arange(days) + 0.5) / days)
        sums = np.array([wave @ more, wave @ cost])
        covariance += np.outer(sums, sums) * 2.0 / days**2 / 4.0
    centre = np.array([more.mean(), cost.mean()])
    np.testing.assert_allclose(found[["rate", "margin"]].astype(float), centre, rtol=1e-9)
    half = stats.t.ppf(0.975, 4) * np.sqrt(np.diag(covariance))
    for end, edges in (("low", centre - half), ("high", centre + half)):
        told = found[[f"rate_{end}", f"margin_{end}"]].astype(float)
        np.testing.assert_allclose(told, edges, rtol=1e-9, atol=1e-12)
    inside = centre @ np.linalg.inv(covariance) @ centre <= 8 / 3 * stats.f.ppf(0.95, 2, 3)
    assert found["alike"] == inside
    scores = table(folder, "coverage").loc[("var", "long both")]
    assert round(found["rate"] * len(a)) == scores["exceedances_difference"]


def test_equal_runs_differ_in_nothing(runs, tmp_path, capsys):
    twin = shutil.copytree(runs["a"], tmp_path / "twin")
    with pytest.raises(SystemExit) as ended:
        main(["compare", str(runs["a"]), str(twin), "--out", str(tmp_path / "out")])
    assert ended.value.code == 0
    said, place = capsys.readouterr().out.splitlines()[-2:]
    assert said == (
        "No score of 6 (book, model) pairs differs between A and B; no entry of the manifests "
        "differs."
    )
    assert place.startswith("results: ")
    (page,) = (tmp_path / "out").glob("*/report.html")
    assert re.findall(r'<h2 id="(.*?)"', page.read_text()) == ["inputs", "reproduce"]
    found = compare_runs(runs["a"], twin, progress=quiet)
    assert not found.inputs["differs"].any() and found.unmatched_names.empty
    assert (found.scores.filter(like="difference") == 0.0).all(axis=None)
    numbers = found.pairs.drop(columns=["alike", "reason"]).astype(float)
    assert (numbers == 0.0).all(axis=None) and found.pairs["alike"].all()


def test_other_prices_unpair_only_the_books_that_felt_them(runs):
    found = compare_runs(runs["a"], runs["later"], progress=quiet)
    differs = found.inputs.index[found.inputs["differs"]]
    assert {"data.levels_sha256", 'data.files."btc_usd.csv".sha256'} <= set(differs)
    assert 'data.files."eth_usd.csv".sha256' not in found.inputs.index
    a, b = (pd.read_parquet(runs[name] / "daily.parquet") for name in ("a", "later"))
    other = (a["portfolio"] == "coin") & (a["model"] == "var") & ((a["loss"] - b["loss"]).abs() > 1)
    count = int(other.sum())
    assert count > 0
    reason = found.pairs.loc[("var", "coin"), "reason"]
    assert reason.startswith(f"other losses on {count} of ")
    coin = found.pairs.loc[("var", "coin")].drop("reason")
    assert coin.isna().all()
    bond = found.pairs.loc[("var", "bond")]
    assert bond["reason"] == "" and bond["rate"] == 0.0 and bond["alike"]


def test_other_positions_are_the_reason_where_they_are(runs):
    found = compare_runs(runs["a"], runs["larger"], progress=quiet)
    assert found.pairs.loc[("var", "coin"), "reason"] == "other positions"
    assert (found.pairs.drop("coin", level="portfolio")["reason"] == "").all()
    a, b = found.scores.loc[("var", "coin"), ["mean_margin_a", "mean_margin_b"]]
    assert b == pytest.approx(2 * a)
    assert found.inputs.loc["study.books.coin.usd.BTC", ["A", "B"]].tolist() == [
        "1000000.0", "2000000.0",
    ]  # fmt: skip


def test_other_days_are_not_paired_until_both_score_from_the_same(runs, tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["compare", str(runs["a"]), str(runs["longer"]), "--out", str(tmp_path / "out")])
    assert ended.value.code == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "n/a: other scored days" in said and "A was scored 2022-03-29 to" in said
    found = compare_runs(runs["a"], runs["longer"], progress=quiet)
    assert (found.pairs["reason"] == "other scored days").all()
    assert found.pairs.drop(columns="reason").isna().all(axis=None)
    first = found.second.provenance.scored.first_scored
    advice = f'score_from = "{first}"'
    assert advice in said
    write_prices(tmp_path / "prices", days=300)
    again = [
        stored(tmp_path, f"lookback {n}", lookback=n, extra=advice) for n in (60, 80)
    ]  # fmt: skip
    assert (compare_runs(*again, progress=quiet).pairs["reason"] == "").all()


def test_what_only_one_run_has_is_listed(runs, tmp_path, capsys):
    found = compare_runs(runs["a"], runs["renamed"], progress=quiet)
    assert found.unmatched_names["only in"].to_dict() == {
        ("model", "var"): "A", ("model", "own"): "B", ("book", "bond"): "A",
    }  # fmt: skip
    pairs = [("siloed", "long both"), ("siloed", "coin")]
    assert found.scores.index.tolist() == found.pairs.index.tolist() == pairs
    assert found.inputs.loc["study.models.own.lookback", ["A", "B"]].tolist() == ["absent", "60"]
    only = stored_alone(runs["renamed"], tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(["compare", str(runs["a"]), str(only), "--out", str(tmp_path / "out")])
    assert ended.value.code == 0
    assert "No (book, model) pair is in both runs." in capsys.readouterr().out


def stored_alone(result: Path, folder: Path) -> Path:
    """The run of a folder again with its one book under another name."""
    (folder / "alone").mkdir()
    study = folder / "alone" / "study.toml"
    text = (result / "study.toml").read_text()
    kept, _ = text.split('[books."long both"]')
    study.write_text(kept + "[books.lonely]\nusd = { BTC = 1e6 }\n")
    write_numbers(execute(study, progress=quiet), folder / "alone")
    return folder / "alone"


def test_simulated_prices_are_marked_though_one_run_is_real(runs, tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["compare", str(runs["a"]), str(runs["simulated"]), "--out", str(tmp_path)])
    assert ended.value.code == 0
    out = capsys.readouterr().out
    (page,) = tmp_path.glob("*_small-against-small_*/report.html")
    for text in (out, page.read_text()):
        assert text.count("SIMULATED") >= 6
    assert "A: " in out and "B: simulated; SIMULATED" in " ".join(out.split())


def test_what_is_no_run_is_one_line(runs, tmp_path):
    edited = shutil.copytree(runs["a"], tmp_path / "edited")
    scores = pd.read_csv(edited / "summary.csv")
    scores.assign(mean_margin=scores["mean_margin"] * 1.01).to_csv(edited / "summary.csv")
    exhibit = tmp_path / "exhibit"
    exhibit.mkdir()
    (exhibit / "manifest.json").write_text(json.dumps({"command": "backtest power", "study": {}}))
    for pair, said in (
        ((runs["a"], "edited"), "summary.csv of 'edited' is not as the run wrote it"),
        (("exhibit", runs["a"]), "'exhibit' holds no run: `backtest power` wrote it"),
        ((runs["a"], "nowhere"), "'nowhere' holds no finished study"),
    ):
        assert said in refused(typed("compare", *pair, cwd=tmp_path), tmp_path)


def test_entries_are_named_as_toml_names_them():
    import tomllib

    table = {"a": {"b c": {"x": 1.5, "d": True}}, "e": [1, 2], "f": "text", "g": []}
    named = dotted(table)
    assert named == {'a."b c".x': "1.5", 'a."b c".d': "true", "e": "[1, 2]", "f": "text", "g": "[]"}
    text = "\n".join(f"{k} = {v}" for k, v in named.items() if k != "f")
    assert tomllib.loads(text) == {k: v for k, v in table.items() if k != "f"}


def test_the_page_opens_with_what_differs_beyond_chance(shown, runs):
    _, folder = shown
    first, second, third = read_record(folder).answer
    coverage, paired = table(folder, "coverage"), table(folder, "paired")
    costs = table(folder, "cost")
    differ, count, exceed, verdicts = re.findall(
        r"^(\d+) of (\d+) \(book, model\) pairs .*, (\w+) another count .* and (\w+) another verd",
        first,
    )[0]
    assert int(count) == len(coverage) and 0 < int(differ) <= len(coverage)
    other = (coverage["exceedances_difference"] != 0).sum()
    assert (0 if exceed == "none" else int(exceed)) == other
    sides = [coverage[f"coverage_p_{side}"] <= 0.05 for side in ("a", "b")]
    assert (0 if verdicts == "none" else int(verdicts)) == (sides[0] != sides[1]).sum()
    assert "study.models.var.lookback" in first
    inputs = table_of(folder, "inputs")
    entries = int(inputs["differs"].sum()) - int(inputs.loc["sha256", "differs"])
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert f"{entries} entr" in first and f" {entries} entries differ." in page
    same, changed, rest = re.findall(
        r"; (\d+) \(book, model\) pairs are of models .* and (\w+) of the other (\d+) differ", first
    )[0]
    models = coverage.index.get_level_values("model")
    assert (int(same), int(rest)) == ((models == "siloed").sum(), (models == "var").sum())
    assert changed == differ  # of siloed, whose parameters are the same, none can
    told, of = re.findall(r"aired by day, (\w+) of (\d+) differ", second)[0]
    unlike = paired[~paired["alike"].astype(bool)]
    assert int(of) == len(paired) and (0 if told == "none" else int(told)) == len(unlike)
    if len(unlike):
        change = (unlike["margin"] / costs.loc[unlike.index, "mean_margin_a"]).abs().max()
        assert f"{100 * change:.1f} %" in second
    assert third == "It does not show which of the two is right."  # one entry was changed


def test_equal_runs_are_not_called_right(runs):
    answer = comparison_exhibit(compare_runs(runs["a"], runs["a"], progress=quiet)).answer
    assert answer == (
        "No score of 6 (book, model) pairs differs between A and B; no entry of the manifests "
        "differs.",
        "It does not show that the numbers are right: equal runs are equally right or wrong.",
    )


def test_what_cannot_be_paired_or_has_no_counterpart_is_not_claimed(runs):
    other, alone = (
        comparison_exhibit(compare_runs(runs["a"], runs[name], progress=quiet)).answer
        for name in ("simulated", "renamed")
    )
    assert "No days can be paired (other scored days)" in other[1]
    assert other[2].startswith("Prices are simulated")
    assert "anything of 3 names that only one run has" in alone[-1]
