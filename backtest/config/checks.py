"""What a study file can have wrong, each said in one line: what, which value, what to do."""

import unicodedata
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from backtest.config.schema import (
    AccountTable,
    BookTable,
    ClockTable,
    CloseoutTable,
    CollateralTable,
    CoverageTable,
    DataTable,
    GateTable,
    MonteCarloTable,
    RandomTable,
    StudyFile,
    SweepTable,
)
from backtest.instruments import parse_instrument
from backtest.types import StudyError

LONGEST_NAME = 100  # bytes: a folder's name has 255, and holds stamp, kind and hash besides
LINES = "\n\t"  # what a text of several lines may hold beside printed characters


def check_keys(raw: Mapping[str, Any], where: str) -> None:
    """Misspelt keys, with the nearest known one; deeper than pydantic's own message."""
    tables: list[tuple[str, Mapping[str, Any], type[BaseModel]]] = [("", raw, StudyFile)]
    kinds: dict[str, type[BaseModel]] = {
        "data": DataTable,
        "clock": ClockTable,
        "coverage": CoverageTable,
        "closeout": CloseoutTable,
        "account": AccountTable,
        "collateral": CollateralTable,
        "random": RandomTable,
        "monte_carlo": MonteCarloTable,
        "sweep": SweepTable,
    }
    for key, kind in kinds.items():
        if isinstance(raw.get(key), Mapping):
            tables.append((f"{key}.", raw[key], kind))
    books, gates = raw.get("books"), raw.get("gates")
    for name, table in books.items() if isinstance(books, Mapping) else ():
        if isinstance(table, Mapping):
            tables.append((f"books.{name}.", table, BookTable))
    for table in gates if isinstance(gates, list) else ():
        if isinstance(table, Mapping):
            tables.append(("gates.", table, GateTable))
    for prefix, table, kind in tables:
        known = list(kind.model_fields)
        for key in table:
            if key not in known:
                close = get_close_matches(key, known, n=1)
                hint = f"Did you mean {close[0]!r}?" if close else f"Known: {', '.join(known)}."
                raise StudyError(f"{where}: unknown key {prefix + key!r}. {hint}")


def mistake(first: ErrorDetails, raw: Mapping[str, Any]) -> str:
    """The first thing pydantic found, in the words of the file.

    Examples
    --------
    >>> mistake({"type": "missing", "loc": ("books",), "msg": "", "input": {}}, {})
    "'books' is missing; add it."
    """
    if first["type"] == "missing":
        return f"{'.'.join(map(str, first['loc']))!r} is missing; add it."
    keys: list[str] = []
    place: Any = raw
    for part in first["loc"]:
        # pydantic also names the type it tried, which is no key of the file.
        if isinstance(place, Mapping) and part in place:
            place = place[part]
        elif isinstance(place, list) and isinstance(part, int):
            place = place[part]
        else:
            continue
        keys.append(str(part))
    return f"{'.'.join(keys)} is {first['input']!r}: {first['msg']}."


def check_study(study: StudyFile) -> None:
    """One line for what every key alone would allow, but not all of them together.

    Raises
    ------
    StudyError : names that cannot be written or printed, books that hold nothing, a sweep within
        one silo, gates that no number could fail.
    """
    _check_names(study)
    if not study.books and not study.random.portfolios:
        raise StudyError('books is empty; name at least one, such as [books."long BTC"].')
    for name, book in study.books.items():
        if (book.usd is None) == (book.risk is None):
            raise StudyError(f"book {name!r} needs either `usd` or `risk`, not both.")
        if not any((book.usd or book.risk or {}).values()):
            raise StudyError(f"book {name!r} holds nothing; give it an exposure or remove it.")
    for what, values in (
        ("data.factors", study.data.factors),
        ("random.instruments", study.random.instruments),
    ):
        twice = [v for v in values if values.count(v) > 1]
        if twice:
            raise StudyError(f"{what} names {twice[0]!r} twice; name each once.")
    if study.random.portfolios and not study.random.instruments:
        raise StudyError("random.instruments is empty; name what the drawn books hold.")
    if study.sweep is not None:
        legs = (study.sweep.treasury, study.sweep.crypto)
        silos = [parse_instrument(leg).silo for leg in legs]
        if silos[0] == silos[1]:
            raise StudyError(
                f"sweep.treasury {legs[0]!r} and sweep.crypto {legs[1]!r} both clear at "
                f"{silos[0]}; name legs of two silos."
            )
    for gate in study.gates:
        if gate.model not in study.models:
            raise StudyError(f"a gate names model {gate.model!r}, which is not in it.")
        if gate.at_least is None and gate.at_most is None:
            raise StudyError(
                f"the gate on {gate.column} of {gate.model!r} has no bound; give at_least or "
                "at_most."
            )


def _check_names(study: StudyFile) -> None:
    """Names become folders, rows of tables and words in figures."""
    if "/" in study.name or study.name in (".", ".."):
        raise StudyError(f"name is {study.name!r}; it becomes part of a folder's name: no '/'.")
    if len(study.name.encode()) > LONGEST_NAME:
        raise StudyError(
            f"name has {len(study.name.encode())} bytes; it becomes part of a folder's name: give "
            f"{LONGEST_NAME} or fewer."
        )
    names = [("name", study.name)]
    names += [("a model's name", name) for name in study.models]
    for name, book in study.books.items():
        names += [("a book's name", name), (f"books.{name!r}.short", book.short)]
    texts = [("title", study.title), ("caption", study.caption)]
    texts += [(f"books.{name!r}.explain", book.explain) for name, book in study.books.items()]
    for allowed, some in (("", names), (LINES, texts)):
        for what, text in some:
            control = [c for c in text if unicodedata.category(c) == "Cc" and c not in allowed]
            if control:
                raise StudyError(
                    f"{what} is {text!r}, with the control character {control[0]!r}; remove it."
                )
