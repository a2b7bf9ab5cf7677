"""Drawings as files, SVG, PDF and PNG: the same bytes every time."""

import re
from dataclasses import dataclass
from html import escape
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backtest.present.sheet import Caption
from backtest.present.style import settings

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RESOLUTION = 300  # dots per inch of the PNG


@dataclass(frozen=True)
class FigureFiles:
    """One figure on disk: its files and its words."""

    name: str
    caption: Caption
    svg: Path
    pdf: Path
    png: Path
    csv: Path


def render(figure: "Figure", files: FigureFiles) -> None:
    """Write the three renderings; dates and random ids, which differ each time, are left out."""
    from matplotlib import rc_context

    words = files.caption
    # Drawn in memory: on a full disk matplotlib's PDF writer hides what went wrong.
    with settings(), rc_context({"svg.hashsalt": files.name}):
        svg = _bytes(figure, "svg", metadata={"Date": None}).decode("utf-8")
        pdf = _bytes(figure, "pdf", metadata={"CreationDate": None, "Title": words.title})
        about = {"Software": None, "Title": words.title, "Description": words.alt}
        png = _bytes(figure, "png", dpi=RESOLUTION, metadata=about)
    page = accessible_svg(svg, files.name, words)
    files.svg.write_text(page, encoding="utf-8", newline="\n")
    files.pdf.write_bytes(pdf)
    files.png.write_bytes(png)


def _bytes(figure: "Figure", kind: str, **options: Any) -> bytes:
    buffer = BytesIO()
    figure.savefig(buffer, format=kind, **options)
    return buffer.getvalue()


def accessible_svg(svg: str, name: str, caption: Caption) -> str:
    """Make an SVG that can stand inside a page: named, described, its ids and style its own.

    matplotlib's prolog, metadata (which point to web addresses) and its style sheet (which would
    style the whole page) go; the ids are prefixed, so that two figures in one page do not share
    clip paths.

    Examples
    --------
    >>> drawn = '<?xml version="1.0"?><svg width="1pt"><g id="a"/><use xlink:href="#a"/></svg>'
    >>> print(accessible_svg(drawn, "one", Caption("What", "note", "a < b")))
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
    named = f'<svg role="img" aria-labelledby="{name}-title {name}-desc"'
    head = head.replace("<svg", named, 1)
    if "xmlns=" in head:
        head += ' style="stroke-linejoin: round; stroke-linecap: butt"'
    return (
        f'{head}>\n<title id="{name}-title">{escape(caption.title)}</title>\n'
        f'<desc id="{name}-desc">{escape(caption.alt)}</desc>{body}'
    )
