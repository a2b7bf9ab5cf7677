"""A table of text, its rows in groups; page and screen show the same one."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from backtest.present.numbers import MISSING, interval

WHOLE = 28  # characters of a cell of numbers that is kept on one line; longer ones hold reasons


@dataclass(frozen=True)
class Cell:
    """One cell: its text, whether it is set in bold, whether it holds words that may be folded."""

    text: str
    bold: bool = False
    words: bool = False

    @property
    def may_fold(self) -> bool:
        """True where the text may go over several lines: words, and what is too long for one."""
        return self.words or len(self.text) > WHOLE


Cells = tuple[Cell, ...]
Columns = Mapping[str, Callable[[Any], str | Cell]]  # column head -> cell of a row of numbers


@dataclass(frozen=True)
class TextTable:
    """A table of text.

    Parameters
    ----------
    caption : what it shows. heads : of its columns; none in a table of facts.
    groups : name of each group and its rows of cells, without that name.
    note : an explanation, shown under the table.
    nested : True where each row has a name of its own, its first cell, beside that of its group:
        a model within a book.
    source_line : days and files of this table alone; empty where they are those of the page.
    """

    caption: str
    heads: tuple[str, ...]
    groups: tuple[tuple[str, tuple[Cells, ...]], ...]
    note: str = ""
    nested: bool = False
    source_line: str = ""

    @classmethod
    def of(
        cls,
        caption: str,
        head: str,
        rows: Iterable[tuple[str, Any]],
        columns: Columns,
        *,
        note: str = "",
    ) -> "TextTable":
        """A table of named rows, under `head` and the heads of `columns`.

        Examples
        --------
        >>> table = TextTable.of("Rates", "book", [("a", {"rate": 0.5})],
        ...                      {"rate": lambda row: f"{row['rate']:.0%}"})
        >>> table.groups
        (('a', ((Cell(text='50%', bold=False, words=False),),)),)
        """
        groups = tuple((name, (_cells(row, columns),)) for name, row in rows)
        return cls(caption, (head, *columns), groups, note)

    @classmethod
    def nest(
        cls,
        caption: str,
        heads: tuple[str, str],
        groups: Iterable[tuple[str, Iterable[tuple[str, Any]]]],
        columns: Columns,
        *,
        note: str = "",
    ) -> "TextTable":
        """A table of groups of named rows: `heads` are those of groups and of their rows."""
        cells = tuple(
            (group, tuple((Cell(name, words=True), *_cells(row, columns)) for name, row in rows))
            for group, rows in groups
        )
        return cls(caption, (*heads, *columns), cells, note, nested=True)

    @classmethod
    def of_facts(cls, caption: str, facts: Iterable[tuple[str, str]]) -> "TextTable":
        """A table of two columns without heads: name and value of each fact."""
        groups = tuple((name, ((Cell(value, words=True),),)) for name, value in facts)
        return cls(caption, (), groups)

    @classmethod
    def of_frame(cls, caption: str, frame: pd.DataFrame, formats: Mapping[str, str]) -> "TextTable":
        """A frame as text, the levels of its index first; a nameless index is left out.

        formats : column -> format such as '.1%' or ',.0f'; other columns are shown as they are.

        Examples
        --------
        >>> books = pd.Index(["a", "b"], name="book")
        >>> frame = pd.DataFrame({"rate": [0.0123, float("nan")]}, index=books)
        >>> table = TextTable.of_frame("Rates", frame, {"rate": ".1%"})
        >>> [(name, row[0].text) for name, (row,) in table.groups]
        [('a', '1.2%'), ('b', 'n/a')]
        """
        # The levels of the index become the first columns; they hold names, which are words.
        flat = frame.reset_index(drop=not is_named(frame))
        levels = len(flat.columns) - len(frame.columns)
        texts = [
            [
                Cell(as_text(value, formats.get(str(column), "")), words=place < levels)
                for value in flat[column]
            ]
            for place, column in enumerate(flat.columns)
        ]
        rows = zip(*texts, strict=True)
        groups = tuple((first.text, (tuple(others),)) for first, *others in rows)
        return cls(caption, tuple(map(str, flat.columns)), groups)

    @property
    def columns_of_words(self) -> tuple[bool, ...]:
        """For each column, whether it holds words, which are aligned to the left."""
        rows = [row for _, rows in self.groups for row in rows]
        return (True, *(all(cell.words for cell in column) for column in zip(*rows, strict=True)))


def of_column(column: str, show: Callable[[Any], str | Cell]) -> Callable[[Any], str | Cell]:
    """Function that shows one column of a row of numbers, for `Columns`."""
    return lambda row: show(row[column])


def of_interval(column: str, show: Callable[[float], str]) -> Callable[[Any], str]:
    """Function that shows one column of a row of numbers with its interval (see `interval`)."""
    return lambda row: interval(row, column, show)


def records(frame: pd.DataFrame) -> list[tuple[Any, dict[Any, Any]]]:
    """Rows of a frame: the index of each, and its values by column."""
    return list(zip(frame.index, frame.to_dict("records"), strict=True))


def is_named(frame: pd.DataFrame) -> bool:
    """False where the index only numbers the rows."""
    return any(name is not None for name in frame.index.names)


def as_text(value: Any, form: str) -> str:
    """A value in a format; a number that rounds to zero has no sign."""
    if isinstance(value, str):
        return value
    if pd.isna(value):
        return MISSING
    text = format(value, form)
    return text[1:] if text[:1] == "-" and not text.strip("-0.,%") else text


def _cells(row: Any, columns: Columns) -> Cells:
    cells = (show(row) for show in columns.values())
    return tuple(cell if isinstance(cell, Cell) else Cell(cell) for cell in cells)
