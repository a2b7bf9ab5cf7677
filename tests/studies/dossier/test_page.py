"""The page and the document of a dossier keep nobody out, on wide and narrow screens."""

import re

import pytest

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
