"""Tables in workbooks (.xlsx): the cells of a sheet as text, days in ISO, numbers with a point."""

import io
import re
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from backtest.types import MOST_BYTES, DataError, shown

if TYPE_CHECKING:
    from openpyxl import Workbook

ENDINGS = (".xlsx", ".xlsm")
ZIP, OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
ENCRYPTED = "EncryptedPackage".encode("utf-16-le")  # the stream that a password makes of a workbook
MOST_ROWS = 1_048_576  # of a sheet, as Excel itself has it
MOST_COLUMNS = (
    1_000  # beyond it a sheet is no table, and rows of one cell far to the right are slow
)
MOST_SHEETS = 100

NO_VALUE = "a formula without a value (save the workbook in Excel)"
# A formula that gave an empty text has the type 'str'; one that no program computed has none.
UNCOMPUTED = re.compile(
    rb'<c\b(?![^<>]{0,200}\bt="str")[^<>]{0,200}\br="([A-Z]+\d+)"[^<>]{0,200}>\s*'
    rb"<f\b(?:[^<>]*/>|[^<>]*>[^<]*</f>)\s*(?:<v\s*/>|<v>\s*</v>)?\s*</c>"
)

Rows = list[list[str]]


class Real(str):
    """A cell that holds a number and not text: its point is a decimal mark whatever others say."""


class Sheet(NamedTuple):
    """Name and rows of a sheet, and whether its workbook counts days from 1904."""

    name: str
    rows: Rows
    since_1904: bool


def is_workbook(name: str) -> bool:
    """Whether a file's name is that of a workbook.

    Examples
    --------
    >>> is_workbook("Prices.XLSX"), is_workbook("prices.csv")
    (True, False)
    """
    return name.lower().endswith(ENDINGS)


def sheets_of(raw: bytes, file: str, *, sheet: str = "", as_shown: bool = False) -> Iterator[Sheet]:
    """Each sheet, in their order; one alone where `sheet` names it.

    Rows are as long as they are filled; an empty cell is ''. Formulas have the value that was
    computed last, or `NO_VALUE`; macros, charts and hidden columns do not matter.

    as_shown : write percentages and currencies as their formats show them, 0.0431 as '4.31%'.

    Raises
    ------
    DataError : a file that is no workbook, has a password, unpacks to any size, or lacks the sheet.
    """
    from openpyxl.utils.datetime import CALENDAR_MAC_1904

    refuse_other_files(raw, file)
    with _one_line(file):
        book = _opened(raw)
        names = [each.title for each in book.worksheets]
        if sheet and sheet not in names:
            listed = ", ".join(map(repr, names[:10]))
            raise DataError(f"{file} has no sheet {shown(sheet)}; it has {listed}.")
        for name in [sheet] if sheet else names[:MOST_SHEETS]:
            yield Sheet(name, _rows(book[name], file, as_shown), book.epoch == CALENDAR_MAC_1904)


def table_of(raw: bytes, file: str, sheet: str = "") -> Rows:
    """The filled rows of a sheet, the first unless `sheet` names another; all equally long.

    Raises
    ------
    DataError : see `sheets_of`; a sheet without a row.
    """
    filled = [row for row in next(sheets_of(raw, file, sheet=sheet)).rows if any(row)]
    if not filled:
        raise DataError(f"{file} has no row in its sheet; say which sheet holds the table.")
    width = max(map(len, filled))
    return [row + [""] * (width - len(row)) for row in filled]


def refuse_other_files(raw: bytes, file: str) -> None:
    """Raise DataError where a file is no .xlsx workbook, or unpacks to more than can be read."""
    if raw.startswith(OLE):
        what = (
            "has a password; save it without one"
            if ENCRYPTED in raw
            else "is a workbook of Excel before 2007 (.xls); save it as .xlsx or as CSV (UTF-8)"
        )
        raise DataError(f"{file} {what}.")
    if not raw.startswith(ZIP):
        raise DataError(f"{file} is no workbook, whatever its name says; save it as .xlsx.")
    with _one_line(file):
        parts = zipfile.ZipFile(io.BytesIO(raw)).infolist()
    names = {part.filename for part in parts}
    if "[Content_Types].xml" not in names or "xl/workbook.bin" in names:
        raise DataError(f"{file} is a zip and no .xlsx workbook; save it as .xlsx, or unpack it.")
    # Python unpacks no more of a part than it says here.
    size = sum(part.file_size for part in parts)
    if size > MOST_BYTES:
        raise DataError(
            f"{file} unpacks to {size:,} bytes; at most {MOST_BYTES:,} are read. Give the table "
            "alone, or save it as CSV."
        )


def _opened(raw: bytes) -> "Workbook":
    from openpyxl import load_workbook

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of styles and extensions, which no table needs
        return load_workbook(io.BytesIO(raw), read_only=True, data_only=True, keep_links=False)


@contextmanager
def _one_line(file: str) -> Iterator[None]:
    """DataError for what zipfile, the XML parser or openpyxl raise: errors of any kind."""
    try:
        yield
    except DataError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:100] or type(error).__name__
        raise DataError(f"{file} is no workbook that can be read ({reason}); save it anew.") from (
            error
        )


def _rows(sheet: Any, file: str, as_shown: bool) -> Rows:
    """All rows of a sheet up to the last one that holds anything."""
    sheet.reset_dimensions()  # some programs write wrong ones, and rows would be cut off
    rows: Rows = []
    filled = 0
    uncomputed = _uncomputed(sheet)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for cells in sheet.iter_rows():
            if len(rows) == MOST_ROWS or len(cells) > MOST_COLUMNS:
                raise DataError(
                    f"{file} has more than {MOST_ROWS:,} rows or {MOST_COLUMNS:,} columns; give "
                    "the table alone."
                )
            row = [_text(cell, as_shown) for cell in cells]
            for place in uncomputed.get(len(rows), ()):
                row[place] = NO_VALUE
            while row and not row[-1]:
                row.pop()
            rows.append(row)
            filled = len(rows) if row else filled
    return rows[:filled]


def _uncomputed(sheet: Any) -> dict[int, list[int]]:
    """Places, by row, of formulas that have no value; openpyxl takes them for empty cells."""
    from openpyxl.utils.cell import coordinate_to_tuple

    with sheet.parent._archive.open(sheet._worksheet_path) as part:
        xml = part.read()
    found: dict[int, list[int]] = {}
    for cell in UNCOMPUTED.findall(xml) if b"<f" in xml else []:
        row, column = coordinate_to_tuple(cell.decode())
        found.setdefault(row - 1, []).append(column - 1)
    return found


def _text(cell: Any, as_shown: bool) -> str:
    """A cell as a CSV has it."""
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, datetime):
        is_day = value.time() == time(0)
        return value.date().isoformat() if is_day else value.isoformat(" ", "seconds")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int | float):
        return Real(_with_sign(value, cell.number_format or "") if as_shown else repr(value))
    return " ".join(str(value).split())


def _with_sign(value: int | float, form: str) -> str:
    """A number and the sign of percent, or of a currency that is not USD, that its format shows."""
    if "%" in re.sub(r'"[^"]*"|\\.', "", form):
        return f"{Decimal(repr(value)) * 100:f}%"
    # Behind an underline a sign is only a blank of its width, as in the French style of thousands.
    currency = re.search("[€£¥]", re.sub("_.", "", form))
    return f"{value!r} {currency[0]}" if currency else repr(value)
