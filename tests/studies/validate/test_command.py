"""The command itself: its screen, its folder, its refusals."""

import json
import re
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import backtest as bt
from backtest.present.record import read_record
from backtest.replay.seal import read_manifest, write_manifest
from backtest.studies.validate.page import validation_exhibit
from backtest.studies.validate.reopen import revalidated, stored_validation
from backtest.studies.validate.store import write_results
from backtest.studies.validate.study import execute
from tests.support.commands import one_line, quiet, typed

DAYS = pd.bdate_range("2022-01-03", periods=260)


def table(accounts: int) -> pd.DataFrame:
    """Accounts whose margins cover from too little to enough."""
    rng = np.random.default_rng(4)
    parts = []
    for number in range(accounts):
        loss = rng.normal(size=len(DAYS))
        required = 1.6 + 0.04 * number
        name = f"account {number:02d}"
        group = "odd" if number % 2 else "even"
        part = pd.DataFrame({"date": DAYS, "account": name, "loss": loss, "required": required})
        parts.append(part.assign(group=group, value_at_risk=1.5, expected_shortfall=2.0))
    return pd.concat(parts)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("validate")
    table(24).to_csv(folder / "house.csv", index=False)
    return folder


@pytest.fixture(scope="module")
def done(folder):
    return typed("validate", "house.csv", "--mpor", 1, cwd=folder)


@pytest.fixture(scope="module")
def results(folder, done):
    assert done.returncode == 0, done.stderr
    (results,) = (folder / "results").iterdir()
    return results


def test_the_screen_has_the_worst_rows_and_says_of_how_many(done, results):
    lines = done.stdout.splitlines()
    shown = [line.split()[1] for line in lines if line.startswith("  account ") and "(2)" in line]
    assert "20 worst of 24" in done.stdout and len(shown) == 20
    pvalues = pd.read_csv(results / "tests.csv").sort_values("coverage_p", kind="stable")
    worst = pvalues["portfolio"].str.removeprefix("account ").tolist()
    assert shown[0] == worst[0] and set(shown) <= set(worst)
    assert "not audited" in done.stdout


def test_the_folder_holds_the_study_and_its_sealed_table(folder, results):
    manifest = json.loads((results / "manifest.json").read_text())
    assert manifest["format"] == 3 and manifest["given"]["span"] == "mpor"
    assert {"input.csv", "tests.csv", "groups.csv", "forecasts.csv"} <= set(manifest["files"])
    assert (results / "input.csv").read_bytes() == (folder / "house.csv").read_bytes()
    study = bt.Study.load(results)
    expected = bt.validate(folder / "house.csv", coverage=bt.Coverage(mpor=1))
    pd.testing.assert_frame_equal(study.summary(), expected.summary())
    page = (results / "report.html").read_text()
    assert "20 worst of 24" in page and "Accounts by group" in page and "house.csv" in page


def test_groups_and_forecasts_by_hand(folder, results):
    frame = pd.read_csv(folder / "house.csv")
    beyond = frame["loss"] > frame["required"]
    groups = pd.read_csv(results / "groups.csv").set_index("group")
    assert groups["exceedances"].to_dict() == beyond.groupby(frame["group"]).sum().to_dict()
    forecasts = pd.read_csv(results / "forecasts.csv").set_index("portfolio")
    over = (frame["loss"] > 1.5).groupby(frame["account"]).sum()
    assert forecasts["exceedances"].to_dict() == over.to_dict()


def test_monitors_are_those_of_each_account(folder, results):
    frame, stored = pd.read_csv(folder / "house.csv"), pd.read_csv(results / "monitors.csv")
    frame["beyond"] = frame["loss"] > frame["required"]
    for row in stored.itertuples():
        record = frame.loc[frame["account"] == row.portfolio, "beyond"].to_numpy()
        monitor = bt.scores.monitor_coverage(record)
        first = monitor.rejected_on()
        assert row.pvalue == pytest.approx(monitor.pvalue)
        assert (str(DAYS[first].date()) if first is not None else "nan") == str(row.rejected_on)
    assert stored["rejected_on"].notna().any()


def test_all_rows_are_shown_where_asked(folder):
    done = typed("validate", "house.csv", "--all", "--mpor", 1, "--out", "all", cwd=folder)
    assert "all 24" in done.stdout and "account 23" in done.stdout


def test_what_a_user_can_mend_is_one_line(folder):
    assert "cannot read 'nowhere.csv'" in one_line(typed("validate", "nowhere.csv", cwd=folder))
    line = one_line(typed("validate", "house.csv", "--pnl", "weekly", cwd=folder))
    assert "known: 'mpor'" in line


