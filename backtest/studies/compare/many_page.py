"""The page of `backtest compare` for three folders and more."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pandas as pd

from backtest.present.exhibit import Exhibit, Section
from backtest.present.numbers import UNBROKEN, millions, percent, pvalue, signed
from backtest.present.record import AGAINST
from backtest.present.table import Cell, TextTable, of_column, of_interval
from backtest.replay.worst import MOST_SHOWN
from backtest.studies.compare.answer import many_answer
from backtest.studies.compare.inputs import ABSENT
from backtest.studies.compare.letters import spans
from backtest.studies.compare.many import KEYS, ManyRuns
from backtest.studies.compare.ranking import first_of, folder_words, ranking_section
from backtest.studies.compare.shown import (
    INTERVAL,
    ComparedOrigin,
    changed_models,
    compared_books,
    exhibit_of,
    shortened,
    with_mark,
)
from backtest.studies.run.verdict import SIGNIFICANT

CAPTION = (
    "Finished studies as they were stored; the hash of every file was checked. All differences are "
    "less A, the base. Models and books are matched by name: where a name means another model, the "
    "inputs say so; where it means other positions or prices, the paired differences do. A "
    "difference of inputs beside a difference of scores does not prove that one caused the other: "
    "change one thing at a time."
)
INPUTS_TEXT = (
    "Entries of the manifests by dotted name: those a reader asks for first, then every other that "
    "differs. Long values are cut here and whole in inputs.csv. {differ} entries differ."
)
SIDE_TEXT = (
    "In each folder, and in brackets less A. {differ} of {count} (model, book) pairs "
    "beside one of A differ in some score; all scores: compare.csv."
)
PAIRED_TEXT = (
    "Where a folder and A scored the same days and a book had the same losses, days are subtracted "
    "one by one, so that what both share cancels (docs/intervals.md). p: of no difference in the "
    "long run, of rate and margin jointly; Holm's allows for the folders that are compared with A "
    "on the same model and book. {paired} of {count} pairs are paired; shown: {shown}."
)
NO_PAIR = "No (model, book) pair is in A and in another folder."
UNMATCHED_TEXT = "Models and books that not all folders have."
ALL_MATCHED = "All folders have the same models and books."
FOLDERS_A_TABLE = 8  # columns that a page and a screen hold without breaking numbers
CUT = 11  # characters of a value, of which eight stand beside each other
Show = Callable[[Any], str | Cell]


def many_exhibit(many: ManyRuns) -> Exhibit:
    """Everything that a comparison of several folders shows, in the order in which it is read."""
    details = {
        letter: run.provenance.to_json()
        for letter, run in zip(many.letters, many.runs, strict=True)
    }
    origin = ComparedOrigin.of_runs(
        many.runs,
        study={"name": many.runs[0].provenance.name, "folders": list(many.folders)},
        sha256=many.sha256,
        details=details,
    )
    equal = len(many.against_base) > 0 and not many.against_base["differs"].any()
    all_said = equal and many.unmatched_names.empty
    sections: tuple[Section, ...] = (_inputs(many),)
    if not all_said:  # of equals a ranking ranks nothing, and tables of zeros say no more
        differences = [] if equal else _differences(many)
        sections = (ranking_section(many), *sections, *differences, _unmatched(many))
    return exhibit_of(
        many.runs,
        origin,
        kind=f"{AGAINST}{len(many.runs) - 1}-others",
        title=f"What differs between {len(many.runs)} studies",
        caption=CAPTION,
        answer=many_answer(many),
        source_line=_origins(many),
        all_said=all_said,
        sections=sections,
    )


def _origins(many: ManyRuns) -> str:
    """Source, window and standard of the folders, once for those that share them."""
    by_origin: dict[str, list[str]] = {}
    for letter, run in zip(many.letters, many.runs, strict=True):
        by_origin.setdefault(f"{run.provenance.sentence()}.", []).append(letter)
    origins = (f"{spans(which)}: {words}" for words, which in by_origin.items())
    return f"{'; '.join(folder_words(many))}. {' '.join(origins)}"


def _blocks(many: ManyRuns) -> Iterator[list[str]]:
    """Letters of the folders that one table shows beside each other."""
    for first in range(0, len(many.letters), FOLDERS_A_TABLE):
        yield many.letters[first : first + FOLDERS_A_TABLE]


def _part(block: list[str], many: ManyRuns) -> str:
    """Which folders a table shows, where it does not show all."""
    return "" if len(block) == len(many.letters) else f", {block[0]} to {block[-1]}"


def _inputs(many: ManyRuns) -> Section:
    table = many.inputs
    text = INPUTS_TEXT.format(differ=int(table["differs"].sum()))
    tables = []
    for block in _blocks(many):
        brief = table[block].map(_cut)
        brief[""] = table["differs"].map({True: "differs", False: "same"})
        tables.append(TextTable.of_frame(f"Inputs{_part(block, many)}", brief, {}))
    return Section("inputs", "Inputs", text, table, tables=tuple(tables))


def _cut(value: str) -> str:
    """A value cut to fit beside others; a number stays whole."""
    try:
        float(value)
    except ValueError:
        return shortened(value, CUT)
    return value


def _differences(many: ManyRuns) -> list[Section]:
    if many.against_base.empty:
        return [Section("compare", "Scores side by side", NO_PAIR)]
    more = partial(millions, sign=True)
    sides: tuple[tuple[str, str, str, Show, Show], ...] = (
        (
            "compare",
            "Exceedances/allowed",
            "exceedances",
            lambda row: f"{int(row['exceedances'])}/{int(row['allowed'])}",
            partial(signed, digits=0),
        ),
        (
            "p",
            "Coverage p",
            "coverage_p",
            of_column("coverage_p", pvalue),
            partial(signed, digits=3),
        ),
        ("cost", "Mean margin, USD m", "mean_margin", of_column("mean_margin", millions), more),
        (
            "equal",
            "Margin at equal coverage, USD m",
            "equal_coverage_margin",
            of_column("equal_coverage_margin", millions),
            more,
        ),
    )
    return [*(_side(many, *side) for side in sides), _paired(many)]


def _side(
    many: ManyRuns, name: str, what: str, column: str, show: Show, show_difference: Show
) -> Section:
    """One score in every folder, with its difference from the base."""
    against = many.against_base.set_index(KEYS)
    shown, selection = compared_books(many.runs, against)
    models, alike = changed_models(against["differs"].astype(bool))
    rows = {(row["folder"], *(row[k] for k in KEYS)): row for row in many.scores.to_dict("records")}

    def cell(key: tuple[str, str], letter: str) -> Cell:
        row = rows.get((letter, *key))
        if row is None:
            return Cell(ABSENT)
        words, difference = str(show(row)), row[f"{column}_difference"]
        if not pd.isna(difference):
            words += f" ({show_difference(difference)})".replace(" ", UNBROKEN)
        return Cell(words, bold=name == "p" and row[column] <= SIGNIFICANT)

    heading = f"{what}; in brackets less A"
    groups = [
        (book, [(with_mark(many.runs, model), (model, book)) for model in models]) for book in shown
    ]
    tables = tuple(
        TextTable.nest(
            f"{heading}{_part(block, many)}",
            ("book", "model"),
            groups,
            {letter: partial(cell, letter=letter) for letter in block},
        )
        for block in _blocks(many)
    )
    text = SIDE_TEXT.format(differ=f"{int(against['differs'].sum()):,}", count=f"{len(against):,}")
    table = many.scores if name == "compare" else None
    # The screen has room for the two scores that a reader asks for first.
    first = name in ("compare", "cost")
    return Section(name, heading, text + alike + selection, table, tables=tables, on_screen=first)


def _paired(many: ManyRuns) -> Section:
    rows = many.against_base
    paired = rows[rows["reason"].fillna("") == ""]
    differ = paired[paired["differs"].astype(bool)]
    shown = differ.sort_values(["holm", "p"], kind="stable").iloc[:MOST_SHOWN]
    text = PAIRED_TEXT.format(
        paired=f"{len(paired):,}",
        count=f"{len(rows):,}",
        shown=f"{first_of(len(shown), len(differ))} that differ, the smallest p first",
    )
    table = TextTable.of(
        "Differences paired by day",
        "folder, model, book",
        [
            (f"{row['folder']} less A, {row['model']}, {row['portfolio']}", row)
            for row in shown.to_dict("records")
        ],
        {
            f"exceedance rate {INTERVAL}": of_interval(
                "paired_rate", partial(percent, digits=2, sign=True)
            ),
            f"mean margin {INTERVAL}, USD m": of_interval(
                "paired_margin", partial(millions, sign=True)
            ),
            "p": lambda row: pvalue(row["p"]),
            "Holm's p": lambda row: Cell(pvalue(row["holm"]), bold=row["holm"] <= SIGNIFICANT),
        },
    )
    return Section(
        "paired", "Differences paired by day", text, tables=(table,) if len(shown) else ()
    )


def _unmatched(many: ManyRuns) -> Section:
    if many.unmatched_names.empty:
        return Section("unmatched", "Not in all", ALL_MATCHED)
    names = many.unmatched_names.reset_index().groupby(["what", "in", "not in"], sort=False)["name"]
    brief = names.agg("; ".join).to_frame("names")
    return Section("unmatched", "Not in all", UNMATCHED_TEXT, many.unmatched_names, brief)
