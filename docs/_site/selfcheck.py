"""The page of the self-check: inputs that some program got wrong, right values, and ours.

Both columns are made while the site is built, from the rows that `backtest selfcheck` asks.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from backtest.anchors.page import escaped
from backtest.selfcheck.check import KINDS, rows_of
from backtest.selfcheck.row import Answer, Row, in_words

HEAD = "| what is asked | known | ours | how it is known | source |"
OPENING = """\
# Self-check

Values that are known without this program, and what it answers. The tables were made while this
page was built; a wrong answer ends the build. {reports} rows are inputs that this or another
program once got wrong, with the report; {papers} follow from a paper by hand; {defined} from the
words of this program alone. `backtest selfcheck` asks them on the machine where it is installed.
Numbers that others printed are on [the page of anchors](anchors.md).
"""


def write_selfcheck(source: Path) -> None:
    """Write selfcheck.md.

    Raises
    ------
    SystemExit : an answer is wrong.
    """
    answers = {kind: [row.answer() for row in rows_of(kind)] for kind in KINDS}
    flat = [a for each in answers.values() for a in each]
    wrong = [str(a) for a in flat if not a.is_right]
    if wrong:
        raise SystemExit("\n".join(["selfcheck: wrong answers", *wrong]))
    sorts = [sort_of(a.row) for a in flat]
    counts = {sort: sorts.count(sort) for sort in ("papers", "reports", "defined")}
    lines = [OPENING.format(**counts), "## Inputs that some program got wrong", ""]
    for kind, each in answers.items():
        rest = [a for a in each if sort_of(a.row) == "reports"]
        if rest:
            lines += [f"### {KINDS[kind].capitalize()}", "", *table(rest)]
    lines += ["## From papers, by hand", "", *table(a for a in flat if sort_of(a.row) == "papers")]
    lines += ["## Definitions", "", *table(a for a in flat if sort_of(a.row) == "defined")]
    (source / "selfcheck.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def sort_of(row: Row) -> str:
    """'defined', 'reports' or 'papers', by the row's source."""
    if row.source == "definition":
        return "defined"
    is_report = "#" in row.source or "rugarch" in row.source
    return "reports" if is_report or "differs by processor" in row.source else "papers"


def table(answers: Iterable[Answer]) -> list[str]:
    """Rows of a table."""
    lines = [HEAD, "|---|---|---|---|---|"]
    for answer in answers:
        row = answer.row
        values = (row.given, in_words(row.right), in_words(short(answer.came)), row.by, row.source)
        lines.append("| " + " | ".join(escaped(value) for value in values) + " |")
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
