"""How fits end: a certificate a law, counted wherever fits happen, in a model or inside another."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import numpy as np

from backtest.types import FloatArray

MISSED = 0.01  # log-likelihood below a peak from which a fit counts as one that missed it
RIVAL = 0.3  # log-likelihood below a peak within which a second one is a rival: windows may swap


@dataclass
class Certificate:
    """How the fits of one law ended, over all windows and portfolios.

    Parameters
    ----------
    tried, failed : fits; where one fails, the parameters of the last good one stay in use.
    at_bound : fits that ended at an edge of the law, where the likelihood is flat or the search
        may go no further. at_floor : among them those with degrees of freedom at their floor.
    rivals : fits with a second peak at most .3 of log-likelihood below. closest : smallest distance
        to a second peak; None where no fit had one.
    least_gain : log-likelihood above the reference of the law, smallest of all fits; None where
        the law has none. References: constant variance and normal innovations (GARCH), the sample
        quantile (CAViaR), the exponential law (generalised Pareto).
    """

    tried: int = 0
    failed: int = 0
    at_bound: int = 0
    at_floor: int = 0
    rivals: int = 0
    closest: float | None = None
    least_gain: float | None = None

    @classmethod
    def of(
        cls,
        good: FloatArray,
        *,
        at_bound: FloatArray,
        second_peak: FloatArray,
        gain: FloatArray,
        at_floor: int = 0,
    ) -> "Certificate":
        """Certificate of fits, an entry each: NaN in `good` where none was tried.

        good, at_bound : 1 or 0. second_peak : log-likelihood down to it, infinite without one.
        gain : log-likelihood above the reference.

        Examples
        --------
        >>> fits = Certificate.of(np.array([1.0, 0.0]), at_bound=np.array([1.0, np.nan]),
        ...                       second_peak=np.array([0.2, np.nan]), gain=np.array([9.5, 0.0]))
        >>> fits.tried, fits.failed, fits.at_bound, fits.rivals, fits.closest, fits.least_gain
        (2, 1, 1, 1, 0.2, 9.5)
        """
        ended = good == 1.0
        second_peak, gain = second_peak[ended & np.isfinite(second_peak)], gain[ended]
        tried = int(np.count_nonzero(~np.isnan(good)))
        return cls(
            tried=tried,
            failed=tried - int(np.count_nonzero(ended)),
            at_bound=int(np.count_nonzero(at_bound[ended])),
            at_floor=at_floor,
            rivals=int(np.count_nonzero(second_peak <= RIVAL)),
            closest=float(second_peak.min()) if len(second_peak) else None,
            least_gain=float(gain.min()) if len(gain) else None,
        )

    def add(self, other: "Certificate") -> None:
        """Count the fits of another certificate too."""
        self.tried += other.tried
        self.failed += other.failed
        self.at_bound += other.at_bound
        self.at_floor += other.at_floor
        self.rivals += other.rivals
        self.closest = _smaller(self.closest, other.closest)
        self.least_gain = _smaller(self.least_gain, other.least_gain)


def _smaller(one: float | None, two: float | None) -> float | None:
    known = [value for value in (one, two) if value is not None]
    return min(known, default=None)


Certificates = dict[str, Certificate]  # by law: 'GARCH-t', 'generalised Pareto'


def total_fits(counts: Iterable[Mapping[str, Certificates]]) -> dict[str, Certificates]:
    """Certificates of each model that made any fit, over blocks of books or of paths.

    Examples
    --------
    >>> blocks = [{"garch": {"GARCH-t": Certificate(6, 1)}, "var": {}},
    ...           {"garch": {"GARCH-t": Certificate(5, 0)}}]
    >>> total = total_fits(blocks)
    >>> list(total), total["garch"]["GARCH-t"].tried, total["garch"]["GARCH-t"].failed
    (['garch'], 11, 1)
    """
    out: dict[str, Certificates] = {}
    for count in counts:
        for name, laws in count.items():
            for law, certificate in laws.items():
                out.setdefault(name, {}).setdefault(law, Certificate()).add(certificate)
    return out


_OPEN: ContextVar[tuple[Certificates, ...]] = ContextVar("fits", default=())


def are_counted() -> bool:
    """Whether anybody counts fits now; certificates that nobody reads need not be made."""
    return bool(_OPEN.get())


def note_fits(law: str, certificate: Certificate) -> None:
    """Add the certificate of some fits to every count that is open."""
    if certificate.tried:
        for count in _OPEN.get():
            count.setdefault(law, Certificate()).add(certificate)


@contextmanager
def counting_fits() -> Iterator[Certificates]:
    """Count the fits made inside the `with`, by law.

    Examples
    --------
    >>> with counting_fits() as fits:
    ...     note_fits("GARCH-t", Certificate(tried=3, failed=1))
    >>> note_fits("GARCH-t", Certificate(tried=5))
    >>> fits["GARCH-t"].tried, fits["GARCH-t"].failed
    (3, 1)
    """
    count: Certificates = {}
    token = _OPEN.set((*_OPEN.get(), count))
    try:
        yield count
    finally:
        _OPEN.reset(token)
