"""Many portfolios tested at once: p-values that remain valid for all of them together.

At 5 % one right model in twenty fails, so of 60 portfolios three will. Holm and Romano-Wolf control
the probability of any false rejection, Benjamini-Hochberg and -Yekutieli the share of false ones.
A p-value of NaN (not identified) remains NaN and is not counted in the family.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from backtest.scores.checks import as_indicator, check_confidence, check_weights
from backtest.types import BoolArray, DataError, FloatArray


def holm(pvalues: ArrayLike) -> FloatArray:
    r"""Adjust p-values so that any false rejection has probability at most the level.

    .. math:: \tilde p_{(i)} = \max_{j \le i} \min\{1, (m - j + 1) p_{(j)}\}

    Holds under any dependence.

    Parameters
    ----------
    pvalues : (portfolios,) in [0, 1]; NaN where not identified.

    Returns
    -------
    (portfolios,) adjusted p-values, never below the unadjusted.

    References
    ----------
    Holm, S. (1979). A simple sequentially rejective multiple test procedure. Scandinavian Journal
    of Statistics, 6(2), 65-70.

    Examples
    --------
    >>> holm([0.01, 0.04, np.nan, 0.03]).tolist()
    [0.03, 0.06, nan, 0.06]
    """
    adjusted = _as_pvalues(pvalues)
    order = _ranked(adjusted)
    steps = np.arange(len(order), 0, -1) * adjusted[order]
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted


def benjamini_hochberg(pvalues: ArrayLike) -> FloatArray:
    r"""Adjust p-values so that the expected share of false rejections is at most the level.

    .. math:: \tilde p_{(i)} = \min_{j \ge i} \min\{1, m p_{(j)} / j\}

    Valid for independent tests and for positive dependence, as between books of one market;
    `benjamini_yekutieli` is valid under any dependence.

    Parameters
    ----------
    pvalues : (portfolios,) in [0, 1]; NaN where not identified.

    References
    ----------
    Benjamini, Y. & Hochberg, Y. (1995). Controlling the false discovery rate. Journal of the Royal
    Statistical Society B, 57(1), 289-300.

    Examples
    --------
    >>> benjamini_hochberg([0.01, 0.04, 0.03]).round(3).tolist()
    [0.03, 0.04, 0.04]
    """
    return _false_discovery(pvalues, dependent=False)


def benjamini_yekutieli(pvalues: ArrayLike) -> FloatArray:
    r"""As `benjamini_hochberg`, times :math:`\sum_{i \le m} 1/i`: holds under any dependence.

    Parameters
    ----------
    pvalues : (portfolios,) in [0, 1]; NaN where not identified.

    References
    ----------
    Benjamini, Y. & Yekutieli, D. (2001). The control of the false discovery rate in multiple
    testing under dependency. Annals of Statistics, 29(4), 1165-1188.

    Examples
    --------
    >>> benjamini_yekutieli([0.01, 0.04]).round(3).tolist()
    [0.03, 0.06]
    """
    return _false_discovery(pvalues, dependent=True)


def _false_discovery(pvalues: ArrayLike, *, dependent: bool) -> FloatArray:
    # scipy's false_discovery_control multiplies in another order, which would change the last digit
    # of stored results.
    adjusted = _as_pvalues(pvalues)
    order = _ranked(adjusted)
    rank = np.arange(1, len(order) + 1)
    price = float((1.0 / rank).sum()) if dependent else 1.0
    steps = price * len(order) / rank * adjusted[order]
    adjusted[order] = np.minimum(np.minimum.accumulate(steps[::-1])[::-1], 1.0)
    return adjusted


def romano_wolf(
    exceedances: ArrayLike, *, confidence: float = 0.99, weights: FloatArray
) -> FloatArray:
    r"""Step-down p-values of 'at most 1 - confidence of the days exceed', portfolio by portfolio.

    `bootstrap_pvalues` for a family. Days are drawn in blocks, with all portfolios of a day
    together, so that the dependence of portfolios is taken into account. With
    x_p the exceedances, x* those of a resample, and portfolios ordered by x:

    .. math:: \tilde p_p = \max_{j \le p}
              \frac{1 + \#\{b : \max_{q \ge j} (x^*_{b,q} - x_q) \ge x_j - n (1 - confidence)\}}
                   {B + 1}

    The probability of any false rejection is at most the level, for large samples. One portfolio
    alone gets `bootstrap_pvalues`. Over-coverage never rejects. Counts are not divided by their own
    standard deviations: for rare exceedances these are too uncertain.

    Parameters
    ----------
    exceedances : (days, portfolios) bool or 0/1, consecutive margin days; a book and its mirror
        image are two portfolios.
    confidence : level the requirement is meant to cover, in (0, 1).
    weights : (resamples, days) from `day_weights`.

    Returns
    -------
    (portfolios,) adjusted p-values in (0, 1], never below those of `bootstrap_pvalues`.

    Raises
    ------
    DataError, StudyError
        For values other than 0 and 1, weights of other days, a confidence outside (0, 1).

    References
    ----------
    Romano, J. & Wolf, M. (2005). Exact and approximate stepdown methods for multiple hypothesis
    testing. Journal of the American Statistical Association, 100(469), 94-108; (2016). Efficient
    computation of adjusted p-values for resampling-based stepdown multiple testing. Statistics &
    Probability Letters, 113, 38-40.

    Examples
    --------
    >>> from backtest.scores.resample import day_weights, stationary_indices
    >>> weights = day_weights(stationary_indices(500, resamples=199, seed=1))
    >>> panel = np.arange(500)[:, None] % np.array([1000, 20]) == 19
    >>> romano_wolf(panel, weights=weights).tolist()
    [1.0, 0.005]
    """
    check_confidence(confidence)
    marked = _panel(exceedances)
    days, portfolios = marked.shape
    check_weights(weights, days)
    count = np.count_nonzero(marked, axis=0)
    order = np.argsort(-count, kind="stable")
    ranked = marked[:, order].astype(np.float64)
    beyond = count[order] - round(days * (1.0 - confidence), 9)
    # Largest value over this portfolio and all later ones, resample by resample.
    gaps = weights @ ranked - count[order]
    largest = np.maximum.accumulate(gaps[:, ::-1], axis=1)[:, ::-1]
    # Counts are whole numbers: the small margin keeps rounding from deciding a tie.
    reached = np.count_nonzero(largest >= beyond - 1e-9, axis=0)
    adjusted = np.empty(portfolios)
    adjusted[order] = np.maximum.accumulate((1.0 + reached) / (len(weights) + 1.0))
    return adjusted


def _panel(exceedances: ArrayLike) -> BoolArray:
    marked = as_indicator(exceedances)
    if marked.ndim != 2 or marked.size == 0:
        raise DataError(
            f"exceedances have shape {marked.shape}; give (days, portfolios), neither of them 0."
        )
    return marked


def _as_pvalues(pvalues: ArrayLike) -> FloatArray:
    values = np.array(pvalues, dtype=np.float64)
    if values.ndim != 1:
        raise DataError(f"p-values have shape {values.shape}; give (portfolios,).")
    wrong = ~np.isnan(values) & ~((values >= 0.0) & (values <= 1.0))
    if wrong.any():
        raise DataError(f"a p-value is {values[wrong][0]:g}; give probabilities, or NaN.")
    return values


def _ranked(pvalues: FloatArray) -> NDArray[np.intp]:
    """Positions of the identified p-values, smallest p-value first."""
    identified = np.flatnonzero(~np.isnan(pvalues))
    return identified[np.argsort(pvalues[identified], kind="stable")]
