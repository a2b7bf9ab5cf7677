"""Whether two tables hold the same numbers, each within its tolerance."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from pandas.api.types import is_numeric_dtype

from backtest.studies.run.tolerance import BASE, Tolerance, Tolerances

# Columns that identify a row.
KEYS = (
    *("date", "path", "model", "portfolio", "side", "share"),
    *("arrangement", "house", "firm", "account", "bearer"),
)
MODELS = ("model", "against")  # columns that name the models whose numbers a row holds
COUNTS = ("observations", "exceedances", "allowed", "breaches")  # never but the same


def unequal(before: ArrayLike, after: ArrayLike, tolerance: Tolerance = BASE) -> NDArray[np.bool_]:
    """True where two numbers differ by more than a tolerance; NaN equals NaN.

    Examples
    --------
    >>> unequal([1.0, 2e14, np.nan], [1.5, 2e14, np.nan]).tolist()  # 0.5 is nothing beside 2e14
    [False, False, False]
    >>> unequal([1.0, 2.0], [1.000001, 2.0]).tolist()
    [True, False]
    """
    x, y = np.asarray(before, dtype=np.float64), np.asarray(after, dtype=np.float64)
    size = np.abs(x[np.isfinite(x)]).max(initial=0.0)  # a small difference of large sums
    return ~np.isclose(y, x, rtol=tolerance.itself, atol=tolerance.largest * size, equal_nan=True)


def differences(
    name: str, before: pd.DataFrame, after: pd.DataFrame, tolerances: Tolerances
) -> list[str]:
    """One line a column that differs, with its first row that does."""
    keys = [key for key in KEYS if key in before.columns]
    same_shape = before.columns.equals(after.columns) and len(before) == len(after)
    if not same_shape or not before[keys].equals(after[keys]):
        return [f"{name}: other rows or columns"]
    models = [before[key].astype(str) for key in MODELS if key in before.columns]
    rows_of = before.groupby(models).indices if models else {(): np.arange(len(before))}
    lines = []
    for column in before.columns.difference(keys, sort=False):
        old, new = before[column], after[column]
        if is_numeric_dtype(new) and is_numeric_dtype(old):
            differs = np.zeros(len(old), dtype=np.bool_)
            for named, rows in rows_of.items():
                tolerance = tolerances.of_numbers(name, str(column), _as_tuple(named))
                if column in COUNTS:
                    tolerance = Tolerance(BASE.itself, 0.0)
                differs[rows] = unequal(old.iloc[rows], new.iloc[rows], tolerance)
        elif is_numeric_dtype(new) and not new.isna().all():
            return [f"{name}: other rows or columns"]  # numbers where there was text
        else:
            differs = unequal_cells(old, new, tolerances.of_numbers(name, str(column)).itself)
        if differs.any():
            row = int(np.argmax(differs))
            place = ", ".join(_text(before[key].iloc[row]) for key in keys) or f"row {row + 1}"
            lines.append(
                f"{name}: {column} of {place}: {_text(old.iloc[row])} stored, "
                f"{_text(new.iloc[row])} now ({int(differs.sum())} rows)"
            )
    return lines


def unequal_cells(old: pd.Series, new: pd.Series, relative: float) -> NDArray[np.bool_]:
    """True where two cells differ, as numbers where both are numbers, else as text."""
    before, after = (pd.to_numeric(c, errors="coerce").to_numpy(np.float64) for c in (old, new))
    # Each cell has its own size here: a column may list amounts beside rates.
    equal_numbers = np.isclose(after, before, rtol=relative, atol=0.0)
    return np.asarray((_words(old) != _words(new)).to_numpy() & ~equal_numbers)


def ties(daily: pd.DataFrame, tolerances: Tolerances) -> list[str]:
    """A line for each model and book whose loss on some day is its margin, within the tolerance.

    On another processor such a day may count as an exceedance or not: neither is wrong.
    """
    lines = []
    for (model, book), rows in daily.groupby(["model", "portfolio"], observed=True, sort=False):
        tolerance = tolerances.of_numbers("daily.parquet", "loss", (str(model),))
        loss, margin = rows["loss"].to_numpy(), rows["required"].to_numpy()
        near = (loss > 0.0) & np.isclose(loss, margin, rtol=tolerance.itself, atol=0.0)
        if near.any():
            first = _text(rows["date"].iloc[int(np.argmax(near))])
            more = f" and {near.sum() - 1} more days" if near.sum() > 1 else ""
            lines.append(
                f"a tie: the loss of {model}, {book} on {first}{more} is its margin to within "
                f"{tolerance}, so it may count as an exceedance or not"
            )
    return lines


def _as_tuple(named: object) -> tuple[str, ...]:
    return tuple(map(str, named)) if isinstance(named, tuple) else (str(named),)


def _words(column: pd.Series) -> pd.Series:
    return column.astype(object).where(column.notna(), "").astype(str)


def _text(value: object) -> str:
    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%d}"
    return f"{value:.10g}" if isinstance(value, float) else str(value)
