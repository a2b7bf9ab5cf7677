"""Lead and lag between pairs: a series dated a day late or early moves with others a day apart."""

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from backtest.market.examination.column import Column
from backtest.market.examination.finding import Finding
from backtest.types import Dates, FloatArray, RowNumbers

TOGETHER = 250  # common days of a window
GAIN, NOISE = 0.3, 3.0  # correlation gained by a shift; standard errors that it must exceed besides
ALL_GAIN, ALL_NOISE, ALL_DAYS = 0.1, 6.0, 750  # the same over all common days, where there are more
FARTHEST = 3  # rows


def check_lags(columns: Sequence[Column]) -> Iterator[Finding]:
    """Every pair of columns over all their common days, and window by window."""
    moves = {
        column.factor: pd.Series(column.moves, column.days[1:])
        for column in columns
        # Overnight rates are set; funding follows the price of the day before.
        if len(column) > TOGETHER and column.role not in ("rate", "funding")
    }
    for one, two in combinations(moves, 2):
        days, first, second = np.intersect1d(
            moves[one].index, moves[two].index, assume_unique=True, return_indices=True
        )
        if len(days) < TOGETHER:
            continue
        pair = [moves[one].to_numpy()[first], moves[two].to_numpy()[second]]
        values = np.column_stack(pair).astype(np.float64)
        finding = _pair(one, two, days, values)
        if finding is not None:
            yield finding


def _pair(one: str, two: str, days: Dates, values: FloatArray) -> Finding | None:
    """The first shift that is found, over all days and then in windows."""
    count = len(days)
    limits = [(TOGETHER, GAIN, NOISE)]
    if count >= ALL_DAYS:
        limits.insert(0, (count, ALL_GAIN, ALL_NOISE))
    for length, gain, noise in limits:
        starts = np.arange(0, count - length + 1, max(length // 2, 1))
        starts[-1] = count - length  # the last window ends with the history
        by_shift = {
            rows: window_correlations(values, rows, starts, length)
            for rows in range(-FARTHEST, FARTHEST + 1)
        }
        same = by_shift.pop(0)
        rows = np.array(list(by_shift))
        shifted = np.array(list(by_shift.values()))
        best = np.argmax(np.abs(shifted), axis=0)
        apart = shifted[best, np.arange(len(starts))]
        wrong = np.abs(apart) > np.abs(same) + gain + noise / np.sqrt(length)
        if wrong.any():
            at = int(np.argmax(wrong))
            touched = slice(int(starts[wrong][0]), int(starts[wrong][-1]) + length)
            return _finding(
                one, two, days[touched], (int(rows[best[at]]), float(apart[at]), float(same[at]))
            )
    return None


def window_correlations(
    values: FloatArray, rows: int, starts: RowNumbers, length: int
) -> FloatArray:
    """Correlation in each window of the first column with the second, `rows` rows later.

    Examples
    --------
    >>> x = np.random.default_rng(1).normal(size=300)
    >>> values = np.column_stack([x[1:], x[:-1]])  # the second is a row late
    >>> window_correlations(values, 1, np.array([0]), 299).round(3).tolist()
    [1.0]
    """
    ahead, behind = max(rows, 0), max(-rows, 0)
    end = len(values) - ahead - behind
    one, two = values[behind : behind + end, 0], values[ahead : ahead + end, 1]
    sums = np.cumsum(
        np.column_stack([one, two, one * one, two * two, one * two]), axis=0, dtype=np.float64
    )
    sums = np.vstack([np.zeros(5), sums])
    last = np.minimum(starts + length - ahead - behind, end)
    count = last - starts
    a, b, aa, bb, ab = ((sums[last] - sums[starts]) / count[:, None]).T
    spread = np.sqrt(np.clip((aa - a * a) * (bb - b * b), 0.0, None))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(spread > 1e-300, (ab - a * b) / spread, 0.0)


def _finding(one: str, two: str, days: Dates, found: tuple[int, float, float]) -> Finding:
    rows, apart, same = found
    late = two if rows > 0 else one
    distance = "a day" if abs(rows) == 1 else f"{abs(rows)} days"
    first, last = str(days[0])[:10], str(days[-1])[:10]
    return Finding(
        late,
        "dates",
        tuple(days.astype("datetime64[D]").astype(str).tolist()),
        f"{one} and {two} move together {distance} apart (correlation {apart:.2f}) and not on the "
        f"same day ({same:.2f}) from {first} to {last}: {late} is dated {distance} late, or "
        f"{one if late == two else two} early",
        "mend its dates; where one closes hours earlier, accept it with a reason in [data] accept",
        impossible=True,
    )


def check_twins(columns: Sequence[Column]) -> Iterator[Finding]:
    """Two factors with the same values: one file under two names."""
    for one, two in combinations(columns, 2):
        if len(one) != len(two) or len(one) < 20 or one.role != two.role:
            continue
        if (one.days == two.days).all() and (one.levels == two.levels).all():
            yield Finding(
                two.factor,
                "twins",
                (),
                f"{one.name} and {two.name} have the same {len(one):,} values",
                "give each factor its own series",
            )
