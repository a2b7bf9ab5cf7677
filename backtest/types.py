"""Array aliases named by their axes, the error hierarchy, and the words every module shares.

Signs, everywhere: P&L > 0 is a gain, loss = -P&L, margin >= 0. Money is USD. Yields are decimals
(0.0425 is 4.25 %). NaN means 'not yet known' and nothing else.
"""

import errno
import os
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from io import BufferedReader
from math import ceil, floor
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
Dates = NDArray[np.datetime64]  # (days,) datetime64[D]
RowNumbers = NDArray[np.int64]  # (days,) a row of some other array for each day
Days = FloatArray  # (days,)
DaysByFactors = FloatArray  # (days, factors)
DaysByInstruments = FloatArray  # (days, instruments)
DaysByPortfolios = FloatArray  # (days, portfolios)
DaysByPortfoliosBySilos = FloatArray  # (days, portfolios, silos)


MOST_BYTES = 2**28  # of a file that is read whole: a century of minutes has fewer
MOST_MARGIN = 1e18  # USD; beyond it a number is no amount, and squares of it overflow
MOST_SHOWN = 80  # characters of a user's value in a message
MIDNIGHT = re.compile(r"[ T]00:00:00(\.0+)?$")  # how a day of pandas or numpy ends as text


class BacktestError(Exception):
    """Anything a user can mend. The message is one line: what, which value, what to do."""


class DataError(BacktestError):
    """Prices that cannot be used as they are."""


class StudyError(BacktestError, ValueError):
    """A study, model or book that asks for something impossible."""


class ResultsError(BacktestError):
    """A results folder that cannot be written or read."""


def tail_count(
    observations: int, confidence: float, rounding: Literal["ceil", "floor"] = "ceil"
) -> int:
    """Days in the tail: observations x (1 - confidence), rounded to 9 decimals before ceil/floor.

    Floating point makes 500 x (1 - 0.99) a hair more than 5; without the inner rounding the
    99 % tail of 500 scenarios would hold 6 of them.

    Examples
    --------
    >>> tail_count(500, 0.99), tail_count(2196, 0.99, "floor")
    (5, 21)
    """
    count = round(observations * (1.0 - confidence), 9)
    return ceil(count) if rounding == "ceil" else floor(count)


def first_known(values: FloatArray) -> int:
    """First day (axis 0) on which no value is NaN; the number of days where there is none.

    Examples
    --------
    >>> first_known(np.array([[np.nan, np.nan], [np.nan, 1.0], [2.0, 1.0]]))
    2
    """
    known = ~np.asarray(np.isnan(values).any(axis=tuple(range(1, values.ndim))))
    return int(known.argmax()) if known.any() else len(values)


def parse_day(day: object, what: str, error: type[BacktestError] = StudyError) -> np.datetime64:
    """An ISO day, and nothing that numpy also takes for one: '2022' is no day, '20220601' neither.

    day : text, or a date of Python, numpy or pandas without a time of day.

    Examples
    --------
    >>> parse_day(date(2022, 6, 1), "start")
    np.datetime64('2022-06-01')
    >>> parse_day("20220601", "start")
    Traceback (most recent call last):
    ...
    backtest.types.StudyError: start is '20220601'; give a day as YYYY-MM-DD.
    """
    text = day if isinstance(day, str) else MIDNIGHT.sub("", str(day))
    try:
        if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            raise ValueError
        return np.datetime64(date.fromisoformat(text), "D")
    except ValueError:
        raise error(f"{what} is {shown(day)}; give a day as YYYY-MM-DD.") from None


def read_regular(path: Path, *, most: int = MOST_BYTES) -> bytes:
    """The content of a file of text; of a pipe or a device there might be no end.

    most : bytes; a larger file is another one than the one meant.

    Raises
    ------
    OSError : as `Path.read_bytes`, and where the path is no file or a larger one.
    """
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > most:
            raise OSError(errno.EFBIG, f"it has {size:,} bytes; at most {most:,} are read", path)
        return file.read()


def open_regular(path: Path) -> BufferedReader:
    """A file opened for reading, and neither a pipe nor a device.

    Raises
    ------
    OSError : as `Path.open`, and where the path is no file.
    """
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "it is no regular file", str(path))
    return path.open("rb")


def shown(value: object) -> str:
    """A value as an error message shows it: no more than 80 characters of it.

    Examples
    --------
    >>> len(shown("x" * 1000)), shown(0.5)
    (83, '0.5')
    """
    try:
        text = repr(value)
    except ValueError:  # Python writes no whole number of more than 4,300 digits
        text = "a whole number of thousands of digits"
    except RecursionError:
        text = "a value nested too deep"
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}..."


Progress = Callable[[str, float], None]  # (what, share done)
Item = TypeVar("Item")


def unheard(what: str, share: float) -> None:
    """A `Progress` that tells nobody."""


def counted(
    progress: Progress, what: str, items: Iterable[Item], count: int, *, since: float = 0.0
) -> Iterator[Item]:
    """Items, one after another; the share done is told as each is finished with.

    since : the share that was done before the first of them.

    Examples
    --------
    >>> told = []
    >>> list(counted(lambda what, share: told.append(share), "work", "ab", 2)), told
    (['a', 'b'], [0.0, 0.5, 1.0, 1.0])
    """
    progress(what, since)
    for done, item in enumerate(items, start=1):
        yield item
        progress(what, since + (1.0 - since) * min(1.0, done / count))
    progress(what, 1.0)


def within(progress: Progress, what: str, first: float, last: float) -> Progress:
    """A part of the stage `what` as a progress of its own, whatever its stages are called.

    Examples
    --------
    >>> told = []
    >>> within(lambda what, share: told.append((what, share)), "all", 0.5, 1.0)("part", 0.5)
    >>> told
    [('all', 0.75)]
    """
    return lambda part, share: progress(what, first + (last - first) * share)
