"""How much memory is left, and one line in place of a process that the system kills."""

import resource
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
