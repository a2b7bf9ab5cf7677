"""Facts of each factor of one history: moments, tails, memory of its moves, long moves."""

from typing import NamedTuple

import numpy as np

from backtest.market.market import Market
from backtest.types import BoolArray, FloatArray, tail_count

MOMENTS, TAILS, MEMORY, LONG_MOVES = "moments", "tails", "clustering", "long moves"
QUANTILES = {"0.1 % quantile": 0.001, "1 % quantile": 0.01, "99 % quantile": 0.99,
             "99.9 % quantile": 0.999}  # fmt: skip
BEYOND = 0.05  # of the days: the tail of Hill's index, and of what two factors do together
LAGS = (1, 5, 20, 60)  # days: the next one, a week, a month, a quarter
MONTH = 20


class Fact(NamedTuple):
    """One fact of one history, for each factor, or each pair, that has it.

    Parameters
    ----------
    family, name : the kind of fact and the fact. subjects : factors, or pairs of them.
    values : (subjects,); NaN where the history does not determine it.
    is_move : True where the value has the unit of the factor's shocks: a share of the price, or a
        change of the yield in decimals.
    """

    family: str
    name: str
    subjects: tuple[str, ...]
    values: FloatArray
    is_move: bool = False


class Moves(NamedTuple):
    """The one-day shocks of one history, prepared once for all facts.

    Parameters
    ----------
    shocks : (factors, days), of one day.
    ordered : each factor's shocks in ascending order.
    z, size : shocks, and their absolute values, less their mean and over their standard deviation;
        NaN for a factor that does not move.
    """

    shocks: FloatArray
    ordered: FloatArray
    z: FloatArray
    size: FloatArray

    @classmethod
    def of(cls, market: Market) -> "Moves":
        """Prepare a market's shocks, rounded to 12 decimals."""
        # Yields come in whole basis points. Unless the rounding of their differences is taken out,
        # it decides which of many equal moves lie beyond a quantile.
        shocks = np.ascontiguousarray(np.round(market.shocks(1)[1:], 12).T)
        return cls(shocks, np.sort(shocks, axis=1), standardised(shocks),
                   standardised(np.abs(shocks)))  # fmt: skip


def standardised(values: FloatArray) -> FloatArray:
    """(factors, days) less the mean and over the standard deviation of each row; NaN if constant.

    Examples
    --------
    >>> standardised(np.array([[1.0, 3.0], [2.0, 2.0]])).tolist()
    [[-1.0, 1.0], [nan, nan]]
    """
    centred = values - values.mean(axis=1, keepdims=True)
    sd = np.where(np.ptp(values, axis=1) > 0, centred.std(axis=1), np.nan)
    return np.asarray(centred / sd[:, None])


def quantile(ordered: FloatArray, share: float) -> FloatArray:
    """(factors,) linear quantile of ascending rows, as `np.quantile` has it.

    Examples
    --------
    >>> quantile(np.array([[0.0, 1.0, 2.0]]), 0.25).tolist()
    [0.5]
    """
    place = share * (ordered.shape[1] - 1)
    low = int(place)
    high = min(low + 1, ordered.shape[1] - 1)
    return np.asarray(ordered[:, low] + (place - low) * (ordered[:, high] - ordered[:, low]))


def hill_index(descending: FloatArray, count: int) -> FloatArray:
    """(factors,) Hill's index of the upper tail: 1 / mean log of the `count` largest over the next.

    NaN where the next largest value is not positive. Small is heavy: a Student tail with n degrees
    of freedom has index n.

    References
    ----------
    Hill, B. (1975). A simple general approach to inference about the tail of a distribution.
    Annals of Statistics, 3(5), 1163-1174.

    Examples
    --------
    >>> hill_index(np.array([[np.e**2, np.e, 1.0]]), 2).round(6).tolist()
    [0.666667]
    """
    if count >= descending.shape[1]:
        return np.full(len(descending), np.nan)
    threshold = descending[:, count]
    known = threshold > 0
    out = np.full(len(descending), np.nan)
    logs = np.log(descending[known, :count] / threshold[known, None])
    mean = logs.mean(axis=1)
    out[known] = 1.0 / np.where(mean > 0, mean, np.nan)
    return out


