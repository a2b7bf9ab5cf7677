"""What the page of an offset study opens with: every number of it is that of the tables."""

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from backtest.offset.credit_granted import ESTIMATED_OFFSET, ESTIMATED_TOTAL
from backtest.studies.offset.answer import OBSERVED, distinct, offset_answer
from backtest.studies.offset.page import offset_exhibit
from backtest.studies.offset.study import OffsetStudy
from tests.support import presented

NUMBER = r"([+-]?\d+(?:\.\d+)?)"


def study(**tables: Any) -> OffsetStudy:
    return replace(presented.offset_study(), **tables)


def cells(name: str, result: OffsetStudy) -> dict[tuple[str, ...], dict[str, str]]:
    """The cells of a section's table, by the names of the row and the head of the column."""
    section = next(s for s in offset_exhibit(result).sections if s.name == name)
    (table,) = section.text_tables()
    levels = sum(table.columns_of_words)
    rows = {}
    for first, (row,) in table.groups:
        texts = [first, *(cell.text for cell in row)]
        rows[tuple(texts[:levels])] = dict(zip(table.heads[levels:], texts[levels:], strict=True))
    return rows


def test_the_least_favourable_choices_are_those_of_the_tables() -> None:
    result = study()
    _, against, _ = offset_answer(result)
    curve = distinct(result.specifications)
    count, above, below = re.findall(
        r"over (\d+) specifications .* above zero in (\w+) and .* below zero in (\w+);",
        against.lower(),
    )[0]
    numbers = [0 if text == "none" else int(text) for text in (above, below)]
    assert int(count) == len(curve)
    assert numbers == [
        int((curve["dependence_bound"] > 0).sum()),
        int((curve["total_bound"] <= 0).sum()),
    ]
    lowest = curve.loc[curve["total"].idxmin()]
    assert float(re.findall(rf"lowest total is estimated {NUMBER} %", against)[0]) == (
        pytest.approx(100 * lowest["total"], abs=0.051)
    )
    assert f"look-back {lowest['lookback']}, MPOR {lowest['mpor']}, scored from" in against
    lowest_stress = float(
        re.findall(rf"asked about is at its lowest estimated {NUMBER} %", against)[0]
    )
    stresses = result.stresses.reset_index()
    assert lowest_stress in {round(100 * x, 1) for x in stresses["dependence"].dropna()}


def test_a_stress_that_lowers_the_offset_most_is_named() -> None:
    stresses = presented.offset_study().stresses.copy()
    stresses["dependence"] = 0.05
    first = presented.LONG
    stress = next(s for s in stresses.index.unique("stress") if s != OBSERVED)
    stresses.loc[(stress, first), "dependence"] = -0.321
    stresses.loc[(OBSERVED, first), "dependence"] = -0.9
    against = offset_answer(study(stresses=stresses))[1]
    lowest = f"at its lowest estimated -32.1 %, so that none was found ({stress}, {first})"
    assert f"the offset of the books asked about is {lowest}" in against


def test_a_lowest_offset_has_its_bound_and_that_of_another_book_is_told_too() -> None:
    result = presented.offset_study()
    file = result.provenance.study | {"headline": [presented.LONG]}
    chosen = replace(result, provenance=replace(result.provenance, study=file))
    stresses = result.stresses.copy()
    stresses[["dependence", "dependence_bound"]] = 0.5, 0.4
    other = next(b for b in stresses.index.unique("portfolio") if b != presented.LONG)
    stress = next(s for s in stresses.index.unique("stress") if s != OBSERVED)
    stresses.loc[(stress, presented.LONG), ["dependence", "dependence_bound"]] = 0.3, 0.201
    asked = f"at its lowest estimated 30.0 %, at least 20 % ({stress}, {presented.LONG})"
    assert f"{asked}." in offset_answer(replace(chosen, stresses=stresses))[1]
    stresses.loc[(stress, other), ["dependence", "dependence_bound"]] = 0.1, -0.1
    against = offset_answer(replace(chosen, stresses=stresses))[1]
    of_all = "estimated 10.0 %, none of it supported (lower bound below zero)"
    assert f"{asked}, that of all books at its lowest {of_all} ({stress}, {other})" in against


def test_specifications_without_an_estimate_are_not_counted() -> None:
    curve = presented.offset_study().specifications.copy()
    curve.loc[curve.index[:3], ["total", "dependence", "total_bound", "dependence_bound"]] = np.nan
    assert len(distinct(curve)) <= len(curve) - 3
    assert (
        f"ver {len(distinct(curve))} specifications"
        in offset_answer(study(specifications=curve))[1]
    )


