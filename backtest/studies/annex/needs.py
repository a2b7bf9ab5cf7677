"""What results folders have of what a topic needs: tables, figures and sentences, by name."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from backtest.present.record import SectionRecord
from backtest.present.table import TextTable
from backtest.studies.annex.money import Funding, money_table
from backtest.studies.annex.sources import Source
from backtest.studies.annex.topics import Say

MOST_ROWS = 16  # of a table that a topic's page quotes; a longer one is referred to


@dataclass(frozen=True)
class Quoted:
    """A table that has what was asked for: where it stands, and its columns that are quoted.

    Parameters
    ----------
    name : of the whole table, for references. table : the quoted part; None where it is too long.
    """

    name: str
    source: Source
    section: SectionRecord
    table: TextTable | None


@dataclass(frozen=True)
class Filled:
    """What one results folder says.

    Parameters
    ----------
    answers : sentences that its page opens with; sentences : others of its page.
    quoted : tables that have what was asked for. figures : their names, for references.
    money : what is saved, and its funding.
    others : letters of other folders of the same study, whose figures are among `figures`.
    """

    say: Say
    source: Source
    answers: tuple[str, ...] = ()
    quoted: tuple[Quoted, ...] = ()
    figures: tuple[str, ...] = ()
    money: TextTable | None = None
    sentences: tuple[str, ...] = ()
    others: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether it says nothing."""
        return not (self.answers or self.sentences or self.quoted or self.figures or self.money)

    @property
    def letters(self) -> str:
        """Of the folders that it refers to: 'B', or 'A, B' where another one has a figure."""
        return ", ".join(sorted({self.source.letter, *self.others}))


def filled(say: Say, sources: Sequence[Source], funding: Funding | None = None) -> list[Filled]:
    """What the folders say, those of simulated prices left out.

    Of several folders of one study, the kind that `say` names first speaks for it, and figures that
    it does not draw are taken from the others.
    """
    found: dict[tuple[object, str], Filled] = {}
    for kind in say.kinds or list(dict.fromkeys(source.kind for source in sources)):
        for source in sources:
            if source.kind != kind:
                continue
            one = _of(say, source, funding)
            study = (source.study, "" if say.kinds else kind)
            earlier = found.get(study)
            # Two folders of one kind and study are two results, and both speak.
            if one.is_empty:
                continue
            if earlier is not None and earlier.source.kind != kind:
                found[study] = _with_figures(earlier, one)
                continue
            found[study if earlier is None else (source.letter, kind)] = one
    return list(found.values())


def _with_figures(first: Filled, other: Filled) -> Filled:
    """What the first folder says, and the figures of another one that it does not draw itself."""
    drawn = {figure.name for figure in first.source.record.figures}
    more = [
        other.source.figure(name)
        for name in first.say.figures
        if name not in drawn and other.source.figure(name) in other.figures
    ]
    if not more or set(more) <= set(first.figures):
        return first
    return replace(
        first,
        figures=(*first.figures, *more),
        others=(*first.others, other.source.letter),
    )


def only_simulated(say: Say, sources: Sequence[Source]) -> bool:
    """Whether folders have it, but from simulated prices alone."""
    return not filled(say, sources) and bool(
        filled(say.model_copy(update={"simulated_counts": True}), sources)
    )


def _of(say: Say, source: Source, funding: Funding | None) -> Filled:
    if not (say.simulated_counts or not source.is_simulated()):
        return Filled(say, source)
    quoted = () if say.answers and not (say.section or say.columns) else _tables(say, source)
    figures = tuple(
        source.figure(figure.name)
        for figure in source.record.figures
        if (figure.name in say.figures or _is_whole(say))
        and (say.simulated_counts or not figure.simulated)
    )
    whole = say.answers or _is_whole(say)
    money = money_table(say, source, funding)
    answers = source.record.answer if whole else ()
    return Filled(say, source, answers, quoted, figures, money, _sentences(say, source))


def _sentences(say: Say, source: Source) -> tuple[str, ...]:
    """Sentences of the sections' own text that begin as a need has it."""
    return tuple(
        sentence
        for section in source.record.sections
        if say.simulated_counts or not source.is_simulated(section)
        for sentence in re.split(r"(?<=\.)\s+(?=[A-Z])", section.text)
        if say.begins and sentence.startswith(tuple(say.begins))
    )


def _is_whole(say: Say) -> bool:
    """Whether a need names no part of a folder: all of it is meant."""
    parts = (say.section, say.columns, say.caption, say.rows, say.begins, say.figures)
    return not (any(parts) or say.answers or say.file)


def _tables(say: Say, source: Source) -> tuple[Quoted, ...]:
    quoted = []
    for section in source.record.sections:
        if say.section and section.name != say.section:
            continue
        if not (say.simulated_counts or not source.is_simulated(section)):
            continue
        for place, table in enumerate(section.tables):
            name = source.table(section, place)
            if not table.caption.startswith(say.caption):
                continue
            if say.columns or say.rows:
                part = columns_of(table, say.columns) if say.columns else table
                part = rows_of(part, say.rows) if part is not None and say.rows else part
                if part is not None:
                    line = table.source_line or source.record.source_line
                    part = replace(part, source_line=line)
                    short = part if _rows(part) <= MOST_ROWS else None
                    return (Quoted(name, source, section, short),)
            elif say.section or _is_whole(say):
                quoted.append(Quoted(name, source, section, None))
    return tuple(quoted)


def columns_of(table: TextTable, beginnings: Sequence[str]) -> TextTable | None:
    """The columns of a table whose heads begin so, after its rows' names; None if one is missing.

    beginnings : alternatives of one column are parted by '|'; capitals do not matter.

    Examples
    --------
    >>> from backtest.present.table import Cell
    >>> table = TextTable("T", ("book", "rate [95 %]", "p"), (("a", ((Cell("1"), Cell("2")),)),))
    >>> part = columns_of(table, ["Rate"])
    >>> part.heads, part.groups[0][1][0][0].text, columns_of(table, ["margin"])
    (('book', 'rate [95 %]'), '1', None)
    """
    names = 2 if table.nested else 1
    places = []
    for beginning in beginnings:
        options = tuple(option.strip().lower() for option in beginning.split("|"))
        match = [
            place
            for place, head in enumerate(table.heads)
            if place >= names and head.lower().startswith(options)
        ]
        if not match:
            return None
        places += [place for place in match if place not in places]
    # Cells of a row stand one place to the left of their heads: the group's name is no cell.
    kept = [*range(1, names), *places]
    groups = tuple(
        (name, tuple(tuple(row[place - 1] for place in kept) for row in rows))
        for name, rows in table.groups
    )
    heads = (table.heads[0], *(table.heads[place] for place in kept))
    return TextTable(table.caption, heads, groups, nested=table.nested)


def rows_of(table: TextTable, beginnings: Sequence[str]) -> TextTable | None:
    """The rows of a table whose names begin so; None if there is none.

    Examples
    --------
    >>> from backtest.present.table import Cell
    >>> table = TextTable("T", ("item", "n"), (("6.4", ((Cell("a"),),)), ("6.5", ((Cell("b"),),))))
    >>> [name for name, _ in rows_of(table, ["6.5"]).groups], rows_of(table, ["7"])
    (['6.5'], None)
    """
    groups = tuple(group for group in table.groups if group[0].startswith(tuple(beginnings)))
    return replace(table, groups=groups) if groups else None


def _rows(table: TextTable) -> int:
    return sum(len(rows) for _, rows in table.groups)
