"""Coverage where the confidence level differs by day: the count is Poisson-binomial."""

import numpy as np
from numpy.typing import ArrayLike

from backtest.scores.checks import as_indicator
from backtest.scores.result import TestResult
from backtest.types import DataError, FloatArray


def varying_coverage(exceedances: ArrayLike, rates: ArrayLike) -> TestResult:
    """Test that each day's chance of an exceedance is at most its own rate; exact, one-sided.

    With one rate it is the binomial test. Use it if the standard changed within the record, or if
    products with different confidence levels are counted together; days are assumed independent.

    Parameters
    ----------
    exceedances : (days,) bool or 0/1.
    rates : (days,) chance of an exceedance that the model claims for each day, in (0, 1).

    Returns
    -------
    TestResult; the statistic is the count, `estimates` holds its expectation and the p-value
    against too few. Not identified without a day.

    Raises
    ------
    DataError : lengths that differ, a rate outside (0, 1).

    References
    ----------
    Hong, Y. (2013). On computing the distribution function for the Poisson binomial distribution.
    Computational Statistics & Data Analysis, 59, 41-51.

    Examples
    --------
    >>> result = varying_coverage([1, 1, 0], [0.5, 0.5, 0.1])
    >>> result.statistic, round(result.pvalue, 9)
    (2.0, 0.3)
    """
    marked, chance = as_indicator(exceedances), np.asarray(rates, dtype=np.float64)
    if marked.ndim != 1 or chance.shape != marked.shape:
        raise DataError(
            f"rates have shape {chance.shape} for exceedances {marked.shape}; give one a day."
        )
    if not ((chance > 0.0) & (chance < 1.0)).all():
        raise DataError("rates must lie strictly between 0 and 1 on every day.")
    name, assumed = "Poisson-binomial coverage", "independent days; exact"
    if not marked.size:
        return TestResult(name, float("nan"), float("nan"), False, assumed)
    count = int(marked.sum())
    law = count_law(chance)
    estimates = {
        "expected": float(chance.sum()),
        "too_few_p": float(min(law[: count + 1].sum(), 1)),
    }
    return TestResult(
        name, float(count), float(min(law[count:].sum(), 1)), True, assumed, estimates
    )


def count_law(rates: FloatArray) -> FloatArray:
    """(days + 1,) probability of each count over independent days, by convolution day by day.

    Examples
    --------
    >>> count_law(np.array([0.5, 0.5])).tolist()
    [0.25, 0.5, 0.25]
    """
    law = np.zeros(len(rates) + 1)
    law[0] = 1.0
    for day, rate in enumerate(rates, start=1):
        law[1 : day + 1] = law[1 : day + 1] * (1.0 - rate) + law[:day] * rate
        law[0] *= 1.0 - rate
    return law
