"""What all tasks of a study need on a worker, and how a worker is made ready for it."""

import pickle
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import cloudpickle

from backtest.cluster.alike import check_alike, check_modules, check_threads, description
from backtest.instruments.declared import declare
from backtest.replay.sources import own_modules
from backtest.types import StudyError
from backtest.workers import at_start


@dataclass(frozen=True)
class Needs:
    """What a worker is sent once.

    Parameters
    ----------
    token : by which a worker knows that it is ready. ours : `description` of the process that asks.
    steps : pickled, what a worker calls first, and the hashes of the user's own modules.
    shared : pickled, what tasks are given beside their own.
    """

    token: str
    ours: dict[str, str]
    steps: bytes
    shared: bytes

    @classmethod
    def of(cls, shared: tuple[Any, ...]) -> "Needs":
        """Pickle what this process would share with workers of its own."""
        # A worker may have served a study with other declarations: those are forgotten first.
        steps: dict[Callable[..., None], tuple[Any, ...]] = {declare: ({},), **at_start}
        return cls(
            uuid4().hex,
            description(),
            cloudpickle.dumps((tuple(steps.items()), own_modules())),
            cloudpickle.dumps(shared),
        )

    def enter(self, worker: str) -> tuple[Any, ...]:
        """Make this process, a worker, ready, and give what tasks share.

        Raises
        ------
        StudyError : this process would give other numbers; a module of the user's own is absent
            here, or another one.
        """
        # One that has joined since the work began was not among those that were checked then.
        check_alike(self.ours, {f"worker {worker}": description()})
        steps, modules = pickle.loads(self.steps)
        for function, arguments in steps:
            function(*arguments)
        check_modules(modules, worker)
        try:
            shared: tuple[Any, ...] = pickle.loads(self.shared)
        except ImportError as error:
            raise StudyError(
                f"worker {worker} cannot import {error.name!r}, which the study needs; copy it to "
                "the same folder there."
            ) from error
        return shared


_ready: dict[str, tuple[Any, ...]] = {}  # what tasks share, by the token of the last `Needs`


def call_of(function: Callable[..., Any], own: tuple[Any, ...], named: dict[str, Any]) -> bytes:
    """A task as the scheduler sees it, which need not know the classes of a study."""
    call: bytes = cloudpickle.dumps((function, own, named))
    return call


def on_worker(needs: Needs, calls: tuple[bytes, ...]) -> tuple[float, list[Any]]:
    """Some tasks on a worker, which is made ready where it served another study: seconds, results.

    seconds : that the tasks themselves took, together.
    """
    if needs.token not in _ready:
        from distributed import get_worker

        here = get_worker()
        check_threads(here.address, here.state.nthreads, here.scheduler.address)
        _ready.clear()
        _ready[needs.token] = needs.enter(here.address)
    began, results = time.perf_counter(), []
    for call in calls:
        function, own, named = pickle.loads(call)
        results.append(function(*_ready[needs.token], *own, **named))
    return time.perf_counter() - began, results


def itself(needs: Needs) -> Needs:
    """The task that every other one needs: a scheduler can make its result again."""
    return needs
