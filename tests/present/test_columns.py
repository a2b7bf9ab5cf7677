"""A table on a screen of any width: every number whole, every cell there, no line too long."""

import re
from collections import Counter
from io import StringIO

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from rich.cells import cell_len
from rich.console import Console

from backtest.present.columns import HEAD, NAME, facts, sheets
from backtest.present.folding import fold
from backtest.present.screen import LEAST, WIDTH, Screen
from backtest.present.table import Cell, TextTable

WIDTHS = (60, 80, 120, 200)


def printed(table: TextTable, width: int) -> list[str]:
    """Lines of a table on a screen of that width."""
    screen, out = Screen(), StringIO()
    screen.console = Console(width=width, file=out)
    screen.table(table)
    return out.getvalue().splitlines()


def numbers(lines: list[str]) -> Counter[str]:
    """What holds a digit, between spaces."""
    return Counter(w for line in lines for w in line.split() if re.search(r"\d", w))


def numbers_of(table: TextTable) -> Counter[str]:
    return numbers([c.text for _, rows in table.groups for row in rows for c in row])


CELLS = some.one_of(
    some.integers(-(10**9), 10**9).map("{:,}".format),
    some.floats(-1e6, 1e6).map(lambda x: f"{x:.2f} [{x - 1:.2f}, {x + 1:.2f}]"),
    some.floats(0, 1).map(lambda x: f"{100 * x:.1f} %"),
    some.just("n/a: correlation -0.92 that drifts by 0.03 was not measured"),
)
WORDS = some.text("abcdefgh 日本 -_/", min_size=1, max_size=60).map(lambda t: t.strip() or "x")


@some.composite
def tables(draw) -> TextTable:
    count = draw(some.integers(1, 14))
    heads = draw(some.lists(WORDS, min_size=count, max_size=count, unique=True))
    names = draw(some.lists(WORDS, min_size=1, max_size=4, unique=True))
    rows = [(name, draw(some.lists(CELLS, min_size=count, max_size=count))) for name in names]
    columns = {head: (lambda row, k=k: row[k]) for k, head in enumerate(heads)}
    if draw(some.booleans()):
        return TextTable.nest("Nested", ("book", "model"), [(n, rows) for n in names], columns)
    return TextTable.of("Plain", "book", rows, columns)


@settings(max_examples=60)
@given(tables(), some.sampled_from((LEAST, *WIDTHS)))
def test_no_line_is_too_long_and_no_number_is_broken(table: TextTable, width: int) -> None:
    lines = printed(table, width)
    assert max(map(cell_len, lines)) <= width
    assert numbers_of(table) <= numbers(lines)


@settings(max_examples=60)
@given(tables(), some.sampled_from(WIDTHS))
def test_parts_hold_every_column_once_beside_the_names(table: TextTable, width: int) -> None:
    parts = sheets(table, width)  # no column of words but the first: names tell the rows apart
    heads = [head for part in parts for head in part.heads[1:]]
    assert heads == list(table.heads[2 if table.nested else 1 :])
    names = [[row.cells[0].text for row in part.rows] for part in parts]
    assert all(part == names[0] for part in names)


def test_a_table_that_fits_is_one_part_with_its_names_whole() -> None:
    name = "a name of a book that goes on for as long as it likes"
    table = TextTable.of("Rates", "book", [(name, 0.5)], {"rate": str})
    (part,) = sheets(table, WIDTH)
    assert part.widths[0] == len(name)
    assert [line.split() for line in printed(table, WIDTH)][-2:-1] == [[*name.split(), "0.5"]]
    assert not any("of" in line and "(1" in line for line in printed(table, WIDTH))


def test_names_are_folded_before_columns_move_to_another_part() -> None:
    """Names kept whole cut every verdict of a wide table: 'acce…'."""
    columns = {f"test {n}": lambda row: "accept" for n in range(13)}
    rows = [("a name of an account that is long, and its model", {}), ("short", {})]
    table = TextTable.of("Tests", "name", rows, columns)
    assert len(sheets(table, WIDTH)) == 1
    said = " ".join(printed(table, WIDTH))
    assert said.count("accept") == 26 and "…" not in said
    assert set(rows[0][0].split()) <= set(said.split())
    assert len(sheets(table, 80)) > 1


def test_parts_repeat_what_tells_rows_apart() -> None:
    """The second part of a table by model and book said 'siloed' of every row."""
    index = pd.MultiIndex.from_product(
        [("siloed", "var"), ("long BTC, long 10Y", "Bitcoin only")], names=["model", "portfolio"]
    )
    numbers_by_mix = pd.DataFrame(0.0123, index, [f"posted mix {n}" for n in range(9)])
    table = TextTable.of_frame("Breach rate", numbers_by_mix, {})
    for width in WIDTHS:
        parts = sheets(table, width)
        heads = [head for part in parts for head in part.heads[2:]]
        assert heads == list(numbers_by_mix.columns)
        for part in parts:
            rows = [(row.cells[0].text, row.cells[1].text) for row in part.rows]
            assert part.heads[:2] == ("model", "portfolio") and rows == list(index)
    assert len(sheets(table, 60)) > 2


