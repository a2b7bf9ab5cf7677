"""The verdict on coverage, `coverage_p`: which test decides, and its p-value.

Each record is tested by the most powerful of the tests that hold their size for it
(docs/overlap.md): the exact binomial over independent days; the binomial of effective counts where
losses overlap; the same with the variance seen between groups of days, and Student's law for it,
where exceedances cluster. Clusters are read from the sizes of all losses (`is_clustered`) and never
from the count that is tested.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtr

from backtest.scores.checks import check_confidence, column_blocks
from backtest.scores.overlapping.clusters import CLUSTERED_FROM, loss_ranks, memory_scores
from backtest.scores.overlapping.hac import DailyCounts, count_inflation, effective_binomial
from backtest.scores.overlapping.overlap import check_horizon, check_record
from backtest.types import BoolArray, DataError, DaysByPortfolios, FloatArray

BINOMIAL, EFFECTIVE, GROUPED = "exact binomial", "effective counts", "groups of days"
GROUP_DAYS = 250  # two groups, and one more for each year of days


def coverage_p(
    exceedances: BoolArray,
    *,
    horizon: int,
    confidence: float = 0.99,
    clustered: BoolArray | bool = False,
) -> FloatArray:
    r"""One-sided p-value of H0: the rate of exceedances is at most 1 - confidence.

    Over-coverage never rejects, and a record without an exceedance has p = 1. The test of each
    portfolio is named by `coverage_tests`:

    - *exact binomial* (H = 1): the probability of so many exceedances in independent days.
    - *effective counts* (H > 1): `hac_coverage`, whose variance counts the lags of the overlap.
    - *groups of days* (clustered): as effective counts, with the variance of the count between
      G = 2 + n // 250 groups of consecutive days where it is larger. Its p-value as a normal score
      is referred to Student's law with G - 1 degrees of freedom, since the variance is estimated.

    Measured at a nominal 5 % over H = 1 to 10, n = 250 to 2,196 and confidence .95 to .99, the rule
    with its choice of test rejects 2 to 5 % of right records where exceedances depend by overlap
    alone, and 2 to 6 % where they cluster for months; sizes and power by cell: docs/overlap.md.

    Parameters
    ----------
    exceedances : (days, portfolios) bool over scored days.
    horizon : MPOR in margin days, 1 or more.
    confidence : level the requirement is meant to cover, in (0, 1).
    clustered : (portfolios,) of `is_clustered`, or one value for all.

    Returns
    -------
    (portfolios,) p-values in [0, 1].

    Raises
    ------
    DataError, StudyError
        For values other than 0 and 1, `clustered` of another length, a horizon below 1, a
        confidence outside (0, 1).

    References
    ----------
    Rao, J. & Scott, A. (1992). A simple method for the analysis of clustered binary data.
    Biometrics, 48(2), 577-585. Ibragimov, R. & Mueller, U. (2010). t-statistic based correlation
    and heterogeneity robust inference. Journal of Business & Economic Statistics, 28(4), 453-468.

    Examples
    --------
    >>> exceedances = np.arange(500)[:, None] % np.array([1000, 50]) == 19
    >>> coverage_p(exceedances, horizon=1).round(4).tolist()
    [0.9934, 0.0311]
    >>> coverage_p(exceedances, horizon=1, clustered=True).round(4).tolist()
    [0.9553, 0.0795]
    """
    marked = check_record(exceedances, "days", "portfolios")
    days, portfolios = marked.shape
    groups = np.asarray(clustered, dtype=np.bool_)
    if groups.ndim and groups.shape != (portfolios,):
        raise DataError(
            f"clustered has shape {groups.shape} for {portfolios} portfolios; give one value each."
        )
    groups = np.broadcast_to(groups, portfolios)
    pvalues = np.empty(portfolios)
    for columns in column_blocks(days, portfolios):
        pvalues[columns] = count_pvalues(
            marked[:, columns].astype(np.int64),
            1,
            horizon=horizon,
            confidence=confidence,
            clustered=groups[columns],
        )
    return pvalues


def coverage_tests(clustered: BoolArray, *, horizon: int) -> NDArray[np.str_]:
    """Names of the tests that `coverage_p` takes, (portfolios,).

    Examples
    --------
    >>> coverage_tests(np.array([False, True]), horizon=1).tolist()
    ['exact binomial', 'groups of days']
    """
    return np.where(clustered, GROUPED, BINOMIAL if horizon == 1 else EFFECTIVE)


def count_pvalues(
    counts: DailyCounts,
    portfolios: float,
    *,
    horizon: int,
    confidence: float,
    clustered: BoolArray,
) -> FloatArray:
    """P-values of `coverage_p` for daily counts over books, one series a panel.

    Parameters
    ----------
    counts : (days, ...) books with an exceedance. portfolios : number of books in each panel, or
        its mean over the days. clustered : (...) whether the series clusters.

    Returns
    -------
    (...) p-values.

    Examples
    --------
    >>> once = np.eye(250, 5, dtype=int).sum(axis=1)
    >>> for clustered in (False, True):
    ...     p = count_pvalues(once, 1, horizon=1, confidence=0.99, clustered=np.array(clustered))
    ...     print(round(float(p), 4))
    0.1078
    0.2695
    """
    check_confidence(confidence)
    check_horizon(horizon)
    overlap = count_inflation(counts, portfolios, horizon=horizon)
    groups = min(2 + len(counts) // GROUP_DAYS, len(counts))
    if groups < 2:
        return effective_binomial(counts, portfolios, overlap, confidence=confidence)
    between = np.maximum(group_inflation(counts, portfolios, groups=groups), overlap)
    inflation = np.where(clustered, between, overlap)
    pvalues = effective_binomial(counts, portfolios, inflation, confidence=confidence)
    return np.where(clustered, stdtr(groups - 1, ndtri(pvalues)), pvalues)


def group_inflation(counts: DailyCounts, portfolios: float, *, groups: int) -> FloatArray:
    """Variance of the total, from the counts of groups of consecutive days, over the binomial one.

    Examples
    --------
    >>> float(group_inflation(np.array([2, 0, 0, 0, 0, 0, 0, 2]), 2, groups=2))
    0.0
    >>> round(float(group_inflation(np.array([2, 0, 0, 2, 0, 0, 0, 0]), 2, groups=2)), 3)
    5.333
    """
    starts = np.linspace(0, len(counts), groups + 1).astype(np.int64)
    lengths = np.diff(starts).reshape((-1,) + (1,) * (counts.ndim - 1))
    shares = np.add.reduceat(counts, starts[:-1], axis=0) / (lengths * portfolios)
    rate = counts.mean(axis=0) / portfolios
    independent = rate * (1.0 - rate) / portfolios
    inflation = np.ones(np.shape(rate))
    between = shares.var(axis=0, ddof=1) * (len(counts) / groups)
    np.divide(between, independent, out=inflation, where=independent > 0.0)
    return inflation


def pooled_coverage_p(
    loss: DaysByPortfolios,
    required: DaysByPortfolios,
    *,
    horizon: int,
    confidence: float = 0.99,
    known: BoolArray | None = None,
) -> float:
    """P-value of all books together, by the test that `coverage_p` would take for one of them.

    The exceedances of a date are added up over books, so books that share dates are no more
    evidence than they are. H0 is about the pooled rate: one bad book among good ones passes.
    Clusters are read from the mean rank over books of the size of losses.

    Parameters
    ----------
    loss, required : (days, portfolios) USD over scored days, no NaN.
    known : (days, portfolios) False on days that a portfolio has not, which may be NaN; None where
        all have all days. Days then count as so many books as they have on average.

    Examples
    --------
    >>> book = np.where(np.isin(np.arange(500), np.arange(20, 500, 48)), 2.0, 0.5)
    >>> loss = np.repeat(book[:, None], 30, axis=1)
    >>> round(pooled_coverage_p(loss, np.ones((500, 30)), horizon=1), 3)
    0.031
    """
    if known is None:
        portfolios, counts = float(loss.shape[1]), np.count_nonzero(loss > required, axis=1)
        ranks = loss_ranks(loss, required).mean(axis=1)[:, None]
    else:
        portfolios = np.count_nonzero(known) / len(known)
        counts = np.count_nonzero((loss > required) & known, axis=1)
        ranks = _own_ranks(loss, required, known)[:, None]
    clustered = memory_scores(ranks, horizon=horizon)[0] > CLUSTERED_FROM
    return float(
        count_pvalues(
            counts,
            portfolios,
            horizon=horizon,
            confidence=confidence,
            clustered=np.array(clustered),
        )
    )


def _own_ranks(loss: DaysByPortfolios, required: DaysByPortfolios, known: BoolArray) -> FloatArray:
    """(days,) mean rank of the sizes of losses, as a share of each portfolio's own days."""
    total = np.zeros(len(loss))
    for book, own in enumerate(known.T):
        ranks = loss_ranks(loss[own, book, None], required[own, book, None])[:, 0]
        total[own] += ranks / max(len(ranks), 1)
    count = known.sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), 0.5)
