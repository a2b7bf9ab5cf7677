"""Parameter files: a folder of `parameters/` is a rule, a file in it a version of that rule.

Files are named 'rule/version', as 'simm/2.8+2506'. A rule's name alone, 'simm', stands for the
version that is in force last; `in_force.in_force` pins it to that of another day. Each file begins
with a `Header`, and the body is checked against the form of the model that reads it.
"""

import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from backtest.parameters.header import Header, split
from backtest.types import StudyError, shown

PACKAGES = ("strategies", "backtest")
Form = TypeVar("Form", bound=BaseModel)
Value = TypeVar("Value")
# Bodies that stand in for those of files, by name: what a file would say with a term moved.
_moved: ContextVar[Mapping[str, dict[str, Any]]] = ContextVar("moved", default={})  # noqa: B039


def read_as(form: type[Form], name: str) -> Form:
    """The body of a version, or of the version in force of a rule, checked against `form`.

    Raises
    ------
    StudyError : no such file, or a file with other fields.

    Examples
    --------
    >>> class Cap(BaseModel):
    ...     opposed: float
    >>> read_as(Cap, "sec_15c3_1").opposed
    0.5
    """
    version = version_of(name)
    if version in _moved.get():
        return _checked(form, version, _moved.get()[version])
    return _read(form, version)


def version_of(name: str) -> str:
    """The file that a name means: a version, its former name, or the latest version of a rule.

    Raises
    ------
    StudyError : no such file or rule.

    Examples
    --------
    >>> version_of("sec_15c3_1"), version_of("capital/sec_15c3_1")
    ('sec_15c3_1/2013', 'sec_15c3_1/2013')
    """
    if name in known_parameters():
        return name
    if name in former_names():
        return former_names()[name]
    if name in rules():
        return rules()[name][-1]
    rule = rule_of(name)
    known = ", ".join(rules().get(rule, rules()))
    what = f"version {shown(name)} of {rule}" if rule in rules() else f"rule {shown(name)}"
    raise StudyError(f"unknown {what}; known: {known}.")


def header(name: str) -> Header:
    """Header of a version."""
    return _tables(version_of(name))[0]


def load_parameters(name: str) -> dict[str, Any]:
    """The tables of a version, without its header; a copy, or what stands in for it.

    Examples
    --------
    >>> load_parameters("emir_28")["buffer"]
    0.25
    """
    version = version_of(name)
    if version in _moved.get():
        return _moved.get()[version]
    return _tables.__wrapped__(version)[1]


def stated(own: Value | None, published: Value) -> Value:
    """A field's own value, or the published one where it is None."""
    return published if own is None else own


@contextmanager
def moved(name: str, tables: Mapping[str, Any]) -> Iterator[None]:
    """Let a version have other numbers for a while, as a sensitivity asks.

    Examples
    --------
    >>> class Cap(BaseModel):
    ...     opposed: float
    >>> with moved("sec_15c3_1/2013", load_parameters("sec_15c3_1") | {"opposed": 0.25}):
    ...     read_as(Cap, "sec_15c3_1").opposed
    0.25
    """
    token = _moved.set({**_moved.get(), version_of(name): dict(tables)})
    try:
        yield
    finally:
        _moved.reset(token)


@cache
def known_parameters() -> dict[str, Traversable]:
    """Every parameter file of the package by name, without '.toml'."""
    parameter_files: dict[str, Traversable] = {}
    for package in PACKAGES:
        parameter_files |= dict(_walk(files(package) / "parameters", ""))
    return dict(sorted(parameter_files.items()))


@cache
def rules() -> dict[str, tuple[str, ...]]:
    """Versions of every rule, in the order in which they came into force.

    Examples
    --------
    >>> rules()["sec_15c3_1"]
    ('sec_15c3_1/2013',)
    """
    versions: dict[str, list[str]] = {}
    for name in known_parameters():
        versions.setdefault(rule_of(name), []).append(name)
    return {
        rule: tuple(sorted(names, key=lambda n: header(n).in_force_from))
        for rule, names in sorted(versions.items())
    }


@cache
def former_names() -> dict[str, str]:
    """Versions by the names that they had before."""
    return {old: name for name in known_parameters() for old in _tables(name)[0].former_names}


def rule_of(name: str) -> str:
    """The rule of a version: its folder."""
    return name.rpartition("/")[0]


@cache
def _tables(version: str) -> tuple[Header, dict[str, Any]]:
    text = known_parameters()[version].read_text(encoding="utf-8")
    return split(tomllib.loads(text), version)


@cache
def _read(form: type[Form], version: str) -> Form:
    return _checked(form, version, _tables(version)[1])


def _checked(form: type[Form], version: str, tables: Mapping[str, Any]) -> Form:
    try:
        return form(**tables)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise StudyError(
            f"parameter file {version!r} does not fit this model: {where}: "
            f"{first['msg'].lower()}; name another file."
        ) from error


def _walk(folder: Traversable, prefix: str) -> Iterator[tuple[str, Traversable]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _walk(entry, f"{prefix}{entry.name}/")
        elif entry.name.endswith(".toml"):
            yield prefix + entry.name.removesuffix(".toml"), entry
