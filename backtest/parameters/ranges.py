"""Terms of a parameter file that are not verified: their values, their ranges, what lacks one."""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

from backtest.parameters.files import header, load_parameters
from backtest.parameters.header import Uncertain
from backtest.types import StudyError

# They say which maturities or contracts a row is about: the rate is the term.
LABELS = ("up_to", "category", "legs")


def term_value(tables: Any, term: str) -> Any:
    """The value at a dotted place, items of a list by number.

    Raises
    ------
    StudyError : there is no such place.

    Examples
    --------
    >>> term_value({"credits": [{"rate": 0.75}]}, "credits.0.rate")
    0.75
    """
    for key in term.split("."):
        try:
            tables = tables[int(key) if isinstance(tables, list) else key]
        except (KeyError, IndexError, ValueError, TypeError):
            raise StudyError(f"no term {term!r}: nothing is at {key!r}.") from None
    return tables


def with_term(tables: Mapping[str, Any], term: str, value: Any) -> dict[str, Any]:
    """A copy of a file's tables with another value at a dotted place.

    Raises
    ------
    StudyError : there is no such place.

    Examples
    --------
    >>> with_term({"cap": {"value": 0.8}, "limit": 1}, "cap.value", 0.7)
    {'cap': {'value': 0.7}, 'limit': 1}
    """
    term_value(tables, term)
    copy = deepcopy(dict(tables))
    outer, _, last = term.rpartition(".")
    table: Any = term_value(copy, outer) if outer else copy
    table[int(last) if isinstance(table, list) else last] = value
    return copy


def mistakes(version: str) -> Iterator[str]:
    """What is wrong with the ranges of a version, a sentence each: none in this package.

    A range is of the term's own type; of numbers it holds the term's value, of anything else at
    least one end is another value. Every number of a file that is not verified has an entry, or
    lies under one; a table with a mark of its own needs one entry for what of it is not verified.

    Examples
    --------
    >>> list(mistakes("sec_15c3_1/2013"))
    []
    """
    head, tables = header(version), load_parameters(version)
    for entry in head.uncertain:
        wrong = _wrong(entry, tables)
        if wrong:
            yield f"{version}: {entry.term}: {wrong}"
    named = [entry.term for entry in head.uncertain]
    for place in _unverified(tables, "", verified=head.verified):
        if not any(_within(place, term) or _within(term, place) for term in named):
            yield f"{version}: {place} is not verified and has no [[uncertain]] entry"


def _wrong(entry: Uncertain, tables: Mapping[str, Any]) -> str:
    try:
        value = term_value(tables, entry.term)
    except StudyError as error:
        return str(error)
    if not entry.moves:
        return ""
    if entry.low is None or entry.high is None:
        return "a range has two ends"
    if not (_same_type(entry.low, value) and _same_type(entry.high, value)):
        return f"{entry.low!r} to {entry.high!r} is of another type than {value!r}"
    if isinstance(value, (int, float)):
        if not entry.low <= value <= entry.high or entry.low == entry.high:
            return f"{entry.low!r} to {entry.high!r} does not hold {value!r}"
        return ""
    if entry.low == entry.high == value:
        return "neither end is another value"
    if not _is_column(value):
        return ""
    if not len(entry.low) == len(value) == len(entry.high):
        return f"{len(entry.low)} and {len(entry.high)} ends of {len(value)} rows"
    rows = zip(entry.low, value, entry.high, strict=True)
    wrong = [row for row, (low, own, high) in enumerate(rows) if not low <= own <= high]
    return f"row {wrong[0]} does not lie in its range" if wrong else ""


def _is_column(value: Any) -> bool:
    """Whether a value is a list of numbers, such as the rates of a table by maturity."""
    return (
        isinstance(value, list)
        and value != []
        and all(type(item) in (int, float) for item in value)
    )


def _same_type(end: Any, value: Any) -> bool:
    """Whether an end is of the type of the value; whole numbers pass for others."""
    numbers = type(value) is float and type(end) in (int, float)
    return numbers or type(end) is type(value)


def _unverified(value: Any, place: str, *, verified: bool) -> Iterator[str]:
    """Places of unverified numbers, and of tables that are marked as not verified themselves."""
    if isinstance(value, Mapping):
        if place and "verified" in value:
            if not value["verified"]:
                yield place
            return
        inner = [(str(key), item) for key, item in value.items() if key not in LABELS]
    elif isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
        inner = [(str(number), item) for number, item in enumerate(value)]
    else:
        items = value if isinstance(value, list) else [value]
        if not verified and any(type(item) in (int, float) for item in items):
            yield place
        return
    for key, item in inner:
        yield from _unverified(item, f"{place}.{key}".lstrip("."), verified=verified)


def _within(place: str, outer: str) -> bool:
    return place == outer or place.startswith(f"{outer}.")
