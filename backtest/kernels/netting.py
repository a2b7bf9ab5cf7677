"""Square-root-of-correlation netting of stand-alone margins, day by day."""

import numpy as np
from numpy.typing import NDArray

from backtest.kernels.compile import kernel

# A variance below this share of its largest possible value (all columns perfectly correlated) is
# rounding, not risk: a fully hedged group must have correlation 0, not that of rounding errors.
NO_VARIANCE = 1e-20


@kernel
def group_covariance(
    covariance: NDArray[np.float64],
    coefficient: NDArray[np.float64],
    group: NDArray[np.int64],
    groups: int,
    out: NDArray[np.float64],
) -> None:
    r"""Covariance of the P&L of groups of columns, :math:`a_g' \Sigma a_h`, into out.

    covariance (columns, columns); coefficient (columns,) USD per unit shock; group (columns,) index
    of each column's group; out (groups, groups), variance set to 0 where it is only rounding.
    """
    columns = len(coefficient)
    gross = np.zeros(groups)
    out[:, :] = 0.0
    for c in range(columns):
        if coefficient[c] == 0.0:
            continue
        gross[group[c]] += abs(coefficient[c]) * np.sqrt(covariance[c, c])
        for d in range(columns):
            out[group[c], group[d]] += coefficient[c] * coefficient[d] * covariance[c, d]
    for g in range(groups):
        if out[g, g] <= NO_VARIANCE * gross[g] * gross[g]:
            out[g, g] = 0.0


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
    joint = np.empty((groups, groups))
    for t in range(days):
        unknown = np.isnan(covariance[t, 0, 0])
        for p in range(portfolios):
            if unknown or np.isnan(margin[t, p, 0]):
                out[t, p] = np.nan
                continue
            held = exposure[t if len(exposure) > 1 else 0, p]
            group_covariance(covariance[t], held * unit[t], group, groups, joint)
            total = 0.0
            for g in range(groups):
                total += margin[t, p, g] * margin[t, p, g]
                for h in range(g):
                    spread = np.sqrt(joint[g, g] * joint[h, h])
                    rho = joint[g, h] / spread if spread > 0.0 else 0.0
                    rho = min(1.0, max(floor, rho))
                    # An offset is granted only for reliable dependence; otherwise margins add up.
                    if not rho < credit_below:
                        rho = 1.0
                    total += 2.0 * rho * margin[t, p, g] * margin[t, p, h]
            out[t, p] = np.sqrt(max(0.0, total))
