"""Numbers in words: one way to print each kind, on the terminal and in the report."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

MISSING = "n/a"
UNBOUNDED = "unbounded"  # no scale reaches the coverage, or a requirement that was once zero
SMALLEST_P = 0.001  # p-values come from about a thousand resamples
MILLION = 1e6
UNBROKEN = "\N{NO-BREAK SPACE}"
FINE = 0.1  # USD m: below this two decimals show too little
SHOWN = 0.0005  # USD m: below this three decimals show nothing
NOISE = 1e-10  # USD m: below this sums of large amounts that cancel are not exact


def counts(exceedances: float, allowed_days: float) -> str:
    """Days counted, and days allowed.

    Examples
    --------
    >>> counts(22, 21)
    '22 (21 allowed)'
    """
    return f"{int(exceedances):,} ({int(allowed_days):,} allowed)"


def percent(share: float, *, digits: int = 1, sign: bool = False) -> str:
    """Percentage of a share; `sign` marks gains with a plus.

    Examples
    --------
    >>> percent(0.0071, digits=2), percent(-0.00001), percent(float("nan"))
    ('0.71 %', '0.0 %', 'n/a')
    """
    text = _number(100 * float(share), digits, sign=sign)
    return text if text in (MISSING, UNBOUNDED) else f"{text} %"


def percent_down(share: float, *, sign: bool = False) -> str:
    """Whole percentage not above a share, for a lower bound whose decimals mean nothing.

    A share above zero is never rounded down to zero, which would read as none.

    Examples
    --------
    >>> percent_down(0.2379), percent_down(-0.001, sign=True), percent_down(float("nan"))
    ('23 %', '-1 %', 'n/a')
    >>> percent_down(0.0017, sign=True), percent_down(0.0, sign=True)
    ('<1 %', '0 %')
    """
    whole = float(np.floor(np.round(100.0 * share, 6))) / 100.0
    if share > 0.0 and whole == 0.0:
        return "<1 %"
    return percent(whole, digits=0, sign=sign)


def millions(usd: float, *, sign: bool = False) -> str:
    """USD millions, two decimals, three below a tenth of a million; `sign` marks more with a plus.

    What three decimals would show as none, of amounts in small units, has two digits of its own.

    Examples
    --------
    >>> millions(8_181_548.0), millions(35_200.0, sign=True), millions(float("inf"))
    ('8.18', '+0.035', 'unbounded')
    >>> millions(120.0), millions(-0.0234), millions(1e-7)
    ('0.00012', '-2.3e-08', '0.000')
    """
    value = float(usd) / MILLION
    if NOISE <= abs(value) < SHOWN:
        return f"{value:{'+' if sign else ''}.2g}"
    return _number(value, 3 if 0 < abs(value) < FINE else 2, sign=sign)


def money(usd: float, *, like: float | None = None) -> str:
    """An amount in a sentence, in front of its currency: in millions, or as it is where small.

    like : the amount whose unit it takes, of several that are compared; None for its own.

    Examples
    --------
    >>> money(8_181_548.0), money(35_200.0), money(0.02341), money(12.5)
    ('8.18m', '0.035m', '0.0234', '12.5')
    >>> money(900.0, like=0.02), money(float("inf"))
    ('900', 'unbounded')
    """
    unit = abs(float(usd if like is None else like)) / MILLION
    if not np.isfinite(usd):
        return millions(usd)
    return f"{millions(usd)}m" if unit == 0 or unit >= SHOWN else f"{float(usd):,.3g}"


def signed(difference: float, *, digits: int) -> str:
    """A difference with its sign.

    Examples
    --------
    >>> signed(3, digits=0), signed(-0.0312, digits=3), signed(0.0, digits=3)
    ('+3', '-0.031', '0.000')
    """
    return _number(float(difference), digits, sign=True)


def pvalue(p: float) -> str:
    """Three decimals, or a bound.

    Examples
    --------
    >>> pvalue(0.0312), pvalue(0.0002), pvalue(float("nan"))
    ('0.031', '<0.001', 'n/a')
    """
    if np.isnan(p):
        return MISSING
    return f"<{SMALLEST_P:g}" if p < SMALLEST_P else f"{p:.3f}"


def pvalue_pair(median: float, minimum: float) -> str:
    """Median and minimum p over the MPOR's phases.

    Examples
    --------
    >>> pvalue_pair(0.431, 0.098)
    '0.431 / 0.098'
    """
    return f"{pvalue(median)} / {pvalue(minimum)}"


def ratio(value: float) -> str:
    """Two decimals.

    Examples
    --------
    >>> ratio(2.0431)
    '2.04'
    """
    return _number(float(value), 2)


def interval(row: Mapping[Any, Any], name: str, show: Callable[[float], str]) -> str:
    """Value of a row with its 95 % interval, from the columns `name`, `name`_low and `name`_high.

    The value is in the column `name`_margin where there is no `name`, as with equal_coverage.

    Examples
    --------
    >>> interval({"rate": 0.01, "rate_low": 0.005, "rate_high": 0.02}, "rate", percent)
    '1.0 % [0.5, 2.0]'
    """
    value = row[name if name in row else f"{name}_margin"]
    low, high = float(row[f"{name}_low"]), float(row[f"{name}_high"])
    if np.isnan(low) or np.isnan(high):
        return show(value)
    ends = ", ".join(show(end).removesuffix(" %") for end in (low, high))
    return f"{show(value)} [{ends}]"


def _number(value: float, digits: int, *, sign: bool = False) -> str:
    if np.isnan(value):
        return MISSING
    if np.isinf(value):
        return UNBOUNDED if value > 0 else f"-{UNBOUNDED}"
    text = f"{value:{'+' if sign else ''},.{digits}f}"
    # A number that rounds to zero has no sign: '-0.0' would look like a loss.
    return f"{0:.{digits}f}" if float(text.replace(",", "")) == 0 else text
