"""What python-docx has no words for: fields, bookmarks, links, vector drawings, table settings."""

from typing import Any

from backtest.present.document.html import with_namespaces
from backtest.present.document.model import Inline, Ref
from backtest.present.document.numbering import Numbers
from backtest.present.rendering import in_xml as plain

SVG_EXTENSION = "{96DAC541-7B7A-43D3-8B79-37D633B846F1}"
SVG_SPACE = "http://schemas.microsoft.com/office/drawing/2016/SVG/main"
LINK = "00518A"


def element(tag: str, **attributes: str) -> Any:
    """An element of WordprocessingML: `element("w:tab", val="1")`."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    made = OxmlElement(tag)
    for name, value in attributes.items():
        made.set(qn(f"w:{name}"), value)
    return made


def add_field(paragraph: Any, code: str, shown: str) -> None:
    """A field, with what it shows until someone updates it."""
    for kind in ("begin", None, "separate", "text", "end"):
        run = paragraph.add_run()
        if kind is None:
            words = element("w:instrText")
            words.text = f" {code} "
            words.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")
            run._r.append(words)
        elif kind == "text":
            run.text = shown
        else:
            run._r.append(element("w:fldChar", fldCharType=kind))


class Fields:
    """Numbers, references and drawings of one document."""

    def __init__(self, word: Any, numbers: Numbers) -> None:
        self.word, self.numbers = word, numbers
        # Word takes 40 letters, digits and underscores as the name of a bookmark.
        self.marks = {name: f"_Ref{place:06d}" for place, name in enumerate(numbers.labels)}

    def bookmarked(self, paragraph: Any, name: str, text: str, *, shown: str) -> None:
        """A heading's text, the part that references show inside a bookmark."""
        head, found, tail = text.partition(shown)
        inside, after = (shown, tail) if found and not head else (text, "")
        self._mark(paragraph, name, lambda: paragraph.add_run(plain(inside)))
        if after:
            paragraph.add_run(plain(after))

    def caption_number(self, paragraph: Any, name: str, kind: str) -> None:
        """'Figure 3', its number a field that counts."""
        number = self.numbers.labels[name].removeprefix(f"{kind} ")

        def add() -> None:
            paragraph.add_run(f"{kind} ")
            add_field(paragraph, f"SEQ {kind} \\* ARABIC", number)

        self._mark(paragraph, name, add)

    def _mark(self, paragraph: Any, name: str, add: Any) -> None:
        place = str(list(self.marks).index(name))
        paragraph._p.append(element("w:bookmarkStart", id=place, name=self.marks[name]))
        add()
        paragraph._p.append(element("w:bookmarkEnd", id=place))

    def new_list(self, style: str) -> int:
        """A list that counts from 1: those of a style alone continue the one before."""
        numbering = self.word.part.numbering_part.element
        of_style = self.word.styles[style].element.pPr.numPr.numId.val
        made = numbering.add_num(numbering.num_having_numId(of_style).abstractNumId.val)
        made.add_lvlOverride(ilvl=0).add_startOverride(1)
        return int(made.numId)

    def number(self, paragraph: Any, number: int) -> None:
        """Make a paragraph an entry of such a list."""
        settings = paragraph._p.get_or_add_pPr().get_or_add_numPr()
        settings.get_or_add_ilvl().val = 0
        settings.get_or_add_numId().val = number

    def inline(self, paragraph: Any, part: Inline) -> None:
        """Words, or a reference that a click follows and an update renumbers."""
        if isinstance(part, Ref):
            label = self.numbers.labels[part.name]
            before = "section " if label.startswith("section ") else ""
            if before:
                paragraph.add_run(before)
            add_field(paragraph, f"REF {self.marks[part.name]} \\h", plain(label)[len(before) :])
            return
        if part.link:
            self._web_link(paragraph, part.text, part.link)
            return
        run = paragraph.add_run(plain(part.text))
        run.bold, run.italic = part.strong or None, part.emphasis or None
        if part.code:
            run.font.name = "Courier New"

    def jump(self, paragraph: Any, name: str, text: str) -> None:
        """An entry of the contents, which leads to its place."""
        link = element("w:hyperlink", anchor=self.marks[name], history="1")
        link.append(self._run(text))
        paragraph._p.append(link)

    def _web_link(self, paragraph: Any, text: str, address: str) -> None:
        from docx.opc.constants import RELATIONSHIP_TYPE
        from docx.oxml.ns import qn

        number = self.word.part.relate_to(
            plain(address), RELATIONSHIP_TYPE.HYPERLINK, is_external=True
        )
        link = element("w:hyperlink")
        link.set(qn("r:id"), number)
        link.append(self._run(text, underlined=True))
        paragraph._p.append(link)

    def _run(self, text: str, *, underlined: bool = False) -> Any:
        run = element("w:r")
        settings = element("w:rPr")
        settings.append(element("w:color", val=LINK))
        if underlined:
            settings.append(element("w:u", val="single"))
        run.append(settings)
        words = element("w:t")
        words.text = plain(text)
        words.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")
        run.append(words)
        return run

    def as_vector(self, shape: Any, drawing: bytes, *, title: str, alt: str) -> None:
        """Give a picture its words and its SVG, which Word draws in place of the PNG since 2016."""
        from docx.opc.packuri import PackURI
        from docx.opc.part import Part
        from docx.oxml.ns import qn
        from lxml import etree

        package = self.word.part.package
        place = sum(str(part.partname).endswith(".svg") for part in package.iter_parts()) + 1
        part = Part(
            PackURI(f"/word/media/drawing{place}.svg"), "image/svg+xml",
            with_namespaces(drawing), package,
        )  # fmt: skip
        number = self.word.part.relate_to(
            part, "http://schemas.openxmlformats.org/officeDocument/2006/relationships/image"
        )
        blip = next(shape._inline.iter(qn("a:blip")))
        extensions = etree.SubElement(blip, qn("a:extLst"))
        extension = etree.SubElement(extensions, qn("a:ext"), uri=SVG_EXTENSION)
        vector = etree.SubElement(extension, f"{{{SVG_SPACE}}}svgBlip", nsmap={"asvg": SVG_SPACE})
        vector.set(qn("r:embed"), number)
        shape._inline.docPr.set("descr", plain(alt))
        shape._inline.docPr.set("title", plain(title))

    def table_settings(
        self, table: Any, widths: tuple[float, ...], *, alt: str, headed: bool
    ) -> None:
        """Widths, thin lines, a head repeated on each page, words for screen readers."""
        from docx.oxml.ns import qn

        settings = table._tbl.tblPr
        borders = element("w:tblBorders")
        for side in ("top", "bottom", "insideH"):
            borders.append(element(f"w:{side}", val="single", sz="4", space="0", color="999999"))
        for side in ("left", "right", "insideV"):
            borders.append(element(f"w:{side}", val="nil"))
        cells = element("w:tblCellMar")
        for side in ("left", "right"):
            cells.append(element(f"w:{side}", w="70", type="dxa"))
        _insert(settings, borders, before=("w:shd", "w:tblLayout", "w:tblCellMar", "w:tblLook"))
        _insert(settings, cells, before=("w:tblLook",))
        settings.append(element("w:tblCaption", val=plain(alt)[:250]))
        # Widths of columns alone do for Word; other programs read those of cells.
        for column, width in zip(table._tbl.tblGrid.findall(qn("w:gridCol")), widths, strict=True):
            column.set(qn("w:w"), str(round(20 * width)))
        for place, row in enumerate(table._tbl.tr_lst):
            for cell, width in zip(row.tc_lst, widths, strict=True):
                cell.width = round(12700 * width)
            line = row.get_or_add_trPr()
            line.append(element("w:cantSplit"))
            if place == 0 and headed:
                line.append(element("w:tblHeader"))


def _insert(settings: Any, made: Any, *, before: tuple[str, ...]) -> None:
    """Insert where the schema has it: Word refuses a file whose elements are out of order."""
    from docx.oxml.ns import qn

    for child in settings:
        if child.tag in {qn(tag) for tag in before}:
            child.addprevious(made)
            return
    settings.append(made)
