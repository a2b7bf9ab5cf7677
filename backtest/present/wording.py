"""An exhibit in other words: every caption, head and sentence changed, and no name and number."""

from collections.abc import Callable
from dataclasses import replace

from backtest.present.exhibit import Exhibit, Section
from backtest.present.figure import Figure
from backtest.present.sheet import Caption
from backtest.present.table import TextTable

Change = Callable[[str], str]


def reworded(exhibit: Exhibit, change: Change) -> Exhibit:
    """The exhibit with `change` applied to its words; cells and stored tables stay as they are."""
    return replace(
        exhibit,
        answer=tuple(map(change, exhibit.answer)),
        one_line=change(exhibit.one_line),
        caption=change(exhibit.caption),
        source_line=change(exhibit.source_line),
        facts=tuple((name, change(value)) for name, value in exhibit.facts),
        sections=tuple(_section(section, change) for section in exhibit.sections),
    )


def _section(section: Section, change: Change) -> Section:
    return replace(
        section,
        heading=change(section.heading),
        text=change(section.text),
        figure=None if section.figure is None else _figure(section.figure, change),
        # A frame becomes a table of text here, since its heads are words too.
        tables=tuple(_table(table, change) for table in section.text_tables()),
        terms=tuple((term, change(words)) for term, words in section.terms),
        sentences=tuple(change(words) for words in section.sentences),
    )


def _figure(figure: Figure, change: Change) -> Figure:
    caption = figure.caption
    words = (caption.title, caption.footnote, caption.alt, caption.measure)
    return replace(figure, caption=Caption(*(change(text) for text in words)))


def _table(table: TextTable, change: Change) -> TextTable:
    """Of a table without heads, which is one of facts, the words are the user's."""
    return replace(
        table,
        caption=change(table.caption),
        heads=tuple(change(head) for head in table.heads),
        note=change(table.note),
    )
