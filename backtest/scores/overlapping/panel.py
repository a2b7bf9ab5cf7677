"""Kupiec's and Christoffersen's tests on millions of records at once, from bits.

A record of 1,000 days is 16 words of 64 bits. Days and transitions are counted word by word, and
the p-values of each distinct set of counts are computed once, by the functions for one record.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtrc

from backtest.kernels.packed import EMPTY, WORD, count_words, distinct_columns, pack_bits
from backtest.scores.checks import check_confidence, column_blocks
from backtest.scores.exceedances.counts import independence_statistic, unconditional_statistic
from backtest.types import BoolArray, DataError, FloatArray

ALL = np.uint64(2**64 - 1)


@dataclass(frozen=True, eq=False)
class PackedRecords:
    """Exceedances of many records, 64 days a word.

    Parameters
    ----------
    days : length of every record, missing days included.
    exceeded : (words, records) uint64; bit b of word w is day 64 w + b.
    known : (words, records) uint64, days that are not missing; (words, 1) where all records miss
        the same days.

    Raises
    ------
    DataError : words of another number than the days need, or an exceedance on a day that is
        missing or beyond the last.
    """

    days: int
    exceeded: NDArray[np.uint64]
    known: NDArray[np.uint64]

    def __post_init__(self) -> None:
        words = -(-self.days // WORD)
        records = self.exceeded.shape[-1]
        shapes = self.exceeded.shape, self.known.shape
        if shapes[0] != (words, records) or shapes[1] not in ((words, records), (words, 1)):
            raise DataError(
                f"packed records of {self.days} days have shapes {shapes[0]} and {shapes[1]}; give "
                f"{words} words each, and as many records or one for all."
            )
        beyond = ALL << np.uint64((self.days - 1) % WORD) << np.uint64(1)
        stray = (self.exceeded & ~self.known).any() or (self.known[-1:] & beyond).any()
        if self.days < 1 or stray:
            raise DataError(
                "packed exceedances lie on days that are not known, or known days beyond the last; "
                "make them with pack_records."
            )


def every_day(days: int) -> NDArray[np.uint64]:
    """Words (words, 1) of days none of which is missing.

    Examples
    --------
    >>> [f"{int(word):x}" for word in every_day(68)[:, 0]]
    ['ffffffffffffffff', 'f']
    """
    known = np.full((-(-days // WORD), 1), ALL)
    known[-1] >>= np.uint64(-days % WORD)
    return known


def pack_records(exceedances: ArrayLike) -> PackedRecords:
    """Pack a panel into bits; missing days (NaN) are packed in a second array.

    Parameters
    ----------
    exceedances : (days, records) bool, or 0 and 1 with NaN where a day is missing.

    Raises
    ------
    DataError : another shape, no day, or another value.

    Examples
    --------
    >>> packed = pack_records([[1.0, 0.0], [np.nan, 0.0], [0.0, 1.0]])
    >>> packed.exceeded.tolist(), packed.known.tolist()
    ([[1, 4]], [[5, 7]])
    """
    cells = np.asarray(exceedances)
    if cells.ndim != 2 or cells.shape[0] == 0:
        raise DataError(
            f"exceedances have shape {cells.shape}; give (days, records) with a day at least."
        )
    days, records = cells.shape
    shape = (-(-days // WORD), records)
    exceeded, known = np.zeros(shape, np.uint64), np.zeros(shape, np.uint64)
    whole = True
    for columns in column_blocks(days, records):
        hit, known_days = _planes(cells[:, columns])
        pack_bits(hit, exceeded[:, columns])
        if known_days is None:
            known[:, columns] = every_day(days)
            continue
        whole = False
        pack_bits(known_days, known[:, columns])
    return PackedRecords(days, exceeded, every_day(days) if whole else known)


def _planes(cells: NDArray[np.generic]) -> tuple[BoolArray, BoolArray | None]:
    """Exceedances, and the known days if any day is missing."""
    if cells.dtype == np.bool_:
        return np.asarray(cells, dtype=np.bool_), None
    numbers = cells.astype(np.float64)
    hit, missing = numbers == 1, np.isnan(numbers)
    wrong = ~(hit | missing | (numbers == 0))
    if wrong.any():
        raise DataError(
            f"exceedances hold {numbers[wrong][0]:g}; give True or False (or 1 and 0), and NaN "
            "only where a day is missing."
        )
    return hit, ~missing if missing.any() else None


@dataclass(frozen=True, eq=False)
class PanelTests:
    """Counts and tests of every record, (records,) each; NaN where not identified.

    Parameters
    ----------
    observations, missing, exceedances : days known, days missing, exceedances.
    transitions : (4, records) n00, n01, n10, n11, between neighbouring known days only.
    kupiec, independence, conditional : likelihood ratios.
    kupiec_p, independence_p, conditional_p : their chi-squared p-values, 1, 1 and 2 df.
    """

    observations: NDArray[np.int64]
    missing: NDArray[np.int64]
    exceedances: NDArray[np.int64]
    transitions: NDArray[np.int64]
    kupiec: FloatArray
    independence: FloatArray
    conditional: FloatArray
    kupiec_p: FloatArray
    independence_p: FloatArray
    conditional_p: FloatArray


def panel_tests(records: PackedRecords, *, confidence: float = 0.99) -> PanelTests:
    """Kupiec and Christoffersen (independence, conditional coverage) of every record.

    Equal to `kupiec`, `christoffersen_independence` and `christoffersen_coverage` to the last
    digit. A missing day is no observation, and no transition crosses it.

    Parameters
    ----------
    records : from `pack_records`. For an MPOR of H days pack every H-th day.
    confidence : level the requirement is meant to cover, in (0, 1).

    References
    ----------
    Kupiec, P. (1995). Techniques for verifying the accuracy of risk measurement models. Journal of
    Derivatives, 3(2), 73-84. Christoffersen, P. (1998). Evaluating interval forecasts.
    International Economic Review, 39(4), 841-862.

    Examples
    --------
    >>> tests = panel_tests(pack_records(np.isin(np.arange(250), [99, 100])[:, None]))
    >>> round(float(tests.conditional[0]), 3), tests.transitions[:, 0].tolist()
    (7.602, [246, 1, 1, 1])
    """
    check_confidence(confidence)
    counts = np.empty((6, records.exceeded.shape[1]), np.int64)
    shared = records.known.shape[1] == 1
    count_words(records.exceeded, records.known, shared, counts)
    observations, exceedances, transitions = counts[0], counts[1], counts[2:]

    def ratios(each: NDArray[np.int64]) -> FloatArray:
        rate = unconditional_statistic(each[1], each[0], confidence=confidence)
        n00, n01, n10, n11 = each[2:]
        chain = independence_statistic(n00, n01, n10, n11)
        chain = np.where((n00 + n01 > 0) & (n10 + n11 > 0), chain, np.nan)
        both = rate + chain
        pvalues = [chdtrc(df, ratio) for df, ratio in ((1, rate), (1, chain), (2, both))]
        return np.array([rate, chain, both, *pvalues])

    results = over_distinct(counts, ratios)
    return PanelTests(observations, records.days - observations, exceedances, transitions, *results)


def over_distinct(
    columns: NDArray[np.int64], compute: Callable[[NDArray[np.int64]], FloatArray]
) -> list[FloatArray]:
    """Compute once for each distinct column, and return the result for all equal columns.

    Parameters
    ----------
    columns : (rows, records) counts. compute : takes (rows, distinct), gives (results, distinct).

    Returns
    -------
    (records,), one a result.

    Examples
    --------
    >>> over_distinct(np.array([[3, 5, 3, 3]]), lambda each: each * 2.0)[0].tolist()
    [6.0, 10.0, 6.0, 6.0]
    """
    records = columns.shape[1]
    group = np.empty(records, np.int64)
    slots = np.full(1 << (2 * records + 1).bit_length(), EMPTY)
    distinct = distinct_columns(columns, slots, group)
    first = np.empty(distinct, np.int64)
    records_seen = slots[slots != EMPTY]
    first[group[records_seen]] = records_seen
    results = compute(columns[:, first])
    return [row[group] for row in results]
