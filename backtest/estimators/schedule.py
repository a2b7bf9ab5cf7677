"""On which days a model is fitted anew: a matter of the calendar, not of where a study begins."""

import numpy as np

from backtest.types import BoolArray, Dates


def refit_days(dates: Dates, every: int) -> BoolArray:
    """(days,) whether a fit is due: the first day of each run of `every` weekdays.

    Runs are counted from 1970-01-01 whatever the first date is, so that a study that begins a week
    later fits on the same days. Of its first day nobody can tell; it is none.

    Examples
    --------
    >>> days = np.arange("2024-01-01", "2024-01-31", dtype="datetime64[D]")
    >>> days[refit_days(days, 10)].astype(str).tolist()
    ['2024-01-04', '2024-01-18']
    >>> days[12:][refit_days(days[12:], 10)].astype(str).tolist()
    ['2024-01-18']
    """
    run = np.busday_count(np.datetime64("1970-01-01"), dates) // every
    return np.asarray(np.diff(run, prepend=run[:1]) > 0)
