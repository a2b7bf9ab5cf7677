"""A Dask cluster: tasks go to its workers, and results come back in their order.

What tasks share travels as a task of its own that all others need: Dask hands it from worker to
worker, and makes it again from what the scheduler holds where the only worker with it is lost.
A task that a lost worker had is computed by another one: blocks depend on nothing but their number.

joblib's own way to Dask is not used. It waits for ever where the scheduler is lost, computes here
where a cluster has one worker, and loses what tasks share with the worker that holds it.
"""

import logging
import re
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from typing import Any

from backtest.cluster.needs import Needs, call_of, itself, on_worker
from backtest.interrupts import held
from backtest.types import StudyError, shown
from backtest.workers import Task, working_elsewhere

ADDRESS = re.compile(r"(?:(?:tcp|tls|ws|wss)://)?[^\s/:]+:(\d{1,5})")
SECONDS_TO_ANSWER = 10
TASKS_AHEAD, FEWEST_AHEAD = 4, 16  # a worker's share of tasks that wait, and of all at least
# Dask takes some milliseconds for each task: shorter ones of ours travel together.
SECONDS_TOGETHER, MOST_TOGETHER = 1.0, 256


@contextmanager
def on_cluster(address: str) -> Iterator[None]:
    """Inside the `with`, work is done by the workers of a Dask cluster instead of this machine's.

    Numbers are the same to the last bit: workers of other code, versions or processors are
    refused, also those that join later. A worker that is lost is made up for by the others.

    address : of the scheduler, as 'tcp://10.0.0.5:8786'.

    Raises
    ------
    StudyError : the extra 'cluster' is not installed; no scheduler or no worker there; a worker
        that would give other numbers, or has more than one thread; a cluster that is lost.

    Examples
    --------
    >>> with on_cluster("10.0.0.5"):
    ...     pass
    Traceback (most recent call last):
    ...
    backtest.types.StudyError: the cluster's address is '10.0.0.5'; give the scheduler's, as \
tcp://10.0.0.5:8786.
    """
    port = ADDRESS.fullmatch(address)
    if port is None or not 0 < int(port[1]) < 2**16:
        raise StudyError(
            f"the cluster's address is {shown(address)}; give the scheduler's, as "
            "tcp://10.0.0.5:8786."
        )
    cluster = _Cluster(address)
    try:
        with working_elsewhere(cluster.results):
            yield
    finally:
        cluster.close()


class _Cluster:
    """A connection to a scheduler whose workers compute what this process would."""

    def __init__(self, address: str) -> None:
        try:
            import dask
            from distributed import Client
        except ImportError as error:
            raise StudyError(
                f"{error.name} is not installed, which a cluster is reached with; run "
                "`pip install 'margin-backtest[cluster]'`."
            ) from error
        logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what is lost is said here
        # What tasks share goes through the scheduler by intent, and may be large.
        dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 TiB"})
        self.address = address
        try:
            with held():  # its threads leave a Ctrl-C to this one
                self.client = Client(
                    address, timeout=SECONDS_TO_ANSWER, set_as_default=False, name="backtest"
                )
        except (OSError, ValueError) as error:
            raise StudyError(
                f"no Dask scheduler answers at {address!r}; start one with `dask scheduler`, or "
                "correct --dask."
            ) from error
        try:
            self._check_workers()
        except BaseException:
            self.close()
            raise

    def results(self, tasks: Iterable[Task], shared: tuple[Any, ...]) -> Iterator[Any]:
        """The results of tasks in their order, and one line where the cluster is lost."""
        from concurrent.futures import CancelledError

        from distributed import KilledWorker
        from distributed.comm.core import CommClosedError

        ahead = max(FEWEST_AHEAD, TASKS_AHEAD * len(self.client.ncores()))
        waiting: deque[Any] = deque()
        calls = (call_of(*task) for task in tasks)
        together = 1  # tasks that are sent as one, so that handing them out costs little
        try:
            needs = self.client.submit(itself, Needs.of(shared), pure=False)
            while True:
                some = tuple(islice(calls, together))
                if some:
                    waiting.append(self.client.submit(on_worker, needs, some, pure=False))
                elif not waiting:
                    return
                if len(waiting) >= ahead or not some:
                    seconds, results = waiting.popleft().result()
                    each = max(seconds / len(results), SECONDS_TOGETHER / MOST_TOGETHER)
                    together = max(1, round(SECONDS_TOGETHER / each))
                    yield from results
        except KilledWorker as error:
            raise StudyError(
                f"every worker of {self.address} that was given a certain task died of it; start "
                "workers with more memory, or try that task here with --n-jobs 1."
            ) from error
        except (CommClosedError, CancelledError) as error:
            raise StudyError(f"the scheduler at {self.address} is lost; start it again.") from error
        finally:
            with suppress(Exception):
                self.client.cancel(list(waiting))

    def close(self) -> None:
        """Let the scheduler forget what this process asked for."""
        with suppress(Exception), held():
            self.client.close(timeout=2)

    def _check_workers(self) -> None:
        from backtest.cluster.alike import START, check_alike, check_threads, description

        with suppress(TimeoutError):
            self.client.wait_for_workers(1, timeout=SECONDS_TO_ANSWER)
        workers = self.client.scheduler_info(n_workers=-1)["workers"]
        if not workers:
            raise StudyError(
                f"the scheduler at {self.address} has no workers; start some with "
                f"`{START.format(self.address)}`."
            )
        # Pickles of one Python may not be read by another: versions come before our own function.
        seen = self.client.get_versions(check=False)
        pythons = {f"worker {name}": _python(found) for name, found in seen["workers"].items()}
        check_alike(
            _python(seen["client"]), {"the scheduler": _python(seen["scheduler"]), **pythons}
        )
        for worker, facts in workers.items():
            check_threads(worker, facts["nthreads"], self.address)
        theirs = self.client.run(description, on_error="return")
        check_alike(description(), {f"worker {name}": of for name, of in theirs.items()})
        check_alike(description(), {"the scheduler": self._scheduler_description()})

    def _scheduler_description(self) -> Any:
        """It reads what tasks are made of, so it needs this package too."""
        from backtest.cluster.alike import description

        try:
            return self.client.run_on_scheduler(description)
        except Exception as error:
            return error


def _python(found: Any) -> dict[str, str]:
    """Version of Python, from what Dask tells of a machine."""
    return {"python": str(dict(found["host"])["python"]).split(".final")[0]}
