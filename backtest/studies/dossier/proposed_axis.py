"""The line under [grid] that would vary a parameter, over values that its class takes."""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any, Literal, get_args, get_origin, get_type_hints

from backtest.config.models import build_model
from backtest.studies.compare.inputs import BARE
from backtest.studies.dossier.knowledge import kinds_in
from backtest.types import BacktestError
from strategies import MODELS

FEWEST = 2  # values that an axis needs to show anything
# Parameters that a class does not read under one value of another: kind, name -> other, value.
IDLE: dict[tuple[str, str], tuple[str, Any]] = {
    ("correlation_offset", "min_correlation"): ("credit", "full"),
}


def grid_line(table: Mapping[str, Any], *, model: str, key: str, value: Any) -> str:
    """The line under [grid] of a study file that varies one parameter; empty where none is known.

    Values are proposed and no more: those that the class itself takes.

    Examples
    --------
    >>> grid_line({"kind": "historical_var", "lookback": 500}, model="var", key="lookback",
    ...            value=500)
    'models.var.lookback = [250, 500, 1000]'
    """
    if key.rpartition(".")[2] == "kind" or not of_package(table) or idle_words(table, key):
        return ""
    name = model if BARE.fullmatch(model) else json.dumps(model, ensure_ascii=False)
    candidates = [c for c in _candidates(table, key, value) if _is_taken(table, key, c)]
    if len(candidates) < FEWEST:
        return ""
    return f"models.{name}.{key} = {as_toml(candidates)}"


def idle_words(table: Mapping[str, Any], key: str) -> str:
    """The setting under which a parameter is not read; empty where it is.

    Examples
    --------
    >>> idle_words({"kind": "correlation_offset", "credit": "full"}, "min_correlation")
    'credit = "full"'
    """
    kind, name = inner_kind(table, key)
    if (kind, name) not in IDLE:
        return ""
    other, value = IDLE[kind, name]
    inner: Any = table
    for step in key.split(".")[:-1]:
        inner = inner[step]
    return f"{other} = {as_toml(value)}" if inner.get(other, value) == value else ""


def _candidates(table: Mapping[str, Any], key: str, value: Any) -> list[Any]:
    kind, name = inner_kind(table, key)
    choices = _choices(kind, name)
    if choices:
        return choices
    tried: list[Any]
    if isinstance(value, bool):
        return [value, not value]
    if isinstance(value, int):
        tried = [value // 2, value, 2 * value] if value else [0, 1, 2]
    elif isinstance(value, float):
        tried = (
            [0.5 * value, value, 0.5 * (1.0 + value), 2.0 * value] if value else [0.0, 0.25, 0.5]
        )
        if value == 1.0:  # a share of all: 0.8 is the one that Article 27 of EMIR's rules names
            tried.append(0.8)
        tried = [round(each, 6) for each in tried]
    elif isinstance(value, list) and len(value) > 1:
        tried = [value, *([each] for each in value)]
    else:
        return []
    if not isinstance(value, list):
        tried = sorted(tried)
    return [each for place, each in enumerate(tried) if each not in tried[:place]]


@cache
def _choices(kind: str, name: str) -> list[Any]:
    """The values of a parameter that takes one of a few."""
    hint = get_type_hints(MODELS[kind], include_extras=False).get(name)
    return list(get_args(hint)) if get_origin(hint) is Literal else []


def _is_taken(table: Mapping[str, Any], key: str, value: Any) -> bool:
    """Whether the class takes this value."""
    *above, name = key.split(".")
    changed = json.loads(json.dumps(table))
    inner = changed
    for step in above:
        inner = inner[step]
    inner[name] = value
    try:
        build_model(changed)
    except BacktestError:
        return False
    return True


def inner_kind(table: Mapping[str, Any], key: str) -> tuple[str, str]:
    """Kind of the model that a parameter belongs to, and the parameter's own name."""
    *above, name = key.split(".")
    inner: Any = table
    for step in above:
        inner = inner[step]
    return str(inner.get("kind", "")), name


def of_package(table: Mapping[str, Any]) -> bool:
    """Whether every class of a model's table is of the package, so that no user's code runs."""
    return all(kind in MODELS for kind in kinds_in(table))


def as_toml(value: Any) -> str:
    """A value as TOML writes it.

    Examples
    --------
    >>> as_toml(0.8), as_toml(True), as_toml(["a", 1])
    ('0.8', 'true', '["a", 1]')
    """
    if isinstance(value, Mapping):
        inside = ", ".join(f"{json.dumps(str(k))} = {as_toml(v)}" for k, v in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(as_toml, value))}]"
    return json.dumps(value, ensure_ascii=False)
