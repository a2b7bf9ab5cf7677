"""Whether the numbers of a study fit into memory and on disk, asked before the work begins."""

import shutil

from backtest.memory import GIB, check_memory
from backtest.replay.daily import IN_MEMORY, NUMBER, scratch_folder, size_of_daily
from backtest.replay.distribution import COLUMNS
from backtest.types import StudyError

# Tables of (days x portfolios) in memory at once beside the daily numbers: measured on 1,000 to
# 10,000 books, of a run that is stored and of one that is read.
TABLES_AT_ONCE = 8
COPIES_OF_PATHS = 4  # of the scores of all paths, while they are stored
MOST_PATHS = 10**100  # more give a number that no float holds


def check_study_fits(days: int, portfolios: int, models: int) -> None:
    """Refuse a study whose daily numbers do not fit.

    Raises
    ------
    StudyError : with the estimate, and what there is.
    """
    daily = size_of_daily(days, portfolios, models)
    what = f"{portfolios:,} portfolios under {models} models on {days:,} days"
    check_memory(what, min(daily, IN_MEMORY) + TABLES_AT_ONCE * days * portfolios * NUMBER)
    if daily > IN_MEMORY:
        folder = scratch_folder()
        free = shutil.disk_usage(folder).free
        if daily > free:
            raise StudyError(
                f"{what} need {daily / GIB:,.1f} GiB on disk, and {str(folder)!r} has "
                f"{free / GIB:,.1f}; set TMPDIR to a folder with more, or ask for fewer."
            )


def check_paths_fit(paths: int, models: int, portfolios: int) -> None:
    """Refuse more simulated histories than have room for their scores.

    Raises
    ------
    StudyError : with the estimate, and what there is.

    Examples
    --------
    >>> check_paths_fit(10**12, 4, 10)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    backtest.types.StudyError: the scores of 1,000,000,000,000 paths need about 17,881,393.4 GiB ...
    """
    size = min(paths, MOST_PATHS) * models * portfolios * len(COLUMNS) * NUMBER
    check_memory(f"the scores of {paths:,} paths", COPIES_OF_PATHS * size)
