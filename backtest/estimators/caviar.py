"""CAViaR: a quantile with a memory of its own, fitted by its tick loss as time goes by."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from backtest.estimators.fits import Certificate, note_fits
from backtest.kernels.caviar import tail_rows
from backtest.kernels.caviar_fit import OUTCOMES, fit_rows
from backtest.types import Days, FloatArray, StudyError, tail_count

Form = Literal["symmetric", "asymmetric", "indirect-garch"]


@dataclass(eq=False)
class RollingCaviar:
    """The fits of many series as their windows roll on: coefficients of the last good one of each.

    Parameters
    ----------
    series : how many. confidence : of the quantile. form : 'symmetric' or 'asymmetric' in gains
        and losses, or 'indirect-garch': symmetric, and in squares.

    Attributes
    ----------
    coefficients : (series, 4) constant, persistence, reaction to gains, reaction to losses. Before
        the first good fit the sample quantile that a recursion begins at never moves.
    outcome : (series, 5) of the last refit: 1 for a good fit, 0 for a failed one, NaN for a series
        without losses at this confidence; mean tick loss; log-likelihood (of Laplace's asymmetric
        law) above the sample quantile, and above the second peak, infinite where there is none
        near; 1 where the fit ended at an edge of the law.
    """

    series: int
    confidence: float
    form: Form = "symmetric"
    coefficients: FloatArray = field(init=False)
    outcome: FloatArray = field(init=False)

    def __post_init__(self) -> None:
        self.coefficients = np.tile([0.0, 1.0, 0.0, 0.0], (self.series, 1))
        self.outcome = np.full((self.series, OUTCOMES), np.nan)

    def refit(self, rows: FloatArray) -> None:
        """Fit every row (series, days); what fails is counted and keeps its last coefficients."""
        fit_rows(
            rows,
            self.form != "asymmetric",
            self.form == "indirect-garch",
            1.0 - self.confidence,
            self._tail_of(rows),
            self.coefficients,
            self.outcome,
        )
        good, _, gain, second_peak, at_edge = self.outcome.T
        note_fits(
            f"CAViaR {self.form}",
            Certificate.of(good, at_bound=at_edge, second_peak=second_peak, gain=gain),
        )

    def tails(self, rows: FloatArray) -> FloatArray:
        """(2, series) value at risk and expected shortfall of the day after the last."""
        out = np.empty((2, len(rows)))
        squared, level = self.form == "indirect-garch", 1.0 - self.confidence
        tail_rows(rows, self.coefficients, squared, level, self._tail_of(rows), out)
        return out

    def _tail_of(self, rows: FloatArray) -> int:
        """Days in the tail of a sample; StudyError where it holds none."""
        days = rows.shape[1]
        if tail_count(days, self.confidence, "floor") < 1:
            raise StudyError(
                f"a quantile at {self.confidence} was asked of {days} days, which hold no day "
                "beyond it; give more days, or a lower confidence."
            )
        return tail_count(days, self.confidence)


@dataclass(frozen=True)
class CaviarFit:
    """One fit; the constant in units of the series, or in their squares for 'indirect-garch'.

    gain and fall are the reactions to a gain and to a loss.
    """

    constant: float
    persistence: float
    gain: float
    fall: float
    tick_loss: float
    converged: bool


def fit_caviar(series: Days, *, confidence: float, form: Form = "symmetric") -> CaviarFit:
    r"""Coefficients of least tick loss of a conditional autoregressive value at risk.

    .. math:: q_{t+1} = b_0 + b_1 q_t + (b_+ 1_{x_t \ge 0} + b_- 1_{x_t < 0}) |x_t|

    begun at the sample quantile; 'symmetric' has both reactions equal, 'indirect-garch' as well,
    with squares of q and x. The authors leave the coefficients free; here b_1 is held below one and
    all positive, so that no value at risk ever turns negative.

    Parameters
    ----------
    series : (days,) P&L, any unit.

    Raises
    ------
    StudyError : fewer days than one beyond the quantile, a value that is not finite, or no loss
        at that confidence.

    References
    ----------
    Engle, R. & Manganelli, S. (2004). CAViaR: conditional autoregressive value at risk by
    regression quantiles. Journal of Business & Economic Statistics, 22(4), 367-381.

    Examples
    --------
    >>> rng, x, v = np.random.default_rng(1), np.empty(8000), 1.0
    >>> for t in range(8000):
    ...     x[t] = v * rng.standard_normal()
    ...     v = 0.05 + 0.85 * v + 0.125 * abs(x[t])
    >>> fit = fit_caviar(x, confidence=0.95, form="symmetric")
    >>> bool(abs(fit.persistence - 0.85) < 0.03 and abs(fit.fall - 1.645 * 0.125) < 0.03)
    True
    """
    rows = np.array(series, dtype=np.float64, order="C")[None, :]
    fitted = RollingCaviar(1, confidence=confidence, form=form)
    if not np.isfinite(rows).all():
        raise StudyError("a CAViaR was asked of values that are not finite; leave them out.")
    fitted.refit(rows)
    good, loss = fitted.outcome[0, :2]
    if np.isnan(good):
        raise StudyError(
            f"a CAViaR at {confidence} was asked of a series without losses at that confidence."
        )
    constant, persistence, gain, fall = (float(c) for c in fitted.coefficients[0])
    return CaviarFit(constant, persistence, gain, fall, float(loss), bool(good))
