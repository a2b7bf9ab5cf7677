"""Positions by day from a file beside a study: one row a date, account and instrument."""

import pandas as pd

from backtest.book.book import Book
from backtest.config.schema import StudyFile
from backtest.config.tables import read_table
from backtest.instruments.units import UNITS
from backtest.market.market import Market
from backtest.types import StudyError

KEYS = ("date", "account", "instrument")


def positions_table(name: str, content: bytes, sheet: str = "") -> pd.DataFrame:
    r"""The rows of a positions file; names are text, amounts numbers or NaN.

    sheet : of a workbook, see `read_table`.

    Raises
    ------
    StudyError : the file is no table.

    Examples
    --------
    >>> rows = b"date,account,instrument,coins\n2024-01-02,001,BTC,-2\n"
    >>> positions_table("positions.csv", rows).loc[0, "account"]
    '001'
    """
    table = read_table(name, content, sheet)
    if name.endswith(".parquet"):
        return table
    # An empty cell is no amount, and no name either; the text 'NA' is a name.
    empty = table[[c for c in table.columns if c in (*KEYS, *UNITS)]] == ""
    return table.mask(empty.reindex(columns=table.columns, fill_value=False))


def positions_book(study: StudyFile, market: Market) -> Book:
    """The book of the positions file of a study.

    Raises
    ------
    StudyError : one line, which begins with the name of the file.
    """
    table = study.positions
    assert table is not None
    frame = positions_table(table.file, study.beside[table.file], table.sheet)
    liquidation = study.closeout.liquidation()
    try:
        return Book.from_positions(frame, market, gaps=table.gaps, liquidation=liquidation)
    except StudyError as error:
        raise StudyError(f"{table.file}: {error}") from error


def instruments_of(study: StudyFile) -> list[str]:
    """Names of the instruments of the positions file; none where the study has no such file."""
    table = study.positions
    if table is None:
        return []
    frame = positions_table(table.file, study.beside[table.file], table.sheet)
    return [str(name) for name in frame.get("instrument", pd.Series(dtype=str)).dropna().unique()]
