"""Workbooks: prices, accounts and given margins in sheets, and files that are refused in a line."""

import io
import zipfile
from datetime import datetime

import numpy as np
import openpyxl
import pandas as pd
import pytest
from openpyxl.utils.datetime import CALENDAR_MAC_1904

import backtest as bt
from backtest.config.accounts import read_positions
from backtest.config.load import read_study
from backtest.config.positions import positions_table
from backtest.data.layouts.how import How
from backtest.data.layouts.reading import read_bytes
from backtest.workbook import table_of

FRED = (["observation_date", "DGS10"], [datetime(2024, 3, 14), 4.29], [datetime(2024, 3, 15), 4.31])


def workbook(percent="", epoch=None, form='0.00" of par"%', **sheets):
    """A workbook of rows by sheet. percent : cell of the first sheet with that format."""
    book = openpyxl.Workbook()
    book.epoch = epoch or book.epoch
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    if percent:
        book.worksheets[0][percent].number_format = form
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def refusal(raw, file="x.xlsx", how=None):
    with pytest.raises(bt.DataError) as error:
        read_bytes(raw, file, how)
    assert "\n" not in str(error.value) and file in str(error.value)
    return str(error.value)


def test_prices_are_in_the_first_sheet_that_holds_days_or_in_the_one_that_is_said():
    notes = [["FRED Graph Observations"], ["Federal Reserve Economic Data"], [], ["DGS10", "Yield"]]
    other = [["Date", "2Y"], [datetime(2024, 3, 15), 4.7], [datetime(2024, 3, 18), 4.75]]
    raw = workbook(README=notes, Daily=FRED, Other=other)
    reading = read_bytes(raw, "DGS10.xlsx")
    assert reading.line() == (
        "DGS10.xlsx: read as FRED, percent, 2024-03-14 .. 2024-03-15; 10Y; sheet 'Daily'"
    )
    assert reading.values("10Y")[0].tolist() == [4.29, 4.31]
    assert read_bytes(raw, "DGS10.xlsx", How(sheet="Other")).values("2Y")[0].tolist() == [4.7, 4.75]
    assert "has no sheet 'Weekly'; it has 'README', 'Daily'" in refusal(
        raw, how=How(sheet="Weekly")
    )
    assert "no rows that begin with a day" in refusal(workbook(README=notes))


def test_a_bloomberg_export_is_read_as_its_text_is():
    rows = [["Security", "USGG10YR Index"], ["Start Date", datetime(2020, 1, 1)], [], ["Date"]]
    rows[3].append("PX_LAST")
    rows += [[datetime(2020, 1, 15), 1.783], [datetime(2020, 1, 16), "#N/A N/A"]]
    reading = read_bytes(workbook(Worksheet=rows), "bdh.xlsx")
    assert reading.values("10Y")[0].to_dict() == {pd.Timestamp("2020-01-15"): 1.783}
    assert "read as Bloomberg, percent" in reading.line() and "1 blank" in reading.line()


def test_days_may_be_serial_numbers_and_a_time_of_day_is_kept():
    rows = [["Date", "Close"], [43832, 7200.5], [43833, 7345.25]]
    column, _ = read_bytes(workbook(S=rows), "btc.xlsx").values("BTC")
    assert column.to_dict() == {
        pd.Timestamp("2020-01-02"): 7200.5,
        pd.Timestamp("2020-01-03"): 7345.25,
    }
    hours = [["Date", "Close"]] + [
        [datetime(2024, 6, d, h), d + h] for d in (3, 4) for h in (9, 16)
    ]
    column, _ = read_bytes(workbook(S=hours), "btc.xlsx", How(close="16:00")).values("BTC")
    assert column.tolist() == [19.0, 20.0]


def test_what_is_shown_as_a_percentage_is_read_as_it_is_shown():
    rows = [["Date", "10Y"], [datetime(2024, 3, 14), 0.0429]]
    shown = read_bytes(workbook("B2", S=rows), "x.xlsx")
    assert shown.values("10Y")[0].tolist() == [4.29]
    plain = read_bytes(workbook(S=rows), "x.xlsx")
    assert plain.values("10Y")[0].tolist() == [0.0429]
    mixed = read_bytes(workbook("B2", S=[*rows, [datetime(2024, 3, 15), 0.0431]]), "x.xlsx")
    with pytest.raises(bt.DataError, match="is 4.2900% on one day, and others have none"):
        mixed.values("10Y")
    assert table_of(workbook("B2", S=rows), "x.xlsx")[1] == ["2024-03-14", "0.0429"]


@pytest.mark.parametrize("form", ['#,##0.00 "€"', "[$€-407] #,##0.00", "£#,##0", "[$¥-411]0"])
def test_what_is_shown_in_another_currency_is_not_usd(form):
    raw = workbook("B2", form=form, S=[["Date", "BTC"], [datetime(2024, 3, 14), 42.5]])
    with pytest.raises(bt.DataError, match="BTC is 42.5 [€£¥], which is not USD"):
        read_bytes(raw, "x.xlsx").values("BTC")


