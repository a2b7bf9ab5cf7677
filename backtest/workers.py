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
    watched = (joblib.delayed(_watched)(os.getpid(), *task) for task in tasks)
    # joblib keeps its workers between calls while these stay the same. Python's path is among them:
    # a worker imports from where it led when the worker was started.
    begin = (tuple(sys.path), tuple(at_start.items()))
    results: Iterator[Any] = joblib.Parallel(
        n_jobs=capped(n_jobs), return_as="generator", initializer=_begin, initargs=begin
    )(watched)
    return results


at_start: dict[Callable[..., None], tuple[Any, ...]] = {}  # what workers call as they start


def _begin(path: tuple[str, ...], steps: tuple[tuple[Callable[..., None], Any], ...]) -> None:
    """Make a new process ready: `steps` are those of `at_start`."""
    sys.path[:] = path
    for function, arguments in steps:
        function(*arguments)


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
