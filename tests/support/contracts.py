"""What `tests/strategies` says of each model for the laws that every model keeps.

A test file there holds `CONTRACT`: settings of its models by kind, short enough for a small market.
`WAIVERS` beside it says, by kind and law, why a model does not keep one.
"""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import pytest

import backtest as bt
import tests.strategies

HISTORICAL = {"kind": "historical_var", "lookback": 60}
COVERAGE = bt.Coverage(confidence=0.95, mpor=2)
# Kinds that charge a haircut on what their own tables do not know.
BY_HAIRCUT = ("haircut_only", "net_capital_15c3_1", "liquid_capital_402_2", "venue_grid")


@cache
def contract_entries(name: str) -> dict[Any, Any]:
    """`CONTRACT` or `WAIVERS` of all the files together."""
    entries: dict[Any, Any] = {}
    for module in iter_modules(tests.strategies.__path__, "tests.strategies."):
        more = getattr(import_module(module.name), name, {})
        assert not entries.keys() & more.keys(), f"{module.name} repeats an entry of {name}"
        entries |= more
    return dict(sorted(entries.items()))


def contract_cases() -> list[Any]:
    """The table of every setting, a test parameter each."""
    return [
        pytest.param({"kind": kind, **fields}, id=f"{kind}-{i}")
        for kind, settings in contract_entries("CONTRACT").items()
        for i, fields in enumerate(settings)
    ]


def with_haircuts(table, haircuts):
    """The table, and those inside it, with haircuts for what no schedule lists."""
    inner = {
        k: with_haircuts(v, haircuts)
        for k, v in table.items()
        if k in ("base", "floor", "stressed") and isinstance(v, dict)
    }
    if table["kind"] in BY_HAIRCUT:
        inner["haircuts"] = table.get("haircuts", {}) | haircuts
    return table | inner
