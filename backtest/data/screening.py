"""What a publisher sent, made fit to keep: what cannot be right is refused, the rest is flagged.

Nothing is filled in. A day without a sure value is left out, and said so.
"""

from datetime import date, timedelta

import numpy as np
import pandas as pd

from backtest.data.sessions import expected_days
from backtest.data.sources import Column
from backtest.types import BoolArray, DataError

LEAST_COVERAGE = 0.9  # of the expected days; less is a partial answer, not a history
LISTED = 5  # days named in a warning
STALE = 7  # calendar days; longer ago than any pair of holidays, a last value is old

# No par yield moved fivefold in a day while above a quarter of a percent (1990-2026); a feed that
# goes from 4.25 to 42.5, or from 0.42 to 4.2, does.
SCALE_STEP, SCALE_FLOOR = 5.0, 0.25


def screened(raw: pd.DataFrame, column: Column, *, today: date) -> tuple[pd.DataFrame, list[str]]:
    """The days to keep and warnings about the others.

    Parameters
    ----------
    raw : (days x value[, dividend]); any order, dates with or without a time zone, NaN for none.
    column : range, start and calendar the values must agree with.
    today : the day of the fetch in UTC; its row, and any later one, is still moving.

    Returns
    -------
    (days x value[, dividend]), ascending, one row a day, every value there; and the warnings.

    Raises
    ------
    DataError : nothing left, a value out of range, a change of scale, or too few of the days.

    Examples
    --------
    >>> days = pd.to_datetime(["2024-01-03", "2024-01-02", "2024-01-04"])
    >>> bitcoin = Column(name="Close", code="BTC-USD", factor="BTC", unit="USD", low=10, high=1e7,
    ...                  starts=date(2024, 1, 2), calendar="daily")
    >>> kept, said = screened(pd.DataFrame({"value": [43e3, 45e3, 44e3]}, index=days), bitcoin,
    ...                       today=date(2024, 1, 4))
    >>> kept["value"].tolist(), said
    ([45000.0, 43000.0], [])
    """
    said: list[str] = []
    days = pd.DatetimeIndex(raw.index).tz_localize(None).normalize().as_unit("s").rename("Date")
    sent = raw.set_axis(days).sort_index(kind="stable")
    sent = sent[sent.index >= pd.Timestamp(column.starts)]
    sent = sent[(sent.index < pd.Timestamp(today)) & ~_unpublished(_index(sent), column)]
    table = _unambiguous(sent[sent["value"].notna()], said)
    table = _without_weekends(table, column, said)
    if table.empty:
        raise DataError(f"{column.code} has no value from {column.starts} to {today}")
    _check_range(table["value"], column)
    _check_scale(table["value"], column)
    _check_sessions(_index(table), _index(sent), column, today, said)
    return table, said


def _unambiguous(table: pd.DataFrame, said: list[str]) -> pd.DataFrame:
    """One row a day: equal copies count once, a day with two different values is left out."""
    single = table.reset_index().drop_duplicates().set_index("Date")
    torn = _index(single)[single.index.duplicated(keep=False)].unique()
    copies = _index(table)[table.index.duplicated()].unique().difference(torn)
    if len(copies):
        said.append(f"rows sent twice for {_days(copies)}; one kept")
    if len(torn):
        said.append(f"two different values for {_days(torn)}; left out")
    return single[~single.index.isin(torn)]


def _without_weekends(table: pd.DataFrame, column: Column, said: list[str]) -> pd.DataFrame:
    weekend = (_index(table).day_of_week >= 5) & (column.calendar != "daily")
    if weekend.any():
        said.append(f"weekend rows on {_days(_index(table)[weekend])}; left out")
    return table[~weekend]


def _check_range(values: pd.Series, column: Column) -> None:
    wrong = ~((values > column.low) & (values < column.high))
    if wrong.any():
        day = values.index[int(np.argmax(wrong.to_numpy()))]
        raise DataError(
            f"{column.code} on {day:%Y-%m-%d} is {values[day]:g} and {int(wrong.sum())} of "
            f"{len(values)} days lie outside {column.low:g} .. {column.high:g} {column.unit}; "
            "has its unit changed?"
        )


def _check_scale(values: pd.Series, column: Column) -> None:
    """A yield that jumps by a factor is a feed that changed its scale (x10) half-way."""
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
    said: list[str],
) -> None:
    """Missing sessions are flagged, too many of them refused. A bond holiday is no session."""
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
        said.append(f"ends {days[-1]:%Y-%m-%d}, {late} days before the fetch")
    inside = missing[missing < days[-1]]
    for what, which in (
        ("a row without a value", inside.intersection(sent)),
        ("no row", inside.difference(sent)),
    ):
        if len(which):
            said.append(f"{what} for {_days(which)}; not filled in")


def _unpublished(days: pd.DatetimeIndex, column: Column) -> BoolArray:
    if column.unpublished is None:
        return np.zeros(len(days), dtype=bool)
    first, last = map(pd.Timestamp, column.unpublished)
    return np.asarray((days >= first) & (days <= last))


def _index(table: pd.DataFrame) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(table.index)


def _days(days: pd.DatetimeIndex) -> str:
    """'3 days (2024-01-02, ...)', the latest first: those a reader may still know the reason of."""
    shown = ", ".join(f"{day:%Y-%m-%d}" for day in days[::-1][:LISTED])
    more = ", ..." if len(days) > LISTED else ""
    return f"{len(days)} day{'s' if len(days) != 1 else ''} ({shown}{more})"
