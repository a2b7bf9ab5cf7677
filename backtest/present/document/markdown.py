"""An author's Markdown as blocks of a document: text, lists, quotes, code, links; nothing else."""

import re
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any

from backtest.present.document.model import (
    Block,
    Code,
    Heading,
    Inline,
    Line,
    Listing,
    Paragraph,
    Ref,
    Span,
    Tabular,
)
from backtest.present.lettering import UNKNOWN, drawable
from backtest.present.table import Cell, TextTable
from backtest.types import ResultsError

NOT_IN_ENTRIES = ("heading_open", "blockquote_open", "table_open", "fence", "code_block")
FOOTNOTE = re.compile(r"\[\^[^\]\s]+\]")
TASK = re.compile(r"\[[ xX]\]\s")
ADDRESSES = ("https://", "http://", "mailto:")
LONGEST_LINK = 2_000  # characters; Word and Typst refuse longer ones without a line


@dataclass(frozen=True)
class Source:
    """Where a text comes from, for messages, and what its references may name.

    names : None where they are not known yet, and any will do.
    """

    file: str
    prefix: str
    names: frozenset[str] | None


def markdown_blocks(text: str, source: Source) -> list[Block]:
    """Blocks of a text in Markdown (CommonMark).

    HTML in it is shown as it is typed, comments are left out. What documents have no form for is
    refused: images, footnotes, struck-out text, lists within lists, tasks, letters without a font.
    Headings become those of the third level, and a table with bars is numbered like any other.
    `[text](#name)` refers to a heading, figure or table of the document by its name, and shows its
    number in place of the text.

    Raises
    ------
    ResultsError : what documents have no form for, a reference to a name that the document lacks,
        or a link to a place that is no web address.

    Examples
    --------
    >>> source = Source("a.md", "a", frozenset({"ladder"}))
    >>> [block] = markdown_blocks("As [said](#ladder), *never* <b>.", source)
    >>> [getattr(part, "text", part) for part in block.text]
    ['As ', Ref(name='ladder'), ', ', 'never', ' ', '<b>', '.']
    """
    from markdown_it import MarkdownIt

    blocks: list[Block] = []
    _Reader(source, blocks).read(
        MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text)
    )
    return blocks


