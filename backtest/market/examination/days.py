"""Days that are none of a factor's sessions, steps that are no days, values filled forward."""

from collections.abc import Iterator

import numpy as np

from backtest.market.calendars import FIRST, LAST, is_session
from backtest.market.examination.column import Column
from backtest.market.examination.finding import Finding, iso, listed
from backtest.types import BoolArray

WEEKLY = 3.0  # calendar days of the median step beyond which rows are no days
STRETCH, LONG_STEP = (
    8,
    4.5,
)  # steps in a row whose median is as long: a stretch without daily values
FILLED, FEWEST = 0.8, 3  # share of closed days with the value of the day before; fewest of them


def check_days(column: Column) -> Iterator[Finding]:
    """Days of the wrong step, of weekends and of holidays."""
    if len(column) < 3:
        return
    yield from _steps(column)
    if column.role in ("rate", "funding"):
        return  # set for every calendar day
    unchanged = np.append(False, column.moves == 0.0)
    if column.role == "price" and column.is_around_the_clock:
        yield from _filled_weekends(column, unchanged)
        return
    weekend = column.weekend
    if weekend.any():
        is_yield = column.role == "yield"
        filled = float(unchanged[weekend].mean()) >= FILLED and weekend.sum() >= FEWEST
        yield Finding(
            column.factor,
            "weekends",
            iso(column.days[weekend]),
            f"{column.name} has values on {weekend.sum():,} days of weekends "
            f"({column.days[weekend][0]}, say)"
            + (", when no yield is published" if is_yield else ""),
            "leave out what was filled forward",
            impossible=is_yield or filled,
        )
    yield from _holidays(column, unchanged)


def _steps(column: Column) -> Iterator[Finding]:
    steps = np.diff(column.days).astype(int)
    middle = float(np.median(steps))
    if middle > WEEKLY:
        yield Finding(
            column.factor,
            "step",
            (),
            f"{column.name} has a value every {middle:g} days; margins count days",
            "give daily values",
            impossible=True,
        )
        return
    if len(steps) < STRETCH:
        return
    windows = np.lib.stride_tricks.sliding_window_view(steps, STRETCH)
    long = np.median(windows, axis=1) >= LONG_STEP
    if long.any():
        starts = np.flatnonzero(long)
        touched = np.unique((starts[:, None] + np.arange(1, STRETCH + 1)).ravel())
        days = column.days[touched]
        yield Finding(
            column.factor,
            "step",
            iso(days),
            f"{column.name} has {len(days):,} values that are {np.median(steps[touched - 1]):g} "
            f"days apart, from {days[0]} on; margins count days",
            "give daily values there, or start the study after them",
        )


def _filled_weekends(column: Column, unchanged: BoolArray) -> Iterator[Finding]:
    """A series of all days whose weekends repeat Friday."""
    weekend = column.weekend
    years = column.days.astype("datetime64[Y]")
    for year in np.unique(years):
        inside = years == year
        on, off = unchanged[inside & weekend], unchanged[inside & ~weekend]
        if len(on) >= 20 and on.mean() >= FILLED and off.mean() < 0.5:
            yield Finding(
                column.factor,
                "weekends",
                iso(column.days[inside & weekend & unchanged]),
                f"{column.name} repeats Friday's value on {int(on.sum())} of {len(on)} days of "
                f"weekends in {year}",
                "leave out what was filled forward",
                impossible=True,
            )


def _holidays(column: Column, unchanged: BoolArray) -> Iterator[Finding]:
    """Weekdays without a session, and values of closed days that repeat those before."""
    known = (column.days >= FIRST) & (column.days <= LAST) & ~column.weekend
    if not known.any():
        return
    days, repeats = column.days[known], unchanged[known]
    is_open = {name: is_session(name, days) for name in ("SIFMA", "NYSE", "CME")}
    nobody = ~(is_open["SIFMA"] | is_open["NYSE"] | is_open["CME"])
    own = ("SIFMA",) if column.role == "yield" else ("NYSE", "CME")
    for name in own:
        closed = ~is_open[name]
        count = int(repeats[closed].sum())
        if count >= FEWEST and count >= FILLED * closed.sum():
            nobody |= closed & repeats
    if nobody.any():
        yield Finding(
            column.factor,
            "holidays",
            iso(days[nobody]),
            f"{column.name} has values on {nobody.sum():,} days without a session "
            f"({listed(days[nobody])})",
            "leave out what was filled forward, or dated wrongly",
        )
