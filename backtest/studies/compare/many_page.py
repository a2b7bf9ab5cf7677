"""The page of `backtest compare` for three folders and more."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pandas as pd

from backtest.present.exhibit import Exhibit, Section
from backtest.present.numbers import UNBROKEN, millions, percent, pvalue, signed
from backtest.present.table import Cell, Columns, TextTable, of_column, of_interval, records
from backtest.replay.findings.unverified import unverified_sentence
from backtest.replay.origin import Software
from backtest.replay.provenance import Provenance
from backtest.studies.compare.figure import rate_against_margin
from backtest.studies.compare.inputs import ABSENT
from backtest.studies.compare.letters import spans
from backtest.studies.compare.many import KEYS, ManyRuns, common_books
from backtest.studies.compare.shown import (
    INTERVAL,
    changed_models,
    compared_books,
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
RANKING_TEXT = (
    "Every model of every folder over the {books} books that all have, held to the standard of its "
    "folder. First those whose coverage is rejected at 5 % in no book after Holm's correction for "
    "their number, then the others; the least mean margin first. Equal coverage: after one "
    "scale for all books, in hindsight. Not being rejected is not being right, and of many "
    "candidates the cheapest that passes is also the luckiest."
)
NO_COMMON = "No book is in all folders, so nothing is ranked."
OTHER_RISKS = (
    "Not the same losses on the same days as in A, so that rates and margins are partly those of "
    "other days or positions: {folders}."
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
EQUAL = "no score differs"
EQUAL_WORDS = "{count} (model, book) pairs of {folders} other folders have the scores of A"
NO_PAIR = "No (model, book) pair is in A and in another folder."
UNMATCHED_TEXT = "Models and books that not all folders have."
ALL_MATCHED = "All folders have the same models and books."
FOLDERS_A_TABLE = 8  # columns that a page and a screen hold without breaking numbers
MOST_ROWS = 20
CUT = 11  # characters of a value, of which eight stand beside each other
Show = Callable[[Any], str | Cell]


def many_exhibit(many: ManyRuns) -> Exhibit:
    """Everything that a comparison of several folders shows, in the order in which it is read."""
    runs, base = many.runs, many.runs[0].provenance
    study = {"name": base.name, "folders": list(many.folders)}
    marks = dict.fromkeys(filter(None, map(unverified_sentence, runs)))
    details = {
        letter: run.provenance.to_json() for letter, run in zip(many.letters, runs, strict=True)
    }
    equal = len(many.against_base) and not many.against_base["differs"].any()
    return Exhibit(
        kind=f"against-{len(runs) - 1}-others",
        title=f"What differs between {len(runs)} studies",
        caption=" ".join([CAPTION, *marks]),
        simulated=any(run.simulated for run in runs),
        source_line=_origins(many),
        sections=(
            _ranking(many),
            _inputs(many),
            *([_equal(many)] if equal else _differences(many)),
            _unmatched(many),
        ),
        provenance=Provenance(
            software=Software.now(), study=study, sha256=many.sha256, details=details
        ),
        text="".join(f"{key} = {json.dumps(value)}\n" for key, value in study.items()),
    )


def _folders(many: ManyRuns) -> list[str]:
    """Letter and name of each folder."""
    return [f"{a} {name}" for a, name in zip(many.letters, many.folders, strict=True)]


def _origins(many: ManyRuns) -> str:
    """Source, window and standard of the folders, once for those that share them."""
    by_origin: dict[str, list[str]] = {}
    for letter, run in zip(many.letters, many.runs, strict=True):
        by_origin.setdefault(f"{run.provenance.sentence()}.", []).append(letter)
    origins = (f"{spans(which)}: {words}" for words, which in by_origin.items())
    return f"{'; '.join(_folders(many))}. {' '.join(origins)}"


def _ranking(many: ManyRuns) -> Section:
    ranking, books = many.ranking, len(common_books(many.runs))
    if ranking.empty:
        return Section("ranking", "Who keeps the standard at least margin", NO_COMMON)
    columns: Columns = {
        "folder, model": lambda row: Cell(f"{row['folder']}, {row['model']}", words=True),
        "keeps the standard": lambda row: Cell("yes" if row["keeps"] else "no", bold=row["keeps"]),
        "books rejected": lambda row: f"{row['rejected']} of {row['tested']}",
        "exceedance rate": lambda row: percent(row["exceedance_rate"], digits=2),
        "allowed": lambda row: percent(row["allowed_rate"], digits=2),
        "mean margin": lambda row: millions(row["mean_margin"]),
        "equal-coverage margin": lambda row: millions(row["equal_coverage_margin"]),
    }
    # A model that no folder changed is one row.
    merged = _merged(ranking)
    shown = records(merged.iloc[:MOST_ROWS])
    title = f"USD m a book, {_first(len(shown), len(merged))}"
    return Section(
        "ranking",
        "Who keeps the standard at least margin",
        RANKING_TEXT.format(books=f"{books:,}"),
        ranking,
        tables=(TextTable.of(title, "rank", [(f"{n}", row) for n, row in shown], columns),),
        figure=rate_against_margin(
            ranking,
            _folders(many),
            simulated=any(run.simulated for run in many.runs),
            currency=many.runs[0].provenance.currency,
        ),
        sentences=_other_risks(many),
    )


def _merged(ranking: pd.DataFrame) -> pd.DataFrame:
    """The rows of a ranking; those of one model with the same numbers are one."""
    numbers = [column for column in ranking.columns if column != "folder"]
    merged = ranking.groupby(numbers, sort=False)["folder"].agg(spans).reset_index()
    return merged.set_axis(range(1, len(merged) + 1), axis=0)


def _first(shown: int, rows: int) -> str:
    return f"the first {shown} of {rows}" if shown < rows else f"all {rows}"


def _other_risks(many: ManyRuns) -> tuple[str, ...]:
    """Which folders are not of the same losses as the base, and why."""
    rows = many.against_base
    unpaired = rows[rows["reason"].fillna("") != ""].drop_duplicates(["folder", "portfolio"])
    alike: dict[str, list[str]] = {}
    for letter, books in unpaired.groupby("folder", sort=False):
        reasons = books["reason"].str.replace(r" on .*", "", regex=True).unique()
        count = f"{len(books):,} book{'s' if len(books) > 1 else ''}"
        alike.setdefault(f"in {count} ({', '.join(reasons)})", []).append(str(letter))
    words = (f"{spans(which)} {where}" for where, which in alike.items())
    return (OTHER_RISKS.format(folders="; ".join(words)),) if alike else ()


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


def _equal(many: ManyRuns) -> Section:
    fact = (
        EQUAL,
        EQUAL_WORDS.format(count=f"{len(many.against_base):,}", folders=len(many.runs) - 1),
    )
    return Section(
        "compare", "Scores", table=many.scores, tables=(TextTable.of_facts("Scores", [fact]),)
    )


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
    shown = differ.sort_values(["holm", "p"], kind="stable").iloc[:MOST_ROWS]
    text = PAIRED_TEXT.format(
        paired=f"{len(paired):,}",
        count=f"{len(rows):,}",
        shown=f"{_first(len(shown), len(differ))} that differ, the smallest p first",
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
