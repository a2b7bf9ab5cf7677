"""GARCH(1, 1) and GJR by maximum likelihood, from several starts, refitted as time goes by."""

from dataclasses import dataclass, field

import numpy as np

from backtest.estimators.fits import Certificate, are_counted, note_fits
from backtest.estimators.stale import at_floor, refuse_stale
from backtest.kernels.garch import variance_rows, variances
from backtest.kernels.garch_fit import SIZE, SKEWED_SIZE
from backtest.kernels.garch_peaks import OUTCOMES, fit_rows
from backtest.types import BoolArray, Days, FloatArray, StudyError

FEWEST_DAYS = 50  # five values fitted to less would follow noise

# Not arch, which begins a fit at one place of its own choosing: some 50 ms for 1,000 days, where
# all the starts here take 1 ms together. A study refits each series every few weeks.


@dataclass(frozen=True)
class GarchFit:
    """One fit, in the units of its series; omega is a variance.

    gamma is what a loss reacts more than a gain, freedom infinite where innovations are normal,
    skew zero where they are symmetric. second_peak is the log-likelihood by which this peak is
    above the next, infinite where none is near; at_edge, that a value ended where the likelihood
    is flat: no memory, no mean, normal tails, or tails without a variance.
    """

    omega: float
    alpha: float
    gamma: float
    beta: float
    freedom: float
    skew: float
    log_likelihood: float
    converged: bool
    evaluations: int
    second_peak: float
    at_edge: bool


@dataclass(eq=False)
class RollingGarch:
    """The fits of many series as their windows roll on: coefficients of the last good one of each.

    Parameters
    ----------
    series : how many. leverage : GJR. student : Student innovations, else normal. skewed : skewed
        Student ones, as Hansen's; fitted together with the rest.

    Attributes
    ----------
    coefficients : (series, 5) omega, reaction to gains, reaction to losses, beta, freedom; where
        skewed (series, 6), with the skew. NaN before the first good fit.
    outcome : (series, 5) of the last refit: 1 for a good fit, 0 for a failed one, NaN for a series
        that never moves; log-likelihood; evaluations; log-likelihood above the second peak,
        infinite where there is none near; 1 where the fit ended at an edge of the law.
    """

    series: int
    leverage: bool = False
    student: bool = True
    skewed: bool = False
    coefficients: FloatArray = field(init=False)
    outcome: FloatArray = field(init=False)

    def __post_init__(self) -> None:
        size = SKEWED_SIZE if self.skewed else SIZE
        self.coefficients = np.full((self.series, size), np.nan)
        self.outcome = np.full((self.series, OUTCOMES), np.nan)

    def refit(self, rows: FloatArray) -> None:
        """Fit every row (series, days); what fails is counted and keeps its last coefficients."""
        fit_rows(rows, self.leverage, self.student or self.skewed, self.coefficients, self.outcome)
        if not are_counted():
            return
        good, likelihood, _, second_peak, at_edge = self.outcome.T
        note_fits(
            self.law,
            Certificate.of(
                good,
                at_bound=at_edge,
                second_peak=second_peak,
                gain=likelihood - _likelihood_at_rest(rows),
                at_floor=int(np.count_nonzero(at_floor(self.freedom()) & (good == 1.0))),
            ),
        )

    @property
    def law(self) -> str:
        """Name of what is fitted, as certificates have it: 'GARCH-t', 'GJR-normal'."""
        innovations = "skew-t" if self.skewed else "t" if self.student else "normal"
        return f"{'GJR' if self.leverage else 'GARCH'}-{innovations}"

    def freedom(self) -> FloatArray:
        """(series,) degrees of freedom; those of a normal where nothing was ever fitted."""
        return np.where(np.isnan(self.coefficients[:, 4]), np.inf, self.coefficients[:, 4])

    def skew(self) -> FloatArray:
        """(series,) skew of the innovations; zero where it is not fitted, or nothing ever was."""
        return np.nan_to_num(self.coefficients[:, SIZE:].sum(axis=1))

    def variances(self, rows: FloatArray) -> FloatArray:
        """(series, days + 1) variance of each day and of the day after the last."""
        out = np.empty((rows.shape[0], rows.shape[1] + 1))
        variance_rows(rows, self.coefficients, out)
        return out


def _likelihood_at_rest(rows: FloatArray) -> FloatArray:
    """(series,) log-likelihood of constant variance with normal innovations; NaN if all zero."""
    square = np.mean(rows**2, axis=1)
    square[square == 0.0] = np.nan
    return np.asarray(-0.5 * rows.shape[1] * (np.log(2.0 * np.pi * square) + 1.0))


