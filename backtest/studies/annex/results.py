"""A chapter of an annex for each results folder: every section, table and figure of its page."""

from collections.abc import Iterator, Sequence

from backtest.present.document import (
    Block,
    Heading,
    Listing,
    Paragraph,
    Picture,
    Ref,
    Tabular,
    Terms,
    line,
)
from backtest.present.document.placing import place_of
from backtest.present.record import FigureRecord, SectionRecord
from backtest.studies.annex.sources import Source

FIGURES = "figures"


def chapter(source: Source) -> Iterator[Block]:
    """What the page of a results folder shows, in its order."""
    record = source.record
    mark = "SIMULATED. " if record.simulated else ""
    yield Heading(f"{mark}{source.title}", 1, source.chapter, new_page=True)
    if record.caption:
        yield Paragraph(line(record.caption))
    if record.prices:
        yield Paragraph(line(f"Prices: {record.prices}."), "note")
    if record.certificate:
        yield Paragraph(line(record.certificate), "note")
    for section in record.sections:
        yield from _section(section, source)


def _section(section: SectionRecord, source: Source) -> Iterator[Block]:
    letter = source.letter
    yield Heading(section.heading, 2, f"{source.chapter}-{section.name}", listed=False)
    if section.text:
        # What follows at once is what the text is about.
        follows = bool(section.tables or section.figure)
        bare = not (section.terms or section.sentences)
        yield Paragraph(line(section.text), keep=follows and bare)
    if section.terms:
        yield Terms(tuple((term, line(words)) for term, words in section.terms))
    if section.sentences:
        yield Listing(tuple(line(sentence) for sentence in section.sentences))
    figure = source.record.figure(section.figure) if section.figure else None
    # A figure with a page of its own comes last, so that no page before it is left half empty.
    last = False
    if figure is not None:
        last = place_of(source.folder / FIGURES / f"{figure.name}.svg").own_page
        if not last:
            yield picture(figure, source)
    for place, table in enumerate(section.tables):
        yield Tabular(
            name=source.table(section, place),
            table=table,
            caption=f"{table.caption} (results {letter})",
            note=table.source_line or source.record.source_line,
            simulated=source.is_simulated(section),
        )
    if figure is not None and last:
        yield picture(figure, source)


def picture(figure: FigureRecord, source: Source) -> Picture:
    """A figure, its caption what it finds."""
    return Picture(
        name=source.figure(figure.name),
        caption=figure.title,
        alt=figure.alt,
        stem=stem(figure, source),
        note=f"Results {source.letter}; its numbers are {stem(figure, source)}.csv.",
        simulated=figure.simulated or source.record.simulated,
    )


def stem(figure: FigureRecord, source: Source) -> str:
    """Where the files of a figure are in the annex, without their endings."""
    return f"{FIGURES}/{source.figure(figure.name).removeprefix('figure-')}"


def numbers_of(blocks: Sequence[Block]) -> list[str]:
    """Names of the figures, tables and sections that the author's text may refer to."""
    return [block.name for block in blocks if isinstance(block, Heading | Picture | Tabular)]


def references(names: Sequence[str]) -> list[Ref]:
    """References to names, each once."""
    return [Ref(name) for name in dict.fromkeys(names)]
