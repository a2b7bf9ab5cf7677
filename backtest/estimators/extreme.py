"""Peaks over a threshold: the generalised Pareto law of what lies beyond."""

import numpy as np

from backtest.kernels.pareto import fit_excesses
from backtest.types import FloatArray, StudyError


def fit_pareto(excesses: FloatArray) -> tuple[float, float]:
    r"""Shape xi and scale beta of the likeliest generalised Pareto law of excesses.

    .. math:: P(Y > y) = (1 + \xi y / \beta)^{-1 / \xi}

    xi is sought in (-0.5, 0.95): below, the likelihood has no regular maximum; above, the expected
    shortfall is as good as infinite.

    Parameters
    ----------
    excesses : (count,) losses less the threshold, >= 0, any unit.

    Raises
    ------
    StudyError : fewer than ten of them, or one that is negative or not finite.

    References
    ----------
    Grimshaw, S. (1993). Computing maximum likelihood estimates for the generalized Pareto
    distribution. Technometrics, 35(2), 185-191.

    Examples
    --------
    >>> u = (np.arange(2000) + 0.5) / 2000
    >>> shape, scale = fit_pareto((u**-0.25 - 1.0) / 0.25)
    >>> round(shape, 1), round(scale, 1)
    (0.2, 1.0)
    """
    values = np.ascontiguousarray(excesses, dtype=np.float64)
    if values.ndim != 1 or len(values) < 10 or not (np.isfinite(values) & (values >= 0)).all():
        raise StudyError(
            f"{values.size} excesses of shape {values.shape}; give ten or more, one axis, finite "
            "and not negative."
        )
    shape, scale, _, _ = fit_excesses(values)
    return float(shape), float(scale)
