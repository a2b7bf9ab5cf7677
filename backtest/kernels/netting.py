"""Square-root-of-correlation netting of stand-alone margins, day by day."""

import numpy as np
from numpy.typing import NDArray

from backtest.kernels.compile import kernel

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

# A variance below this share of its largest possible value (all columns perfectly correlated) is
# rounding, not risk: a fully hedged group must have correlation 0, not that of rounding errors.
NO_VARIANCE = 1e-20


@kernel
def list_held(
    exposure: FloatArray, p: int, group: IntArray, held: IntArray, ends: IntArray
) -> None:
    """Columns that portfolio p holds, group by group, into held; where each group ends, into ends.

    exposure and held (portfolios, columns); group (columns,); ends (portfolios, groups).
    """
    k = 0
    for g in range(ends.shape[1]):
        for c in range(len(group)):
            if group[c] == g and exposure[p, c] != 0.0:
                held[p, k] = c
                k += 1
        ends[p, g] = k


@kernel
def group_covariance(
    covariance: FloatArray,
    coefficient: FloatArray,
    p: int,
    held: IntArray,
    ends: IntArray,
    out: FloatArray,
) -> None:
    r"""Covariance of the P&L of portfolio p's groups, :math:`a_g' \Sigma a_h`, into out.

    covariance (columns, columns); coefficient (columns,) USD per unit shock, a; held and ends as
    `list_held` writes them; out (groups, groups), of which the lower triangle is written; variance
    set to 0 where it is only rounding.
    """
    for g in range(len(out)):
        first = ends[p, g - 1] if g > 0 else 0
        for h in range(g + 1):
            other_first = ends[p, h - 1] if h > 0 else 0
            total = 0.0
            for i in range(first, ends[p, g]):
                row = 0.0
                for j in range(other_first, ends[p, h]):
                    row += coefficient[held[p, j]] * covariance[held[p, i], held[p, j]]
                total += coefficient[held[p, i]] * row
            out[g, h] = total
        gross = 0.0
        for i in range(first, ends[p, g]):
            c = held[p, i]
            gross += abs(coefficient[c]) * np.sqrt(covariance[c, c])
        if out[g, g] <= NO_VARIANCE * gross * gross:
            out[g, g] = 0.0


@kernel
def netted(
    margin: FloatArray, p: int, covariance: FloatArray, credit_below: float, floor: float
) -> float:
    """Margins (portfolios, groups) of portfolio p, netted by the correlation of its groups.

    covariance (groups, groups), of which the lower triangle is read.
    """
    total = 0.0
    for g in range(len(covariance)):
        total += margin[p, g] * margin[p, g]
        for h in range(g):
            if margin[p, g] == 0.0 or margin[p, h] == 0.0:
                continue
            spread = np.sqrt(covariance[g, g] * covariance[h, h])
            rho = covariance[g, h] / spread if spread > 0.0 else 0.0
            rho = min(1.0, max(floor, rho))
            # An offset is granted only for reliable dependence; otherwise margins add up.
            if not rho < credit_below:
                rho = 1.0
            total += 2.0 * rho * margin[p, g] * margin[p, h]
    return np.sqrt(max(0.0, total))


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
    joint, coefficient = np.empty((groups, groups)), np.empty(len(group))
    held = np.empty((portfolios, len(group)), np.int64)
    ends = np.empty((portfolios, groups), np.int64)
    for t in range(days):
        # Slices are taken once a day: numba counts references to each, which takes longer than
        # to net a portfolio.
        margins, shocks = margin[t], covariance[t]
        positions = exposure[t if len(exposure) > 1 else 0]
        unknown = np.isnan(shocks[0, 0])
        for p in range(portfolios):
            if t == 0 or len(exposure) > 1:
                list_held(positions, p, group, held, ends)
            if unknown or np.isnan(margins[p, 0]):
                out[t, p] = np.nan
                continue
            alone = largest = 0.0
            for g in range(groups):
                alone += margins[p, g]
                largest = max(largest, margins[p, g])
            if alone == largest:  # one margin is netted against nothing
                out[t, p] = alone
                continue
            for c in range(len(group)):
                coefficient[c] = positions[p, c] * unit[t, c]
            group_covariance(shocks, coefficient, p, held, ends, joint)
            out[t, p] = netted(margins, p, joint, credit_below, floor)
