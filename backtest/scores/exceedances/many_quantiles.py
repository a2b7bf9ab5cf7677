"""The dynamic quantile test on many records at once, by the normal equations.

Of its regressors only the requirement differs from book to book under a drawn record, so that the
products of a record with its own lags are formed once, and each book adds one column.
"""

import numpy as np

from backtest.types import BoolArray, DaysByPortfolios, FloatArray

LAGS = 4  # of the exceedances, as in Engle and Manganelli
# Directions of the regressors smaller than this share of the largest carry no information.
SINGULAR = 1e-12
SAME = 1e-12  # a requirement that moves by less than this share of itself is constant


def quantile_statistics(
    exceedances: BoolArray, required: DaysByPortfolios, *, confidence: float
) -> FloatArray:
    """Engle and Manganelli's statistic of each book with its own requirement, with four lags.

    Equal to `dynamic_quantile` book by book.

    Parameters
    ----------
    exceedances : (days, portfolios) bool. required : (days, portfolios) without NaN.

    Returns
    -------
    (portfolios,) statistics, NaN where not identified.

    Examples
    --------
    >>> from backtest.scores.exceedances.dynamic_quantile import dynamic_quantile
    >>> record, required = np.arange(200) % 23 == 5, np.arange(200.0)
    >>> many = quantile_statistics(record[:, None], required[:, None], confidence=0.95)
    >>> one = dynamic_quantile(record, required, confidence=0.95).statistic
    >>> bool(np.isclose(many[0], one, rtol=1e-9))
    True
    """
    days, portfolios = exceedances.shape
    if days - LAGS <= LAGS + 2:
        return np.full(portfolios, np.nan)
    centred = exceedances - (1.0 - confidence)
    explained = centred[LAGS:]
    regressors = [
        np.ones_like(explained),
        *(centred[LAGS - lag : days - lag] for lag in range(1, LAGS + 1)),
        _without_mean(required[LAGS:]),
    ]
    products = np.empty((len(regressors), len(regressors), portfolios))
    for i, one in enumerate(regressors):
        for j, other in enumerate(regressors[: i + 1]):
            products[i, j] = products[j, i] = np.einsum("dp,dp->p", one, other)
    moments = np.array([np.einsum("dp,dp->p", one, explained) for one in regressors])
    inverse = np.linalg.pinv(np.moveaxis(products, 2, 0), SINGULAR, True)
    fitted = np.einsum("kp,pkl,lp->p", moments, inverse, moments)
    alike = np.ptp(explained, axis=0) == 0
    return np.where(alike, np.nan, fitted / (confidence * (1.0 - confidence)))


class DrawnQuantiles:
    """Statistics of drawn records, for any number of requirements.

    Parameters
    ----------
    records : (records, days) bool, more days than lags.

    Examples
    --------
    >>> records, required = np.arange(400).reshape(2, 200) % [[17], [23]] == 5, np.arange(200.0)
    >>> drawn = DrawnQuantiles(records, confidence=0.95).statistics(required[:, None])
    >>> own = quantile_statistics(records.T, np.tile(required[:, None], 2), confidence=0.95)
    >>> bool(np.allclose(drawn[:, 0], own, rtol=1e-9))
    True
    """

    def __init__(self, records: BoolArray, *, confidence: float) -> None:
        from scipy.sparse import csr_array

        rate, known = 1.0 - confidence, records.shape[1] - LAGS
        self.scale = confidence * rate
        # A drawn record has few exceedances: sums over days are sums over these.
        self.marked = csr_array(records, dtype=np.float64)
        both = _together(records)
        count = np.diagonal(both, axis1=1, axis2=2)
        # The same products of indicators less the rate.
        products = both - rate * (count[:, :, None] + count[:, None, :]) + rate**2 * known
        sums = count - rate * known
        own = products.copy()
        own[:, 0, 0], own[:, 0, 1:], own[:, 1:, 0] = known, sums[:, 1:], sums[:, 1:]
        moments = np.concatenate([sums[:, :1], products[:, 1:, 0]], axis=1)
        self.inverse = np.linalg.pinv(own, SINGULAR, True)
        self.coefficients = np.einsum("rkl,rl->rk", self.inverse, moments)
        self.fitted = np.einsum("rk,rk->r", moments, self.coefficients)
        self.alike = (count[:, 0] == 0.0) | (count[:, 0] == known)

    def statistics(self, required: DaysByPortfolios) -> FloatArray:
        """Statistics under each requirement, (records, portfolios); NaN where not identified.

        required : (days, portfolios) without NaN.
        """
        # The requirement is taken without its mean, so that neither the constant nor the rate has a
        # product with it.
        column = np.zeros(required.shape)
        column[LAGS:] = _without_mean(required[LAGS:])
        total = np.einsum("dp,dp->p", column, column)
        summed: list[FloatArray] = []
        for lag in range(LAGS + 1):
            later = np.zeros(required.shape)
            later[LAGS - lag : len(later) - lag] = column[LAGS:]
            summed.append(np.asarray(self.marked @ later))
        explained, shared = summed[0], np.stack([np.zeros_like(summed[0]), *summed[1:]], axis=2)
        # What the requirement adds beyond the record's own lags: its part orthogonal to them.
        beyond = explained - np.einsum("rpk,rk->rp", shared, self.coefficients)
        left = total - np.einsum("rpl,rpl->rp", shared @ self.inverse, shared)
        added = np.zeros(beyond.shape)
        np.divide(beyond**2, left, out=added, where=left > SINGULAR * (len(column) - LAGS))
        return np.where(self.alike[:, None], np.nan, (self.fitted[:, None] + added) / self.scale)


def _together(records: BoolArray) -> FloatArray:
    """Days on which a record and its lags are 1 together, (records, 1 + lags, 1 + lags)."""
    count, days = records.shape
    both = np.zeros((count, LAGS + 1, LAGS + 1))
    record, day = np.divmod(np.flatnonzero(records), days)
    for gap in range(LAGS + 1):
        inside = day + gap < days
        pair = np.flatnonzero(inside)[records[record[inside], day[inside] + gap]]
        for lag in range(gap, LAGS + 1):
            seen = day[pair] + lag
            whose = record[pair][(seen >= LAGS) & (seen < days)]
            both[:, lag, lag - gap] = both[:, lag - gap, lag] = np.bincount(whose, minlength=count)
    return both


def _without_mean(required: DaysByPortfolios) -> DaysByPortfolios:
    """Requirements less their mean, in units of their largest move; 0 where they are constant.

    Beside indicators USD need a unit, and the constant among the regressors covers the mean.
    """
    centred = required - required.mean(axis=0)
    largest = np.abs(centred).max(axis=0)
    moves = largest > SAME * np.abs(required).max(axis=0)
    return np.asarray(np.where(moves, centred / np.where(moves, largest, 1.0), 0.0))
