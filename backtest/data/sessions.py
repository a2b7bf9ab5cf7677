"""Days on which a publisher should have a value, so that missing sessions can be reported.

The rules do not contain unscheduled closings (September 2001, storms, state funerals). Such days
are reported as missing too, and the reader has to recognise them. No value is filled in.
"""

from datetime import date

import pandas as pd
from pandas.tseries.holiday import (
    AbstractHolidayCalendar,
    GoodFriday,
    Holiday,
    USColumbusDay,
    USLaborDay,
    USMartinLutherKingJr,
    USMemorialDay,
    USPresidentsDay,
    USThanksgivingDay,
    nearest_workday,
)

from backtest.data.sources import Calendar

# Exchange and bond holidays: NYSE Rule 7.2 and SIFMA's recommendations. One holiday too
# many would hide a missing session; one too few only reports a day that was closed.
_EXCHANGE = [
    Holiday("New Year", month=1, day=1, observance=nearest_workday),
    USMartinLutherKingJr,
    USPresidentsDay,
    GoodFriday,
    USMemorialDay,
    Holiday("Juneteenth", month=6, day=19, start_date="2022-01-01", observance=nearest_workday),
    Holiday("Independence", month=7, day=4, observance=nearest_workday),
    USLaborDay,
    USThanksgivingDay,
    Holiday("Christmas", month=12, day=25, observance=nearest_workday),
]
_BOND = [
    *_EXCHANGE,
    USColumbusDay,
    Holiday("Veterans", month=11, day=11, observance=nearest_workday),
]
_RULES = {"exchange": _EXCHANGE, "bond": _BOND}


def expected_days(calendar: Calendar, first: date, last: date) -> pd.DatetimeIndex:
    """Days on which a value is expected, from `first` to `last`, both included.

    calendar : 'daily' (every day), 'exchange' (weekdays but US exchange holidays) or 'bond' (these
        and Columbus and Veterans Day).

    Examples
    --------
    >>> [len(expected_days(c, date(2024, 10, 12), date(2024, 10, 15)))
    ...  for c in ("daily", "exchange", "bond")]
    [4, 2, 1]
    """
    if calendar == "daily":
        return pd.date_range(first, last, unit="s")
    holidays = AbstractHolidayCalendar(rules=_RULES[calendar]).holidays(
        pd.Timestamp(first), pd.Timestamp(last)
    )
    return pd.bdate_range(first, last).difference(pd.DatetimeIndex(holidays)).as_unit("s")
