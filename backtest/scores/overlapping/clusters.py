"""Whether large losses come together, read from all days and not from the few exceedances.

A requirement that ignores volatility is exceeded in clusters of months, and the count of a few
years then varies several times as much as a binomial one. The sizes of losses in units of the
requirement show this on every day. Their ranks are the same at any scale of the requirement, so
that a margin which is merely too low does not look clustered.
"""

import numpy as np

from backtest.scores.checks import as_panels, column_blocks
from backtest.scores.overlapping.overlap import check_horizon
from backtest.types import BoolArray, DaysByPortfolios, FloatArray

LAGS = 20  # days after the overlap over which memory is looked for: a trading month
# Standard deviations of the sum of rank autocorrelations, from which a record counts as clustered.
# Independent days reach it one time in six, at the cost of a point or two of power; clusters that
# go unseen cost the size of the test, so the line is drawn low (docs/overlap.md).
CLUSTERED_FROM = 1.0


def is_clustered(loss: DaysByPortfolios, required: DaysByPortfolios, *, horizon: int) -> BoolArray:
    """Whether the sizes of losses, in units of the requirement, have memory beyond the overlap.

    Parameters
    ----------
    loss, required : (days, portfolios) USD over scored days, no NaN.
    horizon : MPOR in margin days, 1 or more.

    Returns
    -------
    (portfolios,) bool; False where there are too few days to tell, or all sizes are alike.

    Raises
    ------
    DataError, StudyError
        For arrays of other shapes or with NaN, and a horizon below 1.

    Examples
    --------
    >>> calm_and_wild = np.where(np.arange(500) % 200 < 100, 1.0, 3.0)[:, None]
    >>> loss = calm_and_wild * np.random.default_rng(0).standard_normal((500, 1))
    >>> constant, aware = np.ones((500, 1)), calm_and_wild
    >>> [bool(is_clustered(loss, required, horizon=1)[0]) for required in (constant, aware)]
    [True, False]
    """
    check_horizon(horizon)
    losses, margins = as_panels(loss=loss, required=required)
    return memory_scores(loss_ranks(losses, margins), horizon=horizon) > CLUSTERED_FROM


def loss_ranks(loss: DaysByPortfolios, required: DaysByPortfolios) -> DaysByPortfolios:
    """Ranks over days of abs(loss) / required, by portfolio; ties share their mean rank.

    Examples
    --------
    >>> loss_ranks(np.array([[3.0], [-1.0], [0.0], [2.0]]), np.ones((4, 1))).ravel().tolist()
    [4.0, 2.0, 1.0, 3.0]
    """
    size = np.abs(loss)
    # A loss without a margin is larger than any other; no loss is the smallest.
    ratio = np.where(size > 0.0, np.inf, 0.0)
    np.divide(size, required, out=ratio, where=required > 0.0)
    ranks = np.empty(ratio.shape)
    for book, column in enumerate(ratio.T):
        order = np.argsort(column)
        ordered = column[order]
        begins = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
        ends = np.append(begins[1:], len(column))
        ranks[order, book] = np.repeat(0.5 * (begins + ends + 1), ends - begins)
    return ranks


def memory_scores(ranks: FloatArray, *, horizon: int) -> FloatArray:
    r"""Sum of autocorrelations beyond the overlap, in standard deviations of a series without any.

    With :math:`\hat\rho_k` the autocorrelations of n days, L lags and
    :math:`f = 1 + 2 \sum_{k < H} \hat\rho_k`:

    .. math:: \left(\sum_{k=H}^{H+L-1} \hat\rho_k + \frac{L f}{n}\right) \Big/ (f \sqrt{L / n})

    The second term is the bias of an estimated mean; the scale follows from Bartlett's formula for
    a series that remembers less than H days.

    Parameters
    ----------
    ranks : (days, portfolios). horizon : H.

    Returns
    -------
    (portfolios,) scores, about standard normal without memory; -inf where they are not known.

    References
    ----------
    Bartlett, M. (1946). On the theoretical specification and sampling properties of
    autocorrelated time-series. Supplement to the Journal of the Royal Statistical Society, 8(1).

    Examples
    --------
    >>> days = np.random.default_rng(2).random((1000, 2))
    >>> days[:, 1] += np.arange(1000) % 100 < 50
    >>> memory_scores(days, horizon=1).round(1).tolist()
    [1.7, 61.7]
    """
    days, portfolios = ranks.shape
    lags = min(LAGS, days // 2 - horizon)
    scores = np.full(portfolios, -np.inf)
    if lags < 1:
        return scores
    for columns in column_blocks(days, portfolios):
        centred = ranks[:, columns] - ranks[:, columns].mean(axis=0)
        variance = np.einsum("dp,dp->p", centred, centred)
        moved = variance > 0.0
        correlations = np.array(
            [
                np.einsum("dp,dp->p", centred[lag:], centred[:-lag])[moved] / variance[moved]
                for lag in range(1, horizon + lags)
            ]
        )
        overlap = np.maximum(1.0 + 2.0 * correlations[: horizon - 1].sum(axis=0), 1.0)
        beyond = correlations[horizon - 1 :].sum(axis=0) + lags * overlap / days
        scores[columns][moved] = beyond / (overlap * np.sqrt(lags / days))
    return scores
