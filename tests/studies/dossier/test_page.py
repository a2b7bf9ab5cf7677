"""The page and the document of a dossier keep nobody out, on wide and narrow screens."""

import html
import re

import pytest

from backtest.present.record import read_record
from tests.support.browser import GRAVE, judge


@pytest.mark.parametrize("width", [1000, 375])
@pytest.mark.parametrize("name", ["report.html", "dossier.html"])
def test_axe_finds_nothing_that_keeps_a_reader_out(dossier, tmp_path, name, width):
    page = (dossier.folder / name).read_text(encoding="utf-8")
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    (judged,) = judge(tmp_path, {"dossier": page}, width=width, dark=False).values()
    assert not [found for found in judged["findings"] if found["impact"] in GRAVE]
    assert judged["passes"] > 10
    assert judged["scroll"] <= width, judged["wide"]


def test_the_note_that_a_figure_has_drawn_in_it_is_not_printed_below_it_again(dossier):
    page = (dossier.folder / "dossier.html").read_text(encoding="utf-8")
    captions = [
        html.unescape(" ".join(words.split()))
        for words in re.findall(r"<figcaption>(.*?)</figcaption>", page, re.DOTALL)
    ]
    record = read_record(dossier.folder)
    notes = [figure.footnote for figure in record.figures]
    assert len(captions) == len(notes) > 0
    for note, caption in zip(notes, captions, strict=True):
        first = " ".join(note.split())[:60]
        assert len(first) == 60 and first not in caption
