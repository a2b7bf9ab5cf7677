"""The order statistic of a resample in which days are drawn several times."""

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
    r"""Value exceeded by at most `allowed` cells, where a cell counts once per draw of its day.

    .. math:: out_b = v_{k}, \qquad k = \min \{k : w_{b,d_0} + \dots + w_{b,d_k} > allowed\}

    values (cells,) : descending. days (cells,) : the day of each cell. weights (resamples, days).
    allowed : cells that may exceed. out (resamples,) : written; NaN where the cells run out first.
    """
    for resample in range(weights.shape[0]):
        cells_above = 0.0
        out[resample] = np.nan
        for cell in range(values.shape[0]):
            cells_above += weights[resample, days[cell]]
            if cells_above > allowed:
                out[resample] = values[cell]
                break
