"""Exponentially weighted variances over a trailing window, for series that do not change."""

import numpy as np
from numpy.typing import NDArray

from backtest.kernels.compile import kernel

FloatArray = NDArray[np.float64]

# Sums that shrank to less than this share of what they were have lost two digits to what was
# dropped from them, and are added up anew.
LEFT = 0.01


@kernel
def windowed_ewma(
    pnl: FloatArray, decay: float, lookback: int, first: int, out: FloatArray
) -> None:
    r"""Variance of the day after each close, from the `lookback` P&Ls up to it alone.

    .. math:: v_t = \lambda^n \frac{1}{n} \sum_{i < n} p_{t-i}^2
              + (1 - \lambda) \sum_{i < n} \lambda^i p_{t-i}^2

    which is the recursion begun anew on every window, with the mean square of the window as the
    variance before it (`variance_rows`). Here the sums of a window follow from those of the day
    before: one square enters, one leaves. They are added up anew once a window, so that rounding
    does not grow, and wherever most of a sum has left it.

    pnl (days, series); out (days, series) is written from row `first` on, which is lookback - 1 or
    later; its earlier rows stay as they are.
    """
    gone = decay**lookback
    for p in range(pnl.shape[1]):
        plain = weighted = most_plain = 0.0
        left = 0  # days until the sums are added up anew
        for t in range(first, len(pnl)):
            square, old = pnl[t, p] ** 2, 0.0
            if left > 0:
                old = pnl[t - lookback, p] ** 2
                before = decay * weighted + square
                weighted, plain = before - gone * old, plain + square - old
                most_plain = max(most_plain, plain)
                if weighted < LEFT * before or plain < LEFT * most_plain:
                    left = 0
            if left == 0:
                plain = weighted = 0.0
                for i in range(t - lookback + 1, t + 1):
                    plain += pnl[i, p] ** 2
                    weighted = decay * weighted + pnl[i, p] ** 2
                most_plain, left = plain, lookback
            left -= 1
            out[t, p] = gone * plain / lookback + (1.0 - decay) * weighted
