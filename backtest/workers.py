"""Worker processes: no more than the machine has cores, and none that outlives who started it."""

import hashlib
import os
import pickle
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import resource_tracker
from typing import Any

import cloudpickle
import joblib
import numpy as np

from backtest.interrupts import held

Task = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]  # as joblib.delayed makes it
SECONDS_BETWEEN_LOOKS = 0.5
THROUGH_MEMORY = 2**20 + 1  # bytes from which joblib hands an array to workers once, in /dev/shm
# Workers on other machines: the results of tasks in their order; tasks, and what they share.
Elsewhere = Callable[[Iterable[Task], tuple[Any, ...]], Iterator[Any]]


def in_parallel(
    tasks: Iterable[Task], *, n_jobs: int, shared: tuple[Any, ...] = ()
) -> Iterator[Any]:
    """The results of tasks, in their order, each as soon as it and those before it are done.

    n_jobs : worker processes; more than there are cores are not started. 1 computes here. Inside
        `working_elsewhere` the workers are those of the cluster, whatever their number.
    shared : arguments of every task, before its own; each worker is sent them once, not with each
        task, and must not change them.

    Examples
    --------
    >>> list(in_parallel((joblib.delayed(abs)(x) for x in (-1, 2)), n_jobs=1))
    [1, 2]
    >>> list(in_parallel((joblib.delayed(pow)(x) for x in (3, 4)), n_jobs=1, shared=(2,)))
    [8, 16]
    """
    if _elsewhere:
        return _elsewhere[-1](tasks, shared)
    workers = joblib.effective_n_jobs(capped(n_jobs))
    if workers == 1:
        return (function(*shared, *own, **named) for function, own, named in tasks)
    if shared:
        tasks = _with(Sent.of(shared, at_least=THROUGH_MEMORY), tasks)
    # joblib keeps its workers between calls while these stay the same. Python's path is among them:
    # a worker imports from where it led when the worker was started.
    begin = (os.getpid(), tuple(sys.path), tuple(at_start.items()))
    # A Ctrl-C or a batch system's SIGTERM goes to every process: this one ends its workers.
    with held():
        resource_tracker.ensure_running()  # which lets some through again in Python 3.11
    with held():
        parallel = joblib.Parallel(
            n_jobs=workers, return_as="generator", initializer=_begin, initargs=begin
        )
        results: Iterator[Any] = parallel(tasks)
    return results


at_start: dict[Callable[..., None], tuple[Any, ...]] = {}  # what workers call as they start
_elsewhere: list[Elsewhere] = []


@contextmanager
def working_elsewhere(place: Elsewhere) -> Iterator[None]:
    """Inside the `with`, every `in_parallel` of this process is computed by `place`."""
    _elsewhere.append(place)
    try:
        yield
    finally:
        _elsewhere.remove(place)


@dataclass(frozen=True, eq=False)
class Sent:
    """Values as they travel to a worker, which keeps the last ones that it was sent.

    Parameters
    ----------
    token : sha256 of `content`, by which a worker knows that it has them.
    content : (bytes,) a pickle, and zeros up to the size that was asked for.
    """

    token: str
    content: np.ndarray[Any, np.dtype[np.uint8]]

    @classmethod
    def of(cls, values: tuple[Any, ...], *, at_least: int = 0) -> "Sent":
        """Pickle values; models that were written in a notebook or a script go along."""
        pickled = cloudpickle.dumps(values)
        content = np.zeros(max(len(pickled), at_least), np.uint8)
        content[: len(pickled)] = np.frombuffer(pickled, np.uint8)
        return cls(hashlib.sha256(pickled).hexdigest(), content)

    def values(self) -> tuple[Any, ...]:
        """The values, unpickled once a process.

        Examples
        --------
        >>> sent = Sent.of(([1, 2], "a"))
        >>> sent.values(), sent.values()[0] is sent.values()[0]
        (([1, 2], 'a'), True)
        """
        if self.token not in _received:
            _received.clear()
            _received[self.token] = pickle.loads(self.content.data)
        return _received[self.token]


_received: dict[str, tuple[Any, ...]] = {}


def _with(sent: Sent, tasks: Iterable[Task]) -> Iterator[Task]:
    """The same tasks, told where the values are that they share."""
    for function, own, named in tasks:
        yield _on_values, (sent.token, sent.content, function, own), named


def _on_values(token: str, content: Any, function: Any, own: Any, **named: Any) -> Any:
    return function(*Sent(token, content).values(), *own, **named)


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
