"""The cells of a text file: its separator, the rows above its headings, its headings."""

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from backtest.data.layouts.how import How
from backtest.data.layouts.stamps import SERIAL, looks_like_a_day
from backtest.types import DataError, shown

SEPARATORS = (";", "\t", "|", ",")
LOOKED_AT = 60  # rows from the top within which the first row of values must lie
MOST_COLUMNS = 1_000  # beyond it a file is no table of prices
DAYS_TO_1904 = 1_462  # from the day that is 0 in other workbooks
DATES = (  # headings of the column of days, the likelier first
    ("date", "dates", "<date>", "datum", "observation_date", "snapped_at", "open_time", "open time")
    + ("timestamp", "time", "datetime", "unix", "trade date", "tradedate", "")
)
NUMBER = re.compile(r"[+-]?[$€£¥]?[\d.,]*\d[\d.,]*%?")
QUOTES = {"open", "high", "low", "close", "adj close", "volume", "px_last", "last price", "last"}


@dataclass(frozen=True)
class Cells:
    """A file as text.

    Parameters
    ----------
    headings : one a column; numbers from 1 where the file has none.
    over : headings of the line above where there are two ('Price' over 'Ticker').
    rows : of values, as long as the headings. lines : number of each row in the file, from 1.
    date : place of the column of days. titles : lines above the headings.
    notes : how many lines below the values are no rows of a day and a value.
    """

    headings: tuple[str, ...]
    over: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]
    date: int
    titles: tuple[str, ...]
    separator: str
    has_headings: bool
    notes: int = 0

    @property
    def lowered(self) -> list[str]:
        """The headings in small letters, without asterisks of footnotes and what Yahoo explains."""
        return [heading.lower().split("   ")[0].rstrip("* ") for heading in self.headings]

    def column(self, place: int) -> list[str]:
        """The cells of one column."""
        return [row[place] for row in self.rows]

    def since_1904(self) -> "Cells":
        """The cells of a workbook whose serial numbers of days count from 1904-01-01."""
        rows = [list(row) for row in self.rows]
        for row in rows:
            if SERIAL.fullmatch(row[self.date]):
                row[self.date] = str(float(row[self.date]) + DAYS_TO_1904)
        return replace(self, rows=tuple(map(tuple, rows)))


def cells_of(text: str, file: str, how: How) -> Cells:
    r"""Take a text apart.

    Raises
    ------
    DataError : no rows of a day and a value.

    Examples
    --------
    >>> cells = cells_of("Download\n\nDatum;Kurs\n15.03.2024;1,5\n", "a.csv", How())
    >>> cells.headings, cells.rows, cells.titles
    (('Datum', 'Kurs'), (('15.03.2024', '1,5'),), ('Download',))
    """
    lines = text.splitlines()
    separator = how.separator or _separator(lines[how.skip : how.skip + LOOKED_AT])
    return arranged(_rows(lines, separator, file), separator, file, how)


def arranged(rows: list[tuple[int, list[str]]], separator: str, file: str, how: How) -> Cells:
    """Headings, days and values among numbered rows of cells; see `cells_of`.

    separator : empty in a workbook, whose rows end at their last filled cell.
    """
    start, date = _first_values(rows, file, how)
    above = [(number, row) for number, row in rows[:start] if any(row)]
    if not how.skip and not how.date:
        _refuse_values(above, date, file)
    headings, over, titles = _headings(above, width=max(len(row) for _, row in rows[start:]))
    if headings:
        date = _date_column(headings, date, how, file)
    filled = [(number, row) for number, row in rows[start:] if any(row)]
    values = filled[: len(filled) - _notes_below(filled, date)]
    width = len(headings) or next((len(row) for _, row in values if len(row) > 1), 1)
    for number, row in values:
        if any(row[width:]):
            mend = (
                "a number with the separator in it needs quotation marks"
                if separator
                else "give their columns headings, or empty them"
            )
            raise DataError(
                f"{file} line {number} has {len(row)} cells below {width} headings; {mend}."
            )
    return Cells(
        headings=headings or tuple(str(place + 1) for place in range(width)),
        over=over,
        rows=tuple(tuple(row[:width]) + ("",) * (width - len(row)) for _, row in values),
        lines=tuple(number for number, _ in values),
        date=date,
        titles=titles,
        separator=separator,
        has_headings=bool(headings),
        notes=len(filled) - len(values),
    )


