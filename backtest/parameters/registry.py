"""Parameter bags from TOML tables, and back: `kind` names the class, the other keys its fields."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError

from backtest.types import StudyError

Registry = Mapping[str, type[Any]]


def build(table: Mapping[str, Any], registry: Registry, *, what: str = "model") -> Any:
    """The object of a table; tables with a `kind` inside it are built first, from one registry.

    Raises
    ------
    StudyError : one line: which key, which value, what is known.

    Examples
    --------
    >>> build({"kind": "what"}, {"dict": dict})
    Traceback (most recent call last):
    ...
    backtest.types.StudyError: unknown kind 'what'; known: dict.
    """
    fields = dict(table)
    kind = fields.pop("kind", None)
    if kind is None:
        raise StudyError(f"a {what} needs a `kind`; known: {', '.join(registry)}.")
    if kind not in registry:
        known = ", ".join(registry)
        raise StudyError(f"unknown kind {kind!r}; known: {known}." + _hint(str(kind), registry))
    names = field_names(registry[kind])
    for key, value in fields.items():
        if key not in names:
            options = ", ".join(names) or "none"
            raise StudyError(
                f"{kind} has no parameter {key!r}; known: {options}." + _hint(key, names)
            )
        fields[key] = _built(value, registry, what)
    try:
        return registry[kind](**fields)
    except (StudyError, ValidationError) as error:
        invalid = error if isinstance(error, ValidationError) else error.__cause__
        if not isinstance(invalid, ValidationError):
            raise
        first = invalid.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise StudyError(f"{kind}.{where} is {first['input']!r}: {first['msg']}.") from error
    except TypeError as error:  # a user's own class, which may be no dataclass
        raise StudyError(f"{kind} cannot be made of {fields or 'nothing'}: {error}.") from error


def to_table(value: Any, registry: Registry) -> dict[str, Any]:
    """The table that builds `value`: plain TOML values, every field that is not None written out.

    Raises
    ------
    StudyError : the class of `value`, or of something inside it, is in no registry.
    """
    kinds = {cls: kind for kind, cls in registry.items()}
    if type(value) not in kinds:
        raise StudyError(f"{value!r} is not in the registry; known: {', '.join(registry)}.")
    table: dict[str, Any] = {"kind": kinds[type(value)]}
    for name in field_names(type(value)):
        field = getattr(value, name)
        if field is not None:
            table[name] = _plain(field, registry)
    return table


def field_names(cls: type[Any]) -> tuple[str, ...]:
    """Parameters of a class, in the order of its definition."""
    return tuple(getattr(cls, "__dataclass_fields__", {}))


def _built(value: Any, registry: Registry, what: str) -> Any:
    """A value of a table as a field holds it: objects of their tables, lists as tuples."""
    if isinstance(value, Mapping):
        if "kind" in value:
            return build(value, registry, what=what)
        return {key: _built(inner, registry, what) for key, inner in value.items()}
    if isinstance(value, list):
        return tuple(_built(inner, registry, what) for inner in value)
    return value


def _plain(value: Any, registry: Registry) -> Any:
    """A field as a table holds it."""
    if type(value) in registry.values():
        return to_table(value, registry)
    if isinstance(value, Mapping):
        return {key: _plain(inner, registry) for key, inner in value.items()}
    if isinstance(value, tuple):
        return [_plain(inner, registry) for inner in value]
    return value


def _hint(wrong: str, known: Iterable[str]) -> str:
    close = get_close_matches(wrong, list(known), n=1)
    return f" Did you mean {close[0]!r}?" if close else ""
