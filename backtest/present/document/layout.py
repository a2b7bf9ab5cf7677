"""Tables on a page 6.5 inches wide: cells by row, and columns in parts where they do not fit."""

from dataclasses import dataclass

from backtest.present.table import Cell, TextTable

ROOM = 6.5 * 72.0  # points
SIZE = 8.0  # type of a table, points: the smallest in a document
PADDING = 8.0  # points of a cell beside its text, both sides together
LETTER, CAPITAL = 0.53, 0.70  # widths in parts of the size; digits of the widest font take 0.51
WIDEST_WORDS = 150.0  # points beyond which a cell of words is folded
KEPT_ROWS = 3  # rows of a table that stay on one page with its head
NARROWER = (WIDEST_WORDS, 120.0, 90.0, 60.0)  # beyond which it is where a table would not fit


@dataclass(frozen=True)
class Row:
    """A row as it is set.

    Parameters
    ----------
    head : cells that name the row. cells : the others.
    group : True where the row names those below it and has no cells of its own.
    """

    head: Cell
    cells: tuple[Cell, ...]
    group: bool = False


@dataclass(frozen=True)
class Sheet:
    """A part of a table that fits the page.

    Parameters
    ----------
    heads : of the columns, that of row names first; none in a table of facts.
    widths : points of each column. words : whether a column holds words.
    """

    heads: tuple[str, ...]
    rows: tuple[Row, ...]
    widths: tuple[float, ...]
    words: tuple[bool, ...]


def sheets(table: TextTable, *, room: float = ROOM) -> tuple[Sheet, ...]:
    """A table in parts, each with the rows' names and as many columns as fit.

    No number is ever broken; words are folded.

    Examples
    --------
    >>> names = tuple(f"column {i}" for i in range(30))
    >>> cells = tuple(Cell("123,456.78 [100, 200]") for _ in names)
    >>> parts = sheets(TextTable("T", ("book", *names), (("a", (cells,)),)))
    >>> [len(part.heads) for part in parts][:2], sum(len(p.heads) - 1 for p in parts)
    ([5, 5], 30)
    """
    rows, heads = _rows(table), _heads(table)
    count = max((len(row.cells) for row in rows if not row.group), default=0)
    columns = [[row.cells[place] for row in rows if not row.group] for place in range(count)]
    names = [row.head.text for row in rows if not row.group]
    # Words are folded into narrower columns sooner than a table is cut into parts.
    for most in (*NARROWER, WIDEST_WORDS):
        first = _words_width(names, heads[:1], most)
        widths = [
            _column_width(column, heads[place + 1 : place + 2], most)
            for place, column in enumerate(columns)
        ]
        if first + sum(widths) <= room:
            break
    words = [bool(column) and all(is_folded(cell) for cell in column) for column in columns]
    wanted = [
        max(width, *(text_width(cell.text) + PADDING for cell in column)) if folded else width
        for width, folded, column in zip(widths, words, columns, strict=True)
    ]
    if not heads:  # a table of facts: names, and what they stand for in the rest of the page
        first = min(first, 0.35 * room)
        widths = [(room - first) / max(count, 1)] * count
    parts = []
    for places in _fitting(first, widths, room=room):
        parts.append(
            Sheet(
                heads=(heads[0], *(heads[place + 1] for place in places)) if heads else (),
                rows=tuple(
                    row if row.group else Row(row.head, tuple(row.cells[place] for place in places))
                    for row in rows
                ),
                widths=_spread(
                    [first, *(widths[place] for place in places)],
                    [first, *(wanted[place] for place in places)],
                    room=room,
                ),
                words=(True, *(words[place] for place in places)),
            )
        )
    return tuple(parts)


def _rows(table: TextTable) -> list[Row]:
    rows: list[Row] = []
    for name, lines in table.groups:
        if table.nested:
            rows.append(Row(Cell(name, bold=True, words=True), (), group=True))
            rows += [Row(line[0], tuple(line[1:])) for line in lines]
            continue
        # The name of a group stands at its first row only.
        for place, line in enumerate(lines):
            rows.append(Row(Cell(name if place == 0 else "", words=True), tuple(line)))
    return rows


def _heads(table: TextTable) -> tuple[str, ...]:
    if not table.nested or not table.heads:
        return table.heads
    # Groups have rows of their own, so that one column names both.
    first, second, *others = table.heads
    return (f"{first}, {second}", *others)


def _fitting(first: float, widths: list[float], *, room: float) -> list[list[int]]:
    """Places of the columns of each part."""
    parts: list[list[int]] = [[]]
    left = room - first
    for place, width in enumerate(widths):
        if parts[-1] and width > left:
            parts.append([])
            left = room - first
        parts[-1].append(place)
        left -= width
    # The columns are shared out evenly, so that no part is a stub.
    if len(parts) > 1:
        each = -(-len(widths) // len(parts))
        even = [list(range(len(widths)))[i : i + each] for i in range(0, len(widths), each)]
        if all(first + sum(widths[place] for place in part) <= room for part in even):
            return even
    return parts


def _spread(widths: list[float], wanted: list[float], *, room: float) -> tuple[float, ...]:
    """Widths where they fit, and the room that is left shared out among columns of folded words.

    The row names give way where they do not fit.

    wanted : widths at which no word is folded.

    Examples
    --------
    >>> _spread([50.0, 150.0], [50.0, 900.0], room=400.0)
    (50.0, 350.0)
    """
    total = sum(widths)
    if total <= room:
        lacking = [more - width for width, more in zip(widths, wanted, strict=True)]
        share = min(1.0, (room - total) / sum(lacking)) if sum(lacking) else 0.0
        return tuple(width + share * more for width, more in zip(widths, lacking, strict=True))
    first = max(widths[0] - (total - room), 60.0)
    others = widths[1:]
    shrink = min(1.0, (room - first) / sum(others)) if others else 1.0
    return (first, *(width * shrink for width in others))


def _column_width(column: list[Cell], head: tuple[str, ...], most: float) -> float:
    """Points of a column: numbers whole, words and the head folded."""
    whole = [cell.text for cell in column if not is_folded(cell)]
    folded = [cell.text for cell in column if is_folded(cell)]
    widest = max((text_width(text) for text in whole), default=0.0)
    return max(widest + PADDING, _words_width(folded, head, most))


def is_folded(cell: Cell) -> bool:
    """Whether a cell may take several lines: words, and what no column could hold.

    Examples
    --------
    >>> is_folded(Cell("0.73 % [0.24, 1.68]")), is_folded(Cell("x" * 200))
    (False, True)
    """
    return cell.words or text_width(cell.text) > 0.5 * ROOM


def _words_width(texts: list[str], head: tuple[str, ...], most: float) -> float:
    """Points of words folded at `most`; no word is broken that `WIDEST_WORDS` holds."""
    longest = [min(text_width(text), most) for text in texts]
    longest += [min(text_width(word), WIDEST_WORDS) for text in texts for word in text.split()]
    single = [text_width(word) for text in (*head,) for word in text.split()]
    # A head of many words is folded in about three lines.
    thirds = [text_width(text) / 3.0 for text in head]
    return min(max([*longest, *single, *thirds, 12.0]), 0.5 * ROOM) + PADDING


def text_width(text: str, *, size: float = SIZE) -> float:
    """Points that a text takes, not less than in the fonts that documents are set in.

    Examples
    --------
    >>> text_width("1,234.5") < text_width("WWWWWWW")
    True
    """
    return size * sum(CAPITAL if c.isupper() or c in "mw%" else LETTER for c in text)
