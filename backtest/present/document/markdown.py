"""An author's Markdown as blocks of a document: text, lists, quotes, code, links; nothing else."""

from dataclasses import dataclass, replace
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
from backtest.present.table import Cell, TextTable
from backtest.types import ResultsError

ADDRESSES = ("https://", "http://", "mailto:")


@dataclass(frozen=True)
class Source:
    """Where a text comes from, for messages, and what its references may name."""

    file: str
    prefix: str
    names: frozenset[str]


def markdown_blocks(text: str, source: Source) -> list[Block]:
    """Blocks of a text in Markdown (CommonMark).

    HTML in it is shown as it is typed, comments are left out. Headings become those of the third
    level, and a table with bars is numbered like any other. `[text](#name)` refers to a heading,
    figure or table of the document by its name, and shows its number in place of the text.

    Raises
    ------
    ResultsError : an image, a reference to a name that the document lacks, or a link to a place
        that is no web address.

    Examples
    --------
    >>> source = Source("a.md", "a", frozenset({"ladder"}))
    >>> [block] = markdown_blocks("As [said](#ladder), *never* <b>.", source)
    >>> [getattr(part, "text", part) for part in block.text]
    ['As ', Ref(name='ladder'), ', ', 'never', ' ', '<b>', '.']
    """
    from markdown_it import MarkdownIt

    blocks: list[Block] = []
    _Reader(source, blocks).read(MarkdownIt("commonmark").enable("table").parse(text))
    return blocks


class _Reader:
    """Goes through the tokens of a text once."""

    def __init__(self, source: Source, blocks: list[Block]) -> None:
        self.source, self.blocks = source, blocks
        self.lists: list[tuple[bool, list[Line]]] = []
        self.quoted = 0
        self.table: list[list[str]] | None = None

    def read(self, tokens: list[Any]) -> None:
        heading = False
        for token in tokens:
            match token.type:
                case "heading_open" | "heading_close":
                    heading = token.type == "heading_open"
                case "bullet_list_open" | "ordered_list_open":
                    # A list within a list ends the entries so far: documents have one level.
                    self._end_entries()
                    self.lists.append((token.type == "ordered_list_open", []))
                case "bullet_list_close" | "ordered_list_close":
                    self._end_entries()
                    self.lists.pop()
                case "blockquote_open":
                    self.quoted += 1
                case "blockquote_close":
                    self.quoted -= 1
                case "table_open":
                    self._end_entries()
                    self.table = []
                case "tr_open" if self.table is not None:
                    self.table.append([])
                case "table_close":
                    self._end_table()
                case "inline" if self.table is not None:
                    cell = (self._shown(part, token) for part in self._line(token))
                    self.table[-1].append("".join(cell))
                case "inline":
                    self._place(self._line(token), heading)
                case "fence" | "code_block":
                    self._end_entries()
                    self.blocks.append(Code(token.content.rstrip("\n")))
                case "html_block":
                    self._html(token)
                case _:
                    pass

    def _end_entries(self) -> None:
        if self.lists and self.lists[-1][1]:
            ordered, entries = self.lists[-1]
            self.blocks.append(Listing(tuple(entries), ordered=ordered))
            entries.clear()

    def _end_table(self) -> None:
        heads, *rows = self.table or [[]]
        cells = tuple(
            (name, (tuple(Cell(text, words=True) for text in others),)) for name, *others in rows
        )
        name = f"{self.source.prefix}-text-{len(self.blocks)}"
        self.blocks.append(Tabular(name, TextTable("As stated by the author", tuple(heads), cells)))
        self.table = None

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
        if text:
            self._place((Span(text),), heading=False)

    def _line(self, token: Any) -> Line:
        parts: list[Inline] = []
        style, link, inside = Span(""), "", False
        for child in token.children:
            match child.type:
                case "strong_open" | "strong_close":
                    style = replace(style, strong=child.type == "strong_open")
                case "em_open" | "em_close":
                    style = replace(style, emphasis=child.type == "em_open")
                case "link_open":
                    link = str(child.attrs["href"])
                    if link.startswith("#"):
                        parts.append(self._ref(link[1:], token))
                        inside = True
                    elif not link.lower().startswith(ADDRESSES):
                        raise self._error(token, f"a link to {link!r}", "give a web address")
                case "link_close":
                    link, inside = "", False
                case "image":
                    raise self._error(
                        token, "an image", "leave it out; figures come from results folders"
                    )
                case "softbreak" | "hardbreak":
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

    def _ref(self, name: str, token: Any) -> Ref:
        if name not in self.source.names:
            raise self._error(
                token, f"a reference to {name!r}", "the names are listed at the end of the document"
            )
        return Ref(name)

    def _error(self, token: Any, what: str, advice: str) -> ResultsError:
        row = token.map[0] + 1 if token.map else 1
        return ResultsError(f"{self.source.file}, line {row}: {what} has no place here; {advice}.")


def _without_comments(text: str) -> str:
    while "<!--" in text:
        before, _, rest = text.partition("<!--")
        text = before + rest.partition("-->")[2]
    return text
