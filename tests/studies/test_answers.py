"""What every page opens with, whatever its command: laws that all answers keep."""

import html
import re

import pytest

from tests.support.pages import PAGES, exhibit_of, page_of

FOREIGN = r"(?i)\b(violations?|exceptions?|hits?|drawdowns?|nan|inf)\b"
ENDS = ("It does not show ", "Prices are simulated, so nothing here is evidence about any market")
MERGED = ("annex", "dossier")  # documents of other folders, whose end is what a person has to add


@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens_with_two_or_three_sentences(name: str) -> None:
    answer = exhibit_of(name).answer
    assert len(answer) in (2, 3), answer
    for text in answer:
        assert re.match(r"[A-Z0-9']", text) and text.endswith(".") and "  " not in text, text
        assert not text.endswith("..") and not re.search(FOREIGN, text), text
        assert text.count("(") == text.count(")") and "()" not in text, text


@pytest.mark.parametrize("name", [name for name in PAGES if name not in MERGED])
def test_the_last_sentence_says_what_is_not_shown(name: str) -> None:
    exhibit = exhibit_of(name)
    last = exhibit.answer[-1]
    assert last.startswith(ENDS), last
    assert last.startswith(ENDS[1]) == exhibit.simulated


@pytest.mark.parametrize("name", PAGES)
def test_a_bound_that_is_not_above_zero_supports_nothing(name: str) -> None:
    for text in exhibit_of(name).answer:
        for bound in re.findall(r"at least ([+-]?\d+(?:\.\d+)?) %", text):
            assert float(bound) > 0, text


@pytest.mark.parametrize("name", PAGES)
def test_the_answer_stands_above_all_tables(name: str) -> None:
    exhibit = exhibit_of(name)
    above, _, _ = page_of(name).partition("<table")
    words = " ".join(html.unescape(re.sub(r"<[^>]*>", "", above)).split())
    for text in exhibit.answer:
        assert " ".join(text.split()) in words
