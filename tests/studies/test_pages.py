"""The page of every command in a browser: read aloud, in the dark, on a telephone, on paper."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unicodedata import normalize

import pytest
from pypdf import PageObject, PdfReader

from backtest.studies import COMMANDS
from tests.studies.run.test_page import Page
from tests.support.browser import judge, printed
from tests.support.pages import PAGES, exhibit_of, page_of

# (width in pixels, whether the reader prefers a dark page): colours do not depend on the width.
SCREENS = {"desk": (1200, False), "telephone in the dark": (375, True)}
SHORTER = ("run, real prices", "compare, equal")  # what they show, others show too
WHITE = "rgb(255, 255, 255)"


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("browser")


@pytest.fixture(scope="module")
def judged(work: Path) -> dict[str, dict[str, Any]]:
    """What axe-core says of every page, on each kind of screen."""
    pages = {name: page_of(name) for name in PAGES}
    return {
        screen: judge(work, pages, width=width, dark=dark)
        for screen, (width, dark) in SCREENS.items()
    }


def test_every_command_has_a_page_here() -> None:
    with_pages = {command.name for command in COMMANDS}
    assert with_pages == {name.split(",")[0] for name in PAGES}


@pytest.mark.parametrize("screen", SCREENS)
def test_axe_finds_nothing_on_any_page(judged, screen: str) -> None:
    found = judged[screen]
    for name, page in found.items():
        print(f"axe, {screen}, {name}: {len(page['findings'])} findings, {page['passes']} passes")
    assert set(found) == set(PAGES)
    assert min(page["passes"] for page in found.values()) > 10  # the rules did run
    assert {name: page["findings"] for name, page in found.items() if page["findings"]} == {}


def test_axe_finds_what_is_wrong(work: Path) -> None:
    """The page of another test would pass as well if nothing were judged."""
    faint = '<p style="color: #aaa">too faint to read</p><img src="x.png"></main>'
    page = page_of("power").replace("</main>", faint).replace(' lang="en"', "")
    (found,) = judge(work, {"wrong": page}, width=375, dark=False).values()
    grave = {f["id"] for f in found["findings"] if f["impact"] in ("serious", "critical")}
    assert grave == {"color-contrast", "html-has-lang", "image-alt"}


def luminance(colour: str) -> float:
    red, green, blue = (int(part) / 255 for part in re.findall(r"\d+", colour)[:3])
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_a_page_is_dark_where_it_is_asked_for_and_drawings_stay_on_white(judged) -> None:
    for screen, (_, dark) in SCREENS.items():
        for page in judged[screen].values():
            assert page["dark"] == dark
            assert (luminance(page["ground"]) < 0.2) == dark
            assert set(page["cards"]) <= {WHITE}
    assert any(page["cards"] for page in judged["telephone in the dark"].values())


@pytest.mark.parametrize("screen", SCREENS)
def test_no_page_is_wider_than_its_screen(judged, screen: str) -> None:
    for name, page in judged[screen].items():
        assert page["width"] == SCREENS[screen][0]
        assert page["scroll"] <= page["width"] and page["wide"] == [], name


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_in_order(name: str) -> None:
    page = Page(page_of(name))
    tags = [tag for tag, _ in page.elements]
    for tag in ("main", "header", "h1", "title"):
        assert tags.count(tag) == (len(page.all(tag)) if tag == "title" else 1), tag
    assert page.all("html")[0][0]["lang"] == "en"
    levels = [int(tag[1]) for tag in tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1 and all(b - a <= 1 for a, b in zip(levels, levels[1:], strict=False))
    ids = [attrs["id"] for _, attrs in page.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    assert {attrs["href"] for attrs, _ in page.all("a")} <= {f"#{place}" for place in ids}
    assert all(attrs["scope"] in {"col", "row", "rowgroup"} for attrs, _ in page.all("th"))
    boxes = [attrs for attrs, _ in page.all("div") if attrs.get("class") == "scroll"]
    assert len(boxes) == len(page.all("table")) + len(page.all("figure"))
    assert all(b["role"] == "region" and b["tabindex"] == "0" and b["aria-label"] for b in boxes)


def bare(text: str) -> str:
    """A text without its spaces and ligatures: where a line ends is the printer's business."""
    return re.sub(r"\s+", "", normalize("NFKC", text))


def words_of(name: str) -> Iterator[str]:
    """Everything a reader of a page on paper must find, as text."""
    exhibit = exhibit_of(name)
    yield from (exhibit.title, exhibit.caption, exhibit.source_line, *exhibit.answer)
    for section in exhibit.sections:
        yield from (section.heading, section.text, *section.sentences)
        yield from (word for term in section.terms for word in term)
        for table in section.text_tables():
            yield from (table.caption, table.note, table.source_line, *table.heads)
            yield from (group for group, _ in table.groups)
            yield from (cell.text for _, rows in table.groups for row in rows for cell in row)


@dataclass(frozen=True)
class Piece:
    """A piece of text on paper: where it begins, from the left, and at least how wide it is."""

    text: str
    left: float
    width: float


def pieces_of(page: PageObject) -> list[Piece]:
    """The pieces of text of a page, in the order in which it holds them."""
    pieces: list[Piece] = []

    def visit(text: str, matrix: list[float], place: list[float], font: Any, size: float) -> None:
        if text.strip():
            left = matrix[0] * place[4] + matrix[2] * place[5] + matrix[4]
            narrow = 0.4 * size * abs(place[0] * matrix[0])  # of a letter
            pieces.append(Piece(text.strip(), left, narrow * len(text.strip())))

    page.extract_text(visitor_text=visit)
    return pieces


@pytest.mark.parametrize("name", [name for name in PAGES if name not in SHORTER])
def test_paper_loses_nothing_and_no_heading_ends_a_page(work: Path, name: str) -> None:
    reader = PdfReader(printed(work, page_of(name)))
    print(f"paper, {name}: {len(reader.pages)} pages")
    said = bare("".join(page.extract_text() for page in reader.pages))
    # The type of the machine may lack letters of other scripts.
    missing = [words for words in words_of(name) if words.isascii() and bare(words) not in said]
    assert missing == []
    headings = {bare(section.heading) for section in exhibit_of(name).sections}
    for page in reader.pages:
        pieces, width = pieces_of(page), float(page.mediabox.width)
        cut = [p for p in pieces if not 0 <= p.left <= p.left + p.width <= width]
        assert cut == []
        assert not pieces or bare(pieces[-1].text) not in headings
