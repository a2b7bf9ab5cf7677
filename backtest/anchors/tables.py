"""Tables of anchors: one row each, or one a group where a set is large."""

from collections.abc import Callable, Iterator
from math import isfinite

from backtest.anchors.anchor import MARK, Compared, number
from backtest.anchors.run import Answered, Found
from backtest.present.table import Cell, TextTable

MOST_ROWS = 40  # of a set of which every row is shown
REMEMBERED = f"{MARK} The published number is remembered, not read where it was printed."


def tables(found: Found) -> Iterator[TextTable]:
    """One table a set."""
    return (table_of(each) for each in found.sets)


def table_of(each: Answered) -> TextTable:
    """Every row of a set, by source; or a line a group where the set has groups and is large."""
    notes = [each.of.note]
    if any(answer.anchor.known == "memory" for answer in each.answers):
        notes.append(REMEMBERED)
    if each.of.file:
        notes.append(f"From {each.of.file}.")
    grouped = any(answer.anchor.group for answer in each.answers)
    if grouped and len(each.answers) > MOST_ROWS:
        return _in_groups(each, [_sources(each), *notes])
    groups = [
        (source, [(_named(answer), answer) for answer in answers])
        for source, answers in _by(each, lambda answer: answer.anchor.source)
    ]
    columns = {
        "published": lambda answer: answer.anchor.published,
        "ours": lambda answer: Cell(answer.answer, bold=not answer.is_met),
        "difference": lambda answer: Cell(_difference(answer), bold=not answer.is_met),
    }
    return TextTable.nest(
        each.of.title, ("source", "what"), groups, columns, note=" ".join(filter(None, notes))
    )


def summary(found: Found) -> TextTable:
    """A row a set: how many numbers it has, how many are met, and who printed them."""
    return TextTable.of(
        "Sets of published numbers",
        "set",
        [(each.of.title, each) for each in found.sets],
        {
            "numbers": lambda each: f"{len(each.answers):,}",
            "met": lambda each: Cell(
                f"{len(each.answers) - len(each.misses):,}", bold=bool(each.misses)
            ),
            "printed by": lambda each: Cell(_publishers(each), words=True),
        },
    )


def misses(found: Found) -> Iterator[str]:
    """A line for each number that is not met."""
    return (f"missed: {miss}" for miss in found.misses)


def _in_groups(each: Answered, notes: list[str]) -> TextTable:
    rows = _by(each, lambda answer: answer.anchor.group)
    return TextTable.of(
        each.of.title,
        "group",
        rows,
        {
            "numbers": lambda answers: f"{len(answers):,}",
            "met": lambda answers: f"{sum(answer.is_met for answer in answers):,}",
            "largest difference": _largest,
            "relative": _largest_relative,
        },
        note=" ".join(filter(None, notes)),
    )


def _by(each: Answered, key: Callable[[Compared], str]) -> list[tuple[str, tuple[Compared, ...]]]:
    """The answers under each key, in the order in which keys first come."""
    found: dict[str, list[Compared]] = {}
    for answer in each.answers:
        found.setdefault(key(answer), []).append(answer)
    return [(name, tuple(answers)) for name, answers in found.items()]


def _sources(each: Answered) -> str:
    named = dict.fromkeys(answer.anchor.source for answer in each.answers)
    return f"Printed by {'; '.join(named)}."


def _publishers(each: Answered) -> str:
    """The first words of each source, which name who printed it."""
    named = (answer.anchor.source.split(",")[0] for answer in each.answers)
    return "; ".join(dict.fromkeys(named))


def _named(answer: Compared) -> str:
    mark = f" {MARK}" if answer.anchor.known == "memory" else ""
    return f"{answer.anchor.what}{mark}"


def _difference(answer: Compared) -> str:
    if isfinite(answer.difference):
        return _signed(answer.difference)
    return "same" if answer.is_met else "other"


def _largest(answers: tuple[Compared, ...]) -> str:
    """The difference that is furthest from zero."""
    known = [answer.difference for answer in answers if isfinite(answer.difference)]
    return _signed(max(known, key=abs, default=0.0))


def _largest_relative(answers: tuple[Compared, ...]) -> str:
    """The largest share of its published number by which an answer differs."""
    shares = [
        abs(answer.difference / number(answer.anchor.published))
        for answer in answers
        if isfinite(answer.difference) and number(answer.anchor.published)
    ]
    return f"{max(shares, default=0.0):.0e}" if any(shares) else "0"


def _signed(difference: float) -> str:
    return f"{difference:+.1e}" if difference else "0"
