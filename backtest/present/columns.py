"""A table on a screen of any width: in parts below each other where it is too wide for one.

A part repeats what names a row: its first column, and as many after it as it takes to tell the rows
apart. A number is never folded. Names and other words are, down to a width at which they
can be read; columns that still do not fit make a further part. A table of which not even one column
fits beside the names becomes a list: each row's name, then its cells.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from rich.cells import cell_len

from backtest.present.folding import fold, longest_word
from backtest.present.table import WHOLE, Cell, TextTable

HEAD = 16  # columns of a head, which goes over several lines before its column grows wider
SHORT = 12  # columns to which names are folded where it takes several to tell rows apart
MOST_NAMES = 4  # columns that together tell rows apart, such as asset, schedule, haircut, horizon
NAME = 24  # columns to which names of rows and other words are folded before a table is parted
GAP = 3  # columns between two columns, and around the table one more
INDENT = "  "  # of a row's name below that of its group


@dataclass(frozen=True)
class Row:
    """A row as it is drawn: the cells of all columns, the first of them its name.

    group : True for a row that holds the name of a group alone. last : of its group.
    """

    cells: tuple[Cell, ...]
    group: bool = False
    last: bool = False


@dataclass(frozen=True)
class Sheet:
    """Columns that stand beside each other, in rows that are drawn.

    Parameters
    ----------
    heads : of the columns; none in a table of facts.
    widths : columns of the screen that each takes.
    left : whether a column is set from the left, as words are.
    """

    heads: tuple[str, ...]
    rows: tuple[Row, ...]
    widths: tuple[int, ...]
    left: tuple[bool, ...]


def sheets(table: TextTable, width: int) -> list[Sheet]:
    """The parts of a table on a screen; none where not even one column fits beside the names.

    Examples
    --------
    >>> table = TextTable.of("Rates", "book", [("a", 1)], {c * 9: str for c in "xyz"})
    >>> [part.heads for part in sheets(table, 34)]
    [('book', 'xxxxxxxxx', 'yyyyyyyyy'), ('book', 'zzzzzzzzz')]
    """
    heads, rows, left = _columns(table)
    columns = list(zip(*(row.cells for row in rows if not row.group), strict=True))
    if not columns:  # a table without rows: its heads say what would be there
        columns = [()] * len(left)
    keys = _keys(rows, left, nested=table.nested)
    room = NAME if keys == 1 else max(SHORT, NAME * 4 // (3 * keys))
    least = [
        _least(cells, words=words, head=heads[place] if heads else "", room=room)
        for place, (cells, words) in enumerate(zip(columns, left, strict=True))
    ]
    least[0] = max(least[0], _least_name(rows))
    names = sum(width + GAP for width in least[:keys]) + 1
    if any(names + other + GAP > width for other in least[keys:]) or names > width:
        return []
    whole = Sheet(heads, tuple(rows), tuple(least), left)
    return [_spread(_part(whole, places), width) for places in _packed(least, keys, width)]


def facts(table: TextTable, width: int) -> list[tuple[str, bool]]:
    """A table as lines, each with whether it is a name: one cell of a row below the other.

    Examples
    --------
    >>> table = TextTable.of("Rates", "book", [("a", 0.5)], {"rate": str})
    >>> facts(table, 20)
    [('a', True), ('  rate: 0.5', False)]
    """
    heads, rows, _ = _columns(table)
    lines: list[tuple[str, bool]] = []
    for row in rows:
        lines += [(line, True) for line in fold(row.cells[0].text, width)]
        for place, cell in enumerate(row.cells[1:] if not row.group else (), start=1):
            text = f"{heads[place]}: {cell.text}" if heads and heads[place] else cell.text
            lines += [(INDENT + line, False) for line in fold(text, width - len(INDENT))]
    return lines


def _columns(table: TextTable) -> tuple[tuple[str, ...], list[Row], tuple[bool, ...]]:
    """Heads, rows, and which columns hold words; groups and their rows share the first column."""
    heads, words = table.heads, table.columns_of_words
    # A column of group names would cost the width that the numbers need.
    if table.nested:
        heads, words = (", ".join(heads[:2]), *heads[2:]), words[1:]
    return heads, list(_rows(table)), words or (True,) * len(heads)


def _rows(table: TextTable) -> Iterator[Row]:
    for name, rows in table.groups:
        if table.nested:
            yield Row((Cell(name, bold=True, words=True),), group=True)
        for place, cells in enumerate(rows, start=1):
            if table.nested:
                yield Row(cells, last=place == len(rows))
            else:
                yield Row((Cell(name, words=True), *cells))


def _keys(rows: list[Row], left: tuple[bool, ...], *, nested: bool) -> int:
    """How many of the first columns tell the rows of a table apart."""
    if nested:
        return 1
    for count in range(1, min(MOST_NAMES, len(left) - 1) + 1):
        names = {tuple(cell.text for cell in row.cells[:count]) for row in rows}
        if len(names) == len(rows):
            return count
    words = left.index(False) if False in left else 1  # no names at all: rows of a log
    return max(1, min(words, MOST_NAMES, len(left) - 1))


def _least(cells: tuple[Cell, ...], *, words: bool, head: str, room: int) -> int:
    """The width below which a column cannot be read; words are folded to `room` columns."""
    widest = max((cell_len(cell.text) for cell in cells), default=0)
    longest = max((longest_word(cell.text) for cell in cells), default=0)
    if words:
        least = min(widest, room)
    else:
        least = max(longest, min(widest, WHOLE))
    return max(least, *(cell_len(line) for line in fold(head, max(least, HEAD))))


def _least_name(rows: list[Row]) -> int:
    """The width that names of groups and of the rows below them need."""
    nested = any(row.group for row in rows)
    indent = len(INDENT) if nested else 0
    widths = (cell_len(row.cells[0].text) + (0 if row.group else indent) for row in rows)
    return min(NAME, max(widths, default=0))


def _packed(least: list[int], keys: int, width: int) -> Iterator[list[int]]:
    """Places of the columns of each part; the first `keys`, of names, are in all of them."""
    names, room = list(range(keys)), sum(column + GAP for column in least[:keys]) + 1
    places, used = list(names), room
    for place, column in enumerate(least[keys:], start=keys):
        if used + column + GAP > width and len(places) > keys:
            yield places
            places, used = list(names), room
        places.append(place)
        used += column + GAP
    yield places


def _part(whole: Sheet, places: list[int]) -> Sheet:
    return Sheet(
        heads=tuple(whole.heads[place] for place in places) if whole.heads else (),
        rows=tuple(
            row if row.group else replace(row, cells=tuple(row.cells[p] for p in places))
            for row in whole.rows
        ),
        widths=tuple(whole.widths[place] for place in places),
        left=tuple(whole.left[place] for place in places),
    )


def _spread(part: Sheet, width: int) -> Sheet:
    """The part with the room that is left given to the columns that are folded, names first."""
    widths = list(part.widths)
    spare = width - 1 - sum(column + GAP for column in widths)
    nested = any(row.group for row in part.rows)
    for place in range(len(widths)):
        cells = [row.cells[place] for row in part.rows if place == 0 or not row.group]
        indent = len(INDENT) if nested and place == 0 else 0
        natural = max((cell_len(cell.text) + indent for cell in cells), default=0)
        more = min(max(0, natural - widths[place]), spare)
        widths[place] += more
        spare -= more
    return replace(part, widths=tuple(widths))
