"""The BFGS update of a quasi-Newton search."""

import numpy as np

from backtest.kernels.compile import kernel
from backtest.kernels.tail_select import FloatArray


@kernel
def update_inverse(inverse: FloatArray, step: FloatArray, turn: FloatArray) -> None:
    """BFGS: correct the inverse curvature by a step and the change of slope over it."""
    size = len(step)
    along = 0.0
    for i in range(size):
        along += step[i] * turn[i]
    # Without positive curvature along the step the update would lose positive definiteness, and
    # the next step might go uphill.
    if along <= 1e-14:
        return
    bent, across = np.empty(size), 0.0
    for i in range(size):
        row = 0.0
        for j in range(size):
            row += inverse[i, j] * turn[j]
        bent[i] = row
        across += turn[i] * row
    scale = (1.0 + across / along) / along
    for i in range(size):
        for j in range(size):
            inverse[i, j] += scale * step[i] * step[j]
            inverse[i, j] -= (bent[i] * step[j] + step[i] * bent[j]) / along
