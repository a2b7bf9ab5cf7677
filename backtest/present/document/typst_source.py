"""A document in the language of Typst, from which the PDF is made.

Every text of a user is a string literal there: no character of it has a meaning but its own.
"""

from datetime import datetime
from pathlib import Path

from backtest.present.document.layout import SIZE, Row, Sheet, is_folded, sheets
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
    Ref,
    Tabular,
    Terms,
)
from backtest.present.document.numbering import Numbers
from backtest.present.document.placing import NARROW, place_of
from backtest.present.lettering import drawable

FONTS = ("Libertinus Serif", "DejaVu Sans")  # the first is part of Typst, the second of matplotlib
LONGEST = 30  # letters of a word that a line of a table always holds
# Where less than this is left of a page, a table starts on the next one: a block of this height is
# set, which a page holds or not, and the table is then drawn over it.
KEEP = "#block(height: 7em, above: 1.4em, below: 0pt, breakable: false)#v(-7em - 1.4em)\n"
JOIN = "\u200b"  # where a longer one may be broken: it has no width

SETTINGS = f"""
#set page(paper: "us-letter", margin: (x: 1in, y: 0.8in))
#set text(font: ({", ".join(f'"{font}"' for font in FONTS)}), size: 10.5pt, lang: "en")
#set par(leading: 0.6em, spacing: 0.9em)
#set heading(numbering: none)
#show heading: set text(font: "DejaVu Sans", weight: "bold", hyphenate: false)
#show heading.where(level: 1): set text(size: 13pt)
#show heading.where(level: 2): set text(size: 10.5pt)
#show heading.where(level: 3): set text(size: 9pt)
#show heading: set block(above: 1.5em, below: 0.8em, sticky: true)
#show link: set text(fill: rgb("#00518a"))
#show raw: set text(font: "DejaVu Sans Mono", size: 8pt)
#show figure: set block(breakable: true, above: 1.4em, below: 1.2em)
#show figure.where(kind: image): set block(breakable: false)
#show figure.where(kind: table): set figure.caption(position: top)
#show figure: set align(left)
#show figure.caption: set align(left)
#show figure.caption: set text(size: 9.5pt)
#show figure.caption: set block(sticky: true)
#set table(stroke: none, inset: (x: 4pt, y: 2.5pt))
#show table: set text(size: {SIZE}pt, hyphenate: false)
#show table: set par(leading: 0.45em)
#let lead(body) = text(size: 11.5pt, body)
#let note(body) = text(size: 8.5pt, fill: rgb("#444444"), body)
#let alarm(body) = block(width: 100%, stroke: 1pt + rgb("#8a1c00"), inset: 6pt, strong(body))
#let entry(place, indent, body) = context block(
  width: 100%, above: 0.55em, below: 0.55em, inset: (left: indent), grid(
    columns: (1fr, auto), column-gutter: 8pt,
    par(hanging-indent: 1em, link(place, body)),
    link(place, str(counter(page).at(place).first())),
  ),
)
#let list-title(body) = block(above: 1.4em, below: 0.7em, sticky: true, text(
  font: "DejaVu Sans", size: 10.5pt, weight: "bold", body,
))
"""


def typst_source(document: Document, numbers: Numbers, folder: Path, when: datetime) -> str:
    """The document; figures are `<stem>.svg` in its folder."""
    top = f"header: note[{_text(document.header)}], " if document.header else ""
    parts = [
        f"#set document(title: {quoted(document.title)}, date: datetime(year: {when.year}, "
        f"month: {when.month}, day: {when.day}))",
        SETTINGS,
        f'#set page({top}footer: context align(right, note[#counter(page).display("1 of 1", '
        "both: true)]))",
        '#block(below: 1em, text(font: "DejaVu Sans", size: 16pt, weight: "bold", '
        f"hyphenate: false)[{_text(document.title)}])",
    ]
    if document.subtitle:
        parts.append(f"#block(below: 1.4em, note[{_text(document.subtitle)}])")
    parts += [_block(block, numbers, folder) for block in document.blocks]
    return "\n".join(parts) + "\n"


def quoted(text: str) -> str:
    r"""A string literal of Typst: nothing in it can end it.

    Examples
    --------
    >>> print(quoted('a "b" \\ #c'))
    "a \"b\" \\ #c"
    """
    # Where a long word may be broken is no letter, so it would be drawn as a missing one.
    letters = JOIN.join(drawable(part) for part in text.split(JOIN))
    escaped = letters.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + escaped.replace("\r", " ").replace("\n", "\\n") + '"'


def _text(text: str) -> str:
    return f"#{quoted(text)};"


def _block(block: Block, numbers: Numbers, folder: Path) -> str:
    if isinstance(block, Heading):
        start = "#pagebreak(weak: true)\n" if block.new_page else ""
        words = _text(numbers.heading(block.name))
        return f"{start}#heading(level: {block.level})[{words}] <{label(block.name)}>\n"
    if isinstance(block, Paragraph):
        words = _line(block.text, numbers)
        wrapped = {
            "plain": "#par[{}]",
            "lead": "#par[#lead[{}]]",
            "note": "#par[#note[{}]]",
            "alarm": "#alarm[{}]",
            "quote": "#quote(block: true)[{}]",
        }
        shown = wrapped[block.style].format(words)
        return f"#block(sticky: true)[{shown}]\n" if block.keep else f"{shown}\n"
    if isinstance(block, Listing):
        entries = ", ".join(f"[{_line(entry, numbers)}]" for entry in block.entries)
        return f"#{'enum' if block.ordered else 'list'}({entries})\n"
    if isinstance(block, Terms):
        return "".join(
            f"#par(hanging-indent: 1.2em)[#strong[{_text(f'{term}:')}] {_line(words, numbers)}]\n"
            for term, words in block.pairs
        )
    if isinstance(block, Code):
        return f"#block(fill: luma(245), inset: 6pt, width: 100%, raw({quoted(block.text)}))\n"
    if isinstance(block, Tabular):
        return _tabular(block, numbers)
    if isinstance(block, Picture):
        return _picture(block, numbers, folder)
    assert isinstance(block, Contents)
    return _contents(numbers)


