"""Numbers of sections, figures and tables, worked out once for every kind of file."""

from dataclasses import dataclass

from backtest.present.document.model import (
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


@dataclass(frozen=True)
class Numbers:
    """What references print, by name, and the three lists of contents.

    Parameters
    ----------
    labels : 'Figure 3', 'Table 2', 'section 4.1', by name.
    headings : (name, level, text with its number); listed : those in the contents.
    figures, tables : (name, 'Figure 3', caption).
    """

    labels: dict[str, str]
    headings: tuple[tuple[str, int, str], ...]
    listed: tuple[tuple[str, int, str], ...]
    figures: tuple[tuple[str, str, str], ...]
    tables: tuple[tuple[str, str, str], ...]

    @classmethod
    def of(cls, document: Document) -> "Numbers":
        """Number a document.

        Raises
        ------
        ValueError : two blocks of one name, a reference to none, a level of headings skipped.

        Examples
        --------
        >>> from backtest.present.document.model import Paragraph, line
        >>> text = Paragraph(line("see ", Ref("one")))
        >>> numbers = Numbers.of(Document("D", (Heading("One", 1, "one"), text)))
        >>> numbers.labels, numbers.headings
        ({'one': 'section 1'}, (('one', 1, '1 One'),))
        """
        labels: dict[str, str] = {}
        headings: list[tuple[str, int, str]] = []
        listed: list[tuple[str, int, str]] = []
        pictures: list[tuple[str, str, str]] = []
        tables: list[tuple[str, str, str]] = []
        chapter, part = 0, 0
        for block in document.blocks:
            if not isinstance(block, Heading | Picture | Tabular):
                continue
            if block.name in labels:
                raise ValueError(f"two blocks of a document are called {block.name!r}.")
            if isinstance(block, Heading):
                # Screen readers lose their way, and PDF/UA refuses the file.
                if block.level > (headings[-1][1] if headings else 0) + 1:
                    raise ValueError(f"heading {block.name!r} skips a level.")
                if block.level == 1:
                    chapter, part = chapter + 1, 0
                elif block.level == 2:
                    part += 1
                number = {1: f"{chapter}", 2: f"{chapter}.{part}"}.get(block.level, "")
                labels[block.name] = f"section {number}" if number else f"'{block.text}'"
                text = f"{number} {block.text}".strip()
                headings.append((block.name, block.level, text))
                if block.listed and block.level <= 2:
                    listed.append(headings[-1])
            elif isinstance(block, Picture):
                labels[block.name] = f"Figure {len(pictures) + 1}"
                pictures.append((block.name, labels[block.name], block.title))
            else:
                labels[block.name] = f"Table {len(tables) + 1}"
                tables.append((block.name, labels[block.name], block.title))
        for name in references(document):
            if name not in labels:
                raise ValueError(f"a document refers to {name!r}, which it does not have.")
        return cls(labels, tuple(headings), tuple(listed), tuple(pictures), tuple(tables))

    def heading(self, name: str) -> str:
        """A heading with its number."""
        return next(text for each, _, text in self.headings if each == name)


def references(document: Document) -> list[str]:
    """Names that the text of a document refers to."""
    lines: list[Line] = []
    for block in document.blocks:
        if isinstance(block, Paragraph):
            lines.append(block.text)
        elif isinstance(block, Listing):
            lines += block.entries
        elif isinstance(block, Terms):
            lines += [explanation for _, explanation in block.pairs]
    return [part.name for text in lines for part in text if isinstance(part, Ref)]
