"""Hidden regimes of joint shocks: each has its covariance, and lasts as a Markov chain says."""

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln

from backtest.estimators.dependence import nearest_correlation
from backtest.kernels.copula import FREEDOM
from backtest.kernels.regimes import forward_backward
from backtest.types import DataError, DaysByFactors, FloatArray

ROUNDS = 500  # of expectation and maximisation at most
CLOSE = 1e-4  # log-likelihood that one more round must add
STARTS = (0.1, 0.3)  # shares of days that the wildest regime begins with
SMOOTHED = 21  # days over which sizes are averaged before the days are first divided
STILL = 1e-6  # of a factor's deviation; a regime in which it moves less has no density
FEWEST = 0.005  # transitions of a regime that lasted for all days, so that none becomes impossible


@dataclass(frozen=True, eq=False)
class Regimes:
    """Hidden Markov regimes, the first with the smallest variances (as shares of the data's).

    Parameters
    ----------
    transition : (regimes, regimes) probability from one day to the next; rows sum to one.
    scatter : (regimes, factors, factors) of the Student law of each; covariance times
        (freedom - 2) / freedom. freedom : degrees of freedom, of all regimes.
    probability : (days, regimes) of each regime given all days.
    log_likelihood : of the data.
    """

    transition: FloatArray
    scatter: FloatArray
    freedom: float
    probability: DaysByFactors
    log_likelihood: float

    @property
    def covariance(self) -> FloatArray:
        """(regimes, factors, factors)."""
        return self.scatter * self.freedom / (self.freedom - 2.0)


def fit_regimes(shocks: DaysByFactors, regimes: int = 2) -> Regimes:
    """Likeliest regimes of zero-mean jointly Student shocks, by expectation and maximisation.

    Each factor is first divided by its standard deviation. From two starts: days whose shocks are
    the largest for some weeks begin as the wildest regime, a tenth of them or three tenths.

    Parameters
    ----------
    shocks : (days, factors), every factor moving.

    Raises
    ------
    DataError : a factor stands still through a regime, or follows from the others.

    References
    ----------
    Hamilton, J. (1989). A new approach to the economic analysis of nonstationary time series and
    the business cycle. Econometrica, 57(2), 357-384.
    Peel, D. & McLachlan, G. (2000). Robust mixture modelling using the t distribution. Statistics
    and Computing, 10(4), 339-348 (the weights of the maximisation).

    Examples
    --------
    >>> rng, calm = np.random.default_rng(0), np.arange(1000) % 200 < 150
    >>> fit = fit_regimes(rng.normal(size=(1000, 2)) * np.where(calm, 1.0, 4.0)[:, None])
    >>> np.sqrt(fit.covariance[:, 0, 0]).round().tolist()
    [1.0, 4.0]
    """
    deviation = shocks.std(axis=0)
    x = shocks / deviation
    try:
        best = max((_climb(x, _first(x, regimes, share)) for share in STARTS), key=_likelihood)
    except np.linalg.LinAlgError:
        raise DataError(
            "no regimes can be fitted: a factor stands still through one of them, or follows from "
            "the others; leave it out."
        ) from None
    order = np.argsort(np.trace(best.scatter, axis1=1, axis2=2), kind="stable")
    return Regimes(
        best.transition[np.ix_(order, order)],
        best.scatter[order] * np.outer(deviation, deviation),
        best.freedom,
        best.probability[:, order],
        best.log_likelihood - len(x) * float(np.log(deviation).sum()),
    )


def _likelihood(fit: Regimes) -> float:
    return fit.log_likelihood


def _first(x: DaysByFactors, regimes: int, share: float) -> FloatArray:
    """(days, regimes) first probabilities: days by the size of the shocks around them."""
    size = np.abs(x).mean(axis=1)
    smooth = np.convolve(size, np.full(SMOOTHED, 1.0 / SMOOTHED), mode="same")
    rank = smooth.argsort(kind="stable").argsort(kind="stable") / len(x)
    # The others divide what is left evenly; .9 and not 1, so that no day is certain.
    bounds = np.linspace(0.0, 1.0 - share, regimes)
    place = np.searchsorted(bounds, rank, side="right") - 1
    return np.where(np.arange(regimes) == place[:, None], 0.9, 0.1 / (regimes - 1))


def _climb(x: DaysByFactors, probability: FloatArray) -> Regimes:
    days, regimes = probability.shape
    width = x.shape[1]
    pairs = probability[:-1].T @ probability[1:]
    scatter = np.stack([np.cov(x.T).reshape(width, width)] * regimes)
    start, freedom, before = probability[0], 8.0, -np.inf
    distance = _distances(x, scatter)
    for _ in range(ROUNDS):
        transition = np.maximum(pairs, FEWEST / days * pairs.sum(axis=1, keepdims=True))
        transition /= transition.sum(axis=1, keepdims=True)
        # A wild day tells a Student law less of its scatter: its weight falls with its distance.
        weight = probability * (freedom + width) / (freedom + distance)
        for k in range(regimes):
            mean = (weight[:, k, None] * x).T @ x / probability[:, k].sum()
            sd = np.sqrt(np.diag(mean))
            if not (sd > STILL).all():
                raise np.linalg.LinAlgError("a factor stands still")
            scatter[k] = nearest_correlation(mean / np.outer(sd, sd)) * np.outer(sd, sd)
        distance = _distances(x, scatter)
        log_root = np.linalg.slogdet(scatter)[1] / 2.0
        freedom = _freedom(distance, probability, width)
        density = _log_density(distance, freedom, width) - log_root
        probability, pairs = np.empty((days, regimes)), np.empty((regimes, regimes))
        likelihood = float(forward_backward(density, transition, start, probability, pairs))
        start = probability[0].copy()
        if likelihood - before < CLOSE:
            break
        before = likelihood
    return Regimes(transition, scatter, freedom, probability, likelihood)


def _distances(x: DaysByFactors, scatter: FloatArray) -> FloatArray:
    """(days, regimes) squared Mahalanobis distances."""
    solved = np.linalg.solve(np.linalg.cholesky(scatter), x.T[None])
    return np.ascontiguousarray((solved**2).sum(axis=1).T)


def _log_density(distance: FloatArray, freedom: float, width: int) -> FloatArray:
    """Of a Student law with unit scatter, at squared distances."""
    norm = gammaln((freedom + width) / 2.0) - gammaln(freedom / 2.0)
    norm -= width / 2.0 * np.log(np.pi * freedom)
    return np.asarray(norm - (freedom + width) / 2.0 * np.log1p(distance / freedom))


def _freedom(distance: FloatArray, probability: FloatArray, width: int) -> float:
    """Likeliest degrees of freedom at given distances, shared by the regimes."""
    from scipy.optimize import minimize_scalar

    def minus_likelihood(nu: float) -> float:
        return -float((probability * _log_density(distance, nu, width)).sum())

    return float(minimize_scalar(minus_likelihood, bounds=FREEDOM, method="bounded").x)