class _Reader:
    """Goes through the tokens of a text once."""

    def __init__(self, source: Source, blocks: list[Block]) -> None:
        self.source, self.blocks = source, blocks
        self.lists: list[tuple[bool, list[Line]]] = []
        self.quoted = 0
        self.table: list[list[str]] | None = None
        self.paragraphs = 0  # of the entry that is being read

    def read(self, tokens: list[Any]) -> None:
        heading = False
        for token in tokens:
            match token.type:
                case "heading_open" | "heading_close":
                    heading = token.type == "heading_open"
                case "bullet_list_open" | "ordered_list_open":
                    if self.lists:
                        raise self._error(token, "a list within a list", "make it one list")
                    if token.attrs.get("start", 1) != 1:
                        start = token.attrs["start"]
                        raise self._error(token, f"a list from {start}", "lists count from 1")
                    self.lists.append((token.type == "ordered_list_open", []))
                case "bullet_list_close" | "ordered_list_close":
                    self._end_list()
                case "list_item_open":
                    self.paragraphs = 0
                case "paragraph_open" if self.lists:
                    self.paragraphs += 1
                    if self.paragraphs > 1:
                        raise self._in_entry(token)
                case _ if self.lists and token.type in NOT_IN_ENTRIES:
                    raise self._in_entry(token)
                case "blockquote_open":
                    self.quoted += 1
                case "blockquote_close":
                    self.quoted -= 1
                case "table_open":
                    self.table = []
                case "tr_open" if self.table is not None:
                    self.table.append([])
                case "table_close":
                    self._end_table()
                case "inline" if self.table is not None:
                    cell = (self._shown(part, token) for part in self._line(token))
                    self.table[-1].append("".join(cell))
                case "inline":
                    text = self._line(token)
                    if heading and not any(self._printed(part) for part in text):
                        advice = "give it some, or leave it out"
                        raise self._error(token, "a heading without words", advice)
                    self._place(text, heading)
                case "fence" | "code_block":
                    self._check_letters(token.content, token, 0)
                    self.blocks.append(Code(token.content.rstrip("\n")))
                case "html_block":
                    self._html(token)
                case _:
                    pass

    def _end_list(self) -> None:
        ordered, entries = self.lists.pop()
        if entries:
            self.blocks.append(Listing(tuple(entries), ordered=ordered))

    def _end_table(self) -> None:
        heads, *rows = self.table or [[]]
        cells = tuple(
            (name, (tuple(Cell(text, words=True) for text in others),)) for name, *others in rows
        )
        name = f"{self.source.prefix}-text-{len(self.blocks)}"
        self.blocks.append(Tabular(name, TextTable("As stated by the author", tuple(heads), cells)))
        self.table = None

    @staticmethod
    def _printed(part: Inline) -> bool:
        return isinstance(part, Span) and bool(part.text.strip())

    def _shown(self, part: Inline, token: Any) -> str:
        if isinstance(part, Ref) or part.link:
            raise self._error(token, "a link in a table", "put it into the text beside it")
        return part.text

    def _place(self, text: Line, heading: bool) -> None:
        if heading:
            words = "".join(part.text for part in text if isinstance(part, Span))
            name = f"{self.source.prefix}-text-{len(self.blocks)}"
            self.blocks.append(Heading(words, 3, name))
        elif self.lists:
            self.lists[-1][1].append(text)
        else:
            self.blocks.append(Paragraph(text, "quote" if self.quoted else "plain"))

    def _html(self, token: Any) -> None:
        # Comments are notes of the author to himself; the first lines of a new file are one.
        text = _without_comments(token.content).strip()
        self._check_letters(text, token, 0)
        if text:
            self._place((Span(text),), heading=False)

    def _line(self, token: Any) -> Line:
        parts: list[Inline] = []
        style, link, inside = Span(""), "", False
        row = 0  # of the text, counted from its first
        if self.lists and TASK.match(token.content):
            raise self._error(token, "a task", "write what is done and what is not in words")
        for child in token.children:
            if child.type == "text" and FOOTNOTE.search(child.content):
                raise self._error(token, "a footnote", "put it into the text", row)
            self._check_letters(child.content, token, row)
            match child.type:
                case "s_open":
                    raise self._error(token, "struck-out text", "leave it out", row)
                case "strong_open" | "strong_close":
                    style = replace(style, strong=child.type == "strong_open")
                case "em_open" | "em_close":
                    style = replace(style, emphasis=child.type == "em_open")
                case "link_open":
                    link = str(child.attrs["href"])
                    if link.startswith("#"):
                        parts.append(self._ref(link[1:], token, row))
                        inside = True
                    elif not link.lower().startswith(ADDRESSES):
                        raise self._error(token, f"a link to {link!r}", "give a web address", row)
                    elif len(link) > LONGEST_LINK:
                        what = f"an address of {len(link):,} characters"
                        raise self._error(token, what, f"at most {LONGEST_LINK:,} are taken", row)
                case "link_close":
                    link, inside = "", False
                case "image":
                    advice = "leave it out; figures come from results folders"
                    raise self._error(token, "an image", advice, row)
                case "softbreak" | "hardbreak":
                    row += 1
                    parts.append(replace(style, text=" ", link=link))
                case "html_inline" if child.content.startswith("<!--"):
                    pass
                case _ if inside or not child.content:  # the number stands for these words
                    pass
                case kind:
                    parts.append(
                        replace(style, text=child.content, code=kind == "code_inline", link=link)
                    )
        return tuple(parts)

    def _ref(self, name: str, token: Any, row: int) -> Ref:
        known = self.source.names
        if known is not None and name not in known:
            close = get_close_matches(name, sorted(known), n=1)
            hint = f"{close[0]!r} is close; " if close else ""
            advice = f"{hint}all names are in references.csv, which a call without it writes"
            raise self._error(token, f"a reference to {name!r}", advice, row)
        return Ref(name)

    def _check_letters(self, text: str, token: Any, row: int) -> None:
        lacking = next((c for c in text if c != UNKNOWN and drawable(c) == UNKNOWN), "")
        if lacking:
            row += text[: text.index(lacking)].count("\n")
            advice = "no font of the PDF has it; write it in Latin letters"
            raise self._error(token, f"the letter {lacking!r} (U+{ord(lacking):04X})", advice, row)

    def _in_entry(self, token: Any) -> ResultsError:
        what = "more than a paragraph in an entry of a list"
        return self._error(token, what, "end the list before it")

    def _error(self, token: Any, what: str, advice: str, row: int = 0) -> ResultsError:
        """The error of the text at `row` rows below the first one of a token."""
        place = (token.map[0] if token.map else 0) + row + 1
        return ResultsError(
            f"{self.source.file}, line {place}: {what} has no place here; {advice}."
        )


def _without_comments(text: str) -> str:
    while "<!--" in text:
        before, _, rest = text.partition("<!--")
        text = before + rest.partition("-->")[2]
    return text