@pytest.mark.parametrize("form", ["_-* #,##0.00\\ _€_-", "[$$-409]#,##0.00"])
def test_a_blank_as_wide_as_a_sign_is_none(form):
    raw = workbook("B2", form=form, S=[["Date", "BTC"], [datetime(2024, 3, 14), 42.5]])
    assert read_bytes(raw, "x.xlsx").values("BTC")[0].tolist() == [42.5]


def test_numbers_of_days_count_from_the_first_day_of_their_workbook():
    raw = workbook(epoch=CALENDAR_MAC_1904, S=[["Date", "BTC"], [43831, 1.5], [43832, 2.5]])
    days = read_bytes(raw, "x.xlsx").values("BTC")[0].index
    assert days.astype(str).tolist() == ["2024-01-02", "2024-01-03"]


def test_text_beside_numbers_does_not_say_what_their_points_are():
    rows = [
        ["Date", "BTC"],
        *((datetime(2024, 3, d), v) for d, v in ((4, "1.123,5"), (5, 988.125))),
    ]
    assert read_bytes(workbook(S=rows), "x.xlsx").values("BTC")[0].tolist() == [1123.5, 988.125]


def test_a_first_day_without_a_value_does_not_hide_the_headings():
    rows = [["observation_date", "DGS10"], [datetime(2010, 1, 1)], [datetime(2010, 1, 4), 3.85]]
    reading = read_bytes(workbook(S=rows), "DGS10.xlsx")
    assert reading.values("10Y")[0].tolist() == [3.85] and "1 blank" in reading.line()
    wide = [FRED[0], [*FRED[1], "a note"]]
    assert "line 2 has 3 cells below 2 headings; give" in refusal(workbook(S=wide))


def test_a_formula_that_nothing_computed_is_no_blank(tmp_path):
    rows = [
        ["Date", "BTC", "note"],
        [datetime(2024, 3, 4), 1.5, "=1"],
        [datetime(2024, 3, 5), "=B2*2"],
    ]
    for bad in (rows, [rows[0], rows[2]]):
        with pytest.raises(bt.DataError, match="BTC is 'a formula without a value .save the work"):
            read_bytes(workbook(S=bad), "x.xlsx").values("BTC")
    assert read_bytes(workbook(S=rows[:2]), "x.xlsx").values("BTC")[0].tolist() == [1.5]
    heads = ["account", "instrument", "amount", "unit"]
    with pytest.raises(bt.StudyError, match="amount is 'a formula without a value"):
        read_positions("a.xlsx", workbook(S=[heads, ["A", "BTC", "=1+1", "coins"]]))
    given = tmp_path / "given.xlsx"
    table = [["date", "account", "loss", "required"], [datetime(2024, 3, 4), "A", 1, "=C2"]]
    given.write_bytes(workbook(S=table))
    with pytest.raises(bt.DataError, match="a formula without a value .* in column 'required'"):
        bt.validate(given)
    space = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    empty = '<c r="A1" t="str"><f>IF(1,"")</f><v></v></c><c r="B1"><f>1</f><v>1</v></c>'
    sheet = f"<worksheet {space}><sheetData><row r='1'>{empty}</row></sheetData></worksheet>"
    assert table_of(with_sheet(sheet), "x.xlsx") == [["", "1"]]


def test_numbers_are_the_same_to_the_last_bit():
    drawn = np.random.default_rng(0).lognormal(size=500) * 10.0 ** np.arange(-5, 5).repeat(50)
    values = np.array([float(f"{value:.15g}") for value in drawn])  # as many as are written
    days = pd.bdate_range("2020-01-01", periods=500).to_pydatetime()
    raw = workbook(S=[["Date", "BTC"], *zip(days, values.tolist(), strict=True)])
    assert read_bytes(raw, "x.xlsx").values("BTC")[0].tolist() == values.tolist()


def packed(**parts):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in parts.items():
            file.writestr(name, content)
    return out.getvalue()


def with_sheet(xml):
    """A workbook whose only sheet has this XML in place of its own."""
    out, sound = io.BytesIO(), zipfile.ZipFile(io.BytesIO(workbook(S=FRED)))
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name in sound.namelist():
            file.writestr(name, xml if name.endswith("sheet1.xml") else sound.read(name))
    return out.getvalue()


