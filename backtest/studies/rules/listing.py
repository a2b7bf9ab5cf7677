"""The rules of a day, and the versions of one rule, as tables."""

from collections.abc import Iterator
from datetime import date

from backtest.parameters.files import header, known_parameters, load_parameters, rule_of, rules
from backtest.parameters.header import Header
from backtest.parameters.in_force import version_on
from backtest.parameters.ranges import term_value
from backtest.parameters.sources import parameter_source
from backtest.present.table import Cell, TextTable
from backtest.types import StudyError, shown

OPEN = "open"
HEADS = ("version", "from", "to", "verified", "how", "by")


def rules_on(day: date) -> TextTable:
    """Every rule with its version of a day.

    Examples
    --------
    >>> rules_on(date(2026, 6, 30)).heads[:3]
    ('rule', 'version', 'from')
    """
    rows = tuple((rule, (_cells(version_on(rule, day), day),)) for rule in rules())
    return TextTable(
        f"Rules on {day}",
        ("rule", *HEADS, "what"),
        tuple((rule, ((*cells, _title(rule, day)),)) for rule, (cells,) in rows),
        note=(
            "NOT IN FORCE: a rule that had not come into force, or that ended unfollowed, "
            "with its nearest version, which is what models take. How 'assumption': numbers that "
            "this package assumes are nobody's rule, on no day."
        ),
    )


def versions_of(rule: str, day: date) -> tuple[TextTable, TextTable]:
    """The versions of one rule in the order of time, and what the one of a day says of itself.

    Raises
    ------
    StudyError : no such rule.
    """
    known_rule(rule)
    rows = tuple((name.rpartition("/")[2], (_cells(name, day)[1:],)) for name in rules()[rule])
    table = TextTable(f"Versions of {rule}", HEADS, rows)
    version = version_on(rule, day)
    return table, TextTable.of_facts(f"{version}, the version of {day}", _facts(version))


def known_rule(rule: str | None) -> None:
    """Raise StudyError, one line, where a name is that of no rule."""
    if rule is None or rule in rules():
        return
    if rule in known_parameters():
        raise StudyError(
            f"{rule} is a version; name its rule, {rule_of(rule)}, and with --as-of a day of it, "
            f"as {header(rule).in_force_from}."
        )
    raise StudyError(f"unknown rule {shown(rule)}; known: {', '.join(rules())}.")


def _facts(version: str) -> Iterator[tuple[str, str]]:
    head = header(version)
    yield "title", head.title
    yield "source", head.source
    if head.compared:
        yield "compared", head.compared
    if head.note:
        yield "note", head.note
    yield "mark", parameter_source(version).mark
    tables = load_parameters(version)
    for term in head.uncertain:
        ends = f"in {term.low} to {term.high}" if term.moves else "not moved"
        yield f"uncertain: {term.term}", f"{term_value(tables, term.term)}, {ends}; {term.why}"


def _cells(version: str, day: date) -> tuple[Cell, ...]:
    head, source = header(version), parameter_source(version)
    doubtful = source.mark != "verified"
    return (
        Cell(version.rpartition("/")[2]),
        Cell(str(head.in_force_from)),
        Cell(end := _end(head, day), bold="NOT" in end),
        Cell("no" if source.unverified == ("all",) else "in part" if doubtful else "yes", doubtful),
        Cell(head.how),
        Cell(str(head.verified_on or "")),
    )


def _end(head: Header, day: date) -> str:
    end = OPEN if head.in_force_to is None else str(head.in_force_to)
    return end if head.covers(day) else f"{end}: NOT IN FORCE"


def _title(rule: str, day: date) -> Cell:
    return Cell(header(version_on(rule, day)).title, words=True)
