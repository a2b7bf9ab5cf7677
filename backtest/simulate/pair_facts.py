"""Facts of each pair of factors of one history: correlation, lead and lag, joint tails."""

from itertools import combinations

import numpy as np

from backtest.simulate.own_facts import BEYOND, Fact, Moves, quantile
from backtest.types import FloatArray, RowNumbers

CORRELATION, LEADS, JOINT_TAILS = "correlation", "lead and lag", "joint tails"
MOST_LAG = 5  # days
FALL, RISE = "fall", "rise"


def pair_names(factors: tuple[str, ...]) -> tuple[str, ...]:
    """Names of all pairs of factors, in their order.

    Examples
    --------
    >>> pair_names(("2Y", "10Y", "BTC"))
    ('2Y, 10Y', '2Y, BTC', '10Y, BTC')
    """
    return tuple(f"{first}, {second}" for first, second in combinations(factors, 2))


def pair_facts(factors: tuple[str, ...], moves: Moves) -> list[Fact]:
    """Facts of the pairs of factors; none of one factor alone.

    Lag l correlates the first factor with the second l days later: at a positive lag the first one
    leads.

    A tail is a factor's days strictly below its 5 % quantile (a fall) or above its 95 % quantile
    (a rise). Both beyond: of the days on which one of the two is in its tail, the share on which
    the other is as well, 2 n_both / (n_first + n_second); it is the coefficient of tail dependence
    at 5 %, and about 5 % for independent factors. The tail correlation is that of the two over the
    days on which either is among the 5 % of its largest absolute moves.

    References
    ----------
    Coles, S., Heffernan, J. & Tawn, J. (1999). Dependence measures for extreme value analyses.
    Extremes, 2(4), 339-365.

    Examples
    --------
    >>> import backtest as bt
    >>> market = bt.load_market("sample", end="2017-12-31")
    >>> facts = pair_facts(market.factors, Moves.of(market))
    >>> facts[0].name, facts[0].values.shape
    ('correlation of x', (55,))
    """
    names = pair_names(factors)
    if not names:
        return []
    first, second = np.triu_indices(len(factors), 1)

    def of_pairs(matrix: FloatArray) -> FloatArray:
        return np.asarray(matrix[first, second])

    together = {lag: _lagged(moves.z, lag) for lag in range(MOST_LAG + 1)}
    # Row i, column j at lag l has i before j; the transpose has j before i.
    leads = {-lag: matrix.T for lag, matrix in together.items()} | together
    return [
        Fact(CORRELATION, "correlation of x", names, of_pairs(together[0])),
        Fact(CORRELATION, "correlation of |x|", names, of_pairs(_lagged(moves.size, 0))),
        *(
            Fact(LEADS, f"correlation of x, lag {lag:+d}", names, of_pairs(leads[lag]))
            for lag in sorted(leads)
            if lag
        ),
        *(
            Fact(JOINT_TAILS, name, names, of_pairs(matrix))
            for name, matrix in _both_beyond(moves).items()
        ),
        Fact(JOINT_TAILS, "tail correlation", names, _tail_correlation(moves, first, second)),
    ]


def _lagged(z: FloatArray, lag: int) -> FloatArray:
    """(factors, factors) correlation of each row with each column `lag` days later."""
    days = z.shape[1]
    if lag >= days:
        return np.full((len(z), len(z)), np.nan)
    return np.asarray(z[:, : days - lag] @ z[:, lag:].T / days)


def _both_beyond(moves: Moves) -> dict[str, FloatArray]:
    """(factors, factors) share of tail days on which the other factor is in its tail as well."""
    # Products of 0 and 1 count days. Yields come in whole basis points, so a tail may hold fewer
    # than 5 % of the days: the counts themselves are divided by.
    tails = {
        FALL: moves.shocks < quantile(moves.ordered, BEYOND)[:, None],
        RISE: moves.shocks > quantile(moves.ordered, 1.0 - BEYOND)[:, None],
    }
    days = {side: tail.astype(np.float64) for side, tail in tails.items()}
    found = {}
    for one, rows in days.items():
        for other, columns in days.items():
            count = rows.sum(axis=1)[:, None] + columns.sum(axis=1)
            share = 2.0 * (rows @ columns.T) / np.where(count > 0, count, np.nan)
            found[f"{one} with {other}"] = share
    return found


def _tail_correlation(moves: Moves, first: RowNumbers, second: RowNumbers) -> FloatArray:
    """(pairs,) correlation of factors `first` and `second` over days on which either is far out."""
    size = np.abs(moves.shocks)
    far = size > np.quantile(size, 1.0 - BEYOND, axis=1)[:, None]
    out = np.full(len(first), np.nan)
    for pair, (i, j) in enumerate(zip(first, second, strict=True)):
        days = far[i] | far[j]
        x, y = moves.z[i, days], moves.z[j, days]
        if len(x) > 2 and np.ptp(x) > 0 and np.ptp(y) > 0:
            x, y = x - x.mean(), y - y.mean()
            out[pair] = (x @ y) / np.sqrt((x @ x) * (y @ y))
    return out
