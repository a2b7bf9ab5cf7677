"""Folders of other code or other study files are told, and what overlaps is not counted twice."""

import json
from dataclasses import replace

from backtest.market.episodes import REMEMBERED
from backtest.studies.dossier.data_section import data_quality
from backtest.studies.dossier.differing import other_code
from backtest.studies.dossier.folders import read_folders
from backtest.studies.dossier.front import answer
from backtest.studies.dossier.limits import POWER_IS_LESS, power
from backtest.studies.dossier.outcome_findings import overlapping_findings
from backtest.studies.dossier.outcomes import by_time
from backtest.studies.dossier.study import study_dossier


def test_folders_of_one_code_and_one_study_say_nothing(folders):
    assert other_code(read_folders([folders.run, folders.grid, folders.power])) == []


def test_folders_of_other_code_or_another_study_file_are_named_in_red(folders):
    run, grid = read_folders([folders.run, folders.grid])
    software = json.loads(json.dumps(grid.manifest["software"])) | {"commit": "abcdef0123"}
    study = json.loads(json.dumps(grid.manifest["study"]))
    study["books"]["coin"]["usd"] = {"BTC": 7.0}
    other = replace(grid, manifest=grid.manifest | {"software": software, "study": study})
    code, inputs = other_code([run, other])
    assert code.startswith("FOLDERS OF DIFFERENT CODE") and "commit abcdef01" in code
    assert run.label in code and other.label in code
    assert f"{other.label} is of another study file than {run.label} (1 of" in inputs
    assert "books.coin.usd" in inputs


def test_a_book_rejected_in_two_studies_of_the_same_days_is_one_piece_of_evidence(folders):
    (one,) = (each.scored for each in read_folders([folders.run]))
    book = one.books[0]
    scores = one.study.scores.copy()
    scores["coverage_p"] = 0.5
    assert not list(
        overlapping_findings([replace(one, study=with_scores(one, scores))] * 2, "offset")
    )
    scores.loc[("offset", book), "coverage_p"] = 0.01
    rejected = replace(one, study=with_scores(one, scores))
    (found,) = overlapping_findings([rejected, replace(rejected, label="again")], "offset")
    days = len(one.study.scored)
    assert f"'{book}'" in found.sentence and f"share {days:,} of their {days:,}" in found.sentence


def with_scores(each, scores):
    return replace(each.study, scores=scores)


def test_a_table_of_margins_is_told_nothing_of_price_examinations(folders):
    given = data_quality(study_dossier([folders.given]))
    assert (
        "planted" not in str(given.tables) and "prices, positions and models" in given.text.lower()
    )
    assert "planted" in str(data_quality(study_dossier([folders.run], model="offset")).tables)


def test_records_are_named_with_their_days_and_the_larger_smallest_rate_is_theirs(folders):
    dossier = study_dossier([folders.run, folders.power], model="offset")
    days = len(dossier.studies[0].study.scored)
    *_, last = answer(dossier, open_statements=0)
    assert f"which {days:,} days of {dossier.studies[0].label} cannot show" in last
    assert POWER_IS_LESS in power(dossier).sentences


def test_every_month_of_stress_that_a_figure_draws_has_a_row(folders):
    (run,) = (each.scored for each in read_folders([folders.run]))
    rows = by_time(run, "offset")
    for name in REMEMBERED:
        days = run.study.scored[run.study.scored.strftime("%B %Y") == name]
        assert len(days) == (rows.loc[name, "days"] if name in rows.index else 0)
