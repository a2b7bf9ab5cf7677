"""Drawings as files, SVG, PDF and PNG: the same bytes every time."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from io import BytesIO
from typing import TYPE_CHECKING, Any

from backtest.present.sheet import Caption
from backtest.present.style import settings

if TYPE_CHECKING:
    from matplotlib.figure import Figure

KINDS = ("png", "pdf", "svg")  # the one that takes longest first
RESOLUTION = 300  # dots per inch of the PNG
# Tables of a font that say how letters move and join: matplotlib has placed each letter already.
LAYOUT = ("BASE", "GDEF", "GPOS", "GSUB", "JSTF", "MATH", "kern")
# XML 1.0 has no place for them, escaped or not: a drawing or a Word file with one is unreadable.
UNWRITABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def file_of(drawing: "Figure", kind: str, name: str, caption: Caption) -> bytes:
    """The content of <name>.<kind>; dates and random ids, which differ each time, are left out.

    drawing : matplotlib's figure. caption : its words, which the files hold for screen readers.
    """
    # Drawn in memory: on a full disk matplotlib's PDF writer hides what went wrong.
    if kind == "svg":
        return svg_of(drawing, name, caption).encode()
    with settings(), fonts_without_layout():
        if kind == "pdf":
            about = {"CreationDate": None, "Title": caption.title}
            return _bytes(drawing, "pdf", metadata=about)
        about = {"Software": None, "Title": caption.title, "Description": caption.alt}
        return _bytes(drawing, "png", dpi=RESOLUTION, metadata=about)


def load_writers() -> None:
    """Load what writing files takes, its type among it: a first file then takes as long as others.

    Examples
    --------
    >>> load_writers()
    """
    from matplotlib.figure import Figure

    drawing = Figure(figsize=(1.0, 1.0))
    with settings():
        drawing.text(0.0, 0.0, "a")
        drawing.text(0.0, 0.5, "b", weight="bold")
    for kind in KINDS:
        file_of(drawing, kind, "first", Caption("first", "", ""))


@contextmanager
def fonts_without_layout() -> Iterator[None]:
    """Embed fonts without their `LAYOUT`, whose parsing takes most of the time of a PDF.

    matplotlib reads each font by fontTools, from which these tables are taken out; where
    matplotlib should come to read fonts in another way, PDFs take longer and are as right.
    """
    from fontTools import subset

    read = subset.load_font

    def read_without(*given: Any, **named: Any) -> Any:
        font = read(*given, **named)
        for table in LAYOUT:
            if table in font:
                del font[table]
        return font

    subset.load_font = read_without
    try:
        yield
    finally:
        subset.load_font = read


def svg_of(drawing: "Figure", name: str, caption: Caption) -> str:
    """The drawing as an SVG that can be part of a page (see `accessible_svg`)."""
    from matplotlib import rc_context

    with settings(), rc_context({"svg.hashsalt": name}):
        svg = _bytes(drawing, "svg", metadata={"Date": None}).decode("utf-8")
    return accessible_svg(svg, name, caption)


def _bytes(drawing: "Figure", kind: str, **options: Any) -> bytes:
    buffer = BytesIO()
    drawing.savefig(buffer, format=kind, **options)
    return buffer.getvalue()


def accessible_svg(svg: str, name: str, caption: Caption) -> str:
    """Make an SVG that can be part of a page, with a title and a description for screen readers.

    matplotlib's prolog, metadata (which point to web addresses) and its style sheet (which would
    style the whole page) are removed. The ids get the figure's name as a prefix, so that two
    figures in one page do not share clip paths.

    Examples
    --------
    >>> svg = '<?xml version="1.0"?><svg width="1pt"><g id="a"/><use xlink:href="#a"/></svg>'
    >>> print(accessible_svg(svg, "one", Caption("What", "note", "a < b")))
    <svg role="img" aria-labelledby="one-title one-desc" width="1pt">
    <title id="one-title">What</title>
    <desc id="one-desc">a &lt; b</desc><g id="one-a"/><use xlink:href="#one-a"/></svg>
    """
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<style.*?</style>\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\bid="', f'id="{name}-', svg)
    svg = re.sub(r'href="#', f'href="#{name}-', svg)
    svg = re.sub(r"url\(#", f"url(#{name}-", svg)
    head, body = svg.split(">", 1)
    opening = f'<svg role="img" aria-labelledby="{name}-title {name}-desc"'
    head = head.replace("<svg", opening, 1)
    # The removed style sheet held these two rules; a drawing without a namespace has none.
    if "xmlns=" in head:
        head += ' style="stroke-linejoin: round; stroke-linecap: butt"'
    return (
        f'{head}>\n<title id="{name}-title">{escape(in_xml(caption.title))}</title>\n'
        f'<desc id="{name}-desc">{escape(in_xml(caption.alt))}</desc>{body}'
    )


def in_xml(text: str) -> str:
    r"""Text that an XML file can hold: each other character becomes the mark of a missing letter.

    Examples
    --------
    >>> in_xml("a\x00b") == "a\ufffdb"
    True
    """
    return UNWRITABLE.sub("\N{REPLACEMENT CHARACTER}", text)
