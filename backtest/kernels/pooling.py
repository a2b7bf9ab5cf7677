"""Pooling silos: the equal-coverage scale of their sum, over shifts in time, draws and windows."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from backtest.kernels.compile import kernel

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

GUESSED = 0.92  # scales of neighbouring shifts and windows seldom differ by more


@kernel
def admit_ratio(loss: float, margin: float, tail: FloatArray) -> None:
    """Put loss / margin into `tail`, ascending, if it is above the smallest there."""
    # One comparison skips most days, gains among them, before anything is divided.
    if loss <= tail[0] * margin:
        return
    ratio = loss / margin if margin > 0.0 else np.inf
    place = 0
    while place + 1 < len(tail) and tail[place + 1] < ratio:
        tail[place] = tail[place + 1]
        place += 1
    tail[place] = ratio


@kernel
def tail_scale(loss: FloatArray, margin: FloatArray, tail: FloatArray) -> float:
    """Find the len(tail)-th largest of max(0, loss / margin); a loss over margin 0 is +inf.

    loss, margin (days,); tail (count,) is scratch, ascending at the end.
    """
    for place in range(len(tail)):
        tail[place] = 0.0
    for t in range(len(loss)):
        admit_ratio(loss[t], margin[t], tail)
    return float(tail[0])


class Silos(NamedTuple):
    """What the silos of one book lost and what they asked, and their days by ratio.

    loss, margin : (silos, days). ratio : (silos, days) loss / margin; where the margin is zero,
    +inf for a loss and -inf for none. order : (silos, days), days by ratio, the largest first.
    """

    loss: FloatArray
    margin: FloatArray
    ratio: FloatArray
    order: IntArray


@kernel
def day_before(day: int, shift: int, days: int) -> int:
    """The day `shift` days before, on a circle of days; shift 0 .. days - 1."""
    return day - shift if day >= shift else day - shift + days


@kernel
def pooled_scale(
    silos: Silos,
    scale: FloatArray,
    shift: IntArray,
    start: int,
    stop: int,
    least: float,
    tail: FloatArray,
) -> float:
    r"""Find the len(tail)-th largest ratio of the pool, or `least` if that is not larger.

    scale (silos,) of the margins; shift (silos,) days by which each silo is moved; only the days
    from start to stop - 1 count, where no silo is moved. No pooled ratio is above all ratios of
    its silos,

    .. math:: \frac{\sum_s L_s}{\sum_s M_s} \le \max_s \frac{L_s}{M_s},

    so days on which no silo has a ratio above `least` are not looked at; no ratio below it takes a
    place in `tail`.
    """
    count, days = len(silos.loss), silos.loss.shape[1]
    for place in range(len(tail)):
        tail[place] = least
    for s in range(count):
        forward = days - shift[s] if shift[s] > 0 else 0
        for place in range(days):
            source = silos.order[s, place]
            if silos.ratio[s, source] <= least * scale[s]:
                break
            day = day_before(source, forward, days)
            is_new = start <= day < stop
            for q in range(s):  # a day on which an earlier silo is above was looked at already
                is_new &= silos.ratio[q, day_before(day, shift[q], days)] <= least * scale[q]
            if not is_new:
                continue
            loss = margin = 0.0
            for q in range(count):
                own = day_before(day, shift[q], days)
                loss += silos.loss[q, own]
                margin += scale[q] * silos.margin[q, own]
            admit_ratio(loss, margin, tail)
    return float(tail[0])


@kernel
def certain_scale(
    silos: Silos,
    scale: FloatArray,
    shift: IntArray,
    start: int,
    stop: int,
    guess: float,
    tail: FloatArray,
) -> float:
    """The scale of `pooled_scale`, whatever it is; quick where it is above GUESSED x guess."""
    least = GUESSED * guess if np.isfinite(guess) else 0.0
    while True:
        found = pooled_scale(silos, scale, shift, start, stop, least, tail)
        # Ratios are rounded: one of a pool may be above those of its silos by a last digit.
        if found > least * (1.0 + 1e-12) or least == 0.0:
            return found
        least = GUESSED * least if least > 0.5 * guess else 0.0


@kernel
def shifted_scales(silos: Silos, shifts: IntArray, count: int, out: FloatArray) -> None:
    """Equal-coverage scale of the pooled silos after circular shifts, into out (shifts,).

    shifts (shifts, silos), 0 .. days - 1: days by which each silo's loss and margin move together;
    count is the allowed exceedances + 1.
    """
    tail, scale = np.empty(count), np.ones(len(silos.loss))
    days, guess = silos.loss.shape[1], 0.0
    for r in range(len(shifts)):
        guess = out[r] = certain_scale(silos, scale, shifts[r], 0, days, guess, tail)


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
