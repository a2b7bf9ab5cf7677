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
def resampled_reductions(
    loss: NDArray[np.float64],
    margin: NDArray[np.float64],
    days_drawn: NDArray[np.int64],
    shifts: NDArray[np.int64],
    count: int,
    total: NDArray[np.float64],
    dependence: NDArray[np.float64],
) -> None:
    """Total reduction and dependence offset of resampled histories, into total and dependence.

    loss, margin (silos, days); days_drawn (resamples, days of a resample), the same days for all
    silos; shifts (resamples, shifts, silos); total, dependence (resamples,). Equal-coverage scales
    of the silos are computed for each resample; NaN where one of them is not positive.
    """
    silos, days = len(loss), days_drawn.shape[1]
    drawn_loss = np.empty((silos, days))
    scaled = np.empty((silos, days))
    tail = np.empty(count)
    thetas = np.empty(shifts.shape[1])
    no_shift = np.zeros((1, silos), dtype=shifts.dtype)
    pooled = np.empty(1)
    for b in range(len(days_drawn)):
        has_scales = True
        for s in range(silos):
            for t in range(days):
                drawn_loss[s, t] = loss[s, days_drawn[b, t]]
                scaled[s, t] = margin[s, days_drawn[b, t]]
            kappa = tail_scale(drawn_loss[s], scaled[s], tail)
            has_scales = has_scales and kappa > 0.0
            for t in range(days):
                scaled[s, t] *= kappa
        if not has_scales:
            total[b] = np.nan
            dependence[b] = np.nan
            continue
        shifted_scales(drawn_loss, scaled, no_shift, count, pooled)
        shifted_scales(drawn_loss, scaled, shifts[b], count, thetas)
        total[b] = 1.0 - pooled[0]
        dependence[b] = thetas.mean() - pooled[0]


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
