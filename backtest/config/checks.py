"""Mistakes in a study file, each reported in one line: key, value, what to do."""

import unicodedata
from collections.abc import Mapping, Sequence
from datetime import date
from difflib import get_close_matches
from typing import Any, get_args

from pydantic_core import ErrorDetails

from backtest.config.schema import ON_ERROR, SKIP, STOP, StudyFile
from backtest.instruments import parse_instrument
from backtest.instruments.names import known_form
from backtest.types import StudyError, parse_day, shown

LONGEST_NAME = 100  # bytes; a folder's name may have 255 and also holds a stamp, kind and hash
LINES = "\n\t"  # control characters that a text of several lines may contain


def mistake(errors: Sequence[ErrorDetails], raw: Mapping[str, Any]) -> str:
    """The first error of pydantic, in the words of the file; misspelt keys come first.

    Examples
    --------
    >>> mistake([{"type": "missing", "loc": ("books",), "msg": "", "input": {}}], {})
    "'books' is missing; add it."
    """
    unknown = [error["loc"] for error in errors if error["type"] == "extra_forbidden"]
    if unknown:
        return _unknown_key(min(unknown, key=len))
    first = errors[0]
    if first["type"] == "missing":
        return f"{'.'.join(map(str, first['loc']))!r} is missing; add it."
    keys: list[str] = []
    place: Any = raw
    for part in first["loc"]:
        # The path of pydantic also holds names of types, which are no keys of the file.
        if isinstance(place, Mapping) and part in place:
            place = place[part]
        elif isinstance(place, list) and isinstance(part, int):
            place = place[part]
        else:
            continue
        keys.append(str(part))
    if first["type"] == "value_error":  # of a check of ours, which names what is wrong
        return f"{'.'.join(keys)}: {first['msg'].removeprefix('Value error, ')}."
    if isinstance(first["input"], date) and first["type"] == "string_type":
        day = first["input"]
        return f'{".".join(keys)} is {day}, bare; put it in quotation marks: "{day}".'
    return f"{'.'.join(keys)} is {shown(first['input'])}: {first['msg']}."


def _unknown_key(place: tuple[int | str, ...]) -> str:
    """A misspelt key, and the known key most like it in its table."""
    fields = dict(StudyFile.model_fields)
    for part in place[:-1]:
        if part not in fields:  # a name that the user chose
            continue
        kind = fields[str(part)].annotation
        tables = [t for t in (kind, *get_args(kind)) if hasattr(t, "__pydantic_fields__")]
        if not tables:  # a table in place of a value
            return f"{'.'.join(map(str, place))!r} is a table; give a value."
        fields = dict(tables[0].__pydantic_fields__)
    keys = list(fields)
    matches = get_close_matches(str(place[-1]), keys, n=1)
    hint = f"Did you mean {matches[0]!r}?" if matches else f"Known: {', '.join(keys)}."
    return f"unknown key {'.'.join(part for part in place if isinstance(part, str))!r}. {hint}"


def check_study(study: StudyFile) -> None:
    """Check the keys of a study against each other; each of them is valid alone.

    Raises
    ------
    StudyError : names that cannot be written or printed, books without a position, a sweep within
        one silo, gates without a bound.
    """
    _check_names(study)
    if study.as_of:
        parse_day(study.as_of, "as_of")
    for name, table in study.models.items():
        if table.get(ON_ERROR, STOP) not in (STOP, SKIP):
            raise StudyError(
                f"models.{name}.{ON_ERROR} is {table[ON_ERROR]!r}; give {STOP!r} or {SKIP!r}."
            )
    _check_instruments(study)
    constant = study.books or study.random.portfolios or study.accounts is not None
    if study.positions is not None and constant:
        raise StudyError(
            "[positions] gives positions by day, and [books], [random] or [accounts] constant "
            "ones; give one kind a study."
        )
    if study.positions is not None and study.rebalance == "never":
        raise StudyError("rebalance is 'never', and [positions] says what is held; remove it.")
    if not constant and study.positions is None:
        raise StudyError('books is empty; name at least one, such as [books."long BTC"].')
    for name, book in study.books.items():
        if (book.usd is None) == (book.risk is None):
            raise StudyError(f"book {name!r} needs either `usd` or `risk`, not both.")
        if not any((book.usd or book.risk or {}).values()):
            raise StudyError(f"book {name!r} holds nothing; give it an exposure or remove it.")
    _check_headline(study)
    _check_stress(study)
    for what, values in (
        ("data.factors", study.data.factors),
        ("random.instruments", study.random.instruments),
        ("headline", study.headline),
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
    if study.mandate is not None and study.mandate.model not in study.models:
        raise StudyError(
            f"mandate.model is {study.mandate.model!r}, which is not in the study; name one of "
            f"{', '.join(study.models)}."
        )
    for gate in study.gates:
        if gate.model not in study.models:
            raise StudyError(f"a gate names model {gate.model!r}, which is not in the study.")
        if gate.at_least is None and gate.at_most is None:
            raise StudyError(
                f"the gate on {gate.column} of {gate.model!r} has no bound; give at_least or "
                "at_most."
            )


def _check_headline(study: StudyFile) -> None:
    """Check that the headline names books of the study file."""
    for name in study.headline:
        if name not in study.books:
            close = get_close_matches(name, list(study.books), n=1)
            hint = f"did you mean {close[0]!r}?" if close else "name books of [books]."
            raise StudyError(f"headline names {name!r}, which is no book of the study; {hint}")


def _check_stress(study: StudyFile) -> None:
    """Check the days and the names of a stress test, and that limits limit something."""
    table = study.stress
    if table is not None:
        for what, days in (("stress.day", filter(None, [table.day])), ("stress.days", table.days)):
            for day in days:
                parse_day(day, what)
        for what, names in (("stress.days", table.days), ("stress.scenarios", table.scenarios)):
            twice = [name for name in names if names.count(name) > 1]
            if twice:
                raise StudyError(f"{what} names {twice[0]!r} twice; name each once.")
        empty = [name for name, moves in table.own.items() if not moves]
        if empty:
            raise StudyError(f"stress.own.{empty[0]!r} moves nothing; give it moves by factor.")
    study.stress_terms()
    limits = study.limits
    if limits is not None and not {**limits.account.build().stated, **limits.firm.build().stated}:
        raise StudyError("[limits] has no limit; give one, such as leverage, to account or firm.")


def _check_instruments(study: StudyFile) -> None:
    """Check the names of declared instruments, and that no two say other things of one factor."""
    places: dict[str, tuple[str, Any]] = {}
    for name, declared in study.instruments.items():
        if "@" in name or not name.isprintable() or not name.strip():
            raise StudyError(
                f"instruments.{name!r} cannot be a name of a position; give letters, digits and "
                "'-', and its clearing house as `silo`."
            )
        if known_form(name):
            raise StudyError(
                f"instruments.{name} is the name of a contract that is known already; give another."
            )
        place = (declared.file, declared.column, declared.is_yield, declared.fx, declared.roll)
        other, earlier = places.setdefault(declared.factor or name, (name, place))
        if earlier != place:
            raise StudyError(
                f"instruments {other} and {name} say different things of the factor "
                f"{declared.factor or name}; give one of them a factor of its own."
            )


def _check_names(study: StudyFile) -> None:
    """Check the names: they are used in folders, tables and figures."""
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
    for exceptions, labels in (("", names), (LINES, texts)):
        for what, text in labels:
            for character in text:
                if unicodedata.category(character) == "Cc" and character not in exceptions:
                    raise StudyError(
                        f"{what} is {text!r}, with the control character {character!r}; remove it."
                    )