def own_facts(market: Market, moves: Moves) -> list[Fact]:
    """Facts of the factors of a market, one by one.

    Examples
    --------
    >>> import backtest as bt
    >>> market = bt.load_market("sample", end="2017-12-31")
    >>> facts = own_facts(market, Moves.of(market))
    >>> [fact.name for fact in facts][:4], facts[0].values.shape
    (['mean', 'sd', 'skew', 'excess kurtosis'], (11,))
    """
    names = market.factors
    return [
        *(Fact(MOMENTS, name, names, values, name in ("mean", "sd"))
          for name, values in _moments(moves).items()),
        *(Fact(TAILS, name, names, quantile(moves.ordered, share), True)
          for name, share in QUANTILES.items()),
        *(Fact(TAILS, name, names, values) for name, values in _hill(moves).items()),
        *(Fact(MEMORY, name, names, values) for name, values in _memory(moves).items()),
        *_long_moves(market),
    ]  # fmt: skip


def _moments(moves: Moves) -> dict[str, FloatArray]:
    square = moves.z**2
    return {
        "mean": moves.shocks.mean(axis=1),
        "sd": moves.shocks.std(axis=1),
        "skew": (square * moves.z).mean(axis=1),
        "excess kurtosis": (square**2).mean(axis=1) - 3.0,
    }


def _hill(moves: Moves) -> dict[str, FloatArray]:
    count = tail_count(moves.ordered.shape[1], 1.0 - BEYOND)
    return {
        "Hill index of falls": hill_index(-moves.ordered, count),
        "Hill index of rises": hill_index(moves.ordered[:, ::-1], count),
    }


def _memory(moves: Moves) -> dict[str, FloatArray]:
    """Autocorrelations: of |x| they say how moves cluster, of x whether they can be foretold."""
    sizes = {f"autocorrelation of |x|, lag {lag}": _acf(moves.size, lag) for lag in LAGS}
    return sizes | {"autocorrelation of x, lag 1": _acf(moves.z, 1)}


def _acf(z: FloatArray, lag: int) -> FloatArray:
    days = z.shape[1]
    if lag >= days:
        return np.full(len(z), np.nan)
    return np.asarray((z[:, lag:] * z[:, :-lag]).sum(axis=1) / days)


def _long_moves(market: Market) -> list[Fact]:
    """Of levels: what a margin model meets over months, which one-day facts do not determine."""
    price = np.array([kind == "price" for kind in market.kinds])
    names = np.array(market.factors)
    prices, yields = market.levels[:, price], market.levels[:, ~price]
    priced, yielding = tuple(names[price].tolist()), tuple(names[~price].tolist())
    facts = [
        Fact(LONG_MOVES, "deepest fall from a peak", priced, _deepest_fall(prices), True),
        Fact(LONG_MOVES, "longest time below a peak, days", priced, _longest_below(prices)),
        Fact(LONG_MOVES, "largest rise from a trough", yielding, _largest_rise(yields), True),
    ]
    month = _moves_over(market.levels, price, MONTH)
    whole = market.factors
    return [
        *(fact for fact in facts if fact.subjects),
        Fact(LONG_MOVES, f"worst fall in {MONTH} days", whole, month.min(axis=0), True),
        Fact(LONG_MOVES, f"largest rise in {MONTH} days", whole, month.max(axis=0), True),
    ]


def _moves_over(levels: FloatArray, price: BoolArray, days: int) -> FloatArray:
    """(days, factors) overlapping moves over `days`; NaN in one row where there are too few."""
    if len(levels) <= days:
        return np.full((1, levels.shape[1]), np.nan)
    before, after = levels[:-days], levels[days:]
    return np.where(price, after / np.where(price, before, 1.0) - 1.0, after - before)


def _deepest_fall(prices: FloatArray) -> FloatArray:
    return np.asarray((prices / np.maximum.accumulate(prices, axis=0) - 1.0).min(axis=0))


def _largest_rise(yields: FloatArray) -> FloatArray:
    return np.asarray((yields - np.minimum.accumulate(yields, axis=0)).max(axis=0))


def _longest_below(prices: FloatArray) -> FloatArray:
    """(factors,) most days in a row on which the price was below an earlier one, to the last day.

    Examples
    --------
    >>> _longest_below(np.array([[1.0], [3.0], [2.0], [1.0], [3.0], [2.0]])).tolist()
    [2.0]
    """
    at_peak = prices >= np.maximum.accumulate(prices, axis=0)
    out = np.empty(prices.shape[1])
    for j in range(prices.shape[1]):
        peaks = np.append(np.flatnonzero(at_peak[:, j]), len(prices))
        out[j] = np.diff(peaks).max() - 1
    return out
