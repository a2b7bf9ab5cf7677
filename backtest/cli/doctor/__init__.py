"""`backtest doctor`: whether this installation can do its work, and what to mend where it cannot.

Each check is one line: ok, to mend with what to do, or optional, for what is not there and is only
needed by some commands. A check that fails in a way nobody foresaw is a line to mend, too.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Parameters
    ----------
    what : was looked at. found : what is there.
    mend : what to do; empty where nothing is wrong.
    optional : True where the program works without it.
    """

    what: str
    found: str
    mend: str = ""
    optional: bool = False

    @property
    def status(self) -> str:
        """'ok', 'to mend', or 'optional' for what is not there and need not be.

        Examples
        --------
        >>> Check("numpy", "2.0").status, Check("numpy", "1.0", "install a newer one").status
        ('ok', 'to mend')
        """
        if not self.mend:
            return "ok"
        return "optional" if self.optional else "to mend"

    @property
    def words(self) -> str:
        """The check in one sentence, with what to do.

        Examples
        --------
        >>> Check("results/", "cannot be written", "choose another folder with --out").words
        'results/: cannot be written; choose another folder with --out'
        """
        return "; ".join(filter(None, (f"{self.what}: {self.found}", self.mend)))


def examine(out: Path, cache: Path) -> Iterator[Check]:
    """Every check, one after the other: each takes from no time to some seconds.

    out : folder of results. cache : folder of fetched prices.
    """
    from backtest.cli.doctor.machine import fonts, machine, screen
    from backtest.cli.doctor.places import fetched_prices, first_kernel, kept_kernels, writable
    from backtest.cli.doctor.software import dependencies, python

    checks: list[tuple[str, Callable[[], list[Check]]]] = [
        ("Python", python),
        ("dependencies", dependencies),
        ("kernels", kept_kernels),
        ("first kernel", first_kernel),
        ("results", lambda: writable(out, "--out")),
        ("fetched prices", lambda: [*writable(cache, "--cache"), *fetched_prices(cache)]),
        ("machine", machine),
        ("fonts", fonts),
        ("screen", screen),
    ]
    for what, check in checks:
        try:
            yield from check()
        except Exception as error:  # of a broken installation, which can fail in any way
            found = f"could not be looked at: {type(error).__name__}: {error}".rstrip(".")
            yield Check(what, found, "install the package anew, in an environment of its own")
