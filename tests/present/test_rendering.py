"""Fonts of a PDF hold the letters that matplotlib embeds, and none of their rules of layout."""

import re
import zlib
from io import BytesIO

from fontTools import subset
from fontTools.ttLib import TTFont
from matplotlib.figure import Figure

from backtest.present.rendering import LAYOUT, fonts_without_layout
from backtest.present.style import settings

STREAM = re.compile(rb"<<([^>]*?/Length1 [^>]*?)>>\s*stream\r?\n(.*?)\r?\nendstream", re.DOTALL)
WORDS = "AV To fi \N{MINUS SIGN}1.5 % \N{GREEK SMALL LETTER KAPPA} na\u00efve"


def embedded_fonts() -> list[TTFont]:
    """The fonts of a page with words in two weights, in the order of the file."""
    buffer = BytesIO()
    with settings():
        page = Figure()
        page.text(0.1, 0.1, WORDS)
        page.text(0.1, 0.5, WORDS, weight="bold")
        page.savefig(buffer, format="pdf")
    streams = STREAM.findall(buffer.getvalue())
    return [TTFont(BytesIO(zlib.decompress(content))) for _, content in streams]


def test_letters_are_those_that_matplotlib_embeds_and_layout_is_left_out() -> None:
    read = subset.load_font
    whole = embedded_fonts()
    with fonts_without_layout():
        light = embedded_fonts()
    assert subset.load_font is read
    assert len(whole) == len(light) >= 2
    assert any({"GPOS", "GSUB"} <= set(font.keys()) for font in whole)
    for before, after in zip(whole, light, strict=True):
        assert not set(LAYOUT) & set(after.keys())
        assert set(before.keys()) - set(after.keys()) <= set(LAYOUT)
        assert before.getGlyphOrder()[: len(after.getGlyphOrder())] == after.getGlyphOrder()
        for table in ("hmtx", "glyf"):
            for name in after.getGlyphOrder():
                assert before[table][name] == after[table][name], (table, name)
        for table in ("cvt ", "fpgm", "prep"):
            assert before.getTableData(table) == after.getTableData(table), table
