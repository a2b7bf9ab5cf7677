"""Pooling two silos: the equal-coverage scale of their sum, over every shift in time."""

import numpy as np
from numpy.typing import NDArray

from backtest.kernels.compile import kernel


@kernel
def tail_scale(
    loss: NDArray[np.float64], margin: NDArray[np.float64], tail: NDArray[np.float64]
) -> float:
    """Find the len(tail)-th largest of max(0, loss / margin); a loss over margin 0 is +inf.

    loss, margin (days,); tail (count,) is scratch, ascending at the end.
    """
    count = len(tail)
    tail[:] = 0.0
    low = 0.0
    for t in range(len(loss)):
        # One comparison skips most days, gains among them: only a ratio above the smallest of the
        # tail can change the tail.
        if loss[t] <= low * margin[t]:
            continue
        ratio = loss[t] / margin[t] if margin[t] > 0.0 else np.inf
        place = 0
        while place + 1 < count and tail[place + 1] < ratio:
            tail[place] = tail[place + 1]
            place += 1
        tail[place] = ratio
        low = tail[0]
    return float(tail[0])


@kernel
def add_rotated(into: NDArray[np.float64], series: NDArray[np.float64], start: int) -> None:
    """Add `series` (days,), from `start` to its end and then from its beginning, to `into`."""
    head, tail = series[start:], series[:start]
    for t in range(len(head)):
        into[t] += head[t]
    rest = into[len(head) :]
    for t in range(len(tail)):
        rest[t] += tail[t]


@kernel
def shifted_scales(
    loss: NDArray[np.float64],
    margin: NDArray[np.float64],
    shifts: NDArray[np.int64],
    count: int,
    out: NDArray[np.float64],
) -> None:
    """Equal-coverage scale of the pooled silos after circular shifts, into out (shifts,).

    loss, margin (silos, days); shifts (shifts, silos) days by which each silo's loss and margin
    move together; count is the allowed exceedances + 1.
    """
    silos, days = loss.shape
    pooled_loss = np.empty(days)
    pooled_margin = np.empty(days)
    tail = np.empty(count)
    for r in range(len(shifts)):
        pooled_loss[:] = 0.0
        pooled_margin[:] = 0.0
        for s in range(silos):
            start = (days - shifts[r, s] % days) % days
            add_rotated(pooled_loss, loss[s], start)
            add_rotated(pooled_margin, margin[s], start)
        out[r] = tail_scale(pooled_loss, pooled_margin, tail)


@kernel
def weighted_scale(
    ratio: NDArray[np.float64], order: NDArray[np.int64], weights: NDArray[np.uint8], count: int
) -> float:
    """Ratio at which the weights, taken from the largest ratio down, reach `count`; floor 0."""
    reached = 0
    for day in order:
        reached += weights[day]
        if reached >= count:
            return max(0.0, float(ratio[day]))
    return 0.0


@kernel
def weighted_reductions(
    loss: NDArray[np.float64],
    margin: NDArray[np.float64],
    weights: NDArray[np.uint8],
    count: int,
    total: NDArray[np.float64],
) -> None:
    """Total reduction of resampled histories, with the scales of each, into total (resamples,).

    loss, margin (silos, days), margin positive; weights (resamples, days), how often each day is
    drawn; count is the allowed exceedances + 1. NaN where the scale of a silo is not positive.
    """
    silos, days = loss.shape
    ratio = np.empty((silos, days))
    order = np.empty((silos, days), dtype=np.int64)
    for s in range(silos):
        ratio[s] = loss[s] / margin[s]
        order[s] = np.argsort(-ratio[s])
    kappa, pooled_loss, pooled_margin = np.empty(silos), np.zeros(days), np.zeros(days)
    for s in range(silos):
        pooled_loss += loss[s]
        pooled_margin += max(0.0, ratio[s, order[s, count - 1]]) * margin[s]
    # Days in the order of their ratio at the scales of the sample: where those of the resample
    # differ by a factor of at most `most`, no later day can have a ratio above most x its own.
    sample = pooled_loss / np.maximum(pooled_margin, 1e-300)
    by_ratio = np.argsort(-sample)
    top = np.empty(count)  # descending; days come nearly in this order, so few places are moved
    for b in range(len(weights)):
        most, has_scales = 0.0, True
        for s in range(silos):
            kappa[s] = weighted_scale(ratio[s], order[s], weights[b], count)
            has_scales = has_scales and kappa[s] > 0.0
            if has_scales:
                most = max(most, max(0.0, ratio[s, order[s, count - 1]]) / kappa[s])
        if not has_scales:
            total[b] = np.nan
            continue
        filled = 0
        for day in by_ratio:
            if filled == count and sample[day] * most <= top[count - 1]:
                break
            scaled = 0.0
            for s in range(silos):
                scaled += kappa[s] * margin[s, day]
            value = max(0.0, pooled_loss[day] / scaled)
            for _ in range(weights[b, day]):
                if filled == count and value <= top[count - 1]:
                    break
                place = min(filled, count - 1)
                filled = min(filled + 1, count)
                while place > 0 and top[place - 1] < value:
                    top[place] = top[place - 1]
                    place -= 1
                top[place] = value
        total[b] = 1.0 - top[count - 1]


@kernel
def window_reductions(
    loss: NDArray[np.float64],
    margin: NDArray[np.float64],
    window: int,
    count: int,
    out: NDArray[np.float64],
) -> None:
    """Total reduction over every window of scored days, with the scales of each, into out.

    loss, margin (silos, days); out (days - window + 1,); NaN where a scale is not positive.
    """
    silos, days = loss.shape
    tail = np.empty(count)
    for start in range(days - window + 1):
        pooled_loss = np.zeros(window)
        pooled_margin = np.zeros(window)
        for s in range(silos):
            part, cover = loss[s, start : start + window], margin[s, start : start + window]
            kappa = tail_scale(part, cover, tail)
            pooled_loss += part
            pooled_margin += (kappa if kappa > 0.0 else np.nan) * cover
        if np.isnan(pooled_margin[0]):
            out[start] = np.nan
        else:
            out[start] = 1.0 - tail_scale(pooled_loss, pooled_margin, tail)
