"""The anchors: values that others published or that are known without this program, and ours.

Both columns are made while the site is built, from the rows that `backtest selfcheck` asks.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from backtest.selfcheck.check import KINDS, rows_of
from backtest.selfcheck.row import Answer, Row, in_words

HEAD = "| what is asked | known | ours | how it is known | source |"
OPENING = """\
# Anchors

Values that are known without this program, and what it answers. The tables were made while this
page was built, by the rows of `backtest selfcheck`: whoever has the package can ask them again on
their own machine. A wrong answer ends the build. Of {rows} rows, {published} are values that
somebody printed or a definition of the literature; {reports} are inputs that this or another
program once got wrong, with the report; {defined} follow from the words of this program alone.

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
    wrong = [str(a) for each in answers.values() for a in each if not a.is_right]
    if wrong:
        raise SystemExit("\n".join(["anchors: wrong answers", *wrong]))
    flat = [a for each in answers.values() for a in each]
    sorts = [sort_of(a.row) for a in flat]
    counts = {sort: sorts.count(sort) for sort in ("published", "reports", "defined")}
    lines = [OPENING.format(rows=len(flat), **counts), "## Published values", ""]
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
    first = row.source.split(";")[0].split(",")[0].split(" ")[0]
    is_report = "#" in row.source or "/" in first or "rugarch" in first
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
    """Numbers to nine significant digits, since the right ones are given so; others as they are."""
    if isinstance(came, float):
        return float(f"{came:.9g}")
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
