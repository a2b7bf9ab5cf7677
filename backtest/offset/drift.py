r"""How far the reduction of a book drifts over the years, beyond what its noise explains.

The losses of each silo, divided by its margin, are replaced by normal scores g (by rank). With the
weight w of each silo in the scaled margin, :math:`y_t = \sum_i w_i g_{it}`, the series

.. math:: \psi_t = \tfrac12 \Big( y_t^2 / \overline{y^2} - \sum_i w_i g_{it}^2 \Big)

is, to first order, what day t adds to log(1 - s): high where the silos lose together by more than
their own margins explain. Its mean over a window moves with the correlation and with a volatility
that silos do not share, so the variance of window means beyond short noise measures how much the
years differ.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import chdtri, ndtri

from backtest.offset.history import SiloHistory
from backtest.types import FloatArray

WINDOWS = 12  # consecutive windows of equal length
NOISE_LAG = 20  # scored days over which noise is taken to be correlated (Bartlett weights)
REGIME = 1000  # days: mean length of a regime that the allowance assumes, long to be safe
TYPICAL_REGIME = 500  # days: mean length that the printed drift of a correlation assumes
CORRELATION_WINDOW = 250  # scored days; a third of a shorter history
DOUBT = 0.20  # lower quantile of chi-square: the variance seen may have been that unlucky


@lru_cache(maxsize=2)  # bound and drift of one history ask in turn
def normal_scores(history: SiloHistory) -> FloatArray:
    """(silos, days) normal scores of the ratios of loss to margin, by rank within each silo.

    Equal ratios share their mean rank: yields move in hundredths, so that some are equal, and how
    a sort places them depends on the processor.
    """
    scores = np.empty_like(history.loss)
    for score, ratio in zip(scores, history.loss / history.margin, strict=True):
        ascending = np.sort(ratio)
        below, upto = (ascending.searchsorted(ratio, side) for side in ("left", "right"))
        ndtri((below + upto) / (2 * history.days), out=score)
    scores.flags.writeable = False
    return scores


def reduction_series(history: SiloHistory) -> FloatArray:
    """(days,) psi: what each day adds to log(1 - s), to first order; see the module.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> days = np.datetime64("2020-01-01") + np.arange(600)
    >>> loss, margin = rng.normal(size=(2, 600)), np.full((2, 600), 2.3)
    >>> psi = reduction_series(SiloHistory(("A", "B"), days, loss, margin, 0.99, 1))
    >>> psi.shape, bool(abs(psi.mean()) < 0.01)
    ((600,), True)
    """
    scores = normal_scores(history)
    weight = history.kappa() * history.margin.mean(axis=1)
    weight = weight / weight.sum()
    squared = (weight @ scores) ** 2
    return np.asarray(0.5 * (squared / squared.mean() - weight @ scores**2))


def long_run_variance(series: FloatArray, lag: int = NOISE_LAG) -> float:
    """Variance of sqrt(days) x mean: Bartlett weights over `lag` days; the rows are windows.

    series (windows, days of a window). The mean of each window is taken out, so that drift between
    windows does not count; the factor makes up for the part of the noise that goes with it.

    References
    ----------
    Newey, W. & West, K. (1987). A simple, positive semi-definite, heteroskedasticity and
    autocorrelation consistent covariance matrix. Econometrica, 55(3), 703-708.
    """
    gap = series - series.mean(axis=1, keepdims=True)
    days = series.shape[1]
    lag = min(lag, days - 1)
    total = (gap * gap).mean()
    for k in range(1, lag):
        total += 2.0 * (1.0 - k / lag) * (gap[:, k:] * gap[:, :-k]).sum() / gap.size
    return float(total * (1.0 + 2.0 * lag / (3.0 * days)))


def share_kept(length: float, days: float) -> float:
    r"""Variance of a mean over `days`, as a share of the variance of one day.

    .. math:: 2x (1 - x (1 - e^{-1/x})), \quad x = length / days

    for a series whose autocorrelation falls as exp(-lag / length), as that of regimes with
    geometric lengths does.

    Examples
    --------
    >>> round(share_kept(500, 2196), 3), round(share_kept(500, 500), 3)
    (0.353, 0.736)
    """
    x = length / days
    return float(2.0 * x * (1.0 - x * (1.0 - np.exp(-1.0 / x))))


def drift_deviation(history: SiloHistory) -> float:
    """Standard deviation that drift gives to the history's log(1 - s) around its long-run value.

    From the variance of the means of psi over twelve windows, at the upper end of what chi-square
    allows for so few, less the variance that noise gives to such a mean. A history sees few
    regimes, and its own mean moves with them: the variance within it is scaled up to that between
    histories for regimes of 1,000 days.
    """
    days = history.days // WINDOWS
    means = reduction_series(history)[: days * WINDOWS].reshape(WINDOWS, days)
    noise = long_run_variance(means) / days
    observed = float(means.mean(axis=1).var(ddof=1))
    upper = observed * (WINDOWS - 1) / float(chdtri(WINDOWS - 1, 1.0 - DOUBT))
    whole = share_kept(REGIME, history.days)
    within = (share_kept(REGIME, days) - whole) * WINDOWS / (WINDOWS - 1)
    return float(np.sqrt(max(0.0, upper - noise) * whole / within))


@dataclass(frozen=True)
class CorrelationDrift:
    """How the correlation between the losses of two silos moved.

    Parameters
    ----------
    centre : correlation of the normal scores over the whole history.
    deviation : standard deviation of the correlation over time beyond sampling noise.
    """

    centre: float
    deviation: float


def correlation_drift(history: SiloHistory, silos: tuple[int, int] = (0, 1)) -> CorrelationDrift:
    """Drift of the correlation of two silos, from windows of `CORRELATION_WINDOW` scored days.

    The variance of the windows' correlations less sampling noise (Bartlett weights over 20 days,
    since losses over an MPOR overlap and t tails cluster), scaled up from the variance within the
    history to that between histories for regimes of 500 days. The length of the regimes is assumed:
    a history holds too few of them to estimate it (docs/offset-calibration.md).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> days = np.datetime64("2020-01-01") + np.arange(2000)
    >>> loss, margin = rng.normal(size=(2, 2000)), np.full((2, 2000), 2.3)
    >>> loss[1, 1000:] -= loss[0, 1000:]
    >>> drift = correlation_drift(SiloHistory(("A", "B"), days, loss, margin, 0.99, 1))
    >>> drift.deviation > 0.25
    True
    """
    first, second = normal_scores(history)[list(silos)]
    centre = float((first * second).mean() / np.sqrt((first**2).mean() * (second**2).mean()))
    days = min(CORRELATION_WINDOW, history.days // 3)
    windows = history.days // days
    a, b = (x[: windows * days].reshape(windows, days) for x in (first, second))
    a, b = (x - x.mean(axis=1, keepdims=True) for x in (a, b))
    a, b = (x / x.std(axis=1, keepdims=True) for x in (a, b))
    rho = (a * b).mean(axis=1, keepdims=True)
    influence = a * b - rho * (a * a + b * b) / 2.0  # of a day on the correlation of its window
    beyond = float(rho.var(ddof=1)) - long_run_variance(influence) / days
    within = share_kept(TYPICAL_REGIME, days) - share_kept(TYPICAL_REGIME, history.days)
    within *= windows / (windows - 1)
    return CorrelationDrift(centre, float(np.sqrt(max(0.0, beyond) / within)))
