"""The page of anchors in Markdown: what was asked, when, and the tables of the screen."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

from backtest.anchors.golden import OR
from backtest.anchors.run import Found, held_sets
from backtest.anchors.tables import misses, summary, tables
from backtest.present.table import Cells, TextTable

OPENING = """\
# Anchors

Numbers that others published, with the place where they stand, and what this program answers.
`backtest anchors` asks those that ship with the package; `--golden DIR` adds the sets whose data
may not be passed on, from a folder of them; `--page FILE` wrote this page, on {day}. A number is
met where ours differs by no more than half a unit of the last digit printed, unless the note of its
table says why another difference is allowed.

**{sentence}**
"""
FILES = """\
## Files of the sets that do not ship

A folder for `--golden` holds all of them or some; a missing file is told in a line. '*' stands for
what tells several of a kind apart: version and horizon of SIMM (`simm_2_1_...`, `ore_simm26_...`,
`ore_simm24_1d_...`), instrument and side (`apc_fesx_long_...`).

| set | file | beside it |
| --- | --- | --- |
"""
REST = """\
Agreement with other programs over whole series is on [the page of statistics](statistics.md), the
coverage of intervals on [intervals](intervals.md); small inputs that some program got wrong are on
[the page of the self-check](selfcheck.md).
"""


def write_page(found: Found, path: Path) -> None:
    """Write the page of a run.

    Raises
    ------
    OSError : the file cannot be written.
    """
    path.write_text("\n".join(_lines(found)), encoding="utf-8")


def as_markdown(table: TextTable) -> Iterator[str]:
    r"""Lines of a table with its caption as a heading; a group is named on its first row.

    Examples
    --------
    >>> table = TextTable.of("Rates", "book", [("a|b", 0.5)], {"rate": lambda rate: f"{rate:.0%}"})
    >>> list(as_markdown(table))
    ['## Rates', '', '| book | rate |', '| --- | ---: |', '| a\\|b | 50% |', '']
    """
    yield f"## {escaped(table.caption)}"
    yield ""
    yield _row(table.heads)
    yield _row("---" if words else "---:" for words in table.columns_of_words)
    for name, rows in table.groups:
        for place, cells in enumerate(rows):
            yield _row([escaped("" if place else name), *map(escaped, _texts(cells))])
    yield ""
    if table.note:
        yield escaped(table.note)
        yield ""


def escaped(text: str) -> str:
    r"""Text of a cell, with nothing that Markdown would read as markup.

    Examples
    --------
    >>> escaped("a_b | c")
    'a\\_b \\| c'
    """
    for mark in "\\`*_[]<>|$":
        text = text.replace(mark, f"\\{mark}")
    return " ".join(text.split())


def _lines(found: Found) -> Iterator[str]:
    yield OPENING.format(day=date.today().isoformat(), sentence=found.sentence())
    for line in misses(found):
        yield f"- {escaped(line)}"
    if found.absent:
        yield "Not asked here:\n"
        yield from (f"- {escaped(line)}" for line in found.absent)
        yield ""
    for table in (summary(found), *tables(found)):
        yield from as_markdown(table)
    yield FILES.rstrip("\n")
    for held in held_sets():
        names = dict.fromkeys(name for each in held.beside("*") for name in each.split(OR))
        beside = ", ".join(f"`{name}`" for name in names)
        yield _row([escaped(held.title), f"`{held.main}`", beside])
    yield f"\n{REST}"


def _texts(cells: Cells) -> Iterator[str]:
    return (cell.text for cell in cells)


def _row(cells: Iterator[str] | list[str] | tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"
