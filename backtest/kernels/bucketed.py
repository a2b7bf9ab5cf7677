"""Filtered returns over several days, dealt into buckets in which they do not overlap."""

import numpy as np

from backtest.kernels.compile import kernel
from backtest.kernels.tail_select import FloatArray, IntArray, heap_largest

WHOLE = 1e-9  # a place in the order that is whole within this is whole: 500 x (1 - 0.99) is 5


@kernel
def filter_returns(
    returns: FloatArray,
    weight: FloatArray,
    step: int,
    demeaned: bool,
    mean: FloatArray,
    volatility: FloatArray,
    filtered: FloatArray,
) -> None:
    r"""Weighted mean and volatility of every `step`-th return, and returns freed of both.

    .. math:: \mu_t = \sum_j w_j r_{t-jM}, \quad
              \sigma_t^2 = \sum_j w_j (r_{t-jM} - \mu_{t-jM})^2, \quad
              z_t = \frac{r_t - \mu_{t-M}}{\sigma_{t-M}}

    A return is taken from the mean of its own day, not from that of the latest; without `demeaned`
    the volatility is that about zero, and z is freed of the mean all the same. z is 0 where the
    volatility is.

    returns (days,), leading NaN; weight (terms,) w, the latest first; step M. The three outputs
    (days,) are written where they are known; their other rows stay as they are.
    """
    terms, days = len(weight), len(returns)
    for t in range((terms - 1) * step, days):
        total = 0.0
        for j in range(terms):
            total += weight[j] * returns[t - j * step]
        mean[t] = total
    for t in range((terms - 1) * step, days):
        total = 0.0
        for j in range(terms):
            day = t - j * step
            apart = returns[day] - mean[day] if demeaned else returns[day]
            total += weight[j] * apart * apart
        volatility[t] = np.sqrt(total)
    for t in range(step, days):
        begun = volatility[t - step]
        filtered[t] = 0.0 if begun == 0.0 else (returns[t] - mean[t - step]) / begun


@kernel
def floored_volatility(
    volatility: FloatArray, step: int, lookback: int, first: int, out: FloatArray
) -> None:
    r"""Volatility by which each bucket's returns are scaled on a day, never below its median.

    .. math:: s_{tk} = \max\left(\operatorname{median}_{j : k + jM < n} \sigma_{t-k-jM},\;
              \frac{1}{M} \sum_{i < M} \sigma_{t-i}\right)

    Bucket k of day t holds the days t - k, t - k - M, ... of the last n = `lookback`. volatility
    (days,), known from day `first` - n + 1 on; out (days, M buckets) is written from `first` on.
    """
    members = np.empty((lookback + step - 1) // step)
    for t in range(first, len(volatility)):
        latest = 0.0
        for i in range(step):
            latest += volatility[t - i]
        latest /= step
        for k in range(step):
            size = (lookback - k + step - 1) // step
            for j in range(size):
                members[j] = volatility[t - k - j * step]
            out[t, k] = max(np.median(members[:size]), latest)


@kernel
def bucketed_tail(
    pnl: FloatArray, bucket: IntArray, buckets: int, share: float, out: FloatArray
) -> None:
    r"""Loss at a quantile of each bucket's P&Ls, averaged over the buckets.

    .. math:: -\frac{1}{N} \sum_k N_k Q_k(\alpha)

    Q_k is the alpha = `share` quantile of the known P&Ls of bucket k, the mean of two neighbours
    where the number of P&Ls times alpha is whole (type 2 of Hyndman & Fan 1996). N_k counts all
    members of a bucket, also those not known (NaN), and N those of all buckets with one known.

    pnl (portfolios, scenarios); bucket (scenarios,) 0 .. buckets - 1; out (portfolios,), loss > 0,
    NaN where no P&L is known.
    """
    losses, heap = np.empty(pnl.shape[1]), np.empty(pnl.shape[1])
    for p in range(len(pnl)):
        total = weight = 0.0
        for k in range(buckets):
            known = size = 0
            for s in range(pnl.shape[1]):
                if bucket[s] == k:
                    size += 1
                    if not np.isnan(pnl[p, s]):
                        losses[known] = -pnl[p, s]
                        known += 1
            if known == 0:
                continue
            place = known * share
            below = int(np.floor(place + WHOLE))
            tail = heap_largest(losses[:known], heap[: below + 1])
            if below > 0 and place - below < WHOLE:
                # The next larger loss is one of the two below the top of the heap.
                tail = (tail + np.min(heap[1 : min(3, below + 1)])) / 2.0
            total += size * tail
            weight += size
        # Adding zero turns -0.0, the loss of a position worth nothing, into 0.0.
        out[p] = total / weight + 0.0 if weight > 0.0 else np.nan
