"""A document as one HTML file: no script, no font, no network."""

from base64 import b64encode
from html import escape
from pathlib import Path

from backtest.present.document.layout import Sheet, is_folded, sheets
from backtest.present.document.model import (
    Block,
    Code,
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

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def html_page(document: Document, numbers: Numbers, folder: Path) -> str:
    """The page; drawings are part of it, and every text is escaped."""
    style = (Path(__file__).parent / "document.css").read_text(encoding="utf-8")
    header = f'<p class="running">{escape(document.header)}</p>\n' if document.header else ""
    subtitle = f'<p class="subtitle">{escape(document.subtitle)}</p>\n' if document.subtitle else ""
    body = "\n".join(_block(block, numbers, folder) for block in document.blocks)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        f"<title>{escape(document.title)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n"
        f"<header>\n{header}<h1>{escape(document.title)}</h1>\n{subtitle}</header>\n"
        f"<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def _block(block: Block, numbers: Numbers, folder: Path) -> str:
    if isinstance(block, Heading):
        tag = f"h{block.level + 1}"
        return f'<{tag} id="{escape(block.name)}">{escape(numbers.heading(block.name))}</{tag}>'
    if isinstance(block, Paragraph):
        if block.style == "quote":
            return f"<blockquote><p>{_line(block.text, numbers)}</p></blockquote>"
        kind = "" if block.style == "plain" else f' class="{block.style}"'
        return f"<p{kind}>{_line(block.text, numbers)}</p>"
    if isinstance(block, Listing):
        tag = "ol" if block.ordered else "ul"
        entries = "\n".join(f"<li>{_line(entry, numbers)}</li>" for entry in block.entries)
        return f"<{tag}>\n{entries}\n</{tag}>"
    if isinstance(block, Terms):
        pairs = "\n".join(
            f"<dt>{escape(term)}</dt><dd>{_line(words, numbers)}</dd>"
            for term, words in block.pairs
        )
        return f"<dl>\n{pairs}\n</dl>"
    if isinstance(block, Code):
        return f'<pre tabindex="0"><code>{escape(block.text)}</code></pre>'
    if isinstance(block, Tabular):
        return _tabular(block, numbers)
    if isinstance(block, Picture):
        return _picture(block, numbers, folder)
    return _contents(numbers)


def _line(text: Line, numbers: Numbers) -> str:
    words = []
    for part in text:
        if isinstance(part, Ref):
            words.append(f'<a href="#{escape(part.name)}">{escape(numbers.labels[part.name])}</a>')
            continue
        shown = escape(part.text)
        for tag, on in (("code", part.code), ("em", part.emphasis), ("strong", part.strong)):
            shown = f"<{tag}>{shown}</{tag}>" if on else shown
        words.append(f'<a href="{escape(part.link)}">{shown}</a>' if part.link else shown)
    return "".join(words)


def _tabular(block: Tabular, numbers: Numbers) -> str:
    label = numbers.labels[block.name]
    parts = sheets(block.table)
    blocks = []
    for place, sheet in enumerate(parts):
        name = block.name if place == 0 else f"{block.name}--part-{place + 1}"
        which = f" (part {place + 1} of {len(parts)})" if len(parts) > 1 else ""
        caption = f"<strong>{label}{which}.</strong> {escape(block.title)}"
        blocks.append(
            f'<div class="scroll" role="region" tabindex="0" '
            f'aria-label="{escape(label + which)}"><table id="{escape(name)}">\n'
            f"<caption>{caption}</caption>\n{_sheet(sheet)}</table></div>"
        )
    note = " ".join(filter(None, (block.note, block.table.note)))
    if note:
        blocks.append(f'<p class="note">{escape(note)}</p>')
    return "\n".join(blocks)


def _sheet(sheet: Sheet) -> str:
    lines = []
    if sheet.heads:
        cells = "".join(
            f'<th scope="col"{_kind(words)}>{escape(head)}</th>'
            for head, words in zip(sheet.heads, sheet.words, strict=True)
        )
        lines.append(f"<thead><tr>{cells}</tr></thead>")
    lines.append("<tbody>")
    for row in sheet.rows:
        if row.group:
            span = max(len(sheet.widths), 1)
            lines.append(
                f'<tr class="group"><th scope="rowgroup" colspan="{span}">'
                f"{escape(row.head.text)}</th></tr>"
            )
            continue
        # A row whose name stands further up has an empty cell there, which heads nothing.
        name = escape(row.head.text)
        head = f'<th scope="row">{name}</th>' if name else "<td></td>"
        cells = "".join(
            f"<td{_kind(words or is_folded(cell))}>"
            + (f"<strong>{escape(cell.text)}</strong>" if cell.bold else escape(cell.text))
            + "</td>"
            for cell, words in zip(row.cells, sheet.words[1:], strict=True)
        )
        lines.append(f"<tr>{head}{cells}</tr>")
    lines.append("</tbody>\n")
    return "\n".join(lines)


def _kind(words: bool) -> str:
    return ' class="words"' if words else ""


def _picture(block: Picture, numbers: Numbers, folder: Path) -> str:
    # As an image of its own a drawing shares no names with another one of the same kind.
    drawing = (folder / f"{block.stem}.svg").read_bytes()
    source = f"data:image/svg+xml;base64,{b64encode(with_namespaces(drawing)).decode()}"
    note = f'<br><span class="note">{escape(block.note)}</span>' if block.note else ""
    numbers_file = escape(f"{block.stem}.csv")
    return (
        f'<figure id="{escape(block.name)}">\n<img src="{source}" alt="{escape(block.alt)}">\n'
        f"<figcaption><strong>{numbers.labels[block.name]}.</strong> {escape(block.title)} "
        f'(<a href="{numbers_file}">numbers</a>){note}</figcaption>\n</figure>'
    )


def with_namespaces(drawing: bytes) -> bytes:
    """A drawing that may stand alone: part of a page, it could do without its namespace.

    Examples
    --------
    >>> with_namespaces(b'<svg width="1pt">')
    b'<svg xmlns="http://www.w3.org/2000/svg" width="1pt">'
    """
    for name, place in (
        (b"xmlns:xlink", b"http://www.w3.org/1999/xlink"),
        (b"xmlns", b"http://www.w3.org/2000/svg"),
    ):
        needed = name == b"xmlns" or b"xlink:" in drawing
        if needed and name + b'="' not in drawing:
            drawing = drawing.replace(b"<svg", b"<svg " + name + b'="' + place + b'"', 1)
    return drawing


def _contents(numbers: Numbers) -> str:
    sections = [
        f'<li class="level{level}"><a href="#{escape(name)}">{escape(text)}</a></li>'
        for name, level, text in numbers.listed
    ]
    lists = [("Contents", sections)]
    for title, entries in (("Figures", numbers.figures), ("Tables", numbers.tables)):
        shown = [
            f'<li><a href="#{escape(name)}">{escape(f"{label}. {caption}")}</a></li>'
            for name, label, caption in entries
        ]
        lists.append((title, shown))
    return "\n".join(
        f'<nav aria-label="{title}">\n<p class="list-title">{title}</p>\n<ul class="contents">\n'
        + "\n".join(entries)
        + "\n</ul>\n</nav>"
        for title, entries in lists
        if entries
    )
