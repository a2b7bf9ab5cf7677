"""Whether the numbers of a study fit into memory and on disk, asked before the work begins."""

import resource
import shutil
from pathlib import Path

from backtest.replay.daily import IN_MEMORY, NUMBER, scratch_folder, size_of_daily
from backtest.replay.distribution import COLUMNS
from backtest.types import StudyError

GIB = 2**30
# Tables of (days x portfolios) in memory at once: measured on 1,000 to 10,000 books.
TABLES_AT_ONCE = 8
COPIES_OF_PATHS = 4  # of the scores of all paths, while they are stored
CONTAINERS = tuple(  # limit, use and its entry, of both versions of control groups
    (f"/sys/fs/cgroup/{limit}", f"/sys/fs/cgroup/{use}", entry)
    for limit, use, entry in (
        ("memory.max", "memory.stat", "anon"),
        ("memory/memory.limit_in_bytes", "memory/memory.stat", "rss"),
    )
)
MOST_PATHS = 10**100  # more give a number that no float holds


def check_study_fits(days: int, portfolios: int, models: int) -> None:
    """Refuse a study whose daily numbers do not fit.

    Raises
    ------
    StudyError : with the estimate, and what there is.
    """
    daily = size_of_daily(days, portfolios, models)
    what = f"{portfolios:,} portfolios under {models} models on {days:,} days"
    _check_memory(what, min(daily, IN_MEMORY) + TABLES_AT_ONCE * days * portfolios * NUMBER)
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
    _check_memory(f"the scores of {paths:,} paths", COPIES_OF_PATHS * size)


def _check_memory(what: str, size: int) -> None:
    left = memory_left()
    if size > left:
        raise StudyError(
            f"{what} need about {size / GIB:,.1f} GiB of memory, and {left / GIB:,.1f} are left; "
            "ask for fewer."
        )


def memory_left() -> float:
    """Bytes that this process can still take: of the machine, of its container, of its own limit.

    Examples
    --------
    >>> memory_left() > 0
    True
    """
    import psutil

    left = [float(psutil.virtual_memory().available), *map(_left_in, CONTAINERS)]
    own, _ = resource.getrlimit(resource.RLIMIT_AS)
    if own != resource.RLIM_INFINITY:
        left.append(own - psutil.Process().memory_info().vms)
    return max(0.0, min(left))


def _left_in(container: tuple[str, str, str]) -> float:
    """Bytes left under a limit of control groups; cached files give way and do not count."""
    limit, used, entry = container
    try:
        most = float(Path(limit).read_text())
        table = dict(line.split() for line in Path(used).read_text().splitlines())
        return most - float(table[entry])
    except (OSError, ValueError, KeyError):  # no such limit: 'max' is no number
        return float("inf")
