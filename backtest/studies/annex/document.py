"""The annex as a document: answers, contents, map, topics, results, method, words, sources."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from backtest.present.document import (
    Block,
    Code,
    Contents,
    Document,
    Heading,
    Inline,
    Line,
    Listing,
    Paragraph,
    Ref,
    Span,
    Tabular,
    Terms,
    line,
)
from backtest.present.document.markdown import Source as MarkdownSource
from backtest.present.document.markdown import markdown_blocks
from backtest.studies.annex.results import chapter, numbers_of
from backtest.studies.annex.study import Annex, TopicPage
from backtest.studies.annex.topic_page import topic_blocks
from backtest.studies.annex.topics import read_request
from backtest.studies.glossary import glossary
from backtest.studies.published import published_table
from backtest.studies.sentences import counted

METHOD = Path(__file__).parent / "method.md"
TITLE = "Annex: results behind the comment"


def annex_document(annex: Annex) -> Document:
    """The whole annex."""
    # The author's text may name whatever the document has, which is known once it is made.
    names = frozenset(numbers_of(_blocks(annex, None)))
    blocks = _blocks(annex, names)
    return Document(TITLE, tuple(blocks), _subtitle(annex), _header(annex), annex.stamp)


def _blocks(annex: Annex, names: frozenset[str] | None) -> list[Block]:
    """Everything; `names` are those that the author's text may refer to, any where None."""
    return [
        *_opening(annex),
        Contents(),
        *_map(annex),
        *(block for page in annex.pages for block in topic_blocks(page, annex, names)),
        *(block for source in annex.sources for block in chapter(source)),
        *_method(),
        Heading("Published numbers reproduced", 1, "published"),
        Tabular("published-table", published_table(annex.published)),
        Heading("Words", 1, "words", new_page=True),
        Terms(tuple((term, line(f"{words}.")) for term, words in glossary().items())),
        *_data(annex),
        *_reproduction(annex),
    ]


def _subtitle(annex: Annex) -> str:
    count = counted(len(annex.sources), "results folder")
    day = f", the newest of {day_of(annex.stamp)}" if annex.stamp else ""
    return f"Made by `backtest annex` from {count}{day}.".replace("`", "")


def day_of(stamp: str) -> str:
    """The day of a stamp, as an ISO date.

    Examples
    --------
    >>> day_of("20260629T120000Z")
    '2026-06-29'
    """
    return datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").date().isoformat()


def _header(annex: Annex) -> str:
    simulated = [source.letter for source in annex.sources if source.is_simulated()]
    if not simulated:
        return ""
    if len(simulated) == len(annex.sources):
        return "SIMULATED prices: nothing in this document is history."
    return f"SIMULATED prices in results {', '.join(simulated)}, which are marked so."


def _opening(annex: Annex) -> Iterator[Block]:
    yield Heading("What the results say", 1, "answers")
    for source in annex.sources:
        record = source.record
        mark = "SIMULATED. " if record.simulated else ""
        other = "" if source.is_simulated() else source.mark
        yield Paragraph(
            line(
                f"Results {source.letter} (",
                Ref(source.chapter),
                f"{other}): ",
                Span(f"{mark}{source.named}", strong=True),
            ),
            "lead",
            keep=True,
        )
        if record.answer:
            yield Listing(tuple(line(sentence) for sentence in record.answer))
        elif record.caption:
            yield Paragraph(line(record.caption))
    yield from _alarms(annex)


def _alarms(annex: Annex) -> Iterator[Block]:
    """What a reader must see before any number, once for all results that it touches."""
    letters: dict[str, list[str]] = {}
    for source in annex.sources:
        for alarm in source.record.alarms:
            letters.setdefault(alarm, []).append(source.letter)
    for alarm, where in letters.items():
        yield Paragraph(line(f"{alarm} (results {', '.join(where)})"), "alarm")


def _map(annex: Annex) -> Iterator[Block]:
    request = read_request()
    yield Heading("Map to the topics of the request", 1, "map", new_page=True)
    yield Paragraph(
        line(f"The topics are those of the {request.title}, issued on {request.issued}. ")
    )
    if not request.verified:
        yield Paragraph(
            line(
                Span("Not verified: ", strong=True),
                "the list of topics comes from secondary reports, read on "
                f"{request.read} ({request.source}); the request itself was not read. Compare it "
                "before you file.",
            ),
            "note",
        )
    yield Listing(tuple(_entry(page, annex) for page in annex.pages), ordered=True)


def _entry(page: TopicPage, annex: Annex) -> Line:
    parts: list[str | Inline] = [Span(page.topic.title, strong=True), ", ", Ref(page.topic.page)]
    shown = list(
        dict.fromkeys(
            name
            for one in page.found
            for name in (*one.figures, *(quoted.name for quoted in one.quoted))
        )
    )
    others = [
        words
        for words, there in (
            ("sentences", any(one.answers or one.sentences for one in page.found)),
            ("money", any(one.money is not None for one in page.found)),
        )
        if there
    ]
    if others:
        told = f": {' and '.join(others)} on its page" + (", and " if shown else "")
    else:
        told = ": " if shown else ": no number from the results given"
    parts.append(told)
    for place, name in enumerate(shown):
        parts += [", " if place else "", Ref(name)]
    cannot = len(page.cannot(annex.kinds)) + len(page.missing)
    parts.append(f"; {counted(cannot, 'thing')} it cannot say.")
    return line(*parts)


def _method() -> Iterator[Block]:
    yield Heading("Method", 1, "method", new_page=True)
    source = MarkdownSource(METHOD.name, "method", frozenset())
    yield from markdown_blocks(METHOD.read_text(encoding="utf-8"), source)


def _data(annex: Annex) -> Iterator[Block]:
    yield Heading("Data", 1, "data", new_page=True)
    yield Paragraph(
        line(
            "Files of prices behind the results, each with the sha256 of its content. Publisher, "
            "series, retrieval date and licence are as the entry says, by the author's statement "
            "or by the name of the file alone; a file of that name may hold something else."
        )
    )
    entries = []
    for cited in annex.cited:
        one = cited.citation
        words = [
            f" (results {', '.join(cited.letters)}). Publisher: {one.publisher}. "
            f"Series: {one.series}. Retrieved: {one.retrieved}. Licence: {one.licence}. "
        ]
        words.append(f"This is {cited.how}. " if cited.how else "")
        words.append(f"Read: {cited.read_as}. " if cited.read_as else "")
        entries.append(
            line(
                Span(one.name, strong=True),
                "".join(words),
                "sha256 ",
                Span(cited.sha256, code=True),
            )
        )
    if entries:
        yield Listing(tuple(entries))
    else:
        yield Paragraph(line("The results name no file of prices."))


def _reproduction(annex: Annex) -> Iterator[Block]:
    yield Heading("Reproduction", 1, "reproduction")
    yield Paragraph(
        line(
            "The commands that made the results, the version of the program, and the hash of "
            "everything that the numbers depend on. The same hash means the same numbers."
        )
    )
    for source in annex.sources:
        software = source.manifest.get("software")
        versions = software if isinstance(software, dict) else {}
        commit = versions.get("commit") or "not known"
        state = " with uncommitted changes" if versions.get("dirty") else ""
        yield Paragraph(
            line(
                Span(f"Results {source.letter}", strong=True),
                f": folder {source.folder.resolve().name}, "
                f"margin-backtest {versions.get('margin-backtest', 'of unknown version')}, commit ",
                Span(f"{commit}", code=True),
                f"{state}, sha256 ",
                Span(source.record.sha256, code=True),
            )
        )
        yield Code(source.record.command)
