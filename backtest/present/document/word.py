"""A document as a Word file: real headings, fields that can be updated, drawings as vectors."""

from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from backtest.present.document.layout import KEPT_ROWS, SIZE, Row, Sheet, is_folded, sheets
from backtest.present.document.model import (
    Block,
    Code,
    Contents,
    Document,
    Heading,
    Line,
    Listing,
    Paragraph,
    Picture,
    Tabular,
    Terms,
)
from backtest.present.document.numbering import Numbers
from backtest.present.document.placing import NARROW, place_of
from backtest.present.document.word_fields import Fields
from backtest.present.document.word_styles import SMALL, STYLES, set_styles
from backtest.present.rendering import in_xml as plain


def word_file(document: Document, numbers: Numbers, folder: Path, when: datetime) -> bytes:
    """The bytes of the file; `folder` holds the figures that it names.

    References are fields that Word updates after an insertion, with what they show already in
    them; a figure is an SVG with a PNG for programs that cannot draw it.
    """
    from docx import Document as new_document

    word = new_document()
    set_styles(word, document)
    core = word.core_properties
    core.title, core.author, core.comments, core.last_modified_by = (
        plain(document.title),
        "",
        "",
        "",
    )
    core.created = core.modified = when.replace(tzinfo=None)
    core.language, core.revision = "en", 1
    word.add_paragraph(plain(document.title), style="Title")
    if document.subtitle:
        word.add_paragraph(plain(document.subtitle), style=SMALL)
    writer = _Writer(word, numbers, folder)
    for block in document.blocks:
        writer.add(block)
    buffer = BytesIO()
    word.save(buffer)
    return _dated(buffer.getvalue(), when)


def _dated(content: bytes, when: datetime) -> bytes:
    """The same file, its parts dated as told and not as of now."""
    buffer = BytesIO()
    with ZipFile(BytesIO(content)) as old, ZipFile(buffer, "w", ZIP_DEFLATED) as new:
        for entry in old.infolist():
            info = ZipInfo(entry.filename, when.timetuple()[:6])
            info.compress_type, info.external_attr = ZIP_DEFLATED, 0o600 << 16
            new.writestr(info, old.read(entry))
    return buffer.getvalue()


