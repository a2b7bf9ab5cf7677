"""Screen what a publisher sent: refuse impossible values, leave out doubtful days with a warning.

No value is filled in.
"""

from datetime import date, timedelta

import numpy as np
import pandas as pd

from backtest.data.sessions import expected_days
from backtest.data.sources import Column
from backtest.market.examination import Column as Examined
from backtest.market.examination import examine, judged, role_of
from backtest.types import BoolArray, DataError

LEAST_COVERAGE = 0.9  # share of the expected days; with fewer days the answer is incomplete
LISTED = 5  # days named in a warning
STALE = 7  # calendar days since the last value; no sequence of holidays is that long


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
    DataError : no day left, a value out of range, one that cannot be true, or too few days.

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
    days = days_of_stamps(pd.DatetimeIndex(raw.index)).as_unit("s").rename("Date")
    sent = raw.set_axis(days).sort_index(kind="stable")
    sent = sent[sent.index >= pd.Timestamp(column.starts)]
    sent = sent[(sent.index < pd.Timestamp(today)) & ~_unpublished(_index(sent), column)]
    table = _unambiguous(sent[sent["value"].notna()], warnings)
    table = _without_weekends(table, column, warnings)
    if table.empty:
        raise DataError(f"{column.code} has no value from {column.starts} to {today}")
    _check_range(table["value"], column)
    warnings += _examine(table["value"], column)
    _check_sessions(_index(table), _index(sent), column, today, warnings)
    return table, warnings


def days_of_stamps(stamps: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Days of a publisher's stamps: begun at midnight of their own zone, or else of UTC.

    Examples
    --------
    >>> days_of_stamps(pd.DatetimeIndex(["2020-03-11 20:00:00-04:00"])).strftime("%m-%d").tolist()
    ['03-12']
    """
    local = stamps.tz_localize(None)
    if stamps.tz is not None and len(stamps):
        utc = stamps.tz_convert(None)
        # The running day's stamp may be any time of day.
        if (local == local.normalize()).mean() < 0.5 < (utc == utc.normalize()).mean():
            return utc.normalize()
    return local.normalize()


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


def _examine(values: pd.Series, column: Column) -> list[str]:
    """What an examination of the column doubts; DataError where it cannot be true."""
    name = column.checks or column.factor
    is_percent = column.unit == "percent"
    role = role_of(name, is_yield=is_percent and name != "VIX")
    looked_at = Examined(
        name,
        values.index.to_numpy().astype("datetime64[D]"),
        values.to_numpy(dtype=np.float64) / (100.0 if is_percent or role == "volatility" else 1.0),
        role,
        where=column.code,
        percent=is_percent,
    )
    return [finding.sentence.rstrip(".") for finding in judged(examine([looked_at]))]


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
