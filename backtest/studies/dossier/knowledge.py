"""What the file knows without any results folder: laws, measured errors, the crosswalk."""

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def known(name: str) -> dict[str, Any]:
    """Tables of a TOML file of this folder.

    Examples
    --------
    >>> known("crosswalk")["verified"]
    False
    """
    return tomllib.loads((files(__package__) / f"{name}.toml").read_text(encoding="utf-8"))


def kinds_in(table: Any) -> Iterator[str]:
    """The kind of a model's table and of every model inside it, the outermost first.

    Examples
    --------
    >>> list(kinds_in({"kind": "siloed", "base": {"kind": "historical_var", "lookback": 500}}))
    ['siloed', 'historical_var']
    """
    if isinstance(table, Mapping):
        if isinstance(table.get("kind"), str):
            yield table["kind"]
        for inner in table.values():
            yield from kinds_in(inner)
    elif isinstance(table, list | tuple):
        for inner in table:
            yield from kinds_in(inner)


def waived(table: Any) -> dict[str, str]:
    """Law -> kind and reason, of every law that a model or one inside it is excused from.

    Examples
    --------
    >>> waived({"kind": "historical_var", "lookback": 500})
    {}
    """
    reasons = {}
    for kind in kinds_in(table):
        for law, reason in known("laws")["waivers"].get(kind, {}).items():
            reasons[law] = f"{kind}: {reason}"
    return reasons
