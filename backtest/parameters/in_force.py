"""The version of a rule on a day, and models pinned to the versions of a day."""

from collections.abc import Callable, Mapping
from dataclasses import is_dataclass, replace
from datetime import date
from typing import Any, TypeVar

from backtest.parameters.files import header, rule_of, rules
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


def in_force(model: Value, day: date) -> Value:
    """The same model, and the models inside it, with each rule pinned to its version of a day.

    A version that is named outright stays, in force or not.

    Examples
    --------
    >>> from strategies import Simm, Siloed
    >>> in_force(Siloed(base=Simm()), date(2018, 12, 3)).base.parameters
    'simm/2.1'
    """
    return _pinned(model, lambda rule: version_on(rule, day), is_naming=False)


def with_version(model: Value, version: str) -> Value:
    """The same model with one rule pinned to a version, and others as they were.

    Examples
    --------
    >>> from strategies import NetCapital
    >>> with_version(NetCapital(), "sec_15c3_1/2013").parameters
    'sec_15c3_1/2013'
    """
    own = rule_of(version)
    return _pinned(model, lambda rule: version if rule == own else rule, is_naming=False)


def changes(model: Any, first: date, last: date) -> tuple[date, ...]:
    """Days within first .. last from which a rule that a model names has another version."""
    starts = {
        header(name).in_force_from for rule in named_rules(model) for name in rules()[rule][1:]
    }
    return tuple(sorted(day for day in starts if first < day <= last))


def named_rules(model: Any) -> tuple[str, ...]:
    """Rules that a model, or a model inside it, names without a version."""
    return tuple(sorted(_named(model)))


def _pinned(value: Any, version: Callable[[str], str], *, is_naming: bool) -> Any:
    """A field's value with rules pinned; `is_naming` where the field's texts name rules."""
    if isinstance(value, str):
        return version(value) if is_naming and value in rules() else value
    if isinstance(value, (tuple, list)):
        return type(value)(_pinned(item, version, is_naming=is_naming) for item in value)
    if isinstance(value, Mapping):
        return {key: _pinned(item, version, is_naming=is_naming) for key, item in value.items()}
    # A model that replays its rules day by day pins them itself.
    if isinstance(value, type) or not is_dataclass(value) or getattr(value, "replays_rules", False):
        return value
    before = {name: getattr(value, name) for name in field_names(type(value))}
    after = {
        name: _pinned(inner, version, is_naming=name.endswith(NAMING))
        for name, inner in before.items()
    }
    changed = {name: inner for name, inner in after.items() if inner != before[name]}
    dataclass_value: Any = value
    return replace(dataclass_value, **changed) if changed else value


def _named(value: Any, *, is_naming: bool = False) -> set[str]:
    """Rules without a version that naming fields of a model hold."""
    if isinstance(value, str):
        return {value} if is_naming and value in rules() else set()
    if isinstance(value, Mapping):
        value = tuple(value.values())
    if isinstance(value, (tuple, list)):
        return set().union(*(_named(item, is_naming=is_naming) for item in value))
    names = field_names(type(value)) if is_dataclass(value) else ()
    inner = (_named(getattr(value, n), is_naming=n.endswith(NAMING)) for n in names)
    return set().union(*inner)
