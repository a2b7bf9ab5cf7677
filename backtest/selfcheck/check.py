"""Ask the rows of every kind, and say how many answers are right."""

import platform
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from backtest.selfcheck.row import Row
from backtest.workers import in_parallel

# Module: what its line says. Kinds whose kernels take longest to compile come first, so that two
# workers end together.
KINDS = {
    "fits": "fits",
    "quantiles": "quantiles",
    "moments": "covariances and laws",
    "exceedances": "tests of exceedances",
    "forecasts": "tests of forecasts",
    "families": "families and pairs",
    "prices": "prices",
    "calendars": "calendars",
    "rolls": "rolls",
    "account": "account",
    "waterfall": "waterfall",
    "bonds": "bonds",
    "options": "options and perpetuals",
    "simm": "SIMM",
    "offset": "offset",
    "names": "names",
    "draws": "draws",
}
WORKERS = 2
NOT_CHECKED = (
    "your prices and study files; whether a model suits your books; the margin models but SIMM's "
    "aggregation, CAViaR fits, simulators and Monte Carlo, bootstrap intervals, pages and figures, "
    "and what publishers send. `make test` and `make slow` in a clone check these, your data aside."
)


@dataclass(frozen=True)
class Checked:
    """The rows of one kind: how many, and a line for each wrong answer."""

    kind: str
    rows: int
    wrong: tuple[str, ...]

    def __str__(self) -> str:
        """'quantiles: 9 of 9 right'."""
        return f"{self.kind}: {self.rows - len(self.wrong)} of {self.rows} right"


def rows_of(module: str) -> tuple[Row, ...]:
    """The rows of one kind, by the name of its module.

    Examples
    --------
    >>> all(row.source and row.by for row in rows_of("families"))
    True
    """
    rows: tuple[Row, ...] = import_module(f"backtest.selfcheck.{module}").ROWS
    return rows


def check(module: str) -> Checked:
    """Ask every row of one kind.

    Examples
    --------
    >>> check("families").wrong
    ()
    """
    rows = rows_of(module)
    answers = [row.answer() for row in rows]
    return Checked(KINDS[module], len(rows), tuple(str(a) for a in answers if not a.is_right))


def check_all() -> Iterator[Checked]:
    """Every kind in its turn, by two workers where there are as many cores."""
    import joblib

    return in_parallel((joblib.delayed(check)(module) for module in KINDS), n_jobs=WORKERS)


def machine() -> str:
    """What answers: program, Python, the libraries that compute, BLAS, processor."""
    import numpy as np
    from llvmlite.binding import get_host_cpu_name

    from backtest.replay.origin import Software

    software = Software.now()
    blas: Any = np.show_config(mode="dicts")
    blas = blas["Build Dependencies"]["blas"]
    libraries = ", ".join(f"{name} {software.versions[name]}" for name in ("numpy", "numba"))
    return (
        f"{software.sentence()}; Python {software.versions['python']}, {libraries}, "
        f"BLAS {blas['name']} {blas['version']}, "
        f"processor {get_host_cpu_name()} ({platform.machine()})"
    )
