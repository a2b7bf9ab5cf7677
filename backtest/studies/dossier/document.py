"""The reviewer's file as a document to sign: the page's sections as Word, PDF and HTML."""

import re
from collections.abc import Iterator

from backtest.present.document import (
    Block,
    Contents,
    Document,
    Heading,
    Listing,
    Paragraph,
    Picture,
    Tabular,
    Terms,
    line,
)
from backtest.present.exhibit import Exhibit, Section

NUMBERED = re.compile(r"^\d+\. ")  # headings of the page; the document numbers its own
FEW_FACTS = 3  # of a table without heads: as many are read as they stand, and need no number
NUMBERS_IN = "Numbers: figures/{name}.csv."


def as_document(exhibit: Exhibit, *, stamp: str, subtitle: str) -> Document:
    """The document of a dossier's page, with the same tables, numbers and words.

    stamp : time of the newest folder, which the files carry as their own.
    """
    blocks: list[Block] = [
        *(Paragraph(line(words), "alarm") for words in exhibit.provenance.alarms()),
        *(Paragraph(line(words), "lead") for words in exhibit.answer),
        Paragraph(line(exhibit.caption)),
        Contents(),
    ]
    for section in exhibit.sections:
        blocks += _section(section, simulated=exhibit.simulated or section.simulated)
    return Document(
        title=exhibit.title,
        blocks=tuple(blocks),
        subtitle=subtitle,
        header=f"SIMULATED. {exhibit.title}" if exhibit.simulated else "",
        stamp=stamp,
    )


def _section(section: Section, *, simulated: bool) -> Iterator[Block]:
    yield Heading(NUMBERED.sub("", section.heading), 1, section.name)
    if section.text:
        yield Paragraph(line(section.text))
    if section.terms:
        yield Terms(tuple((term, line(words)) for term, words in section.terms))
    if section.figure is not None:
        caption = section.figure.caption
        yield Picture(
            f"{section.name}-figure",
            caption.title,
            caption.alt,
            f"figures/{section.figure.name}",
            note=NUMBERS_IN.format(name=section.figure.name),  # its footnote is drawn in it
            simulated=section.figure.simulated,
        )
    for number, table in enumerate(section.text_tables(), start=1):
        if not table.heads and len(table.groups) <= FEW_FACTS:
            yield Terms(tuple((fact, line(rows[0][0].text)) for fact, rows in table.groups))
            continue
        name = f"{section.name}-{number}"
        yield Tabular(name, table, note=table.source_line, simulated=simulated)
    if section.sentences:
        yield Listing(tuple(line(words) for words in section.sentences))
