"""How much memory is left, one line in place of a process that the system kills, and its reuse."""

import ctypes
import resource
from functools import cache
from pathlib import Path

from backtest.types import StudyError

GIB = 2**30
CONTAINERS = tuple(  # limit, use and its entry, of both versions of control groups
    (f"/sys/fs/cgroup/{limit}", f"/sys/fs/cgroup/{use}", entry)
    for limit, use, entry in (
        ("memory.max", "memory.stat", "anon"),
        ("memory/memory.limit_in_bytes", "memory/memory.stat", "rss"),
    )
)


# Parameters of glibc's mallopt, and what they are set to, bytes.
TRIM_THRESHOLD, KEPT = -1, 2**26
MMAP_THRESHOLD, LARGEST = -3, 2**25


@cache
def keep_freed() -> bool:
    """Let this process keep up to 64 MiB of freed memory for its next arrays.

    glibc gives freed arrays of some 100 KiB and more back to the system, which clears the pages of
    the next one, fault by fault: where the same arrays are made path after path, that took several
    times as long as what was computed in them. False where the system's library has no such choice.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):  # macOS, musl
        return False
    return bool(mallopt(MMAP_THRESHOLD, LARGEST) and mallopt(TRIM_THRESHOLD, KEPT))


def check_memory(what: str, size: int) -> None:
    """Refuse work that does not fit: `what` needs `size` bytes.

    Raises
    ------
    StudyError : with the estimate, and what there is.
    """
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
