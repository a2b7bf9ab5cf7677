"""The cost of equal coverage: each requirement is scaled until it covers exactly as promised.

A higher margin covers more, so unscaled margins are not comparable. Margins scaled in hindsight to
the allowed number of exceedances are. The scale is in-sample and is set by one day in a hundred, so
it is shown with an interval.
"""

import numpy as np

from backtest.kernels.exceedances import weighted_tail
from backtest.scores.checks import as_panels, check_confidence, check_weights, column_blocks
from backtest.types import DaysByPortfolios, FloatArray, tail_count

INTERVAL = (0.025, 0.975)


def coverage_ratio(loss: FloatArray, required: FloatArray) -> FloatArray:
    """Scale at which the requirement of a day just covers its loss.

    Parameters
    ----------
    loss, required : (...) USD.

    Returns
    -------
    (...) max(0, loss / required); if the requirement is 0, +inf for a loss and 0 for a gain.

    Examples
    --------
    >>> coverage_ratio(np.array([3.0, -1.0, 1.0, 0.0]), np.array([2.0, 2.0, 0.0, 0.0])).tolist()
    [1.5, 0.0, inf, 0.0]
    """
    unmet = np.where(loss > 0.0, np.inf, 0.0)
    return np.maximum(np.divide(loss, required, out=unmet, where=required > 0.0), 0.0)


def interval_of(draws: FloatArray) -> tuple[FloatArray, FloatArray]:
    """2.5 % and 97.5 % order statistics of the draws, rounded outwards: no infinity is averaged.

    Parameters
    ----------
    draws : (resamples, ...) numbers, inf allowed.

    Returns
    -------
    low, high : (...).

    Examples
    --------
    >>> low, high = interval_of(np.array([1.0, 2.0, np.inf]))
    >>> float(low), float(high)
    (1.0, inf)
    """
    below, above = INTERVAL
    low = np.quantile(draws, below, axis=0, method="lower")
    high = np.quantile(draws, above, axis=0, method="higher")
    return np.asarray(low), np.asarray(high)


def scaled_margin(scale: FloatArray, margin: FloatArray) -> FloatArray:
    """Scale x margin; +inf if no scale reaches the coverage, even for a margin of 0.

    Examples
    --------
    >>> scaled_margin(np.array([2.0, np.inf]), np.array([3.0, 0.0])).tolist()
    [6.0, inf]
    """
    scaled = np.full(np.broadcast(scale, margin).shape, np.inf)
    np.multiply(scale, margin, out=scaled, where=np.isfinite(scale))
    return scaled


def equal_coverage_scale(
    loss: DaysByPortfolios, required: DaysByPortfolios, *, confidence: float = 0.99
) -> FloatArray:
    """Smallest factor on a requirement with no more than the allowed number of exceedances.

    The (allowed + 1)-th largest of `coverage_ratio` over days, allowed = floor of
    days x (1 - confidence).

    Parameters
    ----------
    loss, required : (days, portfolios) USD over scored days, no NaN.
    confidence : level to be covered, in (0, 1).

    Returns
    -------
    (portfolios,) scales >= 0; +inf where more days than allowed have a loss and no requirement.

    Raises
    ------
    DataError, StudyError
        For arrays of other shapes or with NaN, and a confidence outside (0, 1).

    Examples
    --------
    >>> loss = np.array([[4.0], [1.0], [3.0], [-2.0]])
    >>> equal_coverage_scale(loss, np.full((4, 1), 2.0), confidence=0.75).tolist()
    [1.5]
    """
    check_confidence(confidence)
    losses, margins = as_panels(loss=loss, required=required)
    days, portfolios = losses.shape
    place = days - 1 - tail_count(days, confidence, "floor")
    scale = np.empty(portfolios)
    for columns in column_blocks(days, portfolios):
        ratio = coverage_ratio(losses[:, columns], margins[:, columns])
        scale[columns] = np.partition(ratio, place, axis=0)[place]
    return scale


def equal_coverage_margin(
    loss: DaysByPortfolios,
    required: DaysByPortfolios,
    *,
    confidence: float = 0.99,
    weights: FloatArray | None = None,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Mean margin after scaling each book to the allowed exceedances, with its 95 % interval.

    One scale for each book hides errors of a model across books (constant haircuts look best in
    hindsight); `pooled_equal_coverage` shows them. Each resample of days has its own scale and mean
    margin.

    Parameters
    ----------
    loss, required : (days, portfolios) USD over scored days, no NaN.
    confidence : level to be covered, in (0, 1).
    weights : (resamples, days) from `day_weights`; None leaves the interval NaN.

    Returns
    -------
    margin, low, high : (portfolios,) USD; +inf where no scale reaches the coverage.

    Raises
    ------
    DataError, StudyError
        For arrays of other shapes or with NaN, and a confidence outside (0, 1).

    Examples
    --------
    >>> loss = np.array([[4.0], [1.0], [3.0], [-2.0]])
    >>> margin, low, high = equal_coverage_margin(loss, np.full((4, 1), 2.0), confidence=0.75)
    >>> margin.tolist(), low.tolist()
    ([3.0], [nan])
    """
    scale = equal_coverage_scale(loss, required, confidence=confidence)
    losses, margins = as_panels(loss=loss, required=required)
    days, portfolios = losses.shape
    margin = scaled_margin(scale, margins.mean(axis=0))
    low, high = np.full(portfolios, np.nan), np.full(portfolios, np.nan)
    if weights is None:
        return margin, low, high
    check_weights(weights, days)
    allowed = float(tail_count(days, confidence, "floor"))
    for columns in column_blocks(max(days, weights.shape[0]), portfolios):
        # Days of a book contiguous in memory: sorting is three times faster than down the columns.
        ratio = np.ascontiguousarray(coverage_ratio(losses[:, columns], margins[:, columns]).T)
        order = np.argsort(ratio, axis=1)[:, ::-1]
        draws = np.empty((weights.shape[0], ratio.shape[0]))
        scales = np.empty(weights.shape[0])
        for book in range(ratio.shape[0]):
            ranked = np.ascontiguousarray(order[book])
            weighted_tail(ratio[book, ranked], ranked, weights, allowed, scales)
            draws[:, book] = scales
        low[columns], high[columns] = interval_of(
            scaled_margin(draws, weights @ margins[:, columns] / days)
        )
    return margin, low, high
