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
def with_margin(
    margin: FloatArray, p: int, first: int, days: int, place: IntArray, out: FloatArray
) -> int:
    """Margins of portfolio p, added up on `days` from day `first` on, into out (days, portfolios).

    Returns how many of its groups have a margin on any of these days; place (groups,) becomes the
    number of each among them, -1 of the others.
    """
    place[:] = -1
    for t in range(first, first + days):
        total = 0.0
        for g in range(len(place)):
            total += margin[t, p, g]
            if margin[t, p, g] != 0.0:
                place[g] = 0
        out[t, p] = total
    k = 0
    for g in range(len(place)):
        if place[g] == 0:
            place[g] = k
            k += 1
    return k


@kernel
def group_covariances(
    covariance: FloatArray,
    unit: FloatArray,
    exposure: FloatArray,
    p: int,
    groups: IntArray,
    count: int,
    first: int,
    days: int,
    coefficient: FloatArray,
    out: FloatArray,
) -> None:
    r"""Covariances of the P&L of portfolio p's groups, :math:`a_g' \Sigma a_h`, into out.

    Arrays as in `netted_margin`, and `days` of them from day `first` on; groups (columns,) which of
    `count` groups each column is in, -1 of none; coefficient (columns, days) scratch, for USD per
    unit shock, a; out (groups, groups, days), of which the lower triangle is written; variance set
    to 0 where it is only rounding.
    """
    gross = np.zeros((count, days))
    for g in range(count):
        out[g, : g + 1, :days] = 0.0
    for c in range(len(groups)):
        g, is_held = groups[c], False
        for t in range(first, first + days) if len(exposure) > 1 else range(1):
            is_held |= exposure[t, p, c] != 0.0
        if g < 0 or not is_held:
            groups[c] = -1
            continue
        for t in range(first, first + days):
            amount = exposure[t if len(exposure) > 1 else 0, p, c]
            coefficient[c, t - first] = amount * unit[t, c]
        for i in range(days):
            gross[g, i] += abs(coefficient[c, i]) * np.sqrt(covariance[first + i, c, c])
        for d in range(c + 1):
            h = groups[d]
            if h < 0:
                continue
            times = 2.0 if g == h and c != d else 1.0
            high, low = max(g, h), min(g, h)
            for i in range(days):
                both = coefficient[c, i] * coefficient[d, i]
                out[high, low, i] += times * both * covariance[first + i, c, d]
    for g in range(count):
        for i in range(days):
            if out[g, g, i] <= NO_VARIANCE * gross[g, i] * gross[g, i]:
                out[g, g, i] = 0.0


@kernel
def netted(
    margin: FloatArray,
    p: int,
    place: IntArray,
    first: int,
    days: int,
    covariance: FloatArray,
    credit_below: float,
    floor: float,
    out: FloatArray,
) -> None:
    """Squares of portfolio p's netted margins, (days,), by the correlation of its groups, into out.

    margin (days, portfolios, groups), of which `days` from day `first` on; place (groups,) number
    of each group in covariance (groups, groups, days), whose lower triangle is read; -1 of a group
    without margin.
    """
    out[:days] = 0.0
    for g in range(len(place)):
        if place[g] < 0:
            continue
        for i in range(days):
            out[i] += margin[first + i, p, g] * margin[first + i, p, g]
        for h in range(g):
            if place[h] < 0:
                continue
            one, other = place[g], place[h]
            for i in range(days):
                spread = np.sqrt(covariance[one, one, i] * covariance[other, other, i])
                rho = covariance[one, other, i] / spread if spread > 0.0 else 0.0
                rho = min(1.0, max(floor, rho))
                # An offset is granted only for reliable dependence; otherwise margins add up.
                if not rho < credit_below:
                    rho = 1.0
                out[i] += 2.0 * rho * margin[first + i, p, g] * margin[first + i, p, h]


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
    days, portfolios, count = margin.shape
    place, groups = np.empty(count, np.int64), np.empty(len(group), np.int64)
    coefficient, square = np.empty((len(group), DAYS)), np.empty(DAYS)
    joint = np.empty((count, count, DAYS))
    for first in range(0, days, DAYS):
        size = min(DAYS, days - first)
        for p in range(portfolios):
            k = with_margin(margin, p, first, size, place, out)
            if k > 1:  # one margin is netted against nothing, whatever the correlation
                for c in range(len(group)):
                    groups[c] = place[group[c]]
                group_covariances(
                    covariance, unit, exposure, p, groups, k, first, size, coefficient, joint
                )
                netted(margin, p, place, first, size, joint, credit_below, floor, square)
            for i in range(size):
                t = first + i
                if np.isnan(covariance[t, 0, 0]):
                    out[t, p] = np.nan
                elif k > 1 and not np.isnan(out[t, p]):
                    out[t, p] = np.sqrt(max(0.0, square[i]))
