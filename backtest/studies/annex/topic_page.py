"""The page of a topic: what was asked, our number, the rule in force, what cannot be said."""

from collections.abc import Iterator

from backtest.present.document import (
    Block,
    Heading,
    Inline,
    Listing,
    Paragraph,
    Span,
    Tabular,
    line,
)
from backtest.present.document.markdown import Source as MarkdownSource
from backtest.present.document.markdown import markdown_blocks
from backtest.studies.annex.needs import Filled
from backtest.studies.annex.results import references
from backtest.studies.annex.study import Annex, TopicPage

UNREAD = "NOT VERIFIED"


def topic_blocks(page: TopicPage, annex: Annex, names: frozenset[str]) -> Iterator[Block]:
    """A topic; `names` are those that the author's text may refer to."""
    topic = page.topic
    yield Heading(topic.title, 2, topic.page, new_page=True)
    yield Paragraph(line(Span("What was asked. ", strong=True), topic.asked), "lead")
    if page.text.strip():
        where = f"{annex.texts.name}/{topic.name}.md"
        yield from markdown_blocks(page.text, MarkdownSource(where, topic.page, names))
    yield Heading("Our numbers, on real data", 3, f"{topic.page}-numbers")
    for place, one in enumerate(page.found):
        yield from _said(one, f"{topic.page}-{place + 1}")
    if not page.found:
        yield Paragraph(line("None of the results given here has a number for this topic."))
    yield Heading("The rules in force", 3, f"{topic.page}-rules")
    yield Listing(
        tuple(
            line(
                f"{rule.rule}. {rule.where}. Dated: {rule.dated}. ",
                Span("Verified: " if rule.verified else f"{UNREAD}: ", strong=True),
                f"{rule.source}.",
            )
            for rule in topic.rule
        )
    )
    yield Heading("What we cannot say yet", 3, f"{topic.page}-cannot")
    entries = []
    for say, simulated in page.missing:
        why = "only simulated results have it" if simulated else "no results given here have it"
        entries.append(line(f"{say.what}: {why}; {say.fills} would give it."))
    for cannot in page.cannot(annex.kinds):
        more = f" It takes {cannot.fills}." if cannot.fills else ""
        entries.append(line(f"{cannot.words}{more}"))
    yield Listing(tuple(entries)) if entries else Paragraph(line("Nothing that was asked for."))


def _said(one: Filled, name: str) -> Iterator[Block]:
    """What one results folder says, with references to where it stands."""
    letter = one.source.letter
    if one.answers:
        yield Paragraph(
            line(Span(f"Results {letter}: {one.source.record.title} ", strong=True), *_spaced(one))
        )
    tables = [quoted.name for quoted in one.quoted]
    where = references([*one.figures, *tables])
    if where and not one.answers:
        parts: list[str | Inline] = [f"{one.say.what} (results {letter}): "]
        for place, ref in enumerate(where):
            parts += [", " if place else "", ref]
        yield Paragraph(line(*parts, "."))
    for place, quoted in enumerate(one.quoted):
        if quoted.table is not None:
            yield Tabular(
                name=f"{name}-table{'' if place == 0 else f'-{place + 1}'}",
                table=quoted.table,
                caption=f"{one.say.what} (results {letter}, quoted in part)",
                note=quoted.table.source_line,
            )
    if one.money is not None:
        yield Tabular(
            name=f"{name}-money",
            table=one.money,
            caption=f"{one.say.what} (results {letter})",
            note=one.money.source_line,
        )


def _spaced(one: Filled) -> list[str]:
    return [" ".join(one.answers)]
