"""Engle and Manganelli's dynamic quantile test: no known quantity may predict exceedances."""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc

from backtest.scores.checks import check_confidence
from backtest.scores.exceedances.record import runs_of
from backtest.scores.result import TestResult
from backtest.types import DataError, FloatArray, StudyError

Variant = Literal["engle-manganelli", "squared-loss"]


def dynamic_quantile(
    exceedances: ArrayLike,
    required: ArrayLike,
    *,
    loss: ArrayLike | None = None,
    confidence: float = 0.99,
    lags: int = 4,
    variant: Variant = "engle-manganelli",
) -> TestResult:
    r"""Regress centred exceedances on known quantities, and test that no coefficient matters.

    .. math:: \frac{h' Z (Z'Z)^{-1} Z' h}{p (1-p)} \sim \chi^2, \qquad h_t = I_t - p

    Z holds a constant, `lags` lags of h, and the requirement of the same day (known before the
    loss); the 'squared-loss' variant of the GAS package adds the squared loss of the day before.
    At 1 % the test rejects too often in a few hundred days: use `monte_carlo_pvalue` there.

    Parameters
    ----------
    exceedances : (days,) bool or 0/1; NaN where a day is missing: no lag crosses it.
    required : (days,) requirement, or the quantile forecast; its sign and unit do not matter.
    loss : (days,), needed by 'squared-loss' only.

    Returns
    -------
    TestResult; not identified if no day, or every day, after the lags is an exceedance. A regressor
    that depends on the others (a constant requirement) reduces the degrees of freedom.

    Raises
    ------
    DataError : lengths that differ, a requirement or loss that is not finite on a day that is not
        missing. StudyError : an unknown variant, lags below 1.

    References
    ----------
    Engle, R. & Manganelli, S. (2004). CAViaR: conditional autoregressive value at risk by
    regression quantiles. Journal of Business & Economic Statistics, 22(4), 367-381.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> hit = rng.random(2000) < 0.05
    >>> dynamic_quantile(hit, rng.random(2000), confidence=0.95).verdict()
    'not rejected'
    """
    check_confidence(confidence)
    if variant not in ("engle-manganelli", "squared-loss"):
        raise StudyError(f"variant is {variant!r}; known: engle-manganelli, squared-loss.")
    if lags < 1:
        raise StudyError(f"lags is {lags}; give 1 or more.")
    numbers = np.asarray(exceedances, dtype=np.float64)
    columns = [_beside(numbers, "required", required)]
    if variant == "squared-loss":
        if loss is None:
            raise StudyError("the squared-loss variant needs the losses; give loss.")
        columns.append(np.concatenate([[np.nan], _beside(numbers, "loss", loss)[:-1] ** 2]))
    runs_of(exceedances)  # raises for values that are no indicator
    rate = 1.0 - confidence
    name = f"dynamic quantile, {variant}, {lags} lags"
    if len(numbers) <= lags:
        return TestResult(name, float("nan"), float("nan"), False, "more days than lags")
    explained, regressors = _rows(numbers - rate, columns, lags)
    scale = np.abs(regressors).max(axis=0, initial=0.0)
    regressors = regressors / np.where(scale > 0, scale, 1.0)  # USD beside indicators
    rank = int(np.linalg.matrix_rank(regressors)) if len(regressors) else 0
    assumed = f"independent exceedances under H0; chi-squared, {rank} df"
    if len(explained) <= regressors.shape[1] or np.ptp(explained) == 0:
        return TestResult(name, float("nan"), float("nan"), False, assumed)
    fitted = np.linalg.lstsq(regressors, explained, rcond=None)[0]
    statistic = float(np.sum((regressors @ fitted) ** 2) / (rate * confidence))
    return TestResult(name, statistic, float(chdtrc(rank, statistic)), True, assumed)


def _beside(exceedances: FloatArray, name: str, values: ArrayLike) -> FloatArray:
    """Check that every day that is not missing has a value, so that no day is dropped silently."""
    column = np.asarray(values, dtype=np.float64)
    if column.shape != exceedances.shape:
        raise DataError(
            f"{name} has {column.shape} values for {exceedances.shape} exceedances; give one a day."
        )
    if not np.isfinite(column[~np.isnan(exceedances)]).all():
        raise DataError(
            f"{name} holds NaN or an infinity on a day that is not missing in the exceedances; "
            "mark the day missing (NaN) there too."
        )
    return column


def _rows(
    centred: FloatArray, columns: list[FloatArray], lags: int
) -> tuple[FloatArray, FloatArray]:
    """Response (rows,) and regressors (rows, 1 + lags + columns) of days with all values known."""
    lagged = [centred[lags - lag : len(centred) - lag] for lag in range(1, lags + 1)]
    table = np.column_stack([np.ones(len(centred) - lags), *lagged, *(c[lags:] for c in columns)])
    explained = centred[lags:]
    whole = ~np.isnan(table).any(axis=1) & ~np.isnan(explained)
    return explained[whole], table[whole]
