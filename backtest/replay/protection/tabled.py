"""Tables of results: a row a key."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from backtest.scores.money.level import Ends


def tabled(rows: Mapping[tuple[Any, ...], Mapping[str, Any]], *levels: str) -> pd.DataFrame:
    """A table with a level for each part of the keys, in the order of the rows.

    Examples
    --------
    >>> tabled({("var", "silos"): {"usd": 1.0}}, "model", "arrangement").index.names
    FrozenList(['model', 'arrangement'])
    >>> tabled({}, "model", "arrangement").empty
    True
    """
    index = pd.MultiIndex.from_tuples(list(rows), names=list(levels))
    return pd.DataFrame(list(rows.values()), index)


def columns_of(name: str, ends: Ends, events: int | None = None) -> dict[str, float]:
    """Columns `name`, `name_low` and `name_high`, and `name_events` of what has events.

    Examples
    --------
    >>> columns_of("net", (1.0, 0.0, 2.0), 7)
    {'net': 1.0, 'net_low': 0.0, 'net_high': 2.0, 'net_events': 7}
    """
    columns: dict[str, float] = dict(zip((name, f"{name}_low", f"{name}_high"), ends, strict=True))
    return columns if events is None else columns | {f"{name}_events": events}
