"""One scale for all books of a model, which shows errors that a scale for each book hides."""

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from backtest.kernels.scored import count_above
from backtest.scores.checks import as_panels, check_confidence, column_blocks
from backtest.scores.money.cost import coverage_ratio, scaled_margin, wider_tail
from backtest.scores.overlapping.slow_variance import plausible_counts, rate_inflation
from backtest.types import BoolArray, DaysByPortfolios, FloatArray, tail_count

# Share of books with a higher exceedance rate than the book of the tenth percentile.
WORSE_SHARE = 0.10


@dataclass(frozen=True)
class PooledScale:
    """A model's margins scaled by one factor to the coverage promised over all books together.

    Parameters
    ----------
    scale : the factor.
    mean_margin : USD, mean over days and books, unscaled.
    equal_coverage_margin : USD, the mean after scaling.
    worst_rate, worst_book : highest exceedance rate of a book at that scale, and its column.
    tenth_percentile_rate, tenth_percentile_book : those of the book that 10 % are worse than.
    """

    scale: float
    mean_margin: float
    equal_coverage_margin: float
    worst_rate: float
    worst_book: int
    tenth_percentile_rate: float
    tenth_percentile_book: int


@dataclass(frozen=True)
class PooledCoverage:
    """`PooledScale` with its interval.

    Parameters
    ----------
    scale, scale_low, scale_high : the factor and its 95 % interval.
    mean_margin, worst_rate, worst_book, tenth_percentile_rate, tenth_percentile_book : as there.
    equal_coverage_margin, equal_coverage_low, equal_coverage_high : USD, the mean after scaling,
        its interval; margins count as they were.
    inflation : how much the clustering of exceedances over days and books shrinks the evidence.
    """

    scale: float
    scale_low: float
    scale_high: float
    mean_margin: float
    equal_coverage_margin: float
    equal_coverage_low: float
    equal_coverage_high: float
    inflation: float
    worst_rate: float
    worst_book: int
    tenth_percentile_rate: float
    tenth_percentile_book: int


def _first_largest(values: FloatArray, keep: int) -> NDArray[np.int64]:
    """Places of the `keep` largest values; of equal ones the first are taken."""
    if values.size <= keep:
        return np.arange(values.size)
    # A partition's own choice among equal values depends on the processor.
    least = np.partition(values, values.size - keep)[values.size - keep]
    above, level = np.flatnonzero(values > least), np.flatnonzero(values == least)
    return np.concatenate([above, level[: keep - len(above)]])


