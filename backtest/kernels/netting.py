"""Square-root-of-correlation netting of stand-alone margins, day by day."""

import numpy as np
from numpy.typing import NDArray

from backtest.kernels.compile import kernel

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

# A variance below this share of its largest possible value (all columns perfectly correlated) is
# rounding, not risk: a fully hedged group must have correlation 0, not that of rounding errors.
NO_VARIANCE = 1e-20
DAYS = 64  # taken together, so that the processor works on several at once


@kernel
def group_covariances(
    covariance: FloatArray,
    unit: FloatArray,
    exposure: FloatArray,
    p: int,
    group: IntArray,
    first: int,
    days: int,
    held: IntArray,
    coefficient: FloatArray,
    out: FloatArray,
) -> None:
    r"""Covariances of the P&L of portfolio p's groups, :math:`a_g' \Sigma a_h`, into out.

    Arrays as in `netted_margin`, and `days` of them from day `first` on; held (columns,) and
    coefficient (columns, days) scratch, the latter for USD per unit shock, a; out (groups, groups,
    days), of which the lower triangle is written; variance set to 0 where it is only rounding.
    """
    out[:] = 0.0
    gross = np.zeros((len(out), days))
    k = 0
    for c in range(len(group)):
        is_held = False
        for t in range(first, first + days) if len(exposure) > 1 else range(1):
            is_held |= exposure[t, p, c] != 0.0
        if is_held:
            for t in range(first, first + days):
                amount = exposure[t if len(exposure) > 1 else 0, p, c]
                coefficient[k, t - first] = amount * unit[t, c]
            held[k] = c
            k += 1
    for one in range(k):
        c, g = held[one], group[held[one]]
        for i in range(days):
            gross[g, i] += abs(coefficient[one, i]) * np.sqrt(covariance[first + i, c, c])
        for other in range(one + 1):
            d, h = held[other], group[held[other]]
            times = 2.0 if g == h and c != d else 1.0
            high, low = max(g, h), min(g, h)
            for i in range(days):
                both = coefficient[one, i] * coefficient[other, i]
                out[high, low, i] += times * both * covariance[first + i, c, d]
    for g in range(len(out)):
        for i in range(days):
            if out[g, g, i] <= NO_VARIANCE * gross[g, i] * gross[g, i]:
                out[g, g, i] = 0.0


@kernel
def netted(
    margin: FloatArray,
    p: int,
    first: int,
    days: int,
    covariance: FloatArray,
    credit_below: float,
    floor: float,
    out: FloatArray,
) -> None:
    """Squares of portfolio p's netted margins, (days,), by the correlation of its groups, into out.

    margin (days, portfolios, groups), of which `days` from day `first` on; covariance (groups,
    groups, days), of which the lower triangle is read.
    """
    out[:days] = 0.0
    for g in range(len(covariance)):
        for i in range(days):
            out[i] += margin[first + i, p, g] * margin[first + i, p, g]
        for h in range(g):
            for i in range(days):
                spread = np.sqrt(covariance[g, g, i] * covariance[h, h, i])
                rho = covariance[g, h, i] / spread if spread > 0.0 else 0.0
                rho = min(1.0, max(floor, rho))
                # An offset is granted only for reliable dependence; otherwise margins add up.
                if not rho < credit_below:
                    rho = 1.0
                out[i] += 2.0 * rho * margin[first + i, p, g] * margin[first + i, p, h]


@kernel
def add_up(
    margin: FloatArray, covariance: FloatArray, p: int, first: int, days: int, out: FloatArray
) -> bool:
    """Margins of portfolio p, added up on `days` from day `first` on, into out (days, portfolios).

    margin and covariance as in `netted_margin`; NaN where one is not known. Returns whether the
    portfolio has more than one margin on any day.
    """
    several = False
    for t in range(first, first + days):
        out[t, p], count = 0.0, 0
        for g in range(margin.shape[2]):
            out[t, p] += margin[t, p, g]
            count += margin[t, p, g] != 0.0
        if np.isnan(covariance[t, 0, 0]):
            out[t, p] = np.nan
        several |= count > 1 and not np.isnan(out[t, p])
    return several


@kernel
def netted_margin(
    margin: FloatArray,
    covariance: FloatArray,
    unit: FloatArray,
    exposure: FloatArray,
    group: IntArray,
    credit_below: float,
    floor: float,
    out: FloatArray,
) -> None:
    r"""Margin netted by correlation, :math:`M = \sqrt{m' R m}`, into out (days, portfolios).

    margin (days, portfolios, groups) stand-alone; covariance (days, columns, columns) of shocks;
    unit (days, columns); exposure (days or 1, portfolios, columns); group (columns,). Zero variance
    gives correlation 0. A correlation that is not below `credit_below` counts as +1 (+inf takes
    every correlation as it is); a correlation below `floor` counts as `floor`. NaN where margin or
    covariance is not yet known.
    """
    days, portfolios, groups = margin.shape
    held, coefficient = np.empty(len(group), np.int64), np.empty((len(group), DAYS))
    joint, square = np.empty((groups, groups, DAYS)), np.empty(DAYS)
    for first in range(0, days, DAYS):
        count = min(DAYS, days - first)
        for p in range(portfolios):
            if not add_up(margin, covariance, p, first, count, out):
                continue  # one margin is netted against nothing, whatever the correlation
            group_covariances(
                covariance, unit, exposure, p, group, first, count, held, coefficient, joint
            )
            netted(margin, p, first, count, joint, credit_below, floor, square)
            for i in range(count):
                if not np.isnan(out[first + i, p]):
                    out[first + i, p] = np.sqrt(max(0.0, square[i]))
