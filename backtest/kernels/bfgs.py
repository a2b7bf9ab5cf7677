"""The BFGS update of a quasi-Newton search."""

import numpy as np

from backtest.kernels.compile import kernel
from backtest.kernels.tail_select import FloatArray


@kernel
def update_inverse(inverse: FloatArray, step: FloatArray, turn: FloatArray) -> None:
    """BFGS: correct the inverse curvature by a step and the change of slope over it."""
    # Without positive curvature along the step the update would lose positive definiteness, and
    # the next step might go uphill.
    along = np.dot(step, turn)
    if along <= 1e-14:
        return
    size = len(step)
    bent = np.zeros(size)
    for i in range(size):
        for j in range(size):
            bent[i] += inverse[i, j] * turn[j]
    scale = (1.0 + np.dot(turn, bent) / along) / along
    for i in range(size):
        for j in range(size):
            inverse[i, j] += scale * step[i] * step[j]
            inverse[i, j] -= (bent[i] * step[j] + step[i] * bent[j]) / along
