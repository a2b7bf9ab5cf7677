"""The order statistic of days that count several times."""

import numpy as np
from numpy.typing import NDArray

from backtest.kernels.compile import kernel


@kernel
def weighted_tail(
    values: NDArray[np.float64],
    days: NDArray[np.int64],
    weights: NDArray[np.float64],
    allowed: float,
    out: NDArray[np.float64],
) -> None:
    r"""Value that at most `allowed` cells exceed, cell k counting as often as its day is drawn.

    .. math:: out_b = v_{k}, \qquad k = \min \{k : w_{b,d_0} + \dots + w_{b,d_k} > allowed\}

    values (cells,) : descending. days (cells,) : the day of each cell. weights (resamples, days).
    allowed : cells that may exceed. out (resamples,) : written; NaN where the cells run out first.
    """
    for resample in range(weights.shape[0]):
        drawn = 0.0
        out[resample] = np.nan
        for cell in range(values.shape[0]):
            drawn += weights[resample, days[cell]]
            if drawn > allowed:
                out[resample] = values[cell]
                break