def _line(text: Line, numbers: Numbers) -> str:
    words = []
    for part in text:
        if isinstance(part, Ref):
            words.append(f"#link(<{label(part.name)}>)[{_text(numbers.labels[part.name])}];")
            continue
        shown = f"#raw({quoted(part.text)});" if part.code else _text(part.text)
        shown = f"#emph[{shown}];" if part.emphasis else shown
        shown = f"#strong[{shown}];" if part.strong else shown
        words.append(f"#link({quoted(part.link)})[{shown}];" if part.link else shown)
    return "".join(words)


def label(name: str) -> str:
    """A name as a label of Typst has it: letters, digits and hyphens; unique where names are.

    Examples
    --------
    >>> label("run 1/ladder")
    'x-run_20_1_2f_ladder'
    """
    return "x-" + "".join(c if c.isascii() and c.isalnum() else f"_{ord(c):x}_" for c in name)


def _tabular(block: Tabular, numbers: Numbers) -> str:
    name, parts = numbers.labels[block.name], sheets(block.table)
    blocks = []
    for place, sheet in enumerate(parts):
        which = f" (part {place + 1} of {len(parts)})" if len(parts) > 1 else ""
        caption = f"#strong[{_text(f'{name}{which}.')}] {_text(block.title)}"
        mark = f" <{label(block.name)}>" if place == 0 else ""
        blocks.append(
            f"{KEEP}#figure(kind: table, supplement: none, numbering: none, caption: [{caption}], "
            f"align(left, {_sheet(sheet)})){mark}\n"
        )
    note = " ".join(filter(None, (block.note, block.table.note)))
    if note:
        blocks.append(f"#par[#note[{_text(note)}]]\n")
    return "".join(blocks)


def _sheet(sheet: Sheet) -> str:
    aligned = ", ".join("left" if words else "right" for words in sheet.words)
    # Columns of words share what the numbers leave over.
    widths = ", ".join(f"{width:.1f}pt" for width in sheet.widths)
    lines = [f"table(columns: ({widths},), align: ({aligned},),"]
    if sheet.heads:
        heads = ", ".join(f"[#strong[{_text(head)}]]" for head in sheet.heads)
        lines.append(f"table.header({heads}), table.hline(stroke: 0.8pt),")
    for row in sheet.rows:
        if row.group:
            # A head of the second level stays with its rows, and is repeated on their next page.
            span = f"table.cell(colspan: {len(sheet.widths)})"
            lines.append(f"table.header(level: 2, {span}[#strong[{_text(row.head.text)}]]),")
        else:
            lines.append(_row(row, sheet) + ",")
        lines.append("table.hline(stroke: 0.3pt + luma(200)),")
    return "\n".join(lines) + ")"


def _row(row: Row, sheet: Sheet) -> str:
    cells = [f"[{_text(breakable(row.head.text))}]"]
    for cell, words in zip(row.cells, sheet.words[1:], strict=True):
        folded = words or is_folded(cell)
        shown = _text(breakable(cell.text)) if folded else f"#box[{_text(cell.text)}]"
        cells.append(f"[#strong[{shown}]]" if cell.bold else f"[{shown}]")
    return ", ".join(cells)


def breakable(text: str) -> str:
    """Text whose longest words may be broken, which no line would hold.

    Examples
    --------
    >>> len(breakable("a" * 100)), breakable("a book")
    (103, 'a book')
    """
    return " ".join(
        word
        if len(word) <= LONGEST
        else JOIN.join(word[i : i + LONGEST] for i in range(0, len(word), LONGEST))
        for word in text.split(" ")
    )


def _picture(block: Picture, numbers: Numbers, folder: Path) -> str:
    place = place_of(folder / f"{block.stem}.svg")
    caption = f"#strong[{_text(numbers.labels[block.name] + '.')}] {_text(block.title)}"
    if block.note:
        caption += f" #note[{_text(block.note)}]"
    alt = quoted(block.alt)
    figure = (
        f"#figure(kind: image, supplement: none, numbering: none, alt: {alt}, "
        f"caption: [{caption}], image({quoted(block.stem + '.svg')}, width: {place.width:.2f}pt, "
        f"alt: {alt})) <{label(block.name)}>"
    )
    if place.own_page:
        margins = f"margin: (x: 1in, y: {NARROW}in), header: none, footer: none"
        return f"#page({margins})[{figure}]\n"
    return f"{figure}\n"


def _contents(numbers: Numbers) -> str:
    lines = [f"#list-title[{_text('Contents')}]"]
    lines += [
        f"#entry(<{label(name)}>, {level - 1}em)[{_text(text)}]"
        for name, level, text in numbers.listed
    ]
    for title, entries in (("Figures", numbers.figures), ("Tables", numbers.tables)):
        if entries:
            lines.append(f"#list-title[{_text(title)}]")
        lines += [
            f"#entry(<{label(name)}>, 0em)[{_text(f'{number}. {caption}')}]"
            for name, number, caption in entries
        ]
    return "\n".join(lines) + "\n"
