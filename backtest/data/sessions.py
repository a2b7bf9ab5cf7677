"""Days on which a publisher should have a value, so that missing sessions can be reported.

They are those of the committed calendars (`backtest.market.calendars`). No value is filled in.
"""

from datetime import date

import pandas as pd

from backtest.data.sources import Calendar
from backtest.market import calendars

SESSIONS: dict[Calendar, calendars.Calendar] = {
    "daily": "24/7",
    "exchange": "NYSE",
    "bond": "SIFMA",
}


def expected_days(calendar: Calendar, first: date, last: date) -> pd.DatetimeIndex:
    """Days on which a value is expected, from `first` to `last`, both included.

    calendar : 'daily' (every day), 'exchange' (sessions of the NYSE) or 'bond' (SIFMA's). After the
        last day of the committed calendars every weekday is expected.

    Examples
    --------
    >>> [len(expected_days(c, date(2024, 10, 12), date(2024, 10, 15)))
    ...  for c in ("daily", "exchange", "bond")]
    [4, 2, 1]
    """
    days = pd.date_range(first, last, unit="s")
    table_ends = pd.Timestamp(calendars.LAST)
    known = days[days <= table_ends].to_numpy().astype("datetime64[D]")
    is_open = calendars.is_session(SESSIONS[calendar], known)
    later = days[days > table_ends]
    if calendar != "daily":
        later = later[later.day_of_week < 5]
    return pd.DatetimeIndex(days[: len(known)][is_open].union(later))
