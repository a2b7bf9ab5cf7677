"""Backtests of expected shortfall: how bad the days beyond the quantile were.

Losses, VaR and ES are positive where money is lost; ES >= VaR. A statistic below zero says that ES
was too small.
"""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from backtest.scores.checks import check_confidence
from backtest.scores.forecasts.signs import check_signs
from backtest.scores.result import TestResult
from backtest.types import DataError, FloatArray, StudyError

Which = Literal["Z1", "Z2"]
CHUNK = 2_000_000  # simulated losses at a time


def as_forecasts(**named: ArrayLike) -> tuple[FloatArray, ...]:
    """Series of one length, finite everywhere, as floats.

    Raises
    ------
    DataError : another shape, NaN or an infinity, no day; VaR or ES the wrong way round.
    """
    arrays = tuple(np.asarray(values, dtype=np.float64) for values in named.values())
    for name, array in zip(named, arrays, strict=True):
        if array.ndim != 1 or array.shape != arrays[0].shape or not len(array):
            raise DataError(f"{name} has shape {array.shape}; give one value a scored day.")
        if np.isnan(array).any():
            raise DataError(f"{name} holds NaN; leave the days out whose forecast is not known.")
        if np.isinf(array).any():
            raise DataError(f"{name} holds an infinity; give finite values.")
    given = dict(zip(named, arrays, strict=True))
    if "value_at_risk" in given:
        check_signs(given["value_at_risk"], given.get("expected_shortfall"))
    return arrays


def acerbi_szekely(
    loss: ArrayLike,
    value_at_risk: ArrayLike,
    expected_shortfall: ArrayLike,
    *,
    confidence: float = 0.975,
    which: Which = "Z2",
    freedom: float | None = None,
    draws: int = 10_000,
    seed: int = 0,
) -> TestResult:
    r"""Acerbi-Szekely Z1 (given exceedances) or Z2 (their number counts too).

    .. math:: Z_1 = 1 - \frac{1}{N} \sum_{I} \frac{L_t}{ES_t}, \qquad
              Z_2 = 1 - \frac{1}{T \alpha} \sum_{I} \frac{L_t}{ES_t}

    The p-value is one-sided (ES too small), from `draws` histories of a normal law, or of a Student
    t with `freedom` degrees, with the VaR and ES of that law: Z does not depend on each day's
    scale, so this is what a right model of that tail would give. A fatter tail needs its `freedom`.

    Parameters
    ----------
    loss, value_at_risk, expected_shortfall : (days,) USD, losses positive.

    Returns
    -------
    TestResult; Z1 is not identified without an exceedance. Z2 is: no exceedance is no evidence of
    too small an ES, and its p-value is 1.

    Raises
    ------
    DataError : shapes, NaN, an ES not above zero. StudyError : `which`, `freedom`, confidence.

    References
    ----------
    Acerbi, C. & Szekely, B. (2014). Backtesting expected shortfall. Risk, December, 76-81.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> normal = rng.standard_normal(1000)
    >>> bands = np.full(1000, 1.959964), np.full(1000, 2.337803)
    >>> acerbi_szekely(normal, *bands, draws=500).verdict()
    'not rejected'
    """
    check_confidence(confidence)
    if which not in ("Z1", "Z2"):
        raise StudyError(f"which is {which!r}; known: Z1, Z2.")
    if freedom is not None and freedom <= 1:
        raise StudyError(f"freedom is {freedom}; a Student t has an ES above 1 degree only.")
    x, v, e = as_forecasts(
        loss=loss, value_at_risk=value_at_risk, expected_shortfall=expected_shortfall
    )
    if (e <= 0).any():
        raise DataError(f"expected_shortfall holds {e[e <= 0][0]:g}; it must be above zero.")
    rate = 1.0 - confidence
    value = _statistic((x > v)[None, :], (x / e)[None, :], rate, which)[0]
    law = "normal" if freedom is None else f"Student t({freedom:g})"
    name = f"Acerbi-Szekely {which}"
    assumed = f"independent {law} losses; {draws:,} simulated histories"
    if np.isnan(value):
        return TestResult(name, float("nan"), float("nan"), False, assumed)
    null = _null(len(x), rate, which, freedom, draws, np.random.default_rng(seed))
    below = np.count_nonzero(null <= value)
    return TestResult(name, float(value), (below + 1) / (len(null) + 1), True, assumed)


