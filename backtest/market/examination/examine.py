"""The list of checks, and what is done with what they find."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from backtest.market.examination.breaks import check_breaks
from backtest.market.examination.column import Column
from backtest.market.examination.curves import check_curves
from backtest.market.examination.days import check_days
from backtest.market.examination.finding import Accepted, Finding
from backtest.market.examination.lags import check_lags, check_twins
from backtest.market.examination.repeats import check_frozen, check_interpolated
from backtest.market.examination.units import check_sibling_units, check_units
from backtest.types import DataError

Check = Callable[[Sequence[Column]], Iterable[Finding]]


def _each(check: Callable[[Column], Iterable[Finding]]) -> Check:
    """A check of one column, made of each."""

    def check_all(columns: Sequence[Column]) -> Iterator[Finding]:
        for column in columns:
            yield from check(column)

    return check_all


KINDS = (
    *("step", "weekends", "holidays", "unit", "reversal", "break", "frozen", "interpolated"),
    *("stale curve", "twins", "dates"),
)

# In the order in which findings are listed; the first impossible one is refused.
CHECKS: tuple[Check, ...] = (
    _each(check_days),
    _each(check_units),
    check_sibling_units,
    check_breaks,
    _each(check_frozen),
    _each(check_interpolated),
    check_curves,
    check_twins,
    check_lags,
)


def examine(columns: Sequence[Column]) -> tuple[Finding, ...]:
    """Everything that the checks find.

    Examples
    --------
    >>> import numpy as np
    >>> days = np.arange("2024-01-05", "2024-01-09", dtype="M8[D]")
    >>> filled = Column("10Y", days, np.array([0.04, 0.04, 0.04, 0.041]), "yield")
    >>> [finding.kind for finding in examine([filled])]
    ['weekends']
    """
    return tuple(finding for check in CHECKS for finding in check(columns))


def weighed(findings: Iterable[Finding], accept: Sequence[Accepted] = ()) -> tuple[Finding, ...]:
    """The findings, those that a user accepts with their reasons and no longer impossible.

    Raises
    ------
    DataError : an unknown kind is accepted.
    """
    reasons = {(entry.factor, entry.kind): entry.reason for entry in accept}
    unknown = sorted({kind for _, kind in reasons} - set(KINDS))
    if unknown:
        raise DataError(f"data.accept names {unknown[0]!r}; known: {', '.join(KINDS)}.")
    judgements = [(f, reasons.get((f.factor, f.kind), "")) for f in findings]
    return tuple(
        replace(finding, accepted=reason, impossible=False) if reason else finding
        for finding, reason in judgements
    )


def judged(findings: Iterable[Finding], accept: Sequence[Accepted] = ()) -> tuple[Finding, ...]:
    """The findings that are kept, those that a user accepts with their reasons.

    Raises
    ------
    DataError : a finding that cannot be true and that nobody accepts; an unknown kind.

    Examples
    --------
    >>> frozen = Finding("BTC", "frozen", (), "BTC rests", "look", impossible=True)
    >>> judged([frozen], [Accepted("BTC", "frozen", "the venue was closed")])[0].accepted
    'the venue was closed'
    """
    kept = weighed(findings, accept)
    for finding in kept:
        if finding.impossible:
            raise DataError(finding.sentence)
    return kept
