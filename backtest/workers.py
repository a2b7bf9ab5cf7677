"""Worker processes: no more than the machine has cores, and none that outlives who started it."""

import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import joblib

Task = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]  # as joblib.delayed makes it
SECONDS_BETWEEN_LOOKS = 1.0


def in_parallel(tasks: Iterable[Task], *, n_jobs: int) -> Iterator[Any]:
    """The results of tasks, in their order, each as soon as it and those before it are done.

    n_jobs : worker processes; more than there are cores are not started. 1 computes here.

    Examples
    --------
    >>> list(in_parallel((joblib.delayed(abs)(x) for x in (-1, 2)), n_jobs=1))
    [1, 2]
    """
    _renew_workers(n_jobs)
    watched = (joblib.delayed(_watched)(os.getpid(), *task) for task in tasks)
    results: Iterator[Any] = joblib.Parallel(n_jobs=capped(n_jobs), return_as="generator")(watched)
    return results


_paths_of_workers: list[list[str]] = []


def _renew_workers(n_jobs: int) -> None:
    """Workers stay between calls and import from where Python's path led when they were started.

    A study whose models lie in another folder needs new ones.
    """
    if n_jobs == 1:
        return
    if _paths_of_workers and _paths_of_workers[-1] != sys.path:
        from joblib.externals.loky import get_reusable_executor

        get_reusable_executor().shutdown(wait=True)
    _paths_of_workers[:] = [sys.path.copy()]


def capped(n_jobs: int) -> int:
    """Workers that are started where `n_jobs` are asked for.

    Examples
    --------
    >>> capped(1), capped(100_000) == joblib.cpu_count()
    (1, True)
    """
    return min(n_jobs, joblib.cpu_count())


def _watched(
    parent: int, function: Callable[..., Any], arguments: tuple[Any, ...], named: dict[str, Any]
) -> Any:
    """Call a task; a worker of `parent` ends with it. Workers elsewhere have other masters."""
    if os.getppid() == parent:
        _follow(parent)
    return function(*arguments, **named)


_following: list[int] = []


def _follow(parent: int) -> None:
    """Watch from a thread whether the parent lives; a killed one cannot tell its workers."""
    if parent in _following:
        return
    _following.append(parent)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(SECONDS_BETWEEN_LOOKS)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
