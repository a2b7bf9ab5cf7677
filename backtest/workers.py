"""Worker processes: no more than the machine has cores, and none that outlives who started it."""

import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from multiprocessing import resource_tracker
from typing import Any

import joblib

from backtest.interrupts import held

Task = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]  # as joblib.delayed makes it
SECONDS_BETWEEN_LOOKS = 0.5


def in_parallel(tasks: Iterable[Task], *, n_jobs: int) -> Iterator[Any]:
    """The results of tasks, in their order, each as soon as it and those before it are done.

    n_jobs : worker processes; more than there are cores are not started. 1 computes here.

    Examples
    --------
    >>> list(in_parallel((joblib.delayed(abs)(x) for x in (-1, 2)), n_jobs=1))
    [1, 2]
    """
    # joblib keeps its workers between calls while these stay the same. Python's path is among them:
    # a worker imports from where it led when the worker was started.
    begin = (os.getpid(), tuple(sys.path), tuple(at_start.items()))
    # A Ctrl-C or a batch system's SIGTERM goes to every process: this one ends its workers.
    with held():
        resource_tracker.ensure_running()  # which lets some through again in Python 3.11
    with held():
        parallel = joblib.Parallel(
            n_jobs=capped(n_jobs), return_as="generator", initializer=_begin, initargs=begin
        )
        results: Iterator[Any] = parallel(tasks)
    return results


at_start: dict[Callable[..., None], tuple[Any, ...]] = {}  # what workers call as they start


def _begin(
    parent: int, path: tuple[str, ...], steps: tuple[tuple[Callable[..., None], Any], ...]
) -> None:
    """Make a new process ready: `steps` are those of `at_start`."""
    _follow(parent)
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


def _follow(parent: int) -> None:
    """Watch from a thread of a worker whether its parent lives; a killed one cannot tell it."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(SECONDS_BETWEEN_LOOKS)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