def test_the_page_speaks_of_accounts_and_of_their_currency(tmp_path):
    """Captions said 'books' and 'USD m' whatever the table held; names of the user stay."""
    names = {"account 00": "book of USD", "account 01": "EURUSD"}
    table(2).replace({"account": names}).to_csv(tmp_path / "book.csv", index=False)
    done = execute(str(tmp_path / "book.csv"), mpor=1, currency="EUR", progress=quiet)
    folder = write_results(done, validation_exhibit(done), tmp_path, command="validate")
    page = (folder / "report.html").read_text()
    for name in ("book of USD", "book.csv", "Validation of book"):
        assert name in page
        page = page.replace(name, "")
    words = {word.lower() for word in re.findall(r"[A-Za-z]+", page)}
    assert not words & {"usd", "book", "books"} and {"eur", "accounts"} <= words
    assert "USD" in "".join(done.study.loss.columns)
    again = stored_validation(folder)
    assert again.study.provenance.currency == "EUR"
    assert revalidated(folder, progress=quiet) == []
    plain = execute(str(tmp_path / "book.csv"), mpor=1, progress=quiet)
    assert plain.study.provenance.sha256 == done.study.provenance.sha256
    assert "currency" not in plain.study.provenance.study["validate"]
    for wrong in ("", "x" * 13, "EUR\n"):
        with pytest.raises(bt.StudyError, match="give up to 12 characters, such as EUR"):
            execute("no such.csv", currency=wrong, progress=quiet)


def test_an_account_named_as_a_replaced_word_is_kept_in_cells_alone(tmp_path):
    """One account USD kept every 'USD m' of a table in EUR, one named book every 'book'."""
    names = {"account 00": "USD", "account 01": "book"}
    table(2).replace({"account": names}).to_csv(tmp_path / "x.csv", index=False)
    exhibit = validation_exhibit(
        execute(str(tmp_path / "x.csv"), mpor=1, currency="EUR", progress=quiet)
    )
    verdict, tests = exhibit.sections[:2]
    words = verdict.terms[0][1]
    assert " EUR on average over days" in words and "its worst account" in words
    (rows,) = tests.text_tables()
    assert {name for name, _ in rows.groups} == {"USD", "book"}
    captions = " ".join(table.caption for part in exhibit.sections for table in part.text_tables())
    assert "All 2 accounts pooled: one scale a model, EUR m" in captions and "USD" not in captions


