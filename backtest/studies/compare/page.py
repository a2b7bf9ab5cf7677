"""The page of `backtest compare`: what differs between two runs, and by how much."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pandas as pd

from backtest.present.exhibit import Exhibit, Section
from backtest.present.numbers import (
    MISSING,
    UNBROKEN,
    counts,
    millions,
    percent,
    pvalue,
    signed,
)
from backtest.present.record import AGAINST
from backtest.present.table import Cell, of_column, of_interval
from backtest.studies.compare.answer import changed_entries, pair_answer
from backtest.studies.compare.many import ManyRuns
from backtest.studies.compare.many_page import many_exhibit
from backtest.studies.compare.shown import (
    INTERVAL,
    ComparedOrigin,
    changed_models,
    compared_books,
    exhibit_of,
    in_their_currency,
    shortened,
    with_mark,
)
from backtest.studies.compare.study import Comparison

CAPTION = (
    "Two finished runs as they were stored; the hash of every file was checked. All differences "
    "are B less A. Models and books are matched by name: where a name means another model, the "
    "inputs say so; where it means other positions or prices, the paired differences do. A "
    "difference of inputs beside a difference of scores does not prove that one caused the other: "
    "change one thing at a time."
)
INPUTS_TEXT = (
    "Entries of the two manifests by dotted name: those a reader asks for first, then every other "
    "that differs; those under 'study' are keys of the study file with its defaults written out. "
    "Equal sha256 means the same study on the same levels, and where it is another the entries "
    "counted here say why. Long values are cut here and whole in "
    "the CSV. {differ} entries differ."
)
TOLERATED = " One study by one software: differs is what `reproduce` would say of it, {tolerances}."
DIRTY = " A commit with dirty = true had changes that nobody can look up."
COVERAGE_TEXT = (
    "Exceedances (allowed) and coverage p over the scored days of each run. {differ} of {count} "
    "(book, model) pairs have another count."
)
COST_TEXT = (
    "USD m: mean margin, and what it would be at equal coverage, over the scored days of each "
    "run. {differ} of {count} (book, model) pairs have another mean margin."
)
PAIRED_TEXT = (
    "Where both runs scored the same days and a book had the same losses, days are "
    "subtracted one by one, so that what both share cancels; the slowest swings of the differences "
    "say how sure their means are. Each interval, and each joint 95 % region of the two "
    "differences, stands alone. Where nothing differs, one region in twenty misses zero if margins "
    "remember up to a third of the record, one in ten at half of it (docs/intervals.md). "
    "{paired} of {count} (book, model) pairs are paired."
)
OTHER_DAYS = (
    " A was {a}; B was {b}: differences of counts and means are partly those of days, and nothing "
    "can be paired."
)
LATER = ' score_from = "{day}" in both study files would score both from the same day.'
NO_PAIR = "No (book, model) pair is in both runs."
UNMATCHED_TEXT = "Models and books that only one run has; none of their scores is compared."
ALL_MATCHED = "Both runs have the same models and books."
LONGEST = 28  # characters of a value that is shown: two hashes fit beside each other on a page
LESS = f"B{UNBROKEN}-{UNBROKEN}A"
Show = Callable[[Any], str | Cell]


def comparison_exhibit(comparison: Comparison | ManyRuns) -> Exhibit:
    """Everything a comparison shows, in the order in which it is read."""
    if isinstance(comparison, ManyRuns):
        return in_their_currency(many_exhibit(comparison), comparison.runs)
    return in_their_currency(_pair_exhibit(comparison), comparison.runs)


def _pair_exhibit(comparison: Comparison) -> Exhibit:
    first, second = (run.provenance for run in comparison.runs)
    folders = comparison.folders
    origin = ComparedOrigin.of_runs(
        comparison.runs,
        study={"name": first.name, "first": folders[0], "second": folders[1]},
        sha256=comparison.sha256,
        details={"first": first.to_json(), "second": second.to_json()},
    )
    return exhibit_of(
        comparison.runs,
        origin,
        kind=f"{AGAINST}{second.name}",
        title="What differs between two runs",
        caption=CAPTION,
        answer=pair_answer(comparison),
        source_line=_origins(comparison),
        all_said=_no_score_differs(comparison) and comparison.unmatched_names.empty,
        sections=(_inputs(comparison), *_differences(comparison)),
    )


def _differences(comparison: Comparison) -> list[Section]:
    """What differs; of equal runs no tables of zeros, and the names where one has more."""
    unmatched = _unmatched(comparison)
    if _no_score_differs(comparison):
        return [] if comparison.unmatched_names.empty else [unmatched]
    return [_coverage(comparison), _cost(comparison), _paired(comparison), unmatched]


def _origins(comparison: Comparison) -> str:
    """Folder, source, window and standard of A and of B, in one line."""
    a, b = (f"{run.provenance.sentence()}." for run in comparison.runs)
    first, second = comparison.folders
    if a == b:
        return f"A: {first}. B: {second}. Both: {a}"
    return f"A: {first}; {a} B: {second}; {b}"


def _inputs(comparison: Comparison) -> Section:
    table = comparison.inputs
    brief = table[["A", "B"]].map(partial(shortened, longest=LONGEST))
    brief[""] = table["differs"].map({True: "differs", False: "same"})
    text = INPUTS_TEXT.format(differ=len(changed_entries(table)))
    text += DIRTY if any(run.provenance.software.dirty for run in comparison.runs) else ""
    if comparison.tolerances.models:
        text += TOLERATED.format(tolerances=comparison.tolerances.sentence())
    return Section("inputs", "Inputs", text, table, brief)


def _no_score_differs(comparison: Comparison) -> bool:
    return len(comparison.scores) > 0 and not comparison.differs.any()


def _coverage(comparison: Comparison) -> Section:
    table = comparison.scores.filter(regex="^(exceedances|allowed|coverage_p)_")
    columns: dict[str, Show] = {
        "exceedances A": lambda row: counts(row["exceedances_a"], row["allowed_a"]),
        "exceedances B": lambda row: counts(row["exceedances_b"], row["allowed_b"]),
        f"exceedances {LESS}": lambda row: signed(row["exceedances_difference"], digits=0),
        **_sides("coverage p", "coverage_p", pvalue, partial(signed, digits=3)),
    }
    differ = int(comparison.differing("exceedances").sum())
    text = COVERAGE_TEXT.format(differ=differ, count=len(table)) + _other_days(comparison)
    return _section(comparison, "coverage", "Coverage in both", text, table, columns)


def _cost(comparison: Comparison) -> Section:
    table = comparison.scores.filter(regex="^(mean|equal_coverage)_margin_")
    more = partial(millions, sign=True)
    columns = _sides("mean margin", "mean_margin", millions, more)
    columns |= _sides("equal coverage", "equal_coverage_margin", millions, more)
    differ = int(comparison.differing("mean_margin").sum())
    text = COST_TEXT.format(differ=differ, count=len(table))
    return _section(comparison, "cost", "Cost in both", text, table, columns)


def _sides(head: str, name: str, show: Show, show_difference: Show) -> dict[str, Show]:
    """Columns of one score: in A, in B, and the difference."""
    return {
        f"{head} A": of_column(f"{name}_a", show),
        f"{head} B": of_column(f"{name}_b", show),
        f"{head} {LESS}": of_column(f"{name}_difference", show_difference),
    }


def _paired(comparison: Comparison) -> Section:
    table = comparison.pairs

    def joint(row: Any) -> str:
        if row["reason"]:
            return f"{MISSING}: {row['reason']}"
        return "yes" if row["alike"] else "no"

    rate = partial(percent, digits=2, sign=True)
    columns: dict[str, Show] = {
        f"exceedance rate, {LESS} {INTERVAL}": of_interval("rate", rate),
        f"mean margin, {LESS} {INTERVAL}, USD m": of_interval(
            "margin", partial(millions, sign=True)
        ),
        "joint region holds zero": joint,
    }
    pairs = int((table["reason"] == "").sum())
    text = PAIRED_TEXT.format(paired=pairs, count=len(table)) + _score_from(comparison)
    return _section(comparison, "paired", "Differences paired by day", text, table, columns)


def _unmatched(comparison: Comparison) -> Section:
    if comparison.unmatched_names.empty:
        return Section("unmatched", "Only in one", ALL_MATCHED)
    names = comparison.unmatched_names.reset_index().groupby(["what", "only in"], sort=False)[
        "name"
    ]
    brief = names.agg("; ".join).to_frame("names")
    return Section("unmatched", "Only in one", UNMATCHED_TEXT, comparison.unmatched_names, brief)


def _section(
    comparison: Comparison,
    name: str,
    heading: str,
    text: str,
    table: pd.DataFrame,
    columns: Mapping[str, Show],
) -> Section:
    """Rows of the named books, from a table by (portfolio, model); all rows are stored."""
    if table.empty:
        return Section(name, heading, NO_PAIR)
    shown_books, selection = compared_books(comparison.runs, comparison.scores)
    models, alike = changed_models(comparison.differs)
    brief = pd.DataFrame(
        [
            {
                "portfolio": book,
                "model": with_mark(comparison.runs, model),
                **{head: show(table.loc[(model, book)]) for head, show in columns.items()},
            }
            for book in shown_books
            for model in models
        ]
    )
    return Section(name, heading, text + alike + selection, table, brief)


def _other_days(comparison: Comparison) -> str:
    """Why the scores of two runs over other days are not alike; empty for the same days."""
    first, second = comparison.runs
    a, b = (run.provenance.scored.sentence() for run in comparison.runs)
    return "" if first.scored.equals(second.scored) else OTHER_DAYS.format(a=a, b=b)


def _score_from(comparison: Comparison) -> str:
    """The `score_from` day that would pair the days, where a common first day is enough."""
    starts, ends = ([run.scored[place] for run in comparison.runs] for place in (0, -1))
    if starts[0] == starts[1] or ends[0] != ends[1]:
        return ""
    return LATER.format(day=f"{max(starts):%Y-%m-%d}")
