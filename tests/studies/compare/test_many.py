"""`backtest compare` of three folders and more, and of validations."""

import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import backtest as bt
from backtest.estimators.fits import Certificate
from backtest.present.screen import Screen
from backtest.replay.study import Study
from backtest.replay.worst import MOST_SHOWN
from backtest.scores.models.multiple import holm
from backtest.scores.models.paired import paired_difference
from backtest.studies.compare.letters import FEWEST, MOST, base_first, letters
from backtest.studies.compare.many import common_books, compare_many, side_by_side
from backtest.studies.compare.page import comparison_exhibit
from backtest.studies.compare.study import (
    COLUMNS,
    compare_folders,
    differing,
    tolerances_between,
)
from backtest.studies.run.reopen import finished_run
from backtest.studies.run.store import write_numbers
from backtest.studies.run.study import execute
from backtest.studies.validate.store import write_numbers as write_validation
from backtest.studies.validate.study import execute as validated
from tests.support.commands import quiet, write_prices, write_study


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Three lookbacks of one model, the last without a book, and the first run's own table."""
    place = tmp_path_factory.mktemp("many")
    write_prices(place / "prices", days=300)
    made = {}
    for lookback in (60, 50, 40):
        made[lookback] = place / f"lookback {lookback}"
        made[lookback].mkdir()
        file = write_study(
            made[lookback], source=place / "prices", lookback=lookback,
            extra='score_from = "2022-06-01"',
        )  # fmt: skip
        if lookback == 40:
            file.write_text(file.read_text().replace('books."coin"', "books.other"))
        write_numbers(execute(file, progress=quiet), made[lookback])
    daily = pd.read_parquet(made[60] / "daily.parquet").dropna(subset=["loss", "required"])
    table = daily.rename(columns={"portfolio": "account"}).query("date >= '2022-06-01'")
    for name, digits in (("exact", None), ("cents", 2)):
        file = place / f"{name}.csv"
        given = table[["date", "account", "model", "loss", "required", "held"]]
        rounded = given if digits is None else given.round(dict.fromkeys(["loss", "held"], digits))
        rounded.to_csv(file, index=False)
        made[name] = stored_validation(file)
    return made


def stored_validation(file: Path, **options) -> Path:
    """The sealed numbers of a validation, with the table beside them."""
    folder = file.with_suffix("")
    folder.mkdir()
    shutil.copyfile(file, folder / "input.csv")
    write_validation(validated(str(file), progress=quiet, **options), folder)
    return folder


@pytest.fixture(scope="module")
def three(folders):
    return compare_folders([folders[n] for n in (60, 50, 40)], progress=quiet)


def test_every_score_stands_beside_the_base(three, folders):
    tidy = three.scores.set_index(["folder", "model", "portfolio"])
    studies = dict(zip("ABC", (Study.load(folders[n]) for n in (60, 50, 40)), strict=True))
    for letter, study in studies.items():
        found = tidy.loc[letter]
        pd.testing.assert_frame_equal(found[list(COLUMNS)], study.scores[list(COLUMNS)])
        both = study.scores.index.intersection(studies["A"].scores.index)
        for name in COLUMNS if letter != "A" else ():
            wanted = study.scores.loc[both, name] - studies["A"].scores.loc[both, name]
            assert found.loc[both, f"{name}_difference"].tolist() == wanted.tolist()
    assert tidy.loc["A"]["differs"].isna().all() and tidy["name"].nunique() == 3
    assert three.unmatched_names.loc[("book", "coin"), ["in", "not in"]].tolist() == ["A, B", "C"]
    assert three.inputs.loc["study.models.var.lookback", list("ABC")].tolist() == ["60", "50", "40"]


def test_pvalues_allow_for_the_folders_on_one_book(three, folders):
    """The first p from the region of the pair; Holm's over the two folders with this book."""
    rows = three.scores.set_index(["folder", "model", "portfolio"])
    key = ("var", "long both")
    found = [rows.loc[(letter, *key)] for letter in "BC"]
    assert [row["holm"] for row in found] == holm([row["p"] for row in found]).tolist()
    base, other = (Study.load(folders[n]) for n in (60, 50))
    loss, one, two = (
        frame.loc[base.scored, ["long both"]].to_numpy()
        for frame in (base.loss, other.required["var"], base.required["var"])
    )
    for level in (0.5, 0.95, 0.999):
        region = paired_difference(loss, one, two, level=level).region
        assert region.holds(np.zeros(2)) == (found[0]["p"] > 1.0 - level)
    coin = rows.loc[("B", "var", "coin")]
    assert coin["holm"] == coin["p"]  # one folder alone has it beside the base


