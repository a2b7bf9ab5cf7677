"""The anchors: values that others published or that are known without this program, and ours.

Both columns are made while the site is built, from the rows that `backtest selfcheck` asks.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from published import ROWS

from backtest.selfcheck.check import KINDS, rows_of
from backtest.selfcheck.row import Answer, Row, in_words

HEAD = "| what is asked | known | ours | how it is known | source |"
OPENING = """\
# Anchors

Values that are known without this program, and what it answers. The tables were made while this
page was built; a wrong answer ends the build. {published} rows are values that somebody printed, or
that follow from a paper by hand; {reports} are inputs that this or another program once got wrong,
with the report; {defined} follow from the words of this program alone. All but the first {models}
are the rows of `backtest selfcheck`: whoever has the package can ask them on their own machine.
The public example of SIMM 2.1, whose files may not be passed on, is met to the cent by a test.

Agreement with other programs over whole series is on [the page of statistics](statistics.md), the
coverage of intervals on [intervals](intervals.md).
"""


def write_anchors(source: Path) -> None:
    """Write anchors.md.

    Raises
    ------
    SystemExit : an answer is wrong.
    """
    answers = {kind: [row.answer() for row in rows_of(kind)] for kind in KINDS}
    models = [row.answer() for row in ROWS]
    flat = [*models, *(a for each in answers.values() for a in each)]
    wrong = [str(a) for a in flat if not a.is_right]
    if wrong:
        raise SystemExit("\n".join(["anchors: wrong answers", *wrong]))
    sorts = [sort_of(a.row) for a in flat]
    counts = {sort: sorts.count(sort) for sort in ("published", "reports", "defined")}
    lines = [OPENING.format(models=len(models), **counts), "## Published values", ""]
    lines += table(a for a in flat if sort_of(a.row) == "published")
    lines += ["## Inputs that some program got wrong", ""]
    for kind, each in answers.items():
        rest = [a for a in each if sort_of(a.row) == "reports"]
        if rest:
            lines += [f"### {KINDS[kind].capitalize()}", "", *table(rest)]
    lines += ["## Definitions", "", *table(a for a in flat if sort_of(a.row) == "defined")]
    (source / "anchors.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def sort_of(row: Row) -> str:
    """'published', 'reports' or 'defined', by the row's source."""
    if row.source == "definition":
        return "defined"
    is_report = "#" in row.source or "rugarch" in row.source
    return "reports" if is_report or "differs by processor" in row.source else "published"


def table(answers: Iterable[Answer]) -> list[str]:
    """Rows of a table."""
    lines = [HEAD, "|---|---|---|---|---|"]
    for answer in answers:
        row = answer.row
        values = (row.given, in_words(row.right), in_words(short(answer.came)), row.by, row.source)
        lines.append("| " + " | ".join(cell(value) for value in values) + " |")
    return [*lines, ""]


def short(came: Any) -> Any:
    """Numbers to twelve significant digits; processors differ in later ones."""
    if isinstance(came, float):
        return float(f"{came:.12g}")
    if hasattr(came, "tolist"):
        return short(came.tolist())
    if isinstance(came, Sequence) and not isinstance(came, str):
        return [short(value) for value in came]
    return came


def cell(text: str) -> str:
    """Text of a cell, with nothing that Markdown would read as markup."""
    for mark in "\\`*_[]<>|$":
        text = text.replace(mark, f"\\{mark}")
    return " ".join(text.split())
