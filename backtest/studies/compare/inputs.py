"""Which inputs of finished studies differ: entries of their manifests by dotted name."""

import json
import re
from collections.abc import Mapping
from typing import Any

import pandas as pd

from backtest.studies.compare.letters import letters

# Shown even where A and B agree, because a reader asks for these first.
ALWAYS = (
    *("sha256", "data.source", "data.levels_sha256"),
    *("window.first_scored", "window.last_scored", "window.observations"),
    *("given.name", "given.sha256"),
    *("study.seed", "software.margin-backtest", "software.commit", "software.dirty"),
)
# Manifest entries that are results of the run, and entries that its `study` entry repeats.
NO_INPUTS = (
    *("command", "written", "seconds", "causality", "failed_gates"),
    *("account", "standard", "models", "seed", "study_sha256"),
)
# What a run and a validation both have: prices, positions and models are of the run alone.
COMMON = ("sha256", "window", "standard", "account", "seed", "software")
ABSENT = "absent"
BARE = re.compile(r"[A-Za-z0-9_-]+")  # a key that TOML leaves unquoted


def input_differences(*manifests: Mapping[str, Any]) -> pd.DataFrame:
    """Entries of manifests by dotted name: those of `ALWAYS`, then whatever else differs.

    Returns
    -------
    A column a manifest, 'A' the first, as text; `differs` where any is not as the first.

    Examples
    --------
    >>> input_differences({"path": 1, "study": {"seed": 5}}, {"study": {"seed": 5}})
                     A       B  differs
    entry
    study.seed       5       5    False
    path             1  absent     True
    """
    tables = [dotted(_inputs(manifest)) for manifest in manifests]
    if len({bool(manifest.get("given")) for manifest in manifests}) > 1:
        tables = [dotted({key: m[key] for key in COMMON if key in m}) for m in manifests]
    every = dict.fromkeys(name for table in tables for name in table)
    entries = [name for name in ALWAYS if name in every]
    entries += [
        name
        for name in every
        if name not in ALWAYS and len({table.get(name) for table in tables}) > 1
    ]
    columns = {
        letter: [table.get(name, ABSENT) for name in entries]
        for letter, table in zip(letters(len(tables)), tables, strict=True)
    }
    shown = pd.DataFrame(columns, index=pd.Index(entries, name="entry"), dtype=object)
    return shown.assign(differs=shown.ne(shown["A"], axis=0).any(axis=1))


def _inputs(manifest: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in manifest.items() if key not in NO_INPUTS}


def dotted(table: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Values of nested tables by dotted name, written as TOML writes them, but text unquoted.

    Examples
    --------
    >>> dotted({"models": {"var": {"lookback": 500}}, "long BTC": [{"name": "x", "at": None}]})
    {'models.var.lookback': '500', '"long BTC".x.at': 'none'}
    """
    entries: dict[str, str] = {}
    for key, value in table.items():
        name = prefix + (key if BARE.fullmatch(key) else json.dumps(key, ensure_ascii=False))
        value = _by_name(value)
        if isinstance(value, dict):
            entries |= dotted(value, f"{name}.")
        elif isinstance(value, str):
            entries[name] = value
        else:
            entries[name] = "none" if value is None else json.dumps(value, ensure_ascii=False)
    return entries


def _by_name(value: Any) -> Any:
    """A list of tables that all have a name as one table of them; anything else as it is.

    By its place in a list, one more file would make every later file differ.
    """
    if not isinstance(value, list) or not value:
        return value
    if not all(isinstance(item, dict) and "name" in item for item in value):
        return value
    return {item["name"]: {k: item[k] for k in item if k != "name"} for item in value}
