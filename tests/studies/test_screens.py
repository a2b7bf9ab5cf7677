"""What every command prints, on terminals of any width: lines that fit, numbers that are whole."""

import re
from collections import Counter
from io import StringIO
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from backtest.present.screen import Screen
from tests.support.pages import PAGES, exhibit_of

WIDTHS = (60, 80, 120, 200)
LONGEST = 40  # a sha256 is longer than some screens are wide


def numbers(text: str) -> Counter[str]:
    """What holds a digit, between spaces."""
    words = (word for word in text.split() if re.search(r"\d", word))
    return Counter(word for word in words if cell_len(word) <= LONGEST)


def printed(page: str, width: int) -> list[str]:
    screen, out = Screen(), StringIO()
    screen.console = Console(width=width, file=out)
    screen.exhibit(exhibit_of(page), Path("results") / "a folder")
    return out.getvalue().splitlines()


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("page", PAGES)
def test_no_line_is_too_long_and_no_number_is_broken(page: str, width: int) -> None:
    lines = printed(page, width)
    assert max(map(cell_len, lines)) <= width
    exhibit = exhibit_of(page)
    if exhibit.one_line:
        assert " ".join(lines).startswith(exhibit.one_line)
        return
    tables = [t for s in exhibit.sections if s.on_screen for t in s.text_tables()]
    cells = [c.text for t in tables for _, rows in t.groups for row in rows for c in row]
    told = [*exhibit.answer, *(words for s in exhibit.sections if s.on_screen for words in
            (s.text, *s.sentences, *(term for pair in s.terms for term in pair)))]  # fmt: skip
    assert numbers(" ".join([*cells, *told])) <= numbers(" ".join(lines))


@pytest.mark.parametrize("page", PAGES)
def test_a_percentage_is_on_one_line(page: str) -> None:
    lines = printed(page, 80)
    assert not [line for line in lines if line.lstrip().startswith("%")]
