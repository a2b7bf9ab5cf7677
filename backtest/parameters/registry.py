"""Objects from TOML tables, and back: `kind` names the class, the other keys are its fields."""

from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError

from backtest.types import StudyError, shown

Registry = Mapping[str, type[Any]]


class ParameterError(StudyError):
    """A parameter that a class refuses; the message begins with the name of the class."""


def first_mistake(name: str, error: ValidationError) -> str:
    """The first thing that pydantic refuses in `name`, in one line and without its web address."""
    first = error.errors(include_url=False)[0]
    if not first["loc"]:  # from a check of all parameters together, which names what is wrong
        return f"{name}: {first['msg'].removeprefix('Value error, ').removesuffix('.')}."
    place = ".".join(str(part) for part in first["loc"])
    if first["type"].startswith("missing"):
        return f"{name} needs `{place}`."
    return f"{name}.{place} is {shown(first['input'])}: {first['msg']}."


def build(table: Mapping[str, Any], registry: Registry, *, what: str = "model") -> Any:
    """The object that a table describes; tables with a `kind` inside it are built first.

    Raises
    ------
    StudyError : one line: the key, its value, and the known choices.

    Examples
    --------
    >>> build({"kind": "what"}, {"dict": dict})
    Traceback (most recent call last):
    ...
    backtest.types.StudyError: unknown kind 'what'; known: dict.
    """
    parameters = dict(table)
    kind = parameters.pop("kind", None)
    if kind is None:
        raise StudyError(f"a {what} needs a `kind`; known: {', '.join(registry)}.")
    if not isinstance(kind, str) or kind not in registry:
        known_kinds = ", ".join(registry)
        hint = _hint(kind, registry) if isinstance(kind, str) else ""
        raise StudyError(f"unknown kind {shown(kind)}; known: {known_kinds}.{hint}")
    names = field_names(registry[kind])
    for key, value in parameters.items():
        if key not in names:
            options = ", ".join(names) or "none"
            raise StudyError(
                f"{kind} has no parameter {key!r}; known: {options}." + _hint(key, names)
            )
        parameters[key] = _built(value, registry, what)
    values = shown(parameters) if parameters else "nothing"
    try:
        return registry[kind](**parameters)
    except ParameterError as error:  # says the name of the class, where the file has the kind
        reason = str(error).removeprefix(registry[kind].__name__)
        raise StudyError(f"{kind}{reason}") from None
    except ValidationError as error:
        raise StudyError(first_mistake(kind, error)) from None
    except TypeError as error:  # a user's class, which need not be a dataclass
        raise StudyError(f"{kind} cannot be made of {values}: {error}.") from error
    except StudyError:
        raise
    except Exception as error:  # whatever else a user's class raises
        raise StudyError(
            f"{kind} cannot be made of {values}: {type(error).__name__}: {error}."
        ) from error


def to_table(value: Any, registry: Registry) -> dict[str, Any]:
    """The table from which `build` makes `value`: plain TOML values, fields of None left out.

    Raises
    ------
    StudyError : the class of `value`, or of an object inside it, is not in the registry.
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
    """Fields of a dataclass, in the order of its definition; none of any other class.

    A ClassVar belongs to the class and is no parameter.
    """
    return tuple(field.name for field in fields(cls)) if is_dataclass(cls) else ()


def _built(value: Any, registry: Registry, what: str) -> Any:
    """A TOML value as a field holds it: tables with a `kind` as objects, lists as tuples."""
    if isinstance(value, Mapping):
        if "kind" in value:
            return build(value, registry, what=what)
        return {key: _built(inner, registry, what) for key, inner in value.items()}
    if isinstance(value, list):
        return tuple(_built(inner, registry, what) for inner in value)
    return value


def _plain(value: Any, registry: Registry) -> Any:
    """A field as a TOML value: objects as tables with a `kind`, tuples as lists."""
    if type(value) in registry.values():
        return to_table(value, registry)
    if isinstance(value, Mapping):
        return {key: _plain(inner, registry) for key, inner in value.items()}
    if isinstance(value, tuple):
        return [_plain(inner, registry) for inner in value]
    return value


def _hint(misspelt: str, known_names: Iterable[str]) -> str:
    close = get_close_matches(misspelt, list(known_names), n=1)
    return f" Did you mean {close[0]!r}?" if close else ""
