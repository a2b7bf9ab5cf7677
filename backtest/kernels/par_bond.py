"""Slopes of par bonds by sums over their payments, for many days at once."""

import numpy as np
from numpy.typing import NDArray

from backtest.kernels.compile import kernel

DAYS = 256  # taken together: their sums stay in the nearest cache


@kernel
def par_bond_slopes(level: NDArray[np.float64], coupons: int, out: NDArray[np.float64]) -> None:
    r"""Minus modified duration and convexity of a par bond of half-yearly coupons, into out.

    .. math:: D = q \Bigl(\frac{y}{2} \sum_k t_k q^k + t_n q^n\Bigr), \quad
              C = q^2 \Bigl(\frac{y}{2} \sum_k t_k (t_k + \tfrac12) q^k
                            + t_n (t_n + \tfrac12) q^n\Bigr), \quad q = \frac{1}{1 + y/2}

    level (days,) par yields y; t_k = k/2 years, k = 1 .. n = `coupons`; out (days, 2), the second
    of which is in years squared. At par the price is 1, so these are per USD of notional too.
    """
    # The closed forms divide by the yield squared and cancel where it is small, as in 2020. The
    # sums are taken from the last payment to the first, each step a factor q nearer to today.
    near, far = np.empty(DAYS), np.empty(DAYS)  # sums of k q^k and of k (k + 1) q^k
    discount, last = np.empty(DAYS), np.empty(DAYS)
    for first in range(0, len(level), DAYS):
        days = min(DAYS, len(level) - first)
        for i in range(days):
            discount[i] = 1.0 / (1.0 + level[first + i] / 2.0)
            near[i] = far[i] = 0.0
            last[i] = 1.0
        for k in range(coupons, 0, -1):
            for i in range(days):
                near[i] = (near[i] + k) * discount[i]
                far[i] = (far[i] + k * (k + 1)) * discount[i]
                last[i] *= discount[i]
        for i in range(days):
            coupon, q = level[first + i] / 2.0, discount[i]
            duration = coupon * near[i] + coupons * last[i]
            convexity = coupon * far[i] + coupons * (coupons + 1) * last[i]
            out[first + i, 0] = -duration * q / 2.0
            out[first + i, 1] = convexity * q * q / 4.0
