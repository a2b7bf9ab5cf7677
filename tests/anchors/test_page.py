"""The committed page is what the command writes: the same questions, and the same answers."""

import re
from datetime import date

import pytest

from backtest.anchors.anchor import MARK, number
from backtest.anchors.page import as_markdown
from backtest.anchors.run import run_anchors
from backtest.anchors.tables import tables
from tests.support.places import ROOT

PAGE = (ROOT / "docs" / "anchors.md").read_text(encoding="utf-8")


def cells(line):
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip())[1:-1]]


def test_the_page_has_the_tables_of_what_ships():
    """Questions, sources and published numbers as they are; ours to the digits that are shown."""
    text = PAGE.split("\n## ")
    on_page = {part.split("\n", 1)[0]: part.split("\n") for part in text}
    compared = 0
    for table in tables(run_anchors()):
        heading, *lines = [line for line in as_markdown(table) if line]
        there = [line for line in on_page[heading.removeprefix("## ")][1:] if line]
        assert len(there) == len(lines)
        for ours, theirs in zip(lines, there, strict=True):
            if not ours.startswith("|"):
                assert ours == theirs
                continue
            *said, answer, _ = cells(ours)
            *printed, shown, _ = cells(theirs)
            assert said == printed
            if number(answer) == number(answer):
                assert number(answer) == pytest.approx(number(shown), rel=1e-9, abs=1e-9)
                compared += 1
            else:
                assert answer == shown
    assert compared > 130


def test_the_page_counts_each_set_first():
    first = PAGE.split("\n## ")[1]
    rows = [cells(line) for line in first.splitlines() if line.startswith("| ")][2:]
    assert len(rows) >= 20 and all(numbers == met for _, numbers, met, _ in rows)
    total = sum(int(numbers.replace(",", "")) for _, numbers, _, _ in rows)
    sentence = f"**{total:,} of {total:,} published numbers are met, in {len(rows)} sets"
    # A set that is shown in a line a group has no row a number; none of those is remembered.
    remembered = sum(f" {MARK} |" in line for line in PAGE.splitlines())
    assert remembered > 20
    assert f"{sentence}; {remembered} are remembered, not read.**" in PAGE


def test_the_page_says_when_and_that_all_is_met():
    [day] = re.findall(r"wrote this page, on (\d{4}-\d\d-\d\d)\.", PAGE)
    assert date(2026, 11, 28) <= date.fromisoformat(day)
    [(met, asked)] = re.findall(r"\*\*([\d,]+) of ([\d,]+) published numbers are met", PAGE)
    assert met == asked and int(asked.replace(",", "")) > 250
    assert "missed: " not in PAGE and "Not asked here" not in PAGE
