"""What accounts leave unpaid if nobody is drawn to default: the kernel's rule, for whole arrays."""

import numpy as np
import numpy.typing as npt

from backtest.types import FloatArray


def left_unpaid(
    loss: FloatArray, beyond: FloatArray, *, nets: npt.ArrayLike, resources: npt.ArrayLike
) -> FloatArray:
    """(...,) USD that is left when resources and gains at other houses have paid.

    Below zero is what an account could still pay. Of a firm's own account too, whose resources are
    the firm's capital and come later.

    Parameters
    ----------
    loss, beyond : (..., houses) USD lost, and lost beyond collateral; gains and what is left are
        below zero.
    nets : (...,) whether legs are closed out together. resources : (...,) USD.

    Examples
    --------
    >>> loss, beyond = np.array([12.0, -3.0]), np.array([8.0, -7.0])
    >>> [left_unpaid(loss, beyond, nets=nets, resources=2.0).item() for nets in (False, True)]
    [3.0, -1.0]
    """
    apart = np.maximum(beyond, 0.0).sum(axis=-1) - resources - np.maximum(-loss, 0.0).sum(axis=-1)
    unpaid: FloatArray = np.where(nets, beyond.sum(axis=-1) - resources, apart)
    return unpaid
