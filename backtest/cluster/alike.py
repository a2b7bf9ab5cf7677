"""Whether workers compute the numbers that this process would: code, versions, processor, modules.

A worker of another version would give other numbers, and nothing would say so.
"""

import importlib.util
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from backtest.kernels.compile import SOURCES
from backtest.replay.origin import Software
from backtest.replay.sources import own_modules, processor, source_hash, sources_sha256
from backtest.types import StudyError, shown

TRANSPORT = ("joblib", "cloudpickle", "dask", "distributed")  # what tasks travel by
MEND = "give every machine the same installation"
START = "dask worker {} --nthreads 1"


def description() -> dict[str, str]:
    """What the numbers of a process depend on beside its inputs, by name.

    The processor is part of it: machine code is made for it, and the last digits of sums differ
    between kinds.

    Examples
    --------
    >>> sorted(description())[:3]
    ['cloudpickle', 'code', 'dask']
    """
    return {
        **Software.now().versions,
        **{name: version(name) for name in TRANSPORT},
        "kernels": SOURCES,
        "code": sources_sha256(),
        "processor": processor(),
    }


def check_alike(ours: Mapping[str, str], theirs: Mapping[str, Any]) -> None:
    """Refuse machines that differ; `theirs` is the description of each, by what it is called.

    Raises
    ------
    StudyError : names the first machine, and what differs.

    Examples
    --------
    >>> check_alike({"numpy": "2.4.6"}, {"worker tcp://10.0.0.7:4001": {"numpy": "2.4.5"}})
    Traceback (most recent call last):
    ...
    backtest.types.StudyError: worker tcp://10.0.0.7:4001 has numpy 2.4.5, and this process 2.4.6; \
give every machine the same installation.
    """
    for machine, description in theirs.items():
        if isinstance(description, Exception):
            raise StudyError(
                f"{machine} cannot say what it runs ({shown(str(description))}); {MEND}."
            )
        for name, value in ours.items():
            other = description.get(name, "none")
            if other != value:
                raise StudyError(
                    f"{machine} has {name} {other[:16]}, and this process {value[:16]}; {MEND}."
                )


def check_threads(worker: str, threads: int, scheduler: str) -> None:
    """Refuse a worker of several threads.

    Raises
    ------
    StudyError : says how to start one.
    """
    if threads != 1:
        raise StudyError(
            f"worker {worker} has {threads} threads, and models are not asked in several at once; "
            f"start it with `{START.format(scheduler)}`."
        )


def check_modules(expected: Mapping[str, str], worker: str) -> None:
    """Refuse, on a worker, modules of the user's own that are not those of the study.

    expected : sha256 by name of a module, as `own_modules` gives them where the study was read.

    Raises
    ------
    StudyError : a module has another source here, or ran here from another one.
    """
    ran = own_modules()
    for name, sha256 in expected.items():
        here = ran.get(name) or _found(name)
        if here not in (None, sha256):
            raise StudyError(
                f"worker {worker} has another module {name!r} than this process; copy yours "
                "there and start the worker again."
            )


def _found(name: str) -> str | None:
    """sha256 of the source that a module would be imported from; None where there is none."""
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError, AttributeError):  # its package is no package here
        return None
    return None if spec is None or not spec.origin else source_hash(spec.origin)