class _Writer:
    """Adds blocks to a Word document."""

    def __init__(self, word: Any, numbers: Numbers, folder: Path) -> None:
        self.word, self.numbers, self.folder = word, numbers, folder
        self.fields = Fields(word, numbers)

    def add(self, block: Block) -> None:
        if isinstance(block, Heading):
            self._heading(block)
        elif isinstance(block, Paragraph):
            paragraph = self.word.add_paragraph(style=STYLES[block.style])
            paragraph.paragraph_format.keep_with_next = block.keep or None
            self._line(paragraph, block.text)
        elif isinstance(block, Listing):
            style = "List Number" if block.ordered else "List Bullet"
            number = self.fields.new_list(style) if block.ordered else None
            for entry in block.entries:
                paragraph = self.word.add_paragraph(style=style)
                if number is not None:
                    self.fields.number(paragraph, number)
                self._line(paragraph, entry)
        elif isinstance(block, Terms):
            for term, words in block.pairs:
                paragraph = self.word.add_paragraph(style="Body Text")
                paragraph.add_run(f"{plain(term)}: ").bold = True
                self._line(paragraph, words)
        elif isinstance(block, Code):
            self.word.add_paragraph(style=STYLES["code"]).add_run(plain(block.text))
        elif isinstance(block, Tabular):
            self._tabular(block)
        elif isinstance(block, Picture):
            self._picture(block)
        elif isinstance(block, Contents):
            self._contents()

    def _heading(self, block: Heading) -> None:
        paragraph = self.word.add_paragraph(style=f"Heading {block.level}")
        paragraph.paragraph_format.page_break_before = block.new_page
        text = self.numbers.heading(block.name)
        label = self.numbers.labels[block.name].removeprefix("section ")
        self.fields.bookmarked(paragraph, block.name, text, shown=label)

    def _line(self, paragraph: Any, text: Line) -> None:
        for part in text:
            self.fields.inline(paragraph, part)

    def _tabular(self, block: Tabular) -> None:
        parts = sheets(block.table)
        for place, sheet in enumerate(parts):
            caption = self.word.add_paragraph(style="Caption")
            caption.paragraph_format.keep_with_next = True
            which = f" (part {place + 1} of {len(parts)})" if len(parts) > 1 else ""
            if place == 0:
                self.fields.caption_number(caption, block.name, "Table")
            else:
                caption.add_run(self.numbers.labels[block.name])
            caption.add_run(f"{which}. ")
            caption.add_run(plain(block.title)).bold = False
            self._sheet(sheet, alt=f"{self.numbers.labels[block.name]}{which}. {block.title}")
            self.word.add_paragraph(style=SMALL).paragraph_format.space_after = 0
        note = " ".join(filter(None, (block.note, block.table.note)))
        if note:
            self.word.add_paragraph(plain(note), style=SMALL)

    def _sheet(self, sheet: Sheet, *, alt: str) -> None:
        rows = len(sheet.rows) + bool(sheet.heads)
        table = self.word.add_table(rows=rows, cols=len(sheet.widths))
        table.style, table.autofit = "Table Grid", False
        self.fields.table_settings(table, sheet.widths, alt=alt, headed=bool(sheet.heads))
        # Asking python-docx for one cell walks the whole table; its rows are walked once.
        lines = [list(row.cells) for row in table.rows]
        if sheet.heads:
            for cell, head, words in zip(lines[0], sheet.heads, sheet.words, strict=True):
                self._cell(cell, head, words=words, bold=True)
            lines = lines[1:]
        for cells, row in zip(lines, sheet.rows, strict=True):
            self._row(cells, row, sheet)
        # A head with a row or two at the foot of a page says nothing: they stay with the third.
        for row in table.rows[: bool(sheet.heads) + KEPT_ROWS][:-1]:
            for cell in row._tr.tc_lst:
                cell.p_lst[0].get_or_add_pPr().get_or_add_keepNext()

    def _row(self, cells: list[Any], row: Row, sheet: Sheet) -> None:
        if row.group:
            whole = cells[0].merge(cells[-1])
            self._cell(whole, row.head.text, words=True, bold=True)
            whole.paragraphs[0].paragraph_format.keep_with_next = True
            return
        self._cell(cells[0], row.head.text, words=True, bold=row.head.bold)
        for cell, shown, words in zip(cells[1:], row.cells, sheet.words[1:], strict=True):
            self._cell(cell, shown.text, words=words or is_folded(shown), bold=shown.bold)

    def _cell(self, cell: Any, text: str, *, words: bool, bold: bool) -> None:
        from docx.enum.text import WD_ALIGN_PARAGRAPH
        from docx.shared import Pt

        paragraph = cell.paragraphs[0]
        paragraph.style = "No Spacing"
        paragraph.alignment = WD_ALIGN_PARAGRAPH.LEFT if words else WD_ALIGN_PARAGRAPH.RIGHT
        run = paragraph.add_run(plain(text))
        run.font.size, run.bold = Pt(SIZE), bold

    def _picture(self, block: Picture) -> None:
        from docx.shared import Inches, Pt

        place = place_of(self.folder / f"{block.stem}.svg")
        if place.own_page:
            margins = self.word.sections[-1].top_margin
            section = self.word.add_section()
            section.top_margin = section.bottom_margin = Inches(NARROW)
        paragraph = self.word.add_paragraph(style="Body Text")
        paragraph.paragraph_format.keep_with_next = True
        paragraph.paragraph_format.space_after = Pt(2)
        shape = paragraph.add_run().add_picture(
            str(self.folder / f"{block.stem}.png"), width=Pt(place.width), height=Pt(place.height)
        )
        drawing = (self.folder / f"{block.stem}.svg").read_bytes()
        self.fields.as_vector(shape, drawing, title=block.title, alt=block.alt)
        caption = self.word.add_paragraph(style="Caption")
        self.fields.caption_number(caption, block.name, "Figure")
        caption.add_run(". ")
        caption.add_run(plain(block.title)).bold = False
        if block.note:
            caption.paragraph_format.keep_with_next = True
            self.word.add_paragraph(plain(block.note), style=SMALL)
        if place.own_page:
            section = self.word.add_section()
            section.top_margin = section.bottom_margin = margins

    def _contents(self) -> None:
        lists = [
            ("Contents", list(self.numbers.listed)),
            ("Figures", [(n, 1, f"{label}. {text}") for n, label, text in self.numbers.figures]),
            ("Tables", [(n, 1, f"{label}. {text}") for n, label, text in self.numbers.tables]),
        ]
        for title, entries in lists:
            if entries:
                self.word.add_paragraph(title, style=STYLES["list-title"])
            for name, level, text in entries:
                paragraph = self.word.add_paragraph(style=STYLES["entry"])
                paragraph.paragraph_format.left_indent = (level - 1) * 12 * 12700
                self.fields.jump(paragraph, name, text)