def test_a_folder_is_reproduced_and_reported_from_the_table_it_holds(folder, results, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(results, copy)
    page = (copy / "report.html").read_text()
    (copy / "report.html").unlink()
    done = typed("report", copy, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (copy / "report.html").read_text() == page
    done = typed("reproduce", copy, cwd=tmp_path)
    assert done.returncode == 0 and "reproduced: every score is the same" in done.stdout


def test_a_table_that_was_changed_is_no_longer_that_of_the_folder(results, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(results, copy)
    text = (copy / "input.csv").read_text()
    (copy / "input.csv").write_text(text.replace("2.0", "3.0", 1))
    line = one_line(typed("reproduce", copy, cwd=tmp_path))
    assert "input.csv" in line and "is not as the run wrote it" in line


def test_silos_get_their_ladder_on_screen_and_page(tmp_path):
    """Two silos that lose on different days: a reduction, no positions, no sides."""
    rng = np.random.default_rng(6)
    parts = [
        pd.DataFrame(
            {"date": DAYS, "account": "A", "silo": s, "loss": rng.normal(size=260), "required": 2.3}
        )
        for s in ("FICC", "CME")
    ]
    pd.concat(parts).to_parquet(tmp_path / "silos.parquet", index=False)
    done = typed("validate", "silos.parquet", "--mpor", 1, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Reduction from pooling silos" in done.stdout and "scale by silo" in done.stdout
    (results,) = (tmp_path / "results").iterdir()
    ladder = pd.read_csv(results / "ladder.csv").set_index("portfolio")
    both = parts[0]["loss"].to_numpy() + parts[1]["loss"].to_numpy()
    kappa = [np.sort(part["loss"])[-3] / 2.3 for part in parts]
    expected = 1.0 - np.sort(both)[-3] / (2.3 * sum(kappa))
    assert ladder.loc["A", "total"] == pytest.approx(expected)
    drawn = pd.read_csv(results / "figures" / "offset_ladder.csv")
    assert drawn["group"].isna().all() and "USD m by silo" not in done.stdout
    done = typed("reproduce", results, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_options_of_a_forged_manifest_are_refused_in_one_line(results, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(results, copy)
    origin, files = read_manifest(copy)
    study = {"name": "house", "validate": {"file": "house.csv", "mpor": 1, "shell": "ls"}}
    write_manifest(copy, replace(origin, study=study), names=files)
    line = one_line(typed("reproduce", copy, cwd=tmp_path))
    assert "holds what no run writes" in line and "shell" in line


def test_the_page_opens_with_rejections_the_worst_account_and_what_is_not_known(results):
    first, second, third = read_record(results).answer
    family = pd.read_csv(results / "family.csv")
    counts = re.findall(
        r"one by one in (\d+) under \S+ \(chance: 1.2 .*\), after Holm in (\d+|none)", first
    )[0]
    for told, column in zip(counts, ("coverage_p", "holm"), strict=True):
        assert (0 if told == "none" else int(told)) == (family[column] <= 0.05).sum()
    assert first.startswith("Of 24 accounts coverage of 99 % is rejected at 5 % one by one in ")
    scores = pd.read_csv(results / "summary.csv").sort_values(
        ["coverage_p", "exceedance_rate"], ascending=[True, False], kind="stable"
    )
    worst = scores.iloc[0]
    exceedances, allowed = re.findall(r"(\d+) times with (\d+) allowed", second)[0]
    assert worst["portfolio"] in second
    assert (int(exceedances), int(allowed)) == (worst["exceedances"], worst["allowed"])
    monitors = pd.read_csv(results / "monitors.csv")["rejected_on"].dropna()
    records, first_day = re.findall(r"in (\d+) of 24 records, first on (\S+?)\.?$", second)[0]
    assert int(records) == len(monitors) and first_day == min(monitors)[:10]
    assert "whether each margin was known on its day" in third and "book" not in first + second


def test_the_answer_has_no_unit_and_counts_pooled_silos(tmp_path):
    rng = np.random.default_rng(6)
    parts = [
        pd.DataFrame(
            {"date": DAYS, "account": "A", "silo": s, "loss": rng.normal(size=260), "required": 1.5}
        )
        for s in ("FICC", "CME")
    ]
    pd.concat(parts).to_csv(tmp_path / "silos.csv", index=False)
    done = typed("validate", "silos.csv", "--mpor", 1, "--currency", "EUR", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (results,) = (tmp_path / "results").iterdir()
    first, second, _ = read_record(results).answer
    ladder = pd.read_csv(results / "ladder.csv")
    above = int((ladder["dependence_bound"] > 0).sum()) or "none"
    assert first.startswith("Coverage of 99 % of the one account A is ")
    assert second.endswith(f"of 1 account margined in several silos an offset in {above}.")
    scores = pd.read_csv(results / "summary.csv").iloc[0]
    share = float(re.findall(r"by up to (\d+) % of its mean margin", second)[0])
    assert share == pytest.approx(100 * scores["max_excess"] / scores["mean_margin"], abs=0.51)


def test_accounts_with_fewer_days_are_said_to_show_less(tmp_path):
    some = table(2)
    some = some[(some["account"] != "account 01") | (some["date"] >= DAYS[130])]
    some.to_csv(tmp_path / "own.csv", index=False)
    table(2).to_csv(tmp_path / "all.csv", index=False)
    last = {}
    for name in ("own", "all"):
        done = execute(str(tmp_path / f"{name}.csv"), mpor=1, progress=quiet)
        last[name] = validation_exhibit(done).answer[-1]
    assert "260 days may miss it" in last["own"]
    assert last["own"].endswith("one time in 5, and shorter records more often still.")
    assert last["all"].endswith("one time in 5.")


def test_margins_in_small_units_are_never_printed_as_nothing(tmp_path):
    """Margins per unit of notional: 0.02, where money of a house is in millions."""
    frame = table(3)
    amounts = ["loss", "required", "value_at_risk", "expected_shortfall"]
    frame[amounts] *= 0.01
    frame.to_csv(tmp_path / "unit.csv", index=False)
    done = typed("validate", "unit.csv", "--mpor", 1, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (results,) = (tmp_path / "results").iterdir()
    words = " ".join(done.stdout.split()) + (results / "report.html").read_text()
    told = re.findall(r"it asks (\S+) USD on average over days and \w+ \((\S+) to (\S+)\)", words)
    pooled = pd.read_csv(results / "pooled.csv").iloc[0]
    names = ["equal_coverage_margin", "equal_coverage_low", "equal_coverage_high"]
    for amounts in told:
        assert [float(x) for x in amounts] == pytest.approx([pooled[n] for n in names], rel=0.01)
    assert told and "0.000m" not in words
