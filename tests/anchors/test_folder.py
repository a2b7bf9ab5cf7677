"""A folder of published numbers through the command: all, some, none, damaged."""

import json

import pandas as pd
import pytest

from backtest.anchors.golden import Golden, Table, finite
from backtest.anchors.run import held_sets, sets_in
from backtest.cli import main
from backtest.types import DataError

PROFITS = [-9.0, -4.0, 1.0, 2.0, -1.0, 6.0, 3.0, -7.0, 5.0, 0.5]
HEAD = "#Portfolio,RiskClass,RiskType"
PNL = "\n".join(
    [
        f"{HEAD},PLDate1,PLDate2,PLAmount",
        *(f"All,FX,All,2016-12-30,2017-01-17,{p}" for p in PROFITS),
    ]
)
# Of ten P&Ls a tail of 15 % has two: -9 and -7; one of 90 % nine.
EXPECTED = f"""{HEAD},Quantile_0.150000,Quantile_0.900000,ExpectedShortfall_0.150000
All,FX,All,-7.000000,5.000000,-8.000000
"""
FILES = {"ore_histsimvar_pnl.csv": PNL, "ore_histsimvar_expected.csv": EXPECTED}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with one small set; what ships is left out, so that a case takes no time."""
    monkeypatch.setattr("backtest.anchors.run.SHIPPED", ())
    monkeypatch.chdir(tmp_path)
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


@pytest.fixture
def end(capsys):
    """Run the command; its exit code, its lines, and what it says of an error."""

    def run(*arguments):
        with pytest.raises(SystemExit) as end:
            main(["anchors", *map(str, arguments)])
        said = capsys.readouterr()
        return int(end.value.code or 0), said.out.splitlines(), said.err

    return run


def test_a_set_by_hand_is_met(folder, end):
    code, lines, error = end("--golden", folder)
    assert code == 0 and "3 of 3 published numbers are met, in 1 sets." in lines
    assert not [line for line in lines if "missed" in line]
    absent = [line for line in lines if line.startswith("not there: ")]
    assert len(absent) == len(held_sets()) - 1
    [row] = [line.split() for line in lines if line.endswith("OpenSourceRisk/Engine  ")]
    assert row[-3:] == ["3", "3", "OpenSourceRisk/Engine"]
    assert "Traceback" not in error


def test_one_altered_number_ends_in_1_and_is_named(folder, end):
    altered = EXPECTED.replace("-8.000000", "-8.000001")
    (folder / "ore_histsimvar_expected.csv").write_text(altered)
    code, lines, _ = end("--golden", folder)
    assert code == 1 and "2 of 3 published numbers are met, in 1 sets." in lines
    [missed] = [line for line in lines if line.startswith("missed: ")]
    assert "All / FX / All: mean of the tail at 0.15" in missed and "-8.000001" in missed


def test_an_altered_input_misses(folder, end):
    (folder / "ore_histsimvar_pnl.csv").write_text(PNL.replace("-7.0", "-7.1"))
    code, lines, _ = end("--golden", folder)
    assert code == 1
    assert len([line for line in lines if line.startswith("missed: ")]) == 2


@pytest.mark.parametrize("gone", FILES)
def test_half_of_a_set_is_told_in_a_line_and_is_no_miss(gone, folder, end):
    """With the P&L alone nothing is asked of it; another set is."""
    (folder / gone).unlink()
    (folder / "ore_histsimvar2_pnl.csv").write_text(PNL)
    (folder / "ore_histsimvar2_expected.csv").write_text(EXPECTED)
    code, lines, _ = end("--golden", folder)
    assert code == 0 and "3 of 3 published numbers are met, in 1 sets." in lines
    if gone == "ore_histsimvar_expected.csv":
        assert "not there: ore_histsimvar_expected.csv, which ore_histsimvar_pnl.csv needs" in lines


def test_a_set_is_found_in_the_folder_above_and_below(folder):
    inside = folder / "anchors"
    inside.mkdir()
    for name in FILES:
        (folder / name).rename(inside / name)
    for place in (folder, inside):
        sets, _ = sets_in(place)
        assert [len(each.anchors) for each in sets] == [3]
    (folder / "dmbp.csv").write_text("r\n" + "\n".join(["0.1", "-0.2"] * 40))
    sets, _ = sets_in(inside)
    assert [each.file for each in sets] == ["ore_histsimvar_pnl.csv", "dmbp.csv"]


def test_rows_and_page_are_written(folder, end):
    code, *_ = end("--golden", folder, "--csv", folder / "rows.csv", "--page", folder / "page.md")
    assert code == 0
    rows = pd.read_csv(folder / "rows.csv")
    assert list(rows["published"]) == [-7.0, 5.0, -8.0] and rows["met"].all()
    assert list(rows["ours"]) == [-7.0, 5.0, -8.0]
    page = (folder / "page.md").read_text(encoding="utf-8")
    assert "**3 of 3 published numbers are met, in 1 sets.**" in page
    assert "| -8.000000 | -8.00000000 | 0 |" in page


DAMAGED = {
    "no number": ("ore_histsimvar_pnl.csv", PNL.replace("-9.0", "much"), "row 2: PLAmount is 'mu"),
    "not finite": ("ore_histsimvar_pnl.csv", PNL.replace("-9.0", "nan"), "row 2: PLAmount is 'na"),
    "no column": ("ore_histsimvar_pnl.csv", PNL.replace("PLAmount", "PL"), "0 columns 'PLAmount'"),
    "a short row": ("ore_histsimvar_pnl.csv", PNL.replace(",2.0", ""), "row 5 has 5 cells where"),
    "no row": ("ore_histsimvar_pnl.csv", PNL.split("\n")[0], "has no row under its head"),
    "empty": ("ore_histsimvar_pnl.csv", "", "has 0 columns 'Portfolio'"),
    "no published number": (
        "ore_histsimvar_expected.csv",
        EXPECTED.replace("-8.000000", "eight"),
        "row 2: ExpectedShortfall_0.150000 is 'eight'; give a number.",
    ),
    "no measure": (
        "ore_histsimvar_expected.csv",
        f"{HEAD},Mean\nAll,FX,All,1.0\n",
        "has no column such as Quantile_0.010000",
    ),
    "another portfolio": (
        "ore_histsimvar_expected.csv",
        EXPECTED.replace("All,FX", "All,Equity"),
        "row 2 is about 'All / Equity / All', of which ore_histsimvar_pnl.csv has no P&L",
    ),
    "no text": ("ore_histsimvar_expected.csv", b"\xff\xfe\x00", "is no text in UTF-8"),
    "no JSON": ("rugarch_VaRTest_example_a01.json", "{", "is no JSON"),
    "nested too deep": ("rugarch_VaRTest_example_a01.json", "[" * 100_000, "is no JSON"),
    "another kind": ("rugarch_VaRTest_example_a01.json", "[]", "holds a list; give a dict"),
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_a_damaged_file_is_one_line_and_2(damage, folder, end):
    name, text, words = DAMAGED[damage]
    if name.startswith("rugarch"):
        (folder / "rugarch_dji30_AA_example.csv").write_text("ret,var01,es01,sigma\n0,0,0,1\n")
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    code, lines, error = end("--golden", folder)
    assert code == 2 and not lines
    assert words in error and name in error and error.count("\n") <= 2, error


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--golden", "nowhere"], "nowhere is no folder; give one"),
        (["--golden", "ore_histsimvar_pnl.csv"], "is no folder"),
        (["--golden", "empty"], "empty has none of the files of published numbers"),
        (["--gold", "x"], "No such option"),
        (["extra"], "unexpected extra argument"),
        (["--golden", ".", "--csv", "no/where.csv"], "cannot write 'no/where.csv': No such"),
        (["--golden", ".", "--page", "."], "cannot write '.': it is a folder"),
    ],
)
def test_wrong_arguments_are_one_line_and_2(arguments, words, folder, end):
    (folder / "empty").mkdir()
    code, _, error = end(*arguments)
    assert code == 2 and words in error and "Traceback" not in error, error


def test_numbers_and_tables_are_checked():
    for wrong in ("", "x", "nan", "inf", None, True, [1]):
        with pytest.raises(DataError, match="f: a is "):
            finite(wrong, "f: a")
    assert finite(3, "f: a") == 3.0
    with pytest.raises(DataError, match="no folder"):
        Golden.of("nowhere/at/all")


def test_a_table_keeps_what_is_printed(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("\ufeff# name, value\na, 1.50\n\nb,NA\nc,-Inf\n", encoding="utf-8")
    table = Table.read(path, ("value",))
    assert [table.printed(place, row, "value") for place, row in table] == ["1.50", "NA", "-Inf"]
    assert [place for place, _ in table] == [2, 4, 5]


def test_json_keeps_what_is_printed(tmp_path):
    from backtest.anchors.golden import json_of

    path = tmp_path / "t.json"
    path.write_text(json.dumps([14200000000.0, 0.5, 3]))
    assert json_of(path, list) == ["14200000000", "0.5", "3"]
