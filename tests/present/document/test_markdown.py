"""An author's Markdown: his words come through, and nothing but words."""

import pytest

from backtest.present.document.markdown import Source, markdown_blocks
from backtest.present.document.model import Code, Heading, Listing, Paragraph, Ref, Span
from backtest.types import ResultsError

SOURCE = Source("texts/one.md", "one", frozenset({"figure-1"}))


def blocks(text: str):
    return markdown_blocks(text, SOURCE)


def shown(text) -> str:
    return "".join(part.text for part in text if isinstance(part, Span))


def test_headings_lists_quotes_and_code() -> None:
    text = "# Our view\n\nOne\ntwo.\n\n> Said.\n\n- a\n- **b**\n\n1. x\n2. y\n\n```\nf(x)\n```\n"
    heading, one, quote, marked, ordered, code = blocks(text)
    assert heading == Heading("Our view", 3, "one-text-0")
    assert shown(one.text) == "One two." and (quote.style, shown(quote.text)) == ("quote", "Said.")
    assert isinstance(marked, Listing) and marked.entries[1] == (Span("b", strong=True),)
    assert ordered.ordered and [shown(entry) for entry in ordered.entries] == ["x", "y"]
    assert code == Code("f(x)")


def test_html_is_shown_as_typed_and_comments_are_not_shown() -> None:
    assert blocks("<!-- write here\n\nand here -->\n") == []
    (block,) = blocks("a <img src=x onerror=alert(1)> b <!-- no -->")
    assert shown(block.text).strip() == "a <img src=x onerror=alert(1)> b"
    (block,) = blocks("<script>alert(1)</script>")
    assert shown(block.text) == "<script>alert(1)</script>"


def test_references_and_web_links() -> None:
    (block,) = blocks("see [it](#figure-1) at [there](https://example.org/x)")
    assert isinstance(block, Paragraph) and Ref("figure-1") in block.text
    assert block.text[-1] == Span("there", link="https://example.org/x")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a\n\n![x](y.png)", "line 3: an image"),
        ("[x](#nothing)", "reference to 'nothing'"),
        ("[x](../secret)", "link to '../secret'"),
        ("one\ntwo\n[x](#nothing) y", "line 3: a reference to 'nothing'"),
        ("[x](#figure-2)", "'figure-1' is close; all names are in references.csv"),
        ("as said[^1]\n\n[^1]: in a note", "line 1: a footnote"),
        ("one\ntwo ~~three~~", "line 2: struck-out text"),
        ("- a\n  - b", "line 2: a list within a list"),
        ("- [x] done", "line 1: a task"),
        ("3. a\n4. b", "line 1: a list from 3"),
        ("1. a\n\n   more\n2. b", "line 3: more than a paragraph in an entry"),
        ("- a\n\n  ```\n  b\n  ```", "line 3: more than a paragraph in an entry"),
        ("one\n\u66f8", "line 2: the letter '\u66f8' .U.66F8."),
        ("```\none\n\u66f8\n```", "the letter '\u66f8'"),
    ],
)
def test_what_has_no_place_is_named_with_its_line(text: str, message: str) -> None:
    with pytest.raises(ResultsError, match=message) as error:
        blocks(text)
    assert "texts/one.md" in str(error.value) and "\n" not in str(error.value)


def test_a_table_with_bars_is_a_numbered_table() -> None:
    first, table, last = blocks(
        "Before\n\n| book | *ask* |\n|---|---:|\n| a | 1.5 |\n| b |  |\n\nafter"
    )
    assert isinstance(first, Paragraph) and isinstance(last, Paragraph)
    assert table.table.heads == ("book", "ask")
    assert [(name, rows[0][0].text) for name, rows in table.table.groups] == [
        ("a", "1.5"),
        ("b", ""),
    ]
    with pytest.raises(ResultsError, match="a link in a table"):
        blocks("| a |\n|---|\n| [x](#figure-1) |\n")


def test_a_javascript_link_is_text() -> None:
    (block,) = blocks("[x](javascript:alert(1))")
    assert all(not part.link for part in block.text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("one\n\n# \n", "texts/one.md, line 3: a heading without words"),
        ("one\n\n# <!-- a note -->\n", "texts/one.md, line 3: a heading without words"),
        (f"one\n[x](https://e.org/{'a' * 3000})", "texts/one.md, line 2: an address of 3,014"),
    ],
)
def test_what_the_pdf_cannot_hold_is_told_with_the_authors_line(text: str, said: str) -> None:
    with pytest.raises(ResultsError, match=said):
        blocks(text)
