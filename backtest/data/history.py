"""Compare a new answer of a publisher with the history that was fetched before."""

from typing import Any

import numpy as np
import pandas as pd

LISTED = 20  # changed values in the manifest, the latest ones
SHOWN = 3  # changed values in a line on the screen
SAME = 1e-9  # relative; a CSV returns numbers exactly, so any larger difference is a change


def difference(old: pd.DataFrame, new: pd.DataFrame) -> dict[str, Any] | None:
    """Find the changes of common columns over the days that the old history covers.

    Parameters
    ----------
    old, new : (days x columns), NaN where a column has no value. Values in the same unit.

    Returns
    -------
    None where nothing changed, else `changed`, `removed` and `added` (numbers of values), `first`
    and `last` (first and last day of a change, ISO), `largest_relative` (largest |new / old - 1|
    where the old value is not 0; None where there is none) and `values`, the latest changes as day,
    column, old and new value (None for a missing value).

    Examples
    --------
    >>> days = pd.to_datetime(["2024-01-02", "2024-01-03"])
    >>> changes = difference(pd.DataFrame({"Close": [100.0, 50.0]}, index=days),
    ...                      pd.DataFrame({"Close": [100.0, 51.0]}, index=days))
    >>> changes["changed"], changes["largest_relative"], changes["values"]
    (1, 0.02, [['2024-01-03', 'Close', 50.0, 51.0]])
    """
    columns = [name for name in old.columns if name in new.columns]
    days = old.index.union(new.index[new.index <= old.index[-1]])
    a = old[columns].reindex(days).to_numpy(dtype=float)
    b = new[columns].reindex(days).to_numpy(dtype=float)
    removed, added = ~np.isnan(a) & np.isnan(b), np.isnan(a) & ~np.isnan(b)
    changed = np.abs(b - a) > SAME * np.maximum(np.abs(a), np.abs(b))  # False where one is NaN
    cells = np.argwhere(changed | removed | added)
    if len(cells) == 0:
        return None
    measurable = changed & (a != 0)
    relative = np.abs(b[measurable] / a[measurable] - 1.0)
    return {
        "changed": int(changed.sum()),
        "removed": int(removed.sum()),
        "added": int(added.sum()),
        "first": f"{days[cells[0][0]]:%Y-%m-%d}",
        "last": f"{days[cells[-1][0]]:%Y-%m-%d}",
        "largest_relative": float(relative.max()) if relative.size else None,
        "values": [
            [f"{days[i]:%Y-%m-%d}", columns[j], _plain(a[i, j]), _plain(b[i, j])]
            for i, j in cells[::-1][:LISTED]
        ],
    }


def difference_line(changes: dict[str, Any]) -> str:
    """Describe a difference in one line, with its latest values."""
    size = changes["largest_relative"]
    largest = "" if size is None else f", largest relative change {size:.3%}"
    values = "; ".join(
        f"{day} {column} {_shown(old)} -> {_shown(new)}"
        for day, column, old, new in changes["values"][:SHOWN]
    )
    return (
        f"history rewritten {changes['first']} .. {changes['last']}: {changes['changed']} changed, "
        f"{changes['removed']} gone, {changes['added']} new{largest} ({values})"
    )


def _shown(value: float | None) -> str:
    return "none" if value is None else f"{value:.10g}"


def _plain(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