def _separator(lines: Sequence[str]) -> str:
    """The rarest mark that most lines have: a comma may also be a decimal mark."""
    filled = [line for line in lines if line.strip()]
    for mark in SEPARATORS:
        # The rows of titles, a minority, need none.
        if filled and sum(mark in line for line in filled[len(filled) // 2 :]) * 2 > len(
            filled[len(filled) // 2 :]
        ):
            return mark
    return ","


def _rows(lines: list[str], separator: str, file: str) -> list[tuple[int, list[str]]]:
    """Number and cells of each line; stripped of blanks and empty cells at its end."""
    rows = []
    try:
        reader = csv.reader(io.StringIO("\n".join(lines)), delimiter=separator, strict=True)
        for row in reader:
            if len(row) > MOST_COLUMNS:
                raise DataError(f"{file} has more than {MOST_COLUMNS:,} columns; export it again.")
            rows.append((reader.line_num, [cell.strip() for cell in row]))
    except csv.Error as error:
        raise DataError(f"{file} is not a table of text ({error}); export it again.") from error
    return rows


def _first_values(rows: list[tuple[int, list[str]]], file: str, how: How) -> tuple[int, int]:
    """Row and column of the first day that is followed by another one."""
    if how.skip or how.date:  # the user says where the headings are
        for at in range(how.skip, min(len(rows), how.skip + LOOKED_AT)):
            cells = rows[at][1]
            if any(cells) and (not how.date or how.date in cells):
                first = next((n for n in range(at + 1, len(rows)) if any(rows[n][1])), None)
                if first is not None:
                    return first, cells.index(how.date) if how.date else 0
        raise DataError(
            f"{file} has no heading {how.date!r} below line {how.skip}; mend data.files."
        )
    looked_at = rows[:LOOKED_AT] if any(len(row) > 1 for _, row in rows) else []
    for at, (_, row) in enumerate(looked_at):
        below = next((r for _, r in rows[at + 1 :] if any(r)), row)
        # A price may look like a serial number: what is written as a day goes before it.
        for place in sorted(
            range(min(4, len(row), len(below))), key=lambda at: bool(SERIAL.fullmatch(row[at]))
        ):
            # Rows of titles hold days too ('Start Date, 01/01/2020'), with words before them.
            others = row[:place] + row[place + 1 :]
            is_value = place == 0 or (
                looks_like_a_day(below[place]) and any(cell[:1].isdigit() for cell in others)
            )
            # A day alone is a title, or the first day if it has no value.
            is_row = any(others) or looks_like_a_day(below[place])
            if is_row and is_value and looks_like_a_day(row[place]):
                return at, place
    top = next((row for _, row in rows if any(row)), [""])
    raise DataError(
        f"{file} has no rows that begin with a day (its first cell is {shown(top[0])}); say what "
        f"its columns are in [data.files.{file!r}]."
    )


def _headings(
    above: list[tuple[int, list[str]]], width: int
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """The last line above the values; two where one names tickers and the other one values."""
    if not above:
        return (), (), ()
    last = above[-1][1]
    # yfinance names the days, and nothing else, in a line of their own.
    names_days = [cell for cell in last if cell] == last[:1] and len(above) >= 3
    rows = [row for _, row in (above[:-1] if names_days else above)]
    titles = tuple(" ".join(filter(None, row)) for row in rows[:-2])
    for headings, over in ((rows[-2:-1], rows[-1:]), (rows[-1:], rows[-2:-1])):
        if headings and over and _are_prices_of(headings[0], over[0]):
            day = last[0] if names_days else headings[0][0] or over[0][0]
            return (day, *headings[0][1:]), ("", *over[0][1:]), titles
    titles = tuple(" ".join(filter(None, row)) for _, row in above)
    if len(last) == 1 and width > 1:  # a title and no headings
        return (), (), titles
    return tuple(last), (), titles[:-1]


def _refuse_values(above: list[tuple[int, list[str]]], date: int, file: str) -> None:
    """Raise DataError where rows above the first day have values, and a day that is none."""
    names_days = [
        any(cell.lower() in DATES for cell in row if cell) and not any(map(looks_like_a_day, row))
        for _, row in above
    ]
    if not above or names_days[-1]:
        return
    last = above[-1][1]
    others = [cell for cell in last[:date] + last[date + 1 :] if cell]
    below = len(above) - names_days[::-1].index(True) if any(names_days) else len(above) - 1
    is_ticker = any(names_days) and _are_prices_of(above[-2][1], last)
    if not is_ticker and (any(names_days) or (others and all(map(NUMBER.fullmatch, others)))):
        number, row = above[below]
        day = row[date] if date < len(row) else ""
        raise DataError(
            f"{file} line {number}: date {shown(day)} is not a day; mend it, or say in data.files "
            "what is above the values."
        )


def _are_prices_of(headings: list[str], tickers: list[str]) -> bool:
    """Whether one line names values (Close, PX_LAST) and another, cell by cell, whose they are."""
    of = [
        (heading.lower(), ticker)
        for heading, ticker in zip_longest(headings[1:], tickers[1:], fillvalue="")
        if heading.lower() not in DATES
    ]
    return (
        tickers[0].lower() in ("", "ticker", "date", "dates")  # no title, such as 'End Date'
        and any(heading in QUOTES for heading, _ in of)
        and all(bool(heading) == bool(ticker) for heading, ticker in of)
        and not any(ticker.lower() in QUOTES for _, ticker in of)
    )


def _notes_below(rows: list[tuple[int, list[str]]], date: int) -> int:
    """Lines at the end of a file that have no day and no number, such as its source."""
    count = 0
    for _, row in reversed(rows):
        cells = row[:date] + row[date + 1 :]
        has_day = looks_like_a_day(row[date]) if date < len(row) else False
        if has_day or any(cell[:1].isdigit() for cell in cells):
            break
        count += 1
    return count if count < len(rows) else 0


def _date_column(headings: tuple[str, ...], found: int, how: How, file: str) -> int:
    """The column that is called a date, else the one in which the first day was found."""
    if how.date:
        return headings.index(how.date)
    lowered = [heading.lower() for heading in headings]
    return next((lowered.index(name) for name in DATES if name in lowered), found)
