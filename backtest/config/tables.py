"""A file of a table beside a study: CSV or a workbook as text cells, or parquet."""

import io

import pandas as pd

from backtest.types import DataError, StudyError
from backtest.workbook import is_workbook, table_of

SEPARATORS = (";", "\t", "|")  # of tables that some programs call CSV


def read_table(name: str, content: bytes, sheet: str = "") -> pd.DataFrame:
    r"""The table of a file: cells of a CSV are text as it is written, those of parquet as stored.

    sheet : of a workbook; its first unless said.

    Raises
    ------
    StudyError : the file is no table.

    Examples
    --------
    >>> read_table("accounts.csv", b"account,amount\nNA,007\n").loc[0].tolist()
    ['NA', '007']
    """
    if sheet and not is_workbook(name):
        raise StudyError(f"{name} is no workbook and has no sheet {sheet!r}; leave sheet out.")
    try:
        if name.endswith(".parquet"):
            return pd.read_parquet(io.BytesIO(content))
        if is_workbook(name):
            heads, *rows = table_of(content, name, sheet)
            return _checked(name, pd.DataFrame(rows, columns=heads, dtype=str))
        table = pd.read_csv(
            io.BytesIO(content), dtype=str, keep_default_na=False, encoding="utf-8-sig"
        )
        return _checked(name, table.rename(columns=str.strip))
    except UnicodeDecodeError as error:
        byte, place = error.object[error.start], error.start
        raise StudyError(
            f"{name} is not UTF-8 (byte {byte:#04x} at {place}); save it as CSV UTF-8."
        ) from error
    except DataError as error:
        raise StudyError(str(error)) from error
    except (ValueError, OSError, pd.errors.ParserError) as error:
        reason = str(error).splitlines()[0]
        raise StudyError(f"{name} is not a table ({reason}); export it again.") from error


def _checked(name: str, table: pd.DataFrame) -> pd.DataFrame:
    """The table, unless a column is there twice, has no head, or all of them came as one."""
    heads = [str(head) for head in table.columns]
    twice = next((head for head in heads if head and heads.count(head) > 1), None)
    if twice is not None:
        raise DataError(f"{name} has {heads.count(twice)} columns {twice!r}; keep the right one.")
    mark = next((mark for mark in SEPARATORS for head in heads if mark in head), None)
    if len(heads) == 1 and mark:
        raise DataError(f"{name} separates columns by {mark!r}; save it with commas.")
    if not isinstance(table.index, pd.RangeIndex):  # pandas takes what is left over as an index
        raise DataError(f"{name} has rows with more cells than its head; give each column a name.")
    return table
