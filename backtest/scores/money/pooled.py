"""One scale for all books of a model, which shows errors that a scale for each book hides."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backtest.kernels.exceedances import weighted_tail
from backtest.scores.checks import as_panels, check_confidence, check_weights, column_blocks
from backtest.scores.money.cost import coverage_ratio, interval_of, scaled_margin
from backtest.types import DaysByPortfolios, FloatArray, tail_count

# Share of books with a higher exceedance rate than the book of the tenth percentile.
WORSE_SHARE = 0.10


@dataclass(frozen=True)
class PooledCoverage:
    """A model's margins scaled by one factor to the coverage promised over all books together.

    Parameters
    ----------
    scale, scale_low, scale_high : the factor and its 95 % interval over resampled days.
    mean_margin : USD, mean over days and books, unscaled.
    equal_coverage_margin, equal_coverage_low, equal_coverage_high : USD, the mean after scaling,
        its interval.
    worst_rate, worst_book : highest exceedance rate of a book at that scale, and its column.
    tenth_percentile_rate, tenth_percentile_book : those of the book that 10 % are worse than.
    """

    scale: float
    scale_low: float
    scale_high: float
    mean_margin: float
    equal_coverage_margin: float
    equal_coverage_low: float
    equal_coverage_high: float
    worst_rate: float
    worst_book: int
    tenth_percentile_rate: float
    tenth_percentile_book: int


def _largest_ratios(
    losses: DaysByPortfolios, margins: DaysByPortfolios, keep: int
) -> tuple[FloatArray, NDArray[np.int64]]:
    """Find the `keep` largest coverage ratios of all cells, descending, and their days."""
    days, portfolios = losses.shape
    values, day = np.empty(0), np.empty(0, dtype=np.int64)
    for columns in column_blocks(days, portfolios):
        ratio = coverage_ratio(losses[:, columns], margins[:, columns])
        values = np.concatenate([values, ratio.ravel()])
        day = np.concatenate([day, np.repeat(np.arange(days), ratio.shape[1])])
        if values.size > keep:
            top = np.argpartition(values, values.size - keep)[values.size - keep :]
            values, day = values[top], day[top]
    order = np.argsort(values)[::-1]
    return values[order], day[order]


def _resampled_scales(
    losses: DaysByPortfolios, margins: DaysByPortfolios, allowed: int, weights: FloatArray
) -> FloatArray:
    """Pooled scale of each resample, (resamples,)."""
    scales = np.empty(weights.shape[0])
    keep = 4 * (allowed + 1)
    while True:
        # A resample without the worst days needs more of the list of ratios than the record does.
        values, day = _largest_ratios(losses, margins, keep)
        weighted_tail(values, day, weights, float(allowed), scales)
        if keep >= losses.size or not np.isnan(scales).any():
            return scales
        keep *= 4


def pooled_equal_coverage(
    loss: DaysByPortfolios,
    required: DaysByPortfolios,
    *,
    confidence: float = 0.99,
    weights: FloatArray | None = None,
) -> PooledCoverage:
    """One factor for all books: the (allowed + 1)-th largest ratio over all days and books.

    allowed = floor of days x books x (1 - confidence). Books share their days, so days are
    resampled for all of them together.

    Parameters
    ----------
    loss, required : (days, portfolios) USD over scored days, no NaN; portfolios of like size, or
        the mean margin is that of the large ones.
    confidence : level to be covered, in (0, 1).
    weights : (resamples, days) from `day_weights`; None leaves the intervals NaN.

    Returns
    -------
    PooledCoverage; scale and margin +inf where more cells than allowed have a loss and no
    requirement (those are exceedances at any scale).

    Raises
    ------
    DataError, StudyError
        For arrays of other shapes or with NaN, and a confidence outside (0, 1).

    Examples
    --------
    >>> loss = np.array([[4.0, 1.0], [1.0, 1.0], [3.0, 0.0], [-2.0, 1.0]])
    >>> pooled = pooled_equal_coverage(loss, np.full((4, 2), 2.0), confidence=0.75)
    >>> pooled.scale, pooled.worst_book, pooled.worst_rate
    (0.5, 0, 0.5)
    """
    check_confidence(confidence)
    losses, margins = as_panels(loss=loss, required=required)
    days, portfolios = losses.shape
    allowed = tail_count(losses.size, confidence, "floor")
    scale = float(_largest_ratios(losses, margins, allowed + 1)[0][allowed])
    mean_margin = float(margins.mean())
    scale_low = scale_high = equal_coverage_low = equal_coverage_high = float("nan")
    if weights is not None:
        check_weights(weights, days)
        scales = _resampled_scales(losses, margins, allowed, weights)
        drawn_margin = weights @ margins.mean(axis=1) / days
        scale_low, scale_high = (float(end) for end in interval_of(scales))
        equal_coverage_low, equal_coverage_high = (
            float(end) for end in interval_of(scaled_margin(scales, drawn_margin))
        )
    rates = _rates_at(losses, margins, scale)
    worst_first = np.argsort(-rates, kind="stable")
    worst = int(worst_first[0])
    tenth = int(worst_first[tail_count(portfolios, 1.0 - WORSE_SHARE, "floor")])
    return PooledCoverage(
        scale=scale,
        scale_low=scale_low,
        scale_high=scale_high,
        mean_margin=mean_margin,
        equal_coverage_margin=float(scaled_margin(np.array(scale), np.array(mean_margin))),
        equal_coverage_low=equal_coverage_low,
        equal_coverage_high=equal_coverage_high,
        worst_rate=float(rates[worst]),
        worst_book=worst,
        tenth_percentile_rate=float(rates[tenth]),
        tenth_percentile_book=tenth,
    )


def _rates_at(losses: DaysByPortfolios, margins: DaysByPortfolios, scale: float) -> FloatArray:
    """Exceedance rate of each book with its requirement scaled, (portfolios,)."""
    days, portfolios = losses.shape
    rates = np.empty(portfolios)
    for columns in column_blocks(days, portfolios):
        ratio = coverage_ratio(losses[:, columns], margins[:, columns])
        rates[columns] = np.mean((ratio > scale) | np.isinf(ratio), axis=0)
    return rates
