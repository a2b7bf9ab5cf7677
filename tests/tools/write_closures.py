"""Write `backtest/market/closures.csv`: `python -m tests.tools.write_closures`.

Needs pandas-market-calendars, which the package itself never loads.
"""

from pathlib import Path

import pandas as pd
from pandas.tseries.holiday import (
    AbstractHolidayCalendar,
    Holiday,
    USColumbusDay,
    USLaborDay,
    USMartinLutherKingJr,
    USMemorialDay,
    USPresidentsDay,
    USThanksgivingDay,
    sunday_to_monday,
)

TARGET = Path(__file__).resolve().parents[2] / "backtest" / "market" / "closures.csv"
FIRST, LAST = "1990-01-01", "2030-12-31"
NAMES = {"CME": "CME_InterestRate", "NYSE": "NYSE", "SIFMA": "SIFMA_US"}
HEADER = """\
# Weekdays from {first} to {last} on which a calendar has no session; it has none at weekends.
# CME, NYSE, SIFMA: pandas-market-calendars {version} (MIT), calendars {names}.
# Fedwire: holidays of the Federal Reserve Banks by rule (12 CFR 210; frbservices.org, holiday
# schedules): no substitute day where one falls on a Saturday; Juneteenth from 2022.
# After {published} the days are rules and not announcements: mourning, storms and Good Fridays
# with a jobs report are not in them. SIFMA's days are its recommendations, and bonds differed:
# yields were published on the Good Fridays of 1996, 1999, 2007, 2010, 2012 and 2015, closed here,
# and none on 1994-04-27, 2001-09-11, 2001-09-12, 2004-06-11, 2012-10-30, 2018-12-05, open here.
# CME's days are those on which futures trade, if only in the morning and without a settlement (as
# on Memorial Day); they had closes on 2004-06-11, 2007-01-02 and 2025-01-09, closed here.
# Written by tests/tools/write_closures.py.
"""
PUBLISHED = "2026-08"  # release of the library


class FederalReserveBanks(AbstractHolidayCalendar):
    """Days on which Fedwire is shut: a holiday on Saturday has no substitute."""

    rules = [
        Holiday("New Year's Day", month=1, day=1, observance=sunday_to_monday),
        USMartinLutherKingJr,
        USPresidentsDay,
        USMemorialDay,
        Holiday("Juneteenth", month=6, day=19, start_date="2022", observance=sunday_to_monday),
        Holiday("Independence Day", month=7, day=4, observance=sunday_to_monday),
        USLaborDay,
        USColumbusDay,
        Holiday("Veterans Day", month=11, day=11, observance=sunday_to_monday),
        USThanksgivingDay,
        Holiday("Christmas", month=12, day=25, observance=sunday_to_monday),
    ]


def closures() -> dict[str, pd.DatetimeIndex]:
    """Closed weekdays by calendar, as the library has them."""
    import pandas_market_calendars as library

    weekdays = pd.bdate_range(FIRST, LAST)
    shut = {}
    for name, theirs in NAMES.items():
        sessions = library.get_calendar(theirs).valid_days(FIRST, LAST).tz_localize(None)
        assert (sessions.day_of_week < 5).all(), f"{theirs} has sessions at weekends"
        shut[name] = weekdays.difference(sessions)
    shut["Fedwire"] = weekdays.intersection(FederalReserveBanks().holidays(FIRST, LAST))
    return shut


def main() -> None:
    """Write the table."""
    from importlib.metadata import version

    shut = closures()
    days = sorted(set().union(*shut.values()))
    header = HEADER.format(
        first=FIRST,
        last=LAST,
        version=version("pandas-market-calendars"),
        names=", ".join(NAMES.values()),
        published=PUBLISHED,
    )
    lines = [f"{d:%Y-%m-%d},{' '.join(n for n in sorted(shut) if d in shut[n])}" for d in days]
    TARGET.write_text(header + "date,closed\n" + "\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
