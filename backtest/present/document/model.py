"""A document: blocks of text, tables and figures, before any of them has a number or a place."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from backtest.present.table import TextTable


@dataclass(frozen=True)
class Span:
    """Words in one style. link : web address that they lead to."""

    text: str
    strong: bool = False
    emphasis: bool = False
    code: bool = False
    link: str = ""


@dataclass(frozen=True)
class Ref:
    """A reference to a heading, figure or table by its name; printed as 'Figure 3'."""

    name: str


Inline = Span | Ref
Line = tuple[Inline, ...]
Style = Literal["plain", "lead", "note", "alarm", "quote"]


def line(*parts: str | Inline) -> Line:
    """Words and references as one line; text needs no escaping, the writers do it.

    Examples
    --------
    >>> line("see ", Ref("ladder"))
    (Span(text='see ', strong=False, emphasis=False, code=False, link=''), Ref(name='ladder'))
    """
    return tuple(Span(part) if isinstance(part, str) else part for part in parts)


@dataclass(frozen=True)
class Heading:
    """The start of a section.

    Parameters
    ----------
    level : 1 to 3, none skipped on the way down; the third has no number.
    name : what references call it, unique. new_page : start on a new page.
    listed : in the contents, where it is of the first or second level.
    """

    text: str
    level: int
    name: str
    new_page: bool = False
    listed: bool = True


@dataclass(frozen=True)
class Paragraph:
    """Lines of text: 'lead' is what a section says first, 'note' small, 'alarm' must be seen.

    keep : never the last thing on a page: it names what follows.
    """

    text: Line
    style: Style = "plain"
    keep: bool = False


@dataclass(frozen=True)
class Listing:
    """A list, its entries numbered or marked."""

    entries: tuple[Line, ...]
    ordered: bool = False


@dataclass(frozen=True)
class Terms:
    """Pairs of a term and its explanation."""

    pairs: tuple[tuple[str, Line], ...]


@dataclass(frozen=True)
class Code:
    """Text as it is typed, line by line."""

    text: str


@dataclass(frozen=True)
class Tabular:
    """A numbered table.

    Parameters
    ----------
    name : what references call it, unique. caption : above it; empty takes the table's own.
    note : below it; the table's own note follows.
    simulated : caption and head then say so.
    """

    name: str
    table: TextTable
    caption: str = ""
    note: str = ""
    simulated: bool = False

    @property
    def title(self) -> str:
        """The caption, which says SIMULATED first where the numbers are."""
        return marked(self.caption or self.table.caption, self.simulated)


@dataclass(frozen=True)
class Picture:
    """A numbered figure whose files are there already.

    Parameters
    ----------
    name : what references call it, unique. caption : what it finds. alt : for those who cannot see.
    stem : of its files `<stem>.svg`, `.pdf`, `.png` and `.csv`, relative to the document's folder.
    note : below the caption: where its numbers are.
    """

    name: str
    caption: str
    alt: str
    stem: str
    note: str = ""
    simulated: bool = False

    @property
    def title(self) -> str:
        """The caption, which says SIMULATED first where the numbers are."""
        return marked(self.caption, self.simulated)


@dataclass(frozen=True)
class Contents:
    """Lists of the sections, the figures and the tables, each entry a link."""


Block = Heading | Paragraph | Listing | Terms | Code | Tabular | Picture | Contents


@dataclass(frozen=True)
class Document:
    """A document.

    Parameters
    ----------
    title, subtitle : above everything. header : at the top of every printed page.
    stamp : time of its newest input, '20260629T120000Z'; the files carry it as their own, so that
        the same input makes the same bytes. Empty takes the first day that a zip file can hold.
    """

    title: str
    blocks: tuple[Block, ...]
    subtitle: str = ""
    header: str = ""
    stamp: str = ""


def marked(words: str, simulated: bool) -> str:
    """Words that say SIMULATED first where what they tell of is.

    Examples
    --------
    >>> marked("Rates", True), marked("SIMULATED. Rates", True)
    ('SIMULATED. Rates', 'SIMULATED. Rates')
    """
    return f"SIMULATED. {words}" if simulated and not words.startswith("SIMULATED") else words


def pictures_missing(document: Document, folder: Path) -> list[str]:
    """Files of figures that the folder of a document lacks."""
    return [
        f"{block.stem}.{kind}"
        for block in document.blocks
        if isinstance(block, Picture)
        for kind in ("svg", "png", "csv")
        if not (folder / f"{block.stem}.{kind}").is_file()
    ]
