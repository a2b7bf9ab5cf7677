"""One word, one meaning: pages and documents explain a word as the site does."""

import re
from pathlib import Path

from backtest.studies.glossary import glossary

WORDS = Path(__file__).resolve().parents[2] / "docs" / "words.md"
UNUSED = ("violation", "exception", " hit ", "drawdown")


def test_the_site_and_the_annex_explain_the_same_words_alike():
    rows = re.findall(r"(?m)^\| (.+?) \| (.+) \|$", WORDS.read_text(encoding="utf-8"))
    assert dict(rows[2:]) == glossary()


def test_no_word_is_explained_by_one_that_is_not_used():
    assert not [word for text in glossary().values() for word in UNUSED if word in text]