def fit_garch(
    series: Days, *, leverage: bool = False, student: bool = True, skewed: bool = False
) -> GarchFit:
    r"""Zero-mean GARCH(1, 1), or GJR with `leverage`, by maximum likelihood.

    .. math:: v_{t+1} = \omega + (\alpha + \gamma 1_{x_t < 0}) x_t^2 + \beta v_t

    What came before the first day counts as the mean square of the series. alpha, alpha + gamma
    and beta are held positive, their sum (gamma by half) below one.

    Parameters
    ----------
    series : (days,) P&L or shocks, any unit. student : innovations of unit variance and fitted
        degrees of freedom, else normal. skewed : skewed Student ones; skew < 0 is a longer tail of
        falls.

    Raises
    ------
    StudyError : fewer than 50 days, a value that is not finite, or a series that never moves.

    References
    ----------
    Bollerslev, T. (1987). A conditionally heteroskedastic time series model for speculative prices
    and rates of return. Review of Economics and Statistics, 69(3), 542-547.
    Glosten, L., Jagannathan, R. & Runkle, D. (1993). On the relation between the expected value
    and the volatility of the nominal excess return on stocks. Journal of Finance, 48(5).
    Hansen, B. (1994). Autoregressive conditional density estimation. International Economic
    Review, 35(3), 705-730.

    Examples
    --------
    >>> rng, x, v = np.random.default_rng(1), np.empty(4000), 1.0
    >>> for t in range(4000):
    ...     x[t] = np.sqrt(v) * rng.standard_normal()
    ...     v = 0.05 + 0.10 * x[t] ** 2 + 0.85 * v
    >>> fit = fit_garch(x, student=False)
    >>> bool(abs(fit.alpha - 0.10) < 0.03 and abs(fit.beta - 0.85) < 0.04), fit.converged
    (True, True)
    """
    rows = np.array(series, dtype=np.float64, order="C")[None, :]
    if rows.shape[1] < FEWEST_DAYS or not np.isfinite(rows).all() or not rows.any():
        raise StudyError(
            f"a GARCH was asked of {rows.shape[1]} days; give {FEWEST_DAYS} or more finite values, "
            "not all zero."
        )
    fitted = RollingGarch(1, leverage=leverage, student=student, skewed=skewed)
    fitted.refit(rows)
    good, log_likelihood, evaluations, second_peak, at_edge = fitted.outcome[0]
    omega, gain, loss, beta, freedom = (float(c) for c in fitted.coefficients[0, :SIZE])
    return GarchFit(
        omega=omega,
        alpha=gain,
        gamma=loss - gain,
        beta=beta,
        freedom=freedom,
        skew=float(fitted.skew()[0]),
        log_likelihood=float(log_likelihood),
        converged=bool(good),
        evaluations=int(evaluations),
        second_peak=float(second_peak),
        at_edge=bool(at_edge),
    )


def rolling_variance(
    shocks: Days, due: BoolArray, *, lookback: int, leverage: bool = False, name: str = "series"
) -> Days:
    """Variance of the next day as foreseen at each close by a GARCH-t, refitted on a schedule.

    A fit is on the last `lookback` shocks, first when that many are known; between fits the
    recursion runs on.

    Parameters
    ----------
    shocks : (days,) all finite. due : (days,) whether a fit is due, as `refit_days` has it.
    name : what the shocks are of, for the message of StudyError where they are stale.

    Returns
    -------
    (days,) NaN until the first good fit.

    Examples
    --------
    >>> shocks = np.random.default_rng(0).standard_t(5, 400)
    >>> variance = rolling_variance(shocks, np.arange(400) % 50 == 0, lookback=250)
    >>> int(np.isnan(variance).sum())
    249
    """
    days = len(shocks)
    variance, fitted = np.full(days, np.nan), RollingGarch(1, leverage=leverage)
    first = lookback - 1
    fits = [day for day in range(first, days) if day == first or due[day]]
    for day, following in zip(fits, [*fits, days][1:], strict=True):
        begin, end = day - lookback + 1, following
        window = np.ascontiguousarray(shocks[begin : day + 1])
        fitted.refit(window[None, :])
        refuse_stale(
            window[None, :], fitted.freedom(), who=f"the volatility of {name}", what="shocks"
        )
        path = np.empty(end - begin + 1)
        backcast = float(np.mean(window**2))
        variances(shocks[begin:end], fitted.coefficients[0], backcast, path)
        variance[day:end] = path[lookback:]
    return variance
