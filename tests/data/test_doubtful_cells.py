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
    frame.rename(columns={"BTC": "close", "ETH": "Close"}).to_parquet(tmp_path / "close.parquet")
    with pytest.raises(bt.DataError, match="btc.parquet has 2 columns 'close'; keep the right one"):
        read_bytes((tmp_path / "close.parquet").read_bytes(), "btc.parquet")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Date,BTC\n2024-13-02,1\n2024-01-03,2\n", "line 2: date '2024-13-02' is not a day;"),
        ("Date,BTC\nn.a.,1\n2024-13-02,1\n2024-01-03,2\n", "line 2: date 'n.a.' is not a day;"),
        ("Date,BTC\n,1\n2024-01-03,2\n", "line 2: date '' is not a day;"),
        ("Date,BTC\n2024-13-02\n2024-01-03,2\n", "line 2: date '2024-13-02' is not a day;"),
        ("2024-13-02,1\n2024-01-03,2\n", "line 1: date '2024-13-02' is not a day;"),
        ("Date,BTC\n1/13/2024 25:00,1\n1/14/2024 0:00,2\n", "line 2: date '1/13/2024 25:00'"),
        ("Date,BTC\n1/13/2024 10:70,1\n1/14/2024 0:00,2\n", "line 2: date '1/13/2024 10:70'"),
        ("Date,BTC\n1/13/2024,1\n1/14/2024 13:00 PM,2\n", "line 3: date '1/14/2024 13:00 PM'"),
    ],
)
def test_a_day_that_is_none_is_no_heading_and_no_other_day(text, said):
    with pytest.raises(bt.DataError, match="^x.csv line") as error:
        read_bytes(text.encode(), "x.csv").values("BTC")
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("2024-03-18\nDate,BTC\n2024-01-03,2\n", ["2024-01-03"]),
        ("Date,2024-03-18\nDay,BTC\n2024-01-03,2\n", ["2024-01-03"]),
        ("Date,BTC\n2024-01-02\n2024-01-03,2\n", ["2024-01-03"]),
        ("Date,Close,High\n,BTC-USD,BTC-USD\n2024-01-03,2,3\n", ["2024-01-03"]),
        ("Date,BTC\n1/13/2024 12:00 AM,1\n1/14/2024 0:00,2\n", ["2024-01-13", "2024-01-14"]),
        ("Date,BTC\n02-Jan-62,1\n02-Jan-24,3\n", ["1962-01-02", "2024-01-02"]),
    ],
)
def test_titles_and_blank_first_days_hide_no_heading(text, days):
    assert read_bytes(text.encode(), "x.csv").values("BTC")[0].index.astype(str).tolist() == days
