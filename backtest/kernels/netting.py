"""Square-root-of-correlation netting of stand-alone margins, day by day."""

import numpy as np
from numpy.typing import NDArray

from backtest.kernels.compile import kernel

# A variance below this share of its largest possible value (all columns perfectly correlated) is
# rounding, not risk: a fully hedged group must have correlation 0, not that of rounding errors.
NO_VARIANCE = 1e-20


@kernel
def held_columns(
    exposure: NDArray[np.float64],
    unit: NDArray[np.float64],
    held: NDArray[np.int64],
    coefficient: NDArray[np.float64],
) -> int:
    """Columns with a coefficient, and their USD per unit shock; returns their number.

    All (columns,); the last two are written from the front.
    """
    k = 0
    for c in range(len(exposure)):
        value = exposure[c] * unit[c]
        if value != 0.0:
            held[k] = c
            coefficient[k] = value
            k += 1
    return k


@kernel
def group_covariance(
    covariance: NDArray[np.float64],
    held: NDArray[np.int64],
    coefficient: NDArray[np.float64],
    group: NDArray[np.int64],
    gross: NDArray[np.float64],
    out: NDArray[np.float64],
) -> None:
    r"""Covariance of the P&L of groups of columns, :math:`a_g' \Sigma a_h`, into out.

    covariance (columns, columns); held (columns held,) which they are; coefficient (columns held,)
    USD per unit shock; group (columns,) index of each column's group; gross (groups,) scratch; out
    (groups, groups), of which the lower triangle is used; variance set to 0 where it is only
    rounding.
    """
    gross[:] = 0.0
    out[:, :] = 0.0
    for i in range(len(held)):
        c, g = held[i], group[held[i]]
        variance = coefficient[i] * coefficient[i] * covariance[c, c]
        gross[g] += np.sqrt(variance)
        out[g, g] += variance
        for j in range(i):
            d, h = held[j], group[held[j]]
            shared = coefficient[i] * coefficient[j] * covariance[c, d]
            if g == h:
                out[g, g] += 2.0 * shared
            else:
                out[max(g, h), min(g, h)] += shared
    for g in range(len(out)):
        if out[g, g] <= NO_VARIANCE * gross[g] * gross[g]:
            out[g, g] = 0.0


@kernel
def netted(
    margin: NDArray[np.float64],
    covariance: NDArray[np.float64],
    credit_below: float,
    floor: float,
) -> float:
    """Margins (groups,) netted by the correlation of the groups' covariance (groups, groups)."""
    total = 0.0
    for g in range(len(margin)):
        total += margin[g] * margin[g]
        for h in range(g):
            if margin[g] == 0.0 or margin[h] == 0.0:
                continue
            spread = np.sqrt(covariance[g, g] * covariance[h, h])
            rho = covariance[g, h] / spread if spread > 0.0 else 0.0
            rho = min(1.0, max(floor, rho))
            # An offset is granted only for reliable dependence; otherwise margins add up.
            if not rho < credit_below:
                rho = 1.0
            total += 2.0 * rho * margin[g] * margin[h]
    return np.sqrt(max(0.0, total))


@kernel
def netted_margin(
    margin: NDArray[np.float64],
    covariance: NDArray[np.float64],
    unit: NDArray[np.float64],
    exposure: NDArray[np.float64],
    group: NDArray[np.int64],
    credit_below: float,
    floor: float,
    out: NDArray[np.float64],
) -> None:
    r"""Margin netted by correlation, :math:`M = \sqrt{m' R m}`, into out (days, portfolios).

    margin (days, portfolios, groups) stand-alone; covariance (days, columns, columns) of shocks;
    unit (days, columns); exposure (days or 1, portfolios, columns); group (columns,). Zero variance
    gives correlation 0. A correlation that is not below `credit_below` counts as +1 (+inf takes
    every correlation as it is); a correlation below `floor` counts as `floor`. NaN where margin or
    covariance is not yet known.
    """
    days, portfolios, groups = margin.shape
    width = len(group)
    joint, gross = np.empty((groups, groups)), np.empty(groups)
    held, coefficient = np.empty(width, np.int64), np.empty(width)
    for t in range(days):
        unknown = np.isnan(covariance[t, 0, 0])
        for p in range(portfolios):
            if unknown or np.isnan(margin[t, p, 0]):
                out[t, p] = np.nan
                continue
            alone = largest = 0.0
            for g in range(groups):
                alone += margin[t, p, g]
                largest = max(largest, margin[t, p, g])
            if alone == largest:  # one margin is netted against nothing
                out[t, p] = alone
                continue
            positions = exposure[t if len(exposure) > 1 else 0, p]
            k = held_columns(positions, unit[t], held, coefficient)
            group_covariance(covariance[t], held[:k], coefficient[:k], group, gross, joint)
            out[t, p] = netted(margin[t, p], joint, credit_below, floor)
