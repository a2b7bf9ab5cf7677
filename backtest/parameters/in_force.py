"""The version of a rule on a day, and models pinned to the versions of a day."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import date
from typing import Any, TypeVar

from backtest.parameters.files import PACKAGES, header, rule_of, rules, version_of
from backtest.parameters.registry import field_names

Value = TypeVar("Value")
# Fields whose texts name rules. Others hold a user's own words, which are never replaced.
NAMING = ("parameters", "schedules", "haircuts")


def version_on(rule: str, day: date) -> str:
    """The version in force on a day.

    Before the first version came into force it is the first; after the last one ended, the last:
    `ParameterSource.standing` says so.

    Examples
    --------
    >>> version_on("simm", date(2018, 12, 3)), version_on("simm", date(2000, 1, 1))
    ('simm/2.1', 'simm/2.1')
    """
    versions = rules()[rule]
    begun = [name for name in versions if header(name).in_force_from <= day]
    return begun[-1] if begun else versions[0]


def in_force(model: Value, day: date, *, throughout: bool = False) -> Value:
    """The same model, and the models inside it, with each rule pinned to its version of a day.

    A version that is named outright stays, in force or not. A model that replays its rules day by
    day stays too: it pins them itself; with `throughout` its base has the rules of `day` instead.

    Examples
    --------
    >>> from strategies import Simm, Siloed
    >>> in_force(Siloed(base=Simm()), date(2018, 12, 3)).base.parameters
    'simm/2.1'
    """
    return _pinned(model, lambda rule: version_on(rule, day), throughout=throughout)


def with_version(model: Value, version: str) -> Value:
    """The same model with one rule pinned to a version, and others as they were.

    Examples
    --------
    >>> from strategies import NetCapital
    >>> with_version(NetCapital(), "sec_15c3_1/2013").parameters
    'sec_15c3_1/2013'
    """
    own = rule_of(version)
    return _pinned(model, lambda rule: version if rule == own else rule)


def changes(model: Any, first: date, last: date) -> tuple[date, ...]:
    """Days within first .. last from which a rule that a model names has another version."""
    starts = {
        header(name).in_force_from for rule in named_rules(model) for name in rules()[rule][1:]
    }
    return tuple(sorted(day for day in starts if first < day <= last))


def named_rules(model: Any) -> tuple[str, ...]:
    """Rules that a model, or a model inside it, names without a version."""
    return tuple(sorted({text for text, _ in _naming(model) if text in rules()}))


def check_names(model: Any) -> None:
    """Raise StudyError where a model of this package, or one inside it, names what there is not.

    A user's own model may mean something else by its fields.
    """
    for text, ours in _naming(model):
        if ours:
            version_of(text)


def _pinned(model: Any, version: Callable[[str], str], *, throughout: bool = False) -> Any:
    """A model with its rules pinned; what names no rule is given back itself, of whatever type.

    throughout : models that replay their rules day by day give way to their base.
    """

    def pinned(value: Any, *, is_naming: bool = False) -> Any:
        if isinstance(value, str):
            return version(value) if is_naming and value in rules() else value
        if isinstance(value, (tuple, list)):
            items = [pinned(item, is_naming=is_naming) for item in value]
            if all(new is old for new, old in zip(items, value, strict=True)):
                return value
            return value._make(items) if hasattr(value, "_make") else type(value)(items)
        if isinstance(value, Mapping):
            table = {key: pinned(item, is_naming=is_naming) for key, item in value.items()}
            return value if all(new is value[key] for key, new in table.items()) else table
        if isinstance(value, type) or not is_dataclass(value):
            return value
        if getattr(value, "replays_rules", False):
            base: Any = getattr(value, "base")  # noqa: B009 -- of a class that is not imported here
            return pinned(base) if throughout else value
        changed: dict[str, Any] = {}
        for field in fields(value):
            before = getattr(value, field.name, None)
            after = pinned(before, is_naming=field.name.endswith(NAMING))
            if field.init and after is not before:
                changed[field.name] = after
        dataclass_value: Any = value
        return replace(dataclass_value, **changed) if changed else value

    return pinned(model)


def _naming(
    value: Any, *, is_naming: bool = False, ours: bool = True
) -> Iterator[tuple[str, bool]]:
    """Texts of naming fields, and whether a class of this package has the field."""
    if isinstance(value, str):
        yield from [(value, ours)] if is_naming else []
    elif isinstance(value, (tuple, list, Mapping)):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _naming(item, is_naming=is_naming, ours=ours)
    elif is_dataclass(value):
        ours = type(value).__module__.partition(".")[0] in PACKAGES
        for name in field_names(type(value)):
            inner = getattr(value, name, None)
            yield from _naming(inner, is_naming=name.endswith(NAMING), ours=ours)