def _statistic(exceeded: np.ndarray, ratio: FloatArray, rate: float, which: Which) -> FloatArray:
    """Z of each row (histories, days); NaN for Z1 where a row has no exceedance."""
    total = np.where(exceeded, ratio, 0.0).sum(axis=1)
    if which == "Z2":
        return np.asarray(1.0 - total / (exceeded.shape[1] * rate))
    count = exceeded.sum(axis=1)
    return np.where(count > 0, 1.0 - total / np.maximum(count, 1), np.nan)


def _null(
    days: int,
    rate: float,
    which: Which,
    freedom: float | None,
    draws: int,
    rng: np.random.Generator,
) -> FloatArray:
    """Z of histories drawn under the null; a Z1 without an exceedance is left out."""
    quantile, shortfall = tail_of(rate, freedom)
    out = []
    for start in range(0, draws, max(1, CHUNK // days)):
        rows = min(max(1, CHUNK // days), draws - start)
        x = (
            rng.standard_normal((rows, days))
            if freedom is None
            else rng.standard_t(freedom, (rows, days))
        )
        out.append(_statistic(x > quantile, x / shortfall, rate, which))
    found = np.concatenate(out)
    return found[~np.isnan(found)]


def tail_of(rate: float, freedom: float | None) -> tuple[float, float]:
    """VaR and ES, at 1 - rate, of a standard normal, or of a Student t that is not rescaled.

    Examples
    --------
    >>> [round(float(v), 6) for v in tail_of(0.025, None)]
    [1.959964, 2.337803]
    """
    if freedom is None:
        quantile = -float(ndtri(rate))
        return quantile, float(np.exp(-0.5 * quantile**2) / np.sqrt(2 * np.pi)) / rate
    from scipy.special import gammaln

    quantile = -float(stdtrit(freedom, rate))
    log = gammaln((freedom + 1) / 2) - gammaln(freedom / 2) - 0.5 * np.log(freedom * np.pi)
    density = np.exp(log - (freedom + 1) / 2 * np.log1p(quantile**2 / freedom))
    return quantile, float(density * (freedom + quantile**2) / (freedom - 1)) / rate


def minimally_biased(
    loss: ArrayLike,
    value_at_risk: ArrayLike,
    expected_shortfall: ArrayLike,
    *,
    confidence: float = 0.975,
    draws: int = 10_000,
    seed: int = 0,
) -> TestResult:
    r"""Acerbi-Szekely's minimally biased test: a wrong VaR moves it in the second order only.

    .. math:: Z = \frac{1}{T} \sum_t \frac{ES_t - VaR_t - (L_t - VaR_t)^+ / \alpha}{ES_t}

    The p-value is one-sided (ES too small): days resampled from Z_t less their mean, so it takes
    days as independent and no law of losses. Not identified without an exceedance, or where all
    days are alike (one day, say): resamples of those do not vary.

    References
    ----------
    Acerbi, C. & Szekely, B. (2019). The minimally biased backtest for ES. Risk, September.

    Examples
    --------
    >>> x = np.array([0.0, 3.0])
    >>> result = minimally_biased(x, [1.0, 1.0], [2.0, 2.0], confidence=0.5, draws=99)
    >>> result.statistic
    -0.5
    """
    check_confidence(confidence)
    x, v, e = as_forecasts(
        loss=loss, value_at_risk=value_at_risk, expected_shortfall=expected_shortfall
    )
    if (e <= 0).any():
        raise DataError(f"expected_shortfall holds {e[e <= 0][0]:g}; it must be above zero.")
    daily = (e - v - np.maximum(x - v, 0.0) / (1.0 - confidence)) / e
    value = float(daily.mean())
    name, assumed = "Acerbi-Szekely, minimally biased", f"independent days; {draws:,} resamples"
    if not (x > v).any() or np.ptp(daily) <= 1e-12 * np.abs(daily).max():
        return TestResult(name, float("nan"), float("nan"), False, assumed)
    null = _resampled_means(daily - value, draws, seed)
    pvalue = (int((null <= value).sum()) + 1) / (draws + 1)
    return TestResult(name, value, pvalue, True, assumed)


def mcneil_frey(
    loss: ArrayLike,
    value_at_risk: ArrayLike,
    expected_shortfall: ArrayLike,
    *,
    scale: ArrayLike | None = None,
    draws: int = 0,
    seed: int = 0,
) -> TestResult:
    r"""McNeil-Frey: excess over ES on exceedance days has mean zero, against a mean above it.

    .. math:: t = \bar r / (s / \sqrt N), \qquad r_t = (L_t - ES_t) / \sigma_t, \quad L_t > VaR_t

    scale : (days,) volatility forecasts above zero; ones unless given. draws : resamples of the
        residuals; the normal law where 0.

    Returns
    -------
    TestResult, one-sided; not identified with fewer than two exceedances. `estimates` holds the
    p-value of Student's t too.

    References
    ----------
    McNeil, A. & Frey, R. (2000). Estimation of tail-related risk measures for heteroscedastic
    financial time series. Journal of Empirical Finance, 7(3-4), 271-300.

    Examples
    --------
    >>> result = mcneil_frey([2.0, 3.0, 0.0], [1.0, 1.0, 1.0], [2.0, 2.0, 2.0])
    >>> round(result.statistic, 6)
    1.0
    """
    x, v, e, s = as_forecasts(
        loss=loss,
        value_at_risk=value_at_risk,
        expected_shortfall=expected_shortfall,
        scale=np.ones(np.shape(loss)) if scale is None else scale,
    )
    if (s <= 0).any():
        raise DataError(f"scale holds {s[s <= 0][0]:g}; give volatilities above zero.")
    residual = ((x - e) / s)[x > v]
    name = "McNeil-Frey exceedance residuals"
    assumed = f"independent residuals; {f'{draws:,} resamples' if draws else 'normal'}"
    spread = float(residual.std(ddof=1)) if len(residual) > 1 else 0.0
    if spread <= 1e-12 * np.abs(residual).max(initial=0.0):  # Alike but for rounding.
        return TestResult(name, float("nan"), float("nan"), False, assumed)
    value = float(residual.mean() / (spread / np.sqrt(len(residual))))
    pvalue = float(ndtr(-value))
    if draws:
        null = _resampled_t(residual - residual.mean(), draws, seed)
        pvalue = (int((null >= value).sum()) + 1) / (draws + 1)
    student = float(stdtr(len(residual) - 1, -value))
    return TestResult(name, value, pvalue, True, assumed, estimates={"student_p": student})


def _resampled_means(centred: FloatArray, draws: int, seed: int) -> FloatArray:
    rng = np.random.default_rng(seed)
    return np.array(
        [centred[rng.integers(0, len(centred), len(centred))].mean() for _ in range(draws)]
    )


def _resampled_t(centred: FloatArray, draws: int, seed: int) -> FloatArray:
    rng = np.random.default_rng(seed)
    drawn = centred[rng.integers(0, len(centred), (draws, len(centred)))]
    spread = drawn.std(axis=1, ddof=1) / np.sqrt(len(centred))
    mean = drawn.mean(axis=1)
    flat = np.where(mean > 0, np.inf, np.where(mean < 0, -np.inf, 0.0))
    return np.asarray(np.divide(mean, spread, out=flat, where=spread > 0))
