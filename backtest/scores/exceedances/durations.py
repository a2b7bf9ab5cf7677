"""Duration tests: the chance of an exceedance must not depend on the time since the last one.

Under a right model the spells between exceedances are geometric. Clusters of exceedances give many
short spells and a few very long ones.
"""

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc

from backtest.scores.checks import check_confidence
from backtest.scores.exceedances.record import Spells, spells_of
from backtest.scores.result import TestResult
from backtest.types import FloatArray, StudyError

# Search range of the Weibull shape; very even spells have their maximum at the upper edge.
SHAPES = (0.01, 10.0)
EDGE = 1e-3


def weibull_duration(exceedances: ArrayLike) -> TestResult:
    r"""Christoffersen-Pelletier: spells are Weibull, H0 their shape b is 1 (no memory).

    .. math:: f(d) = a^b b d^{b-1} e^{-(a d)^b}, \qquad
              a = \left(\frac{n_c}{\sum_i D_i^b}\right)^{1/b}

    over complete and censored spells D, of which n_c are complete. b < 1: exceedances cluster.
    Spells are whole days but the law is continuous, so right models are rejected too often (at 5 %:
    11 % of records of 1,000 days at 95 %, 31 % of 5,000 days). Use `monte_carlo_pvalue` with it.

    Parameters
    ----------
    exceedances : (days,) bool or 0/1, NaN where a day is missing (no spell crosses it).

    Returns
    -------
    TestResult; `estimates` holds b and whether it is at the edge of the search range.
    Not identified without a complete spell.

    References
    ----------
    Christoffersen, P. & Pelletier, D. (2004). Backtesting value-at-risk: a duration-based
    approach. Journal of Financial Econometrics, 2(1), 84-108.

    Examples
    --------
    >>> result = weibull_duration(np.isin(np.arange(250), [99, 100]))
    >>> round(result.statistic, 4), round(result.estimates["b"], 4)
    (4.2011, 0.2404)
    """
    from scipy.optimize import minimize_scalar  # heavy

    spells = spells_of(exceedances)
    name = "Christoffersen-Pelletier duration"
    assumed = "Weibull spells, censored at the ends; chi-squared, 1 df"
    if len(spells.complete) == 0:
        return TestResult(name, float("nan"), float("nan"), False, assumed)
    fit = minimize_scalar(
        lambda shape: -weibull_likelihood(spells, shape),
        bounds=SHAPES,
        method="bounded",
        options={"xatol": 1e-9},
    )
    shape = float(fit.x)
    free, tied = weibull_likelihood(spells, shape), weibull_likelihood(spells, 1.0)
    statistic = max(2.0 * (free - tied), 0.0)
    at_edge = min(shape - SHAPES[0], SHAPES[1] - shape) < EDGE
    return TestResult(
        name,
        statistic,
        float(chdtrc(1.0, statistic)),
        True,
        assumed,
        estimates={"b": shape, "at_edge": float(at_edge)},
    )


def weibull_likelihood(spells: Spells, shape: float) -> float:
    """Log-likelihood of a Weibull shape, with the scale that maximises it for that shape."""
    powers = float((spells.complete**shape).sum() + (spells.censored**shape).sum())
    count = len(spells.complete)
    log_scale = math.log(count / powers) / shape
    logs = float(np.log(spells.complete).sum())
    density = count * (shape * log_scale + math.log(shape)) + (shape - 1.0) * logs
    return density - math.exp(shape * log_scale) * powers


def gmm_duration(
    exceedances: ArrayLike, *, confidence: float = 0.99, moments: int = 3, kind: str = "coverage"
) -> TestResult:
    r"""Candelon-Colletaz-Hurlin-Tokpavi: moments of the polynomials orthonormal to the geometric.

    .. math:: J = \frac{1}{N} \sum_{j=1}^{k} \Big(\sum_{i=1}^{N} M_j(d_i)\Big)^2 \sim \chi^2

    over the N complete spells. `kind` 'coverage' takes the chance of an exceedance as 1 -
    confidence (k df), 'rate' only its first moment (1 df), 'independence' estimates it as 1 /
    mean spell, so that the first moment is zero (k - 1 df).

    Parameters
    ----------
    exceedances : (days,) bool or 0/1, NaN where a day is missing. moments : k, 2 or more.

    Raises
    ------
    StudyError : an unknown kind, too few moments, a confidence outside (0, 1).

    References
    ----------
    Candelon, B., Colletaz, G., Hurlin, C. & Tokpavi, S. (2011). Backtesting value-at-risk: a
    GMM duration-based test. Journal of Financial Econometrics, 9(2), 314-343.

    Examples
    --------
    >>> exceedances = np.arange(1000) % 100 == 99
    >>> gmm_duration(exceedances, kind="rate").statistic < 1e-9
    True
    """
    check_confidence(confidence)
    freedom = {"rate": 1, "coverage": moments, "independence": moments - 1}
    if kind not in freedom:
        raise StudyError(f"kind is {kind!r}; known: {', '.join(freedom)}.")
    if moments < 2:
        raise StudyError(f"moments is {moments}; give 2 or more.")
    spells = spells_of(exceedances).complete
    assumed = f"geometric spells; chi-squared, {freedom[kind]} df"
    name = f"GMM duration, {kind}"
    chance = 1.0 - confidence
    if kind == "independence" and len(spells):
        chance = float(1.0 / spells.mean())
    if len(spells) == 0 or chance >= 1.0:
        return TestResult(name, float("nan"), float("nan"), False, assumed)
    count = 1 if kind == "rate" else moments
    sums = geometric_moments(spells, chance, count).sum(axis=1)
    statistic = float((sums * sums).sum() / len(spells))
    return TestResult(name, statistic, float(chdtrc(freedom[kind], statistic)), True, assumed)


def geometric_moments(spells: FloatArray, chance: float, count: int) -> FloatArray:
    """(count, spells) polynomials M_1 .. M_count, orthonormal under the geometric law.

    Examples
    --------
    >>> days = np.arange(1.0, 5000.0)
    >>> law = 0.01 * 0.99 ** (days - 1)
    >>> moments = geometric_moments(days, 0.01, 3)
    >>> bool(np.abs((moments * law) @ moments.T - np.eye(3)).max() < 1e-9)
    True
    """
    before, now = np.zeros(len(spells)), np.ones(len(spells))
    out = np.empty((count, len(spells)))
    for j in range(count):
        step = (1.0 - chance) * (2 * j + 1) + chance * (j - spells + 1)
        before, now = now, step / ((j + 1) * math.sqrt(1.0 - chance)) * now - j / (j + 1) * before
        out[j] = now
    return out
