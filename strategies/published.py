"""Regulatory parameters with their dates and sources: the tables of `strategies/parameters/`."""

import tomllib
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Parameter(BaseModel):
    """One published value; `verified` where it was seen in the source that is named."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    value: Any
    verified: bool
    source: str


class Published(BaseModel):
    """A dated, cited document and the parameters taken from it."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    title: str
    source: str
    dated: date
    parameters: dict[str, Parameter]


@cache
def published(name: str) -> Published:
    """The document of `strategies/parameters/<name>.toml`.

    Examples
    --------
    >>> published("clearing/cme_ficc_2024").parameters["threshold"].verified
    False
    """
    path = files("strategies") / "parameters" / f"{name}.toml"
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    about = {key: table.pop(key) for key in ("title", "source", "dated")}
    return Published(**about, parameters=table)


def default(document: str, parameter: str) -> Any:
    """Field of a model whose default is a published value; lists become tuples."""

    def value() -> Any:
        found = published(document).parameters[parameter].value
        return tuple(found) if isinstance(found, list) else found

    return Field(default_factory=value)
