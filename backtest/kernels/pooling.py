"""Pooling silos: the equal-coverage scale of their sum, over shifts in time."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from backtest.kernels.compile import kernel

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

GUESSED = 0.95  # scales of neighbouring shifts and windows seldom differ by more


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
def largest_ratio(ratio: FloatArray, size: int, count: int) -> float:
    """Find the count-th largest of ratio[:size], which are moved about (Hoare's selection)."""
    low, high, place = 0, size - 1, size - count
    while low < high:
        pivot, left, right = ratio[(low + high) >> 1], low, high
        while left <= right:
            while ratio[left] < pivot:
                left += 1
            while ratio[right] > pivot:
                right -= 1
            if left <= right:
                ratio[left], ratio[right] = ratio[right], ratio[left]
                left += 1
                right -= 1
        if place <= right:
            high = right
        elif place >= left:
            low = left
        else:
            break
    return float(ratio[place])


@kernel
def paired_scale(silos: Silos, gap: int, least: float, count: int, room: FloatArray) -> float:
    """`pooled_scale` of two silos, the second moved `gap` days further, over all days.

    Scales are 1. Most books have two silos, for which this takes half the time. room (days,) is
    scratch.
    """
    days, size = silos.loss.shape[1], 0
    for s in range(2):
        first, second = silos.loss[s], silos.loss[1 - s]
        first_margin, second_margin = silos.margin[s], silos.margin[1 - s]
        ratio, second_ratio = silos.ratio[s], silos.ratio[1 - s]
        back = gap if s == 0 else day_before(0, gap, days)
        for day in silos.order[s]:
            if ratio[day] <= least:
                break
            own = day_before(day, back, days)
            if s == 1 and second_ratio[own] > least:
                continue  # looked at already
            loss, margin = first[day] + second[own], first_margin[day] + second_margin[own]
            if loss > least * margin:
                room[size] = loss / margin if margin > 0.0 else np.inf
                size += 1
    return largest_ratio(room, size, count) if size >= count else least


@kernel
def lowered(least: float, guess: float) -> float:
    """The next lower ratio to look above; 0 where it is far below the guess, or there is none."""
    return GUESSED * least if 0.5 * guess < least < np.inf else 0.0


@kernel
def is_certain(found: float, least: float) -> bool:
    """Whether a scale that was looked for above `least` is the right one."""
    # Ratios are rounded: one of a pool may be above those of its silos by a last digit.
    return found > least * (1.0 + 1e-12) or least == 0.0


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
    least = lowered(guess, guess)
    while True:
        found = pooled_scale(silos, scale, shift, start, stop, least, tail)
        if is_certain(found, least):
            return found
        least = lowered(least, guess)


@kernel
def certain_pair(silos: Silos, gap: int, guess: float, count: int, room: FloatArray) -> float:
    """The scale of `paired_scale`, as `certain_scale` finds it."""
    least = lowered(guess, guess)
    while True:
        found = paired_scale(silos, gap, least, count, room)
        if is_certain(found, least):
            return found
        least = lowered(least, guess)


@kernel
def shifted_scales(silos: Silos, shifts: IntArray, count: int, out: FloatArray) -> None:
    """Equal-coverage scale of the pooled silos after circular shifts, into out (shifts,).

    shifts (shifts, silos), 0 .. days - 1: days by which each silo's loss and margin move together;
    count is the allowed exceedances + 1.
    """
    days, guess = silos.loss.shape[1], 0.0
    tail, room, scale = np.empty(count), np.empty(days), np.ones(len(silos.loss))
    for r in range(len(shifts)):
        if len(scale) == 2:
            gap = day_before(shifts[r, 1], shifts[r, 0], days)
            guess = certain_pair(silos, gap, guess, count, room)
        else:
            guess = certain_scale(silos, scale, shifts[r], 0, days, guess, tail)
        out[r] = guess