def test_a_history_that_is_too_short_for_both_says_so() -> None:
    result = study(
        specifications=presented.offset_study().specifications.iloc[:0],
        stresses=presented.offset_study().stresses.iloc[:0],
    )
    assert "too short" in offset_answer(result)[1]


def test_the_headline_of_the_study_file_is_answered() -> None:
    result = presented.offset_study()
    file = result.provenance.study | {"headline": ["_$a$ & 'b'"]}
    chosen = replace(result, provenance=replace(result.provenance, study=file))
    row = result.ladder.loc["_$a$ & 'b'"]
    answer = offset_answer(chosen)[0]
    assert answer.startswith("In '_$a$ & 'b''")
    estimates = [float(x) for x in re.findall(rf"estimated {NUMBER} %", answer)]
    assert estimates == pytest.approx([100 * row["total"], 100 * row["dependence"]], abs=0.051)


def test_the_page_opens_with_the_answer_and_says_what_is_simulated() -> None:
    page = offset_exhibit(study())
    assert page.answer == offset_answer(study()) and len(page.answer) == 3
    assert page.answer[2].startswith("Prices are simulated")


def test_titles_tell_the_offsets_of_two_studies_apart() -> None:
    result = study()
    titles = []
    for of_file in ({"name": "mine", "title": "May they share one pool?"}, {"name": "mine"}):
        file = {k: v for k, v in result.provenance.study.items() if k != "title"} | of_file
        other = replace(result, provenance=replace(result.provenance, study=file))
        titles.append(offset_exhibit(other).title)
    assert titles == [
        "The supportable offset: May they share one pool?",
        "The supportable offset: mine",
    ]


def test_lowest_and_highest_specifications_have_their_own_bounds() -> None:
    result = study()
    curve = distinct(result.specifications)
    for (book,), row in cells("specification_curve", result).items():
        table = curve[curve["portfolio"] == book]
        for words, name in (("total", "total"), ("offset", "dependence")):
            for end, place in (("lowest", table[name].idxmin()), ("highest", table[name].idxmax())):
                estimate, bound = re.findall(
                    rf"{NUMBER} % \[{NUMBER} %\]", row[f"{end} {words} [bound]"]
                )[0]
                own = table.loc[place]
                assert float(estimate) == pytest.approx(100 * own[name], abs=0.051)
                assert float(bound) == np.floor(np.round(100 * own[f"{name}_bound"], 4))
        above = [int((table[f"{n}_bound"] > 0).sum()) for n in ("total", "dependence")]
        counted = row["bounds above 0, total / offset"]
        assert [int(n) for n in re.findall(r"\d+", counted)] == [*above, len(table)]


def test_settings_that_just_cover_are_named_in_words() -> None:
    settings = pd.DataFrame(
        {"haircut_scale": [0.5], "haircut_mean_margin": [4_099_000.0], "correlation_floor": [-1.0],
         "floor_mean_margin": [np.nan], "marginings": [2]},
        index=pd.Index(["a"], name="portfolio"),
    )  # fmt: skip
    (row,) = cells("just_covering", study(covering_settings=settings)).values()
    assert row == {
        "scale of haircuts": "0.5",
        "mean margin of scaled haircuts, USD m": "4.10",
        "correlation floor": "-1",
        "mean margin of offset model, USD m": "n/a",
    }
    section = next(s for s in offset_exhibit(study()).sections if s.name == "just_covering")
    assert "A floor of -1 binds nowhere" in section.text


def test_estimated_credit_stands_beside_what_its_bound_supports() -> None:
    result = study()
    rows = cells("granted_against_supported", result)
    for (book, series), row in rows.items():
        if series.startswith("granted by"):
            assert row["over all days [bound]"] == "n/a"
            continue
        name = {ESTIMATED_TOTAL: "total", ESTIMATED_OFFSET: "dependence"}[series]
        estimate, bound = re.findall(rf"{NUMBER} % \[{NUMBER} %\]", row["over all days [bound]"])[0]
        of_ladder = result.ladder.loc[book]
        assert float(estimate) == pytest.approx(100 * of_ladder[name], abs=0.051)
        assert float(bound) <= 100 * of_ladder[f"{name}_bound"] + 1e-4
    words = " ".join(
        [text for row in rows for text in row]
        + [s.heading + s.text for s in offset_exhibit(result).sections if "granted" in s.name]
    )
    assert "supported" not in words and pd.Series(list(rows)).str[1].nunique() == 4
