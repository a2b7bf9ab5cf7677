"""Styles of a Word document: one serif, one sans, ink on paper, letter page."""

from typing import Any

from backtest.present.document.model import Document
from backtest.present.rendering import in_xml as plain

BODY, HEADS, TYPED = "Times New Roman", "Arial", "Courier New"  # every Word has them
SMALL = "Small text"
STYLES = {
    "plain": "Body Text",
    "lead": "Lead text",
    "note": SMALL,
    "alarm": "Alarm",
    "quote": "Quote",
    "code": "Typed text",
    "list-title": "List title",
    "entry": "List entry",
}
INK = "222222"


def set_styles(word: Any, document: Document) -> None:
    """Set page, styles, header and footer of a new document."""
    from docx.shared import Inches, Pt, RGBColor

    section = word.sections[0]
    section.page_width, section.page_height = Inches(8.5), Inches(11)
    section.left_margin = section.right_margin = Inches(1)
    section.top_margin = section.bottom_margin = Inches(0.8)
    section.header_distance = section.footer_distance = Inches(0.4)
    ink = RGBColor.from_string(INK)
    sizes = {"Title": 18, "Heading 1": 14, "Heading 2": 11.5, "Heading 3": 10}
    for name, size in sizes.items():
        _set(word.styles[name], HEADS, size, bold=True, ink=ink)
        word.styles[name].paragraph_format.keep_with_next = True
    for name, size in {
        "Normal": 10.5, "Body Text": 10.5, "No Spacing": 8, "List Bullet": 10.5,
        "List Number": 10.5, "Quote": 10.5, "Caption": 9.5,
    }.items():  # fmt: skip
        _set(word.styles[name], BODY, size, bold=name == "Caption", ink=ink)
    own = {SMALL: (BODY, 8.5, False), "Lead text": (BODY, 11.5, False),
           "Alarm": (BODY, 10.5, True), "Typed text": (TYPED, 8, False),
           "List title": (HEADS, 11, True), "List entry": (BODY, 10, False)}  # fmt: skip
    for name, (font, size, bold) in own.items():
        style = word.styles.add_style(name, 1)
        style.base_style = word.styles["Normal"]
        _set(style, font, size, bold=bold, ink=ink)
        style.paragraph_format.space_after = Pt(2 if name == "List entry" else 6)
    word.styles["List title"].paragraph_format.keep_with_next = True
    _boxed(word.styles["Alarm"])
    _running(section, document)


def _set(style: Any, font: str, size: float, *, bold: bool, ink: Any) -> None:
    from docx.oxml.ns import qn
    from docx.shared import Pt

    style.font.name, style.font.size, style.font.bold = font, Pt(size), bold
    style.font.italic, style.font.color.rgb = False, ink
    fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
    # The theme's fonts, where a style names them, would win over these.
    for name in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
        fonts.attrib.pop(qn(f"w:{name}"), None)
    for name in ("ascii", "hAnsi", "eastAsia", "cs"):
        fonts.set(qn(f"w:{name}"), font)


def _boxed(style: Any) -> None:
    """A frame round the paragraphs of a style."""
    from backtest.present.document.word_fields import element

    borders = element("w:pBdr")
    for side in ("top", "left", "bottom", "right"):
        borders.append(element(f"w:{side}", val="single", sz="8", space="4", color="8A1C00"))
    settings = style.element.get_or_add_pPr()
    # The schema has the frame after what keeps lines together and before all else.
    before = [child for child in settings if child.tag.endswith(("}keepNext", "}keepLines"))]
    settings.insert(len(before), borders)


def _running(section: Any, document: Document) -> None:
    """What stands at the top and the bottom of every page."""
    from backtest.present.document.word_fields import add_field

    if document.header:
        section.header.paragraphs[0].add_run(plain(document.header)).bold = True
    foot = section.footer.paragraphs[0]
    foot.alignment = 2
    add_field(foot, "PAGE", "1")
    foot.add_run(" of ")
    add_field(foot, "NUMPAGES", "1")
