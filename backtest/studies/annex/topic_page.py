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
from backtest.present.table import TextTable
from backtest.replay.findings.unverified import MARK
from backtest.studies.annex.needs import Filled
from backtest.studies.annex.results import references
from backtest.studies.annex.rules import RuleOnDay, superseded_in
from backtest.studies.annex.sources import REAL
from backtest.studies.annex.study import Annex, TopicPage

UNVERIFIED = f"{MARK} Rests on parameters that are not verified, in whole or in part."


def topic_blocks(page: TopicPage, annex: Annex, names: frozenset[str] | None) -> Iterator[Block]:
    """A topic; `names` are those that the author's text may refer to, any where None."""
    topic = page.topic
    yield Heading(topic.title, 2, topic.page, new_page=True)
    yield Paragraph(line(Span("What was asked. ", strong=True), topic.asked), "lead")
    if page.text.strip():
        where = f"{annex.texts.name}/{topic.name}.md"
        yield from markdown_blocks(page.text, MarkdownSource(where, topic.page, names))
    real = bool(page.found) and all(one.source.prices == REAL for one in page.found)
    heading = "Our numbers, on real data" if real else "Our numbers"
    yield Heading(heading, 3, f"{topic.page}-numbers")
    for place, one in enumerate(page.found):
        yield from _said(one, f"{topic.page}-{place + 1}")
    if not page.found:
        yield Paragraph(line("None of the results given here has a number for this topic."))
    yield Heading(f"The rules in force on {annex.as_of}", 3, f"{topic.page}-rules")
    standing = tuple(RuleOnDay.of(rule, annex.as_of) for rule in topic.rule)
    yield Listing(
        tuple(
            line(
                *typed(rule.words),
                *([Span(rule.standing, strong=True)] if rule.standing else []),
                Span(f"{rule.mark}: ", strong=True),
                f"{rule.how}.",
            )
            for rule in standing
        )
    )
    for words in superseded_in(topic, annex.sources):
        yield Paragraph(line(words), "alarm")
    yield Heading("What we cannot say yet", 3, f"{topic.page}-cannot")
    entries = []
    for say, simulated in page.missing:
        why = "only simulated results have it" if simulated else "no results given here have it"
        entries.append(line(*typed(f"{say.what}: {why}; it takes {say.fills}.")))
    for cannot in page.cannot(annex.kinds):
        more = f" It takes {cannot.fills}." if cannot.fills else ""
        entries.append(line(*typed(f"{cannot.words}{more}")))
    yield Listing(tuple(entries)) if entries else Paragraph(line("Nothing that was asked for."))


def _said(one: Filled, name: str) -> Iterator[Block]:
    """What one results folder says, with references to where it stands."""
    letter = one.source.letter
    # Tests are tried on records whose truth is known, so those are simulated on purpose.
    tests = one.say.simulated_counts
    drawn = "; of tests on simulated records, no prices" if tests else one.source.mark
    if one.sentences:
        yield Paragraph(line(f"{one.say.what} (results {letter}{drawn}):"), keep=True)
        yield Listing(tuple(line(sentence) for sentence in one.sentences))
    if one.answers:
        title = f"Results {letter}{drawn}: {one.source.named}"
        yield Paragraph(line(Span(title, strong=True)), keep=True)
        yield Listing(tuple(line(sentence) for sentence in one.answers))
    tables = [quoted.name for quoted in one.quoted]
    where = references([*one.figures, *tables])
    if where and not one.answers:
        parts: list[str | Inline] = [f"{one.say.what} (results {one.letters}{drawn}): "]
        for place, ref in enumerate(where):
            parts += [", " if place else "", ref]
        quotes = any(quoted.table is not None for quoted in one.quoted)
        yield Paragraph(line(*parts, "."), keep=quotes)
    for place, quoted in enumerate(one.quoted):
        if quoted.table is not None:
            yield Tabular(
                name=f"{name}-table{'' if place == 0 else f'-{place + 1}'}",
                table=quoted.table,
                caption=f"{one.say.what} (results {letter}{drawn}, quoted in part)",
                note=_note(quoted.table),
            )
    if one.money is not None:
        yield Tabular(
            name=f"{name}-money",
            table=one.money,
            caption=f"{one.say.what} (results {letter}{drawn})",
            note=one.money.source_line,
        )


def _note(table: TextTable) -> str:
    """The table that columns are quoted from, its sample, and what a mark in it means."""
    names = [name for name, _ in table.groups]
    texts = [cell.text for _, rows in table.groups for row in rows for cell in row]
    marked = any(MARK in text for text in (*names, *texts))
    parts = (f"From: {table.caption}.", table.source_line, UNVERIFIED if marked else "")
    return " ".join(filter(None, parts))


def typed(words: str) -> list[Span]:
    """Words, those between backticks as they are typed.

    Examples
    --------
    >>> [(span.text, span.code) for span in typed("give `backtest run` a folder")]
    [('give ', False), ('backtest run', True), (' a folder', False)]
    """
    parts = words.split("`")
    return [Span(part, code=place % 2 == 1) for place, part in enumerate(parts) if part]
