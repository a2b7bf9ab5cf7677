"""Total reductions of pooled silos, each silo at its own scale: over draws of days and windows."""

import numpy as np
from numpy.typing import NDArray

from backtest.kernels.compile import kernel
from backtest.kernels.pooling import Silos, certain_scale

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@kernel
def weighted_scale(
    ratio: FloatArray, order: IntArray, weights: NDArray[np.uint8], count: int
) -> float:
    """Ratio at which the weights, taken from the largest ratio down, reach `count`; floor 0."""
    reached = 0
    for day in order:
        reached += weights[day]
        if reached >= count:
            return max(0.0, float(ratio[day]))
    return 0.0


@kernel
def window_scale(ratio: FloatArray, order: IntArray, start: int, stop: int, count: int) -> float:
    """The count-th largest ratio of the days from start to stop - 1; floor 0."""
    reached = 0
    for day in order:
        reached += start <= day < stop
        if reached >= count:
            return max(0.0, float(ratio[day]))
    return 0.0


@kernel
def weighted_reductions(
    silos: Silos,
    kappa: FloatArray,
    pooled: FloatArray,
    by_pooled: IntArray,
    weights: NDArray[np.uint8],
    count: int,
    total: FloatArray,
) -> None:
    """Total reduction of resampled histories, with the scales of each, into total (resamples,).

    kappa (silos,) scales of the sample; pooled (days,) ratio of the pool at these scales, by_pooled
    (days,) days by it, the largest first; weights (resamples, days), how often each day is drawn;
    count is the allowed exceedances + 1. Margins are positive. NaN where the scale of a silo is not
    positive.
    """
    members = len(kappa)
    scale = np.empty(members)
    top = np.empty(count)  # descending; days come nearly in this order, so few places are moved
    for b in range(len(weights)):
        # Where scales of the resample differ from those of the sample by a factor of at most
        # `most`, no later day can have a ratio above most x its own.
        most, has_scales = 0.0, True
        for s in range(members):
            scale[s] = weighted_scale(silos.ratio[s], silos.order[s], weights[b], count)
            has_scales = has_scales and scale[s] > 0.0
            if has_scales:
                most = max(most, kappa[s] / scale[s])
        if not has_scales:
            total[b] = np.nan
            continue
        filled = 0
        for day in by_pooled:
            if filled == count and pooled[day] * most <= top[count - 1]:
                break
            loss = margin = 0.0
            for s in range(members):
                loss += silos.loss[s, day]
                margin += scale[s] * silos.margin[s, day]
            value = max(0.0, loss / margin)
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
def stays(leaving: float, entering: float, scale: float) -> bool:
    """Whether a scale stays that of a window which moves by a day; ratios of the two days."""
    return leaving < scale and entering <= scale


@kernel
def pooled_ratio(silos: Silos, scale: FloatArray, day: int) -> float:
    """Loss of the pool on a day / its scaled margins; +inf where these are zero."""
    loss = margin = 0.0
    for s in range(len(scale)):
        loss += silos.loss[s, day]
        margin += scale[s] * silos.margin[s, day]
    return loss / margin if margin > 0.0 else np.inf


@kernel
def window_reductions(silos: Silos, window: int, count: int, out: FloatArray) -> None:
    """Total reduction over every window of scored days, with the scales of each, into out.

    out (days - window + 1,); NaN where a scale is not positive. Most days that leave and enter are
    in no tail, neither of a silo nor of the pool: then the window before has the answer.
    """
    members = len(silos.loss)
    tail, kappa = np.empty(count), np.empty(members)
    unmoved, guess = np.zeros(members, dtype=np.int64), 0.0
    for start in range(len(out)):
        left, last = max(0, start - 1), start + window - 1
        same, has_scales = start > 0, True
        for s in range(members):
            if start == 0 or not stays(silos.ratio[s, left], silos.ratio[s, last], kappa[s]):
                kappa[s] = window_scale(silos.ratio[s], silos.order[s], start, last + 1, count)
                same = False
            has_scales = has_scales and kappa[s] > 0.0
        if not has_scales:
            out[start] = np.nan
        elif same and stays(
            pooled_ratio(silos, kappa, left), pooled_ratio(silos, kappa, last), guess
        ):
            out[start] = out[start - 1]
        else:
            guess = certain_scale(silos, kappa, unmoved, start, start + window, guess, tail)
            out[start] = 1.0 - guess