def test_parts_say_which_they_are() -> None:
    table = TextTable.of("Tests", "name", [("a", 1)], {f"column {n}": str for n in range(9)})
    parts = sheets(table, 60)
    titles = [line for line in printed(table, 60) if line.startswith("Tests")]
    assert [t.replace("\N{NO-BREAK SPACE}", " ") for t in titles] == [
        f"Tests ({number} of {len(parts)})" for number in range(1, len(parts) + 1)
    ]


def test_a_table_that_has_no_room_becomes_a_list_of_its_cells() -> None:
    rows = [("a book of a long name indeed", 1234567.891)]
    table = TextTable.of("Rates", "book", rows, {"mean": "{:,.3f} [1,000,000.000]".format})
    assert sheets(table, LEAST) == []
    assert [line for line, _ in facts(table, LEAST)] == [
        "a book of a long name indeed", "  mean: 1,234,567.891 [1,000,000.000]",
    ]  # fmt: skip
    assert printed(table, LEAST) == ["Rates", *(line for line, _ in facts(table, LEAST))]


def test_a_table_of_facts_folds_its_words_beside_the_name() -> None:
    table = TextTable.of_facts("Facts", [("sha256", "f" * 64), ("words", "of a reader " * 20)])
    for width in WIDTHS:
        lines = printed(table, width)
        assert max(map(len, lines)) <= width
        assert "".join(lines).count("f") >= 64


def test_a_head_goes_over_several_lines_before_its_column_grows() -> None:
    head = "Christoffersen p, median / minimum over phases"
    (part,) = sheets(TextTable.of("T", "b", [("a", 1)], {head: str}), 80)
    assert part.widths[1] <= HEAD < NAME


@given(WORDS, some.integers(4, 40))
def test_folding_keeps_every_character(text: str, width: int) -> None:
    lines = fold(text, width)
    assert all(cell_len(line) <= width for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())


@pytest.mark.parametrize("width", [9, 12, 20])
def test_a_number_stays_with_its_sign_of_per_cent(width: int) -> None:
    lines = fold("at least 27.8 % and at most 1,230.9 % of it", width)
    assert {"27.8 %", "1,230.9 %"} <= {m for line in lines for m in re.findall(r"[\d.,]+ %", line)}


class _Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_has_its_own_width_and_a_file_always_the_same(monkeypatch) -> None:
    for columns in (30, 80, 200):
        monkeypatch.setenv("COLUMNS", str(columns))
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setattr("sys.stdout", _Terminal())
        assert Screen().console.width == max(LEAST, columns)
        monkeypatch.setattr("sys.stdout", StringIO())
        assert Screen().console.width == WIDTH


def test_bold_cells_stay_bold_where_they_are_folded() -> None:
    table = TextTable.of(
        "T", "b", [("a", 1)], {"words": lambda _: Cell("never so " * 9, bold=True, words=True)}
    )
    out = StringIO()
    screen = Screen()
    screen.console = Console(width=60, file=out, force_terminal=True, color_system="standard")
    screen.table(table)
    cells = [line for line in out.getvalue().splitlines() if "never" in line]
    assert len(cells) > 1 and all("\x1b[1m" in line for line in cells)


def test_bars_leave_and_what_was_told_at_once_stays(monkeypatch) -> None:
    """At 80 columns the words on a file took the room of every bar, and were gone at the end."""
    out = StringIO()
    screen = Screen()
    screen.console = Console(width=80, file=out, force_terminal=True, color_system=None)
    fact = "treasury_par_yields.csv: read as a file of this program, percent, 1990-01-02 .. 2026"
    with screen.progress() as progress:
        progress("prices", 0.0)
        progress(fact, 1.0)
        progress(fact, 1.0)
        progress("prices", 1.0)
        progress("margins", 0.5)
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", out.getvalue())
    assert re.findall(r"treasury_par_yields.csv: .*", plain) == [fold(fact, 80)[0]]
    bars = [line for line in re.split(r"[\r\n]+", plain) if line.startswith(("prices", "margins"))]
    assert any("━" in line for line in bars) and all(re.search(r"\d:\d\d$", b) for b in bars)
    assert max(map(cell_len, bars)) <= 80


def test_elsewhere_a_stage_is_one_line_once(capsys) -> None:
    with Screen().progress() as progress:
        for share in (0.0, 0.5, 1.0):
            progress("margins", share)
    assert capsys.readouterr().out == "... margins\n"


def test_a_line_is_folded_on_a_terminal_and_whole_elsewhere() -> None:
    text = "  btc_usd.csv: read as a file of this program, USD, 2010-07-18 .. 2026-08-21; BTC " * 3
    screen, out = Screen(), StringIO()
    screen.console = Console(width=60, file=out, force_terminal=True, color_system=None)
    screen.line(text)
    assert max(map(len, out.getvalue().splitlines())) <= 60
    screen.console = Console(width=60, file=(elsewhere := StringIO()))
    screen.line(text)
    assert elsewhere.getvalue() == text + "\n"
