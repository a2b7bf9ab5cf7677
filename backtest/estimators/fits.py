"""Likelihood fits, counted wherever they happen: in a model, or in a model inside another."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass
class FitCount:
    """How many fits were tried, and how many of them did not converge.

    Where one fails, the parameters of the last good fit stay in use.
    """

    tried: int = 0
    failed: int = 0

    def add(self, other: "FitCount") -> None:
        """Count what another has counted too."""
        self.tried += other.tried
        self.failed += other.failed


def total_fits(counts: Iterable[Mapping[str, FitCount]]) -> dict[str, FitCount]:
    """Fits of each model that made any, over blocks of books or of paths.

    Examples
    --------
    >>> total_fits([{"garch": FitCount(6, 1), "var": FitCount()}, {"garch": FitCount(5, 0)}])
    {'garch': FitCount(tried=11, failed=1)}
    """
    out: dict[str, FitCount] = {}
    for count in counts:
        for name, fits in count.items():
            if fits.tried:
                out.setdefault(name, FitCount()).add(fits)
    return out


_OPEN: ContextVar[tuple[FitCount, ...]] = ContextVar("fits", default=())


def note_fits(*, tried: int, failed: int) -> None:
    """Add to every count that is open."""
    for count in _OPEN.get():
        count.add(FitCount(tried, failed))


@contextmanager
def counting_fits() -> Iterator[FitCount]:
    """Count the fits made inside the `with`.

    Examples
    --------
    >>> with counting_fits() as fits:
    ...     note_fits(tried=3, failed=1)
    >>> note_fits(tried=5, failed=0)
    >>> fits
    FitCount(tried=3, failed=1)
    """
    count = FitCount()
    token = _OPEN.set((*_OPEN.get(), count))
    try:
        yield count
    finally:
        _OPEN.reset(token)
