"""A file of a table beside a study: CSV or a workbook as text cells, or parquet."""

import io

import pandas as pd

from backtest.types import DataError, StudyError
from backtest.workbook import is_workbook, table_of


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
            twice = next((head for head in heads if head and heads.count(head) > 1), None)
            if twice is not None:
                raise DataError(
                    f"{name} has {heads.count(twice)} columns {twice!r}; keep the right one."
                )
            return pd.DataFrame(rows, columns=heads, dtype=str)
        return pd.read_csv(
            io.BytesIO(content), dtype=str, keep_default_na=False, encoding="utf-8-sig"
        )
    except DataError as error:
        raise StudyError(str(error)) from error
    except (ValueError, OSError, UnicodeDecodeError, pd.errors.ParserError) as error:
        reason = str(error).splitlines()[0]
        raise StudyError(f"{name} is not a table ({reason}); export it again.") from error