def test_files_that_are_no_workbooks_are_one_line_each():
    ole = b"\xd0\xcf\x11\xe0" + bytes(600)
    assert "of Excel before 2007 (.xls); save it as .xlsx" in refusal(ole, "x.xls")
    assert "has a password" in refusal(ole + "EncryptedPackage".encode("utf-16-le"))
    assert "is no workbook, whatever its name says" in refusal(b"Date,Close\n2024-01-02,1\n")
    assert "is a zip and no .xlsx workbook" in refusal(packed(**{"btc.csv": "1"}), "x.zip")
    assert "no .xlsx workbook" in refusal(
        packed(**{"[Content_Types].xml": "", "xl/workbook.bin": ""}), "x.xlsb"
    )
    raw = workbook(S=FRED)
    assert "is no workbook that can be read" in refusal(raw[: len(raw) // 2])
    assert "is no workbook that can be read" in refusal(packed(**{"[Content_Types].xml": "<a>"}))
    assert "is no workbook that can be read" in refusal(with_sheet("<worksheet><sheetData><row"))


def test_a_workbook_that_unpacks_to_any_size_is_refused_before_it_is_read(monkeypatch):
    monkeypatch.setattr("backtest.workbook.MOST_BYTES", 1 << 20)
    big = packed(**{"[Content_Types].xml": "", "xl/media/a": bytes(1 << 20), "xl/b": b"0"})
    assert len(big) < 3_000
    assert "unpacks to 1,048,577 bytes; at most 1,048,576 are read" in refusal(big)
    monkeypatch.setattr("backtest.workbook.MOST_ROWS", 5_000)
    space = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    head = f"<worksheet {space}><sheetData>"
    far = '<row r="1"><c r="XFD1"><v>1</v></c></row></sheetData></worksheet>'
    assert "1,000 columns" in refusal(with_sheet(head + far))
    deep = '<row r="99999999999"><c r="A99999999999"><v>1</v></c></row></sheetData></worksheet>'
    assert "5,000 rows" in refusal(with_sheet(head + deep))
    laughs = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 12))
    bomb = f'<!DOCTYPE x [<!ENTITY l0 "ha">{laughs}]>{head}<row><c><v>&l11;</v></c></row>'
    assert "can be read" in refusal(with_sheet(bomb + "</sheetData></worksheet>"))


def test_accounts_and_positions_may_be_in_a_sheet():
    heads = ["account", "instrument", "amount", "unit", "silo", "group"]
    raw = workbook(Notes=[["a note"]], Book=[heads, [1, "BTC", -2.5, "coins"]])
    [position] = read_positions("accounts.xlsx", raw, "Book")
    assert (position.account, position.amount, position.group) == ("1", -2.5, "")
    with pytest.raises(bt.StudyError, match="accounts.xlsx has no column 'account'; it has a note"):
        read_positions("accounts.xlsx", raw)
    with pytest.raises(bt.StudyError, match="is no workbook"):
        read_positions("accounts.xlsx", b"account")
    with pytest.raises(bt.StudyError, match="^a.xlsx has 2 columns 'amount'; keep the right one.$"):
        read_positions(
            "a.xlsx", workbook(S=[[*heads, "amount"], [1, "BTC", 1, "coins", "", "", 2]])
        )
    with pytest.raises(bt.StudyError, match="has 2 columns 'date'"):
        positions_table("positions.xlsx", workbook(S=[["date", "date", "account"], [1, 2, "A"]]))
    days = workbook(
        S=[["date", "account", "instrument", "usd"], [datetime(2024, 1, 2), "A", "BTC"]]
    )
    assert positions_table("positions.xlsx", days).loc[0, "date"] == "2024-01-02"
    assert positions_table("positions.xlsx", days)["usd"].isna().all()


def test_a_sheet_of_what_is_no_workbook_is_refused():
    csv = b"Date,BTC\n2024-01-02,1\n2024-01-03,2\n"
    assert "is no workbook and has no sheet 'S'" in refusal(csv, "x.csv", How(sheet="S"))
    with pytest.raises(bt.StudyError, match="accounts.csv is no workbook and has no sheet 'S'"):
        read_positions("accounts.csv", b"account\n", "S")


def test_a_study_that_names_no_sheet_keeps_its_hash():
    text = 'models = { v = { kind = "historical_var" } }\n[accounts]\nfile = "a.xlsx"\n'
    assert "sheet" not in read_study(text, where="s.toml").resolved()["accounts"]
    said = read_study(text + 'sheet = "B"\n', where="s.toml")
    assert said.resolved()["accounts"]["sheet"] == "B"


def test_margins_in_a_sheet_are_scored_as_those_of_a_frame(tmp_path):
    days, rng = pd.bdate_range("2023-01-02", periods=100), np.random.default_rng(1)
    frame = pd.DataFrame({"date": days, "account": "7", "pnl": rng.normal(size=100)})
    frame["required"] = 2.33
    rows = [list(frame.columns), *frame.astype({"date": object}).to_numpy().tolist()]
    path = tmp_path / "given.xlsx"
    path.write_bytes(workbook(Read=[["me"]], Given=rows))
    one = bt.Coverage(mpor=1)
    pd.testing.assert_frame_equal(
        bt.validate(path, coverage=one).summary(), bt.validate(frame, coverage=one).summary()
    )
    path.write_bytes(workbook(Given=[rows[0], [*rows[1], 7.5], *rows[2:]]))
    with pytest.raises(bt.DataError, match="row 1 of its data, has '7.5' right of the headings"):
        bt.validate(path)
    path.write_bytes(workbook(Given=rows, Again=rows))
    with pytest.raises(bt.DataError, match="tables in the sheets 'Given' and 'Again'; save"):
        bt.validate(path)
    path.write_bytes(workbook(Read=[["me"]]))
    with pytest.raises(bt.DataError, match="given.xlsx"):
        bt.validate(path)
