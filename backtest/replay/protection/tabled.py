"""Tables of results: a row a key."""

from collections.abc import Mapping
from typing import Any

import pandas as pd


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