def test_the_ranking_puts_first_who_keeps_the_standard_at_least_margin(three):
    ranking = three.ranking
    assert common_books(three.runs) == ["long both"] and len(ranking) == 6
    kept = ranking[ranking["keeps"]]
    assert ranking["keeps"].tolist() == sorted(ranking["keeps"], reverse=True)
    assert kept["mean_margin"].is_monotonic_increasing
    row = ranking[(ranking["folder"] == "B") & (ranking["model"] == "var")].iloc[0]
    scores = three.runs[1].scores.loc[("var", "long both")]
    assert row["mean_margin"] == pytest.approx(scores["mean_margin"])
    assert row["equal_coverage_margin"] == pytest.approx(scores["equal_coverage_margin"])
    assert row["exceedance_rate"] == scores["exceedance_rate"] and row["allowed_rate"] == 0.01
    assert row["rejected"] == (scores["coverage_p"] <= 0.05)


@pytest.mark.parametrize("count", [3, 9])
def test_the_screen_breaks_no_number(folders, count, tmp_path):
    many = compare_many([folders[n] for n in (60, 50, 40) * 3][:count], progress=quiet)
    exhibit = comparison_exhibit(many)
    screen = Screen()
    with screen.console.capture() as captured:
        screen.exhibit(exhibit, tmp_path)
    said = captured.get()
    row = many.scores.set_index(["folder", "model", "portfolio"]).loc[("B", "var", "long both")]
    words = f"{int(row['exceedances'])}/{int(row['allowed'])}"
    assert words in said and ("I to I" in said) == (count == 9)
    assert "books.coin.usd.BTC" in said and "1000000.0" in said
    assert [section.name for section in exhibit.sections][:2] == ["ranking", "inputs"]


def test_equal_folders_are_one_line(folders, tmp_path):
    twins = [shutil.copytree(folders[60], tmp_path / name) for name in ("twin", "third")]
    many = compare_folders([folders[60], *twins], progress=quiet)
    two = compare_folders([folders[60]] * 2, progress=quiet)
    for exhibit, count in ((comparison_exhibit(many), 3), (comparison_exhibit(two), 2)):
        screen = Screen()
        with screen.console.capture() as captured:
            screen.exhibit(exhibit, tmp_path)
        line, place = captured.get().splitlines()
        assert line == exhibit.answer[0] and place.startswith("results: ")
        assert ("2 folders" in line) == (count == 3) and "no entry of the manifests" in line
        assert [section.name for section in exhibit.sections] == ["inputs"]


def test_a_run_and_the_validation_of_its_table_agree(folders):
    found = compare_folders([folders[60], folders["exact"]], progress=quiet)
    assert not found.differs.any() and found.unmatched_names.empty and len(found.scores) == 4
    assert (found.pairs["reason"] == "").all() and found.pairs["alike"].all()
    assert not any(name.startswith(("study", "data", "given")) for name in found.inputs.index)
    cents = compare_folders([folders[60], folders["cents"]], progress=quiet)
    assert (cents.pairs["reason"] == "").all() and cents.pairs["alike"].all()


def test_validations_are_compared_on_the_days_of_each_account(tmp_path):
    days, rng = pd.bdate_range("2022-01-03", periods=200), np.random.default_rng(1)
    frame = pd.concat(
        pd.DataFrame({"date": days[:n], "account": f"{n}", "loss": rng.normal(size=n)})
        for n in (200, 150)
    ).assign(required=2.3)
    for name, table in (("a", frame), ("b", frame.assign(required=2.5)), ("c", frame.iloc[:-1])):
        table.to_csv(tmp_path / f"{name}.csv", index=False)
        stored_validation(tmp_path / f"{name}.csv", mpor=1, currency="EUR")
    found = compare_folders([tmp_path / "a", tmp_path / "b"], progress=quiet).pairs
    assert found["margin"].tolist() == pytest.approx([0.2, 0.2]) and (found["reason"] == "").all()
    shorter = compare_folders([tmp_path / "a", tmp_path / "c"], progress=quiet).pairs
    assert shorter["reason"].tolist() == ["", "other scored days"]
    many = compare_folders([tmp_path / name for name in "abc"], progress=quiet)
    exhibit = comparison_exhibit(many)
    assert exhibit.sections[0].figure.draw().get_xlabel() == "mean margin a book, EUR m"
    words = [t.caption + " ".join(t.heads) for s in exhibit.sections for t in s.text_tables()]
    assert "EUR m" in " ".join(words) and "USD" not in " ".join(words)


