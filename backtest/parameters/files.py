"""Parameter files of the models: dated, cited, and marked as verified or not.

A model names a file of parameters by a field (`schedules`, `table`), or by a plain class attribute
`parameter_files` where its defaults are read from that file. A file holds `title`, `source`,
`dated` and `verified`; an unverified table in a verified file says `verified = false` itself, and
`compared` what was compared with what.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, is_dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from backtest.parameters.registry import field_names
from backtest.types import StudyError

PACKAGES = ("strategies", "backtest")
Form = TypeVar("Form", bound=BaseModel)


@dataclass(frozen=True)
class ParameterSource:
    """A parameter file: its name, content, source, date, and what in it is unverified.

    unverified : 'all', or the unverified tables of the file; empty where all is verified.
    compared : what of it was compared with what; empty where the file does not say.
    """

    name: str
    title: str
    source: str
    dated: str
    unverified: tuple[str, ...]
    compared: str = ""

    @property
    def mark(self) -> str:
        """'verified', or 'NOT VERIFIED' and the tables concerned.

        Examples
        --------
        >>> parameter_source("cme_2014").mark, parameter_source("cme_futures_2026").mark
        ('verified', 'NOT VERIFIED')
        """
        if not self.unverified:
            return "verified"
        which = "" if self.unverified == ("all",) else f": {', '.join(self.unverified)}"
        return f"NOT VERIFIED{which}"


def load_parameters(name: str) -> dict[str, Any]:
    """Tables of `parameters/<name>.toml`.

    Raises
    ------
    StudyError : no such file.

    Examples
    --------
    >>> load_parameters("overlays/emir_2013")["buffer"]
    0.25
    """
    if name not in known_parameters():
        raise StudyError(
            f"unknown parameter file {name!r}; known: {', '.join(known_parameters())}."
        )
    return tomllib.loads(known_parameters()[name].read_text(encoding="utf-8"))


def read_as(form: type[Form], name: str) -> Form:
    """Parameter file `name`, checked against the fields of `form`.

    Raises
    ------
    StudyError : no such file, or a file with other fields.

    Examples
    --------
    >>> class Cap(BaseModel):
    ...     opposed: float
    >>> read_as(Cap, "capital/sec_15c3_1").opposed
    0.5
    """
    try:
        return form(**load_parameters(name))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise StudyError(
            f"parameter file {name!r} does not fit this model: {where}: {first['msg'].lower()}; "
            "name another file."
        ) from error


@cache
def known_parameters() -> dict[str, Traversable]:
    """Every parameter file of the package by name, without '.toml'."""
    parameter_files: dict[str, Traversable] = {}
    for package in PACKAGES:
        parameter_files |= dict(_walk(files(package) / "parameters", ""))
    return dict(sorted(parameter_files.items()))


def parameter_source(name: str) -> ParameterSource:
    """Title, source, date and verification marks of one file."""
    tables = load_parameters(name)
    unverified = tuple(_unverified(tables, ""))
    return ParameterSource(
        name=name,
        title=str(tables.get("title", "")),
        source=str(tables.get("source", "")),
        dated=str(tables.get("dated", "")),
        unverified=("all",) if "" in unverified else unverified,
        compared=str(tables.get("compared", "")),
    )


def parameter_sources(model: Any) -> tuple[ParameterSource, ...]:
    """The parameter files named by a model and by all models inside it.

    Examples
    --------
    >>> from strategies import HaircutOnly, Siloed
    >>> [s.name for s in parameter_sources(Siloed(base=HaircutOnly()))]
    ['cme_2014', 'cftc_pilot_2025']
    """
    return tuple(parameter_source(name) for name in dict.fromkeys(_named(model)))


def _named(value: Any) -> Iterator[str]:
    """Names of parameter files in a value and in everything inside it."""
    # A model does not say which of its strings are file names: a string that is the name of an
    # existing file is taken as one, so that a model cannot use a file and hide it.
    if isinstance(value, str):
        yield from [value] if value in known_parameters() else []
    elif isinstance(value, (tuple, list)):
        for inner_value in value:
            yield from _named(inner_value)
    elif isinstance(value, Mapping):
        for inner_value in value.values():
            yield from _named(inner_value)
    elif is_dataclass(value):
        yield from getattr(value, "parameter_files", ())
        for field in field_names(type(value)):
            yield from _named(getattr(value, field))


def _walk(folder: Traversable, prefix: str) -> Iterator[tuple[str, Traversable]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _walk(entry, f"{prefix}{entry.name}/")
        elif entry.name.endswith(".toml"):
            yield prefix + entry.name.removesuffix(".toml"), entry


def _unverified(table: Mapping[str, Any], path: str) -> Iterator[str]:
    """Dotted names of the tables marked `verified = false`; '' means the whole file."""
    if table.get("verified") is False:
        yield path
        return
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _unverified(value, f"{path}.{key}".lstrip("."))
