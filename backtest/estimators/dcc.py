"""The fit of a dynamic conditional correlation that is jointly Student."""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, gammaln, logit, stdtrit

from backtest.estimators.dependence import nearest_correlation
from backtest.kernels.copula import FREEDOM
from backtest.kernels.dcc import dcc_likelihood
from backtest.types import DaysByFactors, FloatArray

REACTION, PERSISTENCE, START_FREEDOM = 0.02, 0.97, 10.0  # where the search starts
MOST_PERSISTENT = 0.999


@dataclass(frozen=True, eq=False)
class DccFit:
    """Student copula whose correlation moves: Q_{t+1} = (1 - p) Q bar + a w w' + (p - a) Q.

    target : (factors, factors) Q bar, a correlation. freedom : degrees of freedom of the copula.
    """

    target: FloatArray
    reaction: float
    persistence: float
    freedom: float


def fit_dcc(z: DaysByFactors) -> DccFit:
    r"""Likeliest a, p and degrees of freedom of the copula of the ranks of z.

    .. math:: w_t = \sqrt{(\nu - 2) / \nu} \; T_\nu^{-1}(\text{rank}_t / (n + 1))

    so that the tails of each column do not count, only how columns move together. Q bar is the
    correlation of w. nu is fitted together with a and p: a copula with one correlation for all days
    takes the days on which it differed for tails.

    Parameters
    ----------
    z : (days, factors) innovations, such as shocks over their volatility.

    References
    ----------
    Engle, R. (2002). Dynamic conditional correlation. Journal of Business & Economic Statistics,
    20(3), 339-350.
    Jondeau, E. & Rockinger, M. (2006). The Copula-GARCH model of conditional dependencies: An
    international stock market application. Journal of International Money and Finance, 25(5),
    827-853.

    Examples
    --------
    >>> z = np.random.default_rng(0).standard_normal((500, 2))
    >>> bool(abs(fit_dcc(z).target[0, 1]) < 0.1)
    True
    """
    from scipy.optimize import minimize
    from scipy.stats import rankdata

    days, width = z.shape
    if width == 1:  # nothing to join: any copula will do
        return DccFit(np.eye(1), 0.0, 0.0, FREEDOM[1])
    # Equal moves share the mean of their ranks, which is a whole number or a half: in the order of
    # days, two columns that both stand still on many of them would rise together.
    place = (2.0 * rankdata(z, axis=0)).astype(np.int64) - 2
    probability = np.arange(1.0, days + 0.5, 0.5) / (days + 1.0)

    def law(free: FloatArray) -> tuple[DccFit, DaysByFactors]:
        persistence = MOST_PERSISTENT * float(expit(free[0]))
        freedom = FREEDOM[0] + (FREEDOM[1] - FREEDOM[0]) * float(expit(free[2]))
        w = (stdtrit(freedom, probability) * np.sqrt((freedom - 2.0) / freedom))[place]
        target = nearest_correlation(np.corrcoef(w.T))
        return DccFit(target, persistence * float(expit(free[1])), persistence, freedom), w

    def minus_likelihood(free: FloatArray) -> float:
        fit, w = law(free)
        nu = fit.freedom
        norm = gammaln((nu + width) / 2) + (width - 1) * gammaln(nu / 2)
        norm -= width * gammaln((nu + 1) / 2)
        margins = (nu + 1.0) / 2.0 * np.log1p(w**2 / (nu - 2.0)).sum()
        joint = dcc_likelihood(w, nu, fit.target, fit.reaction, fit.persistence)
        return -float(days * norm + margins + joint)

    share = (START_FREEDOM - FREEDOM[0]) / (FREEDOM[1] - FREEDOM[0])
    kept = PERSISTENCE / MOST_PERSISTENT
    first: FloatArray = logit(np.array([kept, REACTION / PERSISTENCE, share]))
    found = minimize(
        minus_likelihood, first, method="Nelder-Mead", options={"xatol": 1e-3, "fatol": 1e-3}
    )
    return law(found.x)[0]