def test_amounts_of_two_currencies_are_not_compared(tmp_path):
    """They were subtracted and ranked under 'EUR or USD m'."""
    days = pd.bdate_range("2022-01-03", periods=60)
    table = pd.DataFrame({"date": days, "account": "x", "loss": np.sin(np.arange(60.0))})
    for name, options in (("a", {"currency": "EUR"}), ("b", {}), ("c", {})):
        table.assign(required=0.9).to_csv(tmp_path / f"{name}.csv", index=False)
        stored_validation(tmp_path / f"{name}.csv", mpor=1, **options)
    for names in ("ab", "bca"):
        with pytest.raises(bt.BacktestError, match=r"in (EUR|USD) and '.' in (EUR|USD): amounts"):
            compare_folders([tmp_path / name for name in names], progress=quiet)


def test_one_study_run_twice_differs_where_reproduce_says_so(three):
    """Of one study by one software a GARCH model may move by its tolerance, and no other may."""
    origin = three.runs[0].provenance
    fits = {"var": {"GARCH-t": Certificate(3)}}
    clean = replace(origin, fits=fits, software=replace(origin.software, dirty=False))
    index = pd.MultiIndex.from_product([["var", "siloed"], ["x"]], names=["model", "portfolio"])
    moved = pd.DataFrame({"mean_margin_a": 1.0, "mean_margin_b": 1.001}, index)
    same = tolerances_between(clean, clean)
    assert differing(moved, "mean_margin", same).tolist() == [False, True]
    for other in (
        replace(clean, sha256="other"),
        replace(clean, software=replace(clean.software, commit="other")),
    ):
        assert differing(moved, "mean_margin", tolerances_between(clean, other)).all()
    dirty = replace(clean, software=replace(clean.software, dirty=True))
    assert differing(moved, "mean_margin", tolerances_between(dirty, dirty)).all()


def test_the_base_is_any_of_the_folders(folders, three):
    named = [folders[n] for n in (60, 50, 40)]
    assert base_first(named, "lookback 40") == [named[2], named[0], named[1]]
    with pytest.raises(bt.BacktestError, match="base 'x' is none of the folders; give one of look"):
        base_first(named, "x")
    with pytest.raises(bt.BacktestError, match="is given twice; name each folder once"):
        base_first([*named, named[0] / "." / "x" / ".."], None)
    with pytest.raises(bt.BacktestError, match=f"takes {FEWEST} to {MOST} results folders, and 1"):
        base_first(named[:1], None)
    assert letters(MOST)[-1] == "ZZ" and three.letters == ["A", "B", "C"] and MOST_SHOWN == 20


def test_the_page_opens_with_the_cheapest_of_those_that_are_not_rejected(three):
    first, second, third = comparison_exhibit(three).answer
    candidates, keeping, books = re.findall(
        r"Of (\d+) candidates, .* (\d+) are rejected in no book .* over (\d+) book", first
    )[0]
    assert int(candidates) == len(three.ranking)
    kept = three.ranking[three.ranking["keeps"]]
    assert int(keeping) == len(kept) and int(books) == len(common_books(three.runs))
    margin, rate, allowed = re.findall(
        r"is ([\d.]+)m USD .* on ([\d.]+) % .* where ([\d.]+) %", first
    )[0]
    best = kept.iloc[0]
    assert float(margin) == pytest.approx(best["mean_margin"] / 1e6, abs=0.0051)
    assert float(rate) == pytest.approx(100 * best["exceedance_rate"], abs=0.0051)
    assert float(allowed) == pytest.approx(100 * best["allowed_rate"])
    rows = three.against_base
    paired = rows[rows["reason"] == ""]
    told, of = re.findall(r"with A, (\w+) of (\d+) \(book", second)[0]
    assert int(of) == len(paired)
    assert (0 if told == "none" else int(told)) == (paired["holm"] <= 0.05).sum()
    assert "not rejected is right" in third


def test_no_candidate_is_praised_where_all_are_rejected_or_no_book_is_common(three):
    none = three.ranking.assign(keeps=False)
    first = comparison_exhibit(replace(three, ranking=none)).answer[0]
    assert "none keeps the standard" in first and "m USD" not in first
    first = comparison_exhibit(replace(three, ranking=three.ranking.iloc[:0])).answer[0]
    assert first == "No book is in all folders, so that no candidate can be ranked."


def test_equal_folders_open_with_two_sentences(folders):
    study = finished_run(folders[60])
    scores = side_by_side([study] * 3, ["a", "b", "c"], progress=quiet)
    many = compare_folders([folders[n] for n in (60, 50, 40)], progress=quiet)
    equal = replace(many, runs=(study,) * 3, scores=scores)
    first, second = comparison_exhibit(equal).answer
    assert first.startswith(f"No score of {2 * len(study.scores)} (book, model) pairs of 2 folders")
    assert "equally right or wrong" in second
