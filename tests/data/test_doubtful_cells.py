"""Cells that could be read as another number, day or heading than their writer meant."""

import pandas as pd
import pytest

import backtest as bt
from backtest.data.layouts.numerals import numbers_of
from backtest.data.layouts.reading import read_bytes


@pytest.mark.parametrize(
    ("cells", "separator"),
    [
        (["1,042.5", "987,25"], ","),
        (["1.234,5", "1.2.3"], ";"),
        (["1.123,5", "988.25"], ","),
        (["1,042.5", "1042,567.5"], ","),
        (["1'234'567.5", "1'2"], ","),
        (["42 123.5", "4212 345"], ","),
        (["111.5", "110'16"], ","),
    ],
)
def test_marks_between_thousands_part_groups_of_three(cells, separator):
    with pytest.raises(bt.DataError, match="a.csv line 3: X is .*, not a number") as error:
        numbers_of(cells, [2, 3], "a.csv: X", separator=separator)
    assert repr(cells[1]) in str(error.value)


def test_thousands_of_every_mark_are_read():
    for cells in (["-1,042.5", "1,234,567"], ["-1'042.5", "1 234 567"]):
        assert numbers_of(cells, [2, 3], "a.csv: X")[0].tolist() == [-1042.5, 1234567]


def test_two_columns_of_one_factor_are_none_in_parquet_too(tmp_path):
    days = pd.date_range("2024-01-01", periods=2, name="Date")
    frame = pd.DataFrame({"BTC": [1.0, 2], "BTC-USD": [3.0, 4], "ETH": [5.0, 6]}, index=days)
    frame.to_parquet(tmp_path / "coins.parquet")
    assert read_bytes((tmp_path / "coins.parquet").read_bytes(), "c.parquet").factors == ("ETH",)
    frame[["BTC", "BTC-USD"]].to_parquet(tmp_path / "two.parquet")
    with pytest.raises(bt.DataError, match="no column of numbers under one name each"):
        read_bytes((tmp_path / "two.parquet").read_bytes(), "two.parquet")
