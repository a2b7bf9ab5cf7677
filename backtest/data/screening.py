"""Screen what a publisher sent: refuse impossible values, leave out doubtful days with a warning.

No value is filled in.
"""

from datetime import date, timedelta

import numpy as np
import pandas as pd

from backtest.data.sessions import expected_days
from backtest.data.sources import Column
from backtest.types import BoolArray, DataError

LEAST_COVERAGE = 0.9  # share of the expected days; with fewer days the answer is incomplete
LISTED = 5  # days named in a warning
STALE = 7  # calendar days since the last value; no sequence of holidays is that long

# No par yield above a quarter of a percent moved by a factor of five in a day (1990-2026). A feed
# whose scale changes, from 4.25 to 42.5 or from 0.42 to 4.2, does.
SCALE_STEP, SCALE_FLOOR = 5.0, 0.25


def screened(raw: pd.DataFrame, column: Column, *, today: date) -> tuple[pd.DataFrame, list[str]]:
    """Select the days to keep, and warn about the days left out.

    Parameters
    ----------
    raw : (days x value[, dividend]); any order, dates with or without a time zone, NaN where a
        value is missing.
    column : range, start and calendar that the values must respect.
    today : the day of the fetch in UTC; the values of this day and later ones are not final.

    Returns
    -------
    (days x value[, dividend]), ascending, one row for each day, no NaN; and the warnings.

    Raises
    ------
    DataError : no day left, a value out of range, a change of scale, or too few days.

    Examples
    --------
    >>> days = pd.to_datetime(["2024-01-03", "2024-01-02", "2024-01-04"])
    >>> bitcoin = Column(name="Close", code="BTC-USD", factor="BTC", unit="USD", low=10, high=1e7,
    ...                  starts=date(2024, 1, 2), calendar="daily")
    >>> rows, warnings = screened(pd.DataFrame({"value": [43e3, 45e3, 44e3]}, index=days), bitcoin,
    ...                           today=date(2024, 1, 4))
    >>> rows["value"].tolist(), warnings
    ([45000.0, 43000.0], [])
    """
    warnings: list[str] = []
    days = pd.DatetimeIndex(raw.index).tz_localize(None).normalize().as_unit("s").rename("Date")
    sent = raw.set_axis(days).sort_index(kind="stable")
    sent = sent[sent.index >= pd.Timestamp(column.starts)]
    sent = sent[(sent.index < pd.Timestamp(today)) & ~_unpublished(_index(sent), column)]
    table = _unambiguous(sent[sent["value"].notna()], warnings)
    table = _without_weekends(table, column, warnings)
    if table.empty:
        raise DataError(f"{column.code} has no value from {column.starts} to {today}")
    _check_range(table["value"], column)
    _check_scale(table["value"], column)
    _check_sessions(_index(table), _index(sent), column, today, warnings)
    return table, warnings


def _unambiguous(table: pd.DataFrame, warnings: list[str]) -> pd.DataFrame:
    """One row for each day: a repeated row counts once, a day with two values is left out."""
    single = table.reset_index().drop_duplicates().set_index("Date")
    conflicts = _index(single)[single.index.duplicated(keep=False)].unique()
    copies = _index(table)[table.index.duplicated()].unique().difference(conflicts)
    if len(copies):
        warnings.append(f"rows sent twice for {_days(copies)}; one kept")
    if len(conflicts):
        warnings.append(f"two different values for {_days(conflicts)}; left out")
    return single[~single.index.isin(conflicts)]


def _without_weekends(table: pd.DataFrame, column: Column, warnings: list[str]) -> pd.DataFrame:
    weekend = (_index(table).day_of_week >= 5) & (column.calendar != "daily")
    if weekend.any():
        warnings.append(f"weekend rows on {_days(_index(table)[weekend])}; left out")
    return table[~weekend]


def _check_range(values: pd.Series, column: Column) -> None:
    wrong = ~((values > column.low) & (values < column.high))
    if wrong.any():
        day = values.index[int(np.argmax(wrong.to_numpy()))]
        raise DataError(
            f"{column.code} on {day:%Y-%m-%d} is {values[day]:g} and {int(wrong.sum())} of "
            f"{len(values)} days are outside {column.low:g} .. {column.high:g} {column.unit}; "
            "has its unit changed?"
        )


def _check_scale(values: pd.Series, column: Column) -> None:
    """Raise DataError where a yield jumps so far that the feed must have changed its scale."""
    if column.unit != "percent" or len(values) < 2:
        return
    before, after = values.to_numpy()[:-1], values.to_numpy()[1:]
    small, large = np.minimum(before, after), np.maximum(before, after)
    jumps = (small >= SCALE_FLOOR) & (large > SCALE_STEP * small)
    if jumps.any():
        at = int(np.argmax(jumps))
        raise DataError(
            f"{column.code} goes from {before[at]:g} to {after[at]:g} percent on "
            f"{values.index[at + 1]:%Y-%m-%d}; has its scale changed?"
        )


def _check_sessions(
    days: pd.DatetimeIndex,
    sent: pd.DatetimeIndex,
    column: Column,
    today: date,
    warnings: list[str],
) -> None:
    """Warn of missing sessions; raise DataError where too many are missing."""
    expected = expected_days(column.calendar, column.starts, today - timedelta(days=1))
    expected = expected[~_unpublished(expected, column)]
    missing = expected.difference(days)
    if len(missing) > (1.0 - LEAST_COVERAGE) * len(expected):
        raise DataError(
            f"{column.code} has {len(expected) - len(missing)} of the {len(expected)} days "
            f"expected since {column.starts}; a partial answer is not kept"
        )
    late = (today - days[-1].date()).days
    if late > STALE:
        warnings.append(f"ends {days[-1]:%Y-%m-%d}, {late} days before the fetch")
    inside = missing[missing < days[-1]]
    for what, which in (
        ("a row without a value", inside.intersection(sent)),
        ("no row", inside.difference(sent)),
    ):
        if len(which):
            warnings.append(f"{what} for {_days(which)}; not filled in")


def _unpublished(days: pd.DatetimeIndex, column: Column) -> BoolArray:
    if column.unpublished is None:
        return np.zeros(len(days), dtype=bool)
    first, last = map(pd.Timestamp, column.unpublished)
    return np.asarray((days >= first) & (days <= last))


def _index(table: pd.DataFrame) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(table.index)


def _days(days: pd.DatetimeIndex) -> str:
    """'3 days (2024-01-02, ...)', the latest first: a reader can best explain the recent ones."""
    latest = ", ".join(f"{day:%Y-%m-%d}" for day in days[::-1][:LISTED])
    more = ", ..." if len(days) > LISTED else ""
    return f"{len(days)} day{'s' if len(days) != 1 else ''} ({latest}{more})"
