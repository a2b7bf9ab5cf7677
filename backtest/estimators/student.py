"""Student innovations of simulated shocks: their degrees of freedom, and draws from normals."""

from collections.abc import Callable

import numpy as np
from scipy.special import gammaln, ndtr, stdtr, stdtrit

from backtest.types import Days, FloatArray

FREEDOM = (2.1, 60.0)  # range of the search; below, draws of one day would rule a history
TAIL = 0.10  # share of the days by whose size the degrees of freedom are fitted
FARTHEST, STEPS = 9.0, 3601  # of normals in the table of quantiles, and its points


def tail_freedom(z: Days, *, tail: float = TAIL) -> float:
    r"""Degrees of freedom of a unit-variance Student law, by the likelihood of its largest values.

    .. math:: \ell(\nu) = \sum_{|z_t| > u} \log 2 f_\nu(|z_t|)
                          + \#\{|z_t| \le u\} \log (2 F_\nu(u) - 1)

    with u the (1 - tail)-quantile of \|z\| and f, F of variance one, as z is made. What the
    smaller values look like does not count: so many of Bitcoin's days are quiet that the likelihood
    of all of them asks for 3.0 degrees of freedom, and histories of that law have days far larger
    than any of Bitcoin's.

    Parameters
    ----------
    z : (days,) innovations of mean zero, any scale.

    References
    ----------
    Diks, C., Panchenko, V. & van Dijk, D. (2011). Likelihood-based scoring rules for comparing
    density forecasts in tails. Journal of Econometrics, 163(2), 215-230 (censored likelihood).

    Examples
    --------
    >>> draws = np.random.default_rng(0).standard_t(5, 20_000)
    >>> 4.4 < tail_freedom(draws) < 5.6
    True
    """
    from scipy.optimize import minimize_scalar

    size = np.abs(z) / np.sqrt(np.mean(np.square(z)))
    threshold = float(np.quantile(size, 1.0 - tail))
    large = size[size > threshold]
    others = len(size) - len(large)

    def minus_likelihood(nu: float) -> float:
        unit = np.sqrt((nu - 2.0) / nu)
        log_density = (
            gammaln((nu + 1.0) / 2.0)
            - gammaln(nu / 2.0)
            - 0.5 * np.log(np.pi * (nu - 2.0))
            - (nu + 1.0) / 2.0 * np.log1p(large**2 / (nu - 2.0))
        )
        # Where more than all but the tail are zero, none can lie inside: the same for every nu.
        inside = max(1.0 - 2.0 * stdtr(nu, -threshold / unit), np.finfo(np.float64).tiny)
        return -float(log_density.sum() + others * np.log(inside))

    return float(minimize_scalar(minus_likelihood, bounds=FREEDOM, method="bounded").x)


def student_of(freedom: FloatArray, copula: float = np.inf) -> Callable[[FloatArray], FloatArray]:
    r"""Unit-variance Student values with the ranks of normal or of other Student values.

    .. math:: x \mapsto T_{\nu}^{-1}(G(x)) \sqrt{(\nu - 2) / \nu}

    with G the standard normal law, or Student's of `copula` degrees of freedom (not scaled to unit
    variance). The quantile is slow, so it is read off a table by straight lines between points of
    x: within 2e-5 of it, relative, for |x| up to 9 normal deviations.

    Parameters
    ----------
    freedom : (factors,) of the values that come out.

    Returns
    -------
    function of (days, factors) to (days, factors).

    Examples
    --------
    >>> student_of(np.array([4.0]))(np.array([[0.0], [-2.326348]])).round(3).tolist()
    [[0.0], [-2.649]]
    """
    normal = np.linspace(0.0, FARTHEST, STEPS)
    # Lower tails on both sides: the upper ones would round to probability 1.
    probability = ndtr(-normal)
    points = normal if np.isinf(copula) else -stdtrit(copula, probability)
    unit = np.sqrt((freedom - 2.0) / freedom)
    quantiles = -stdtrit(freedom, probability[:, None]) * unit
    quantiles[0] = 0.0

    def transform(x: FloatArray) -> FloatArray:
        size, out = np.abs(x), np.empty_like(x)
        for f in range(x.shape[1]):
            out[:, f] = np.interp(size[:, f], points, quantiles[:, f])
        return np.copysign(out, x)

    return transform