def _largest_ratios(
    losses: DaysByPortfolios, margins: DaysByPortfolios, keep: int
) -> tuple[FloatArray, NDArray[np.int64]]:
    """Find the `keep` largest coverage ratios of all cells, descending, and their days."""
    days, portfolios = losses.shape
    values, day = np.empty(0), np.empty(0, dtype=np.int64)
    for columns in column_blocks(days, portfolios):
        ratio = coverage_ratio(losses[:, columns], margins[:, columns])
        cells = ratio.ravel()
        top = _first_largest(cells, keep)
        values = np.concatenate([values, cells[top]])
        day = np.concatenate([day, top // ratio.shape[1]])
        still = _first_largest(values, keep)
        values, day = values[still], day[still]
    order = np.argsort(-values, kind="stable")
    return values[order], day[order]


def pooled_inflation(days: int, portfolios: float, day: NDArray[np.int64]) -> float:
    """Factor by which clustering over days and books shrinks the evidence of the pooled rate.

    portfolios : their number, or its mean over the days. day : of each of the largest ratios.

    Examples
    --------
    >>> spread, crisis = np.arange(0, 1000, 20), np.arange(50)
    >>> [round(pooled_inflation(1000, 10, day), 1) for day in (spread, crisis)]
    [1.0, 82.9]
    """
    counts = np.bincount(day, minlength=days).astype(np.float64)
    return float(rate_inflation(counts, portfolios))


def pooled_equal_coverage(
    loss: DaysByPortfolios,
    required: DaysByPortfolios,
    *,
    confidence: float = 0.99,
    known: BoolArray | None = None,
) -> PooledCoverage:
    """One factor for all books: the (allowed + 1)-th largest ratio over all days and books.

    allowed = floor of days x books x (1 - confidence). The interval holds every scale at which a
    true pooled rate of 1 - confidence would leave as many exceedances as the record has; books
    that have them on the same days, and days that follow each other, count as less evidence.

    For 20 books that share half their news and a constant margin, the 95 % interval held the truth
    in 91 to 100 % of histories where shocks to volatility halve within 35 days, in 87 to 95 % where
    in 70, in 62 to 80 % where in a year (750 and 2,196 days, docs/intervals.md).

    Parameters
    ----------
    loss, required : (days, portfolios) USD over scored days, no NaN; portfolios of like size, or
        the mean margin is that of the large ones.
    known : (days, portfolios) False on days that a portfolio has not, which are in no count and may
        be NaN; None where all have all days.
    confidence : level to be covered, in (0, 1).

    Returns
    -------
    PooledCoverage; scale and margin +inf where more cells than allowed have a loss and no
    requirement (those are exceedances at any scale).

    Raises
    ------
    DataError, StudyError
        For arrays of other shapes or with NaN, and a confidence outside (0, 1).

    References
    ----------
    Lam, K., Sin, C.-Y. & Leung, R. (2004). A theoretical framework to evaluate different
    margin-setting methodologies. Journal of Futures Markets, 24(2), 117-145: models compared by
    their cost at the same prudentiality.

    Examples
    --------
    >>> loss = np.array([[4.0, 1.0], [1.0, 1.0], [3.0, 0.0], [-2.0, 1.0]])
    >>> pooled = pooled_equal_coverage(loss, np.full((4, 2), 2.0), confidence=0.75)
    >>> pooled.scale, pooled.worst_book, pooled.worst_rate
    (0.5, 0, 0.5)
    """
    losses, margins, cells = _cells(loss, required, known, confidence)
    days, portfolios = losses.shape
    centre = _scaled(losses, margins, cells, known, confidence)
    wider = wider_tail(cells, confidence)
    values, day = _largest_ratios(losses, margins, wider)
    # Ratios of 0 are gains: they are no part of the tail.
    a_day = portfolios if known is None else cells / days
    inflation = pooled_inflation(days, a_day, day[values > 0.0])
    fewest, most = plausible_counts(1.0 - confidence, cells, np.array(inflation))
    keep = min(int(most) + 1, cells)
    if keep > len(values):
        values, _ = _largest_ratios(losses, margins, keep)
    ends = np.array([values[keep - 1], values[int(fewest) - 1] if fewest > 0 else np.inf])
    low, high = (float(each) for each in scaled_margin(ends, np.array(centre.mean_margin)))
    return PooledCoverage(
        **asdict(centre),
        scale_low=float(ends[0]),
        scale_high=float(ends[1]),
        equal_coverage_low=low,
        equal_coverage_high=high,
        inflation=inflation,
    )


def pooled_scale(
    loss: DaysByPortfolios,
    required: DaysByPortfolios,
    *,
    confidence: float = 0.99,
    known: BoolArray | None = None,
) -> PooledScale:
    """`pooled_equal_coverage` without the interval, which takes most of its time.

    Examples
    --------
    >>> loss = np.array([[4.0, 1.0], [1.0, 1.0], [3.0, 0.0], [-2.0, 1.0]])
    >>> pooled_scale(loss, np.full((4, 2), 2.0), confidence=0.75).scale
    0.5
    """
    losses, margins, cells = _cells(loss, required, known, confidence)
    return _scaled(losses, margins, cells, known, confidence)


def _cells(
    loss: DaysByPortfolios, required: DaysByPortfolios, known: BoolArray | None, confidence: float
) -> tuple[DaysByPortfolios, DaysByPortfolios, int]:
    """Losses and requirements after their checks, and how many cells of them count."""
    check_confidence(confidence)
    if known is not None:  # a day without a loss is in no tail, and its margin in no mean
        loss, required = (np.where(known, values, 0.0) for values in (loss, required))
    losses, margins = as_panels(loss=loss, required=required)
    return losses, margins, losses.size if known is None else int(np.count_nonzero(known))


def _scaled(
    losses: DaysByPortfolios,
    margins: DaysByPortfolios,
    cells: int,
    known: BoolArray | None,
    confidence: float,
) -> PooledScale:
    allowed = tail_count(cells, confidence, "floor")
    scale = _place_of_all(losses, margins, allowed)
    mean_margin = float(margins.mean() if known is None else margins.sum() / cells)
    rates = _rates_at(losses, margins, scale)
    if known is not None:
        rates *= len(losses) / np.maximum(known.sum(axis=0), 1)
    worst_first = np.argsort(-rates, kind="stable")
    worst = int(worst_first[0])
    tenth = int(worst_first[tail_count(len(rates), 1.0 - WORSE_SHARE, "floor")])
    return PooledScale(
        scale=scale,
        mean_margin=mean_margin,
        equal_coverage_margin=float(scaled_margin(np.array(scale), np.array(mean_margin))),
        worst_rate=float(rates[worst]),
        worst_book=worst,
        tenth_percentile_rate=float(rates[tenth]),
        tenth_percentile_book=tenth,
    )


def _place_of_all(losses: DaysByPortfolios, margins: DaysByPortfolios, place: int) -> float:
    """The ratio that `place` ratios of all cells are no smaller than."""
    tops = []
    for columns in column_blocks(*losses.shape):
        cells = coverage_ratio(losses[:, columns], margins[:, columns]).reshape(-1)
        if cells.size > place + 1:
            cells.partition(cells.size - place - 1)
        tops.append(cells[-place - 1 :])
    largest = np.concatenate(tops)
    largest.partition(largest.size - place - 1)
    return float(largest[-place - 1])


def _rates_at(losses: DaysByPortfolios, margins: DaysByPortfolios, scale: float) -> FloatArray:
    """Exceedance rate of each book with its requirement scaled, (portfolios,)."""
    days, portfolios = losses.shape
    count = np.empty(portfolios, dtype=np.int64)
    for columns in column_blocks(days, portfolios):
        ratio = coverage_ratio(losses[:, columns], margins[:, columns])
        count_above(ratio, scale, count[columns])
    return count / days
