"""Exceedances of many records as bits: 64 days per word, counted one word at a time.

Bit b of word w is day 64 w + b. Words are (words, records), so that the inner loop runs over
records, which the compiler vectorises.
"""

import numpy as np
from numpy.typing import NDArray

from backtest.kernels.compile import kernel

WORD = 64  # days a word
RECORDS = 1024  # counted at a time, so that their counters stay in the first-level cache
EMPTY = -1

Words = NDArray[np.uint64]  # (words, records)
Counts = NDArray[np.int64]  # (..., records)


@kernel
def ones(word: np.uint64) -> np.uint64:
    """Number of bits set; the compiler replaces this pattern by one processor instruction."""
    word = word - ((word >> np.uint64(1)) & np.uint64(0x5555555555555555))
    word = (word & np.uint64(0x3333333333333333)) + (
        (word >> np.uint64(2)) & np.uint64(0x3333333333333333)
    )
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.uint64((word * np.uint64(0x0101010101010101)) >> np.uint64(56))


@kernel
def pack_bits(marked: NDArray[np.bool_], out: Words) -> None:
    """Pack `marked` (days, records) into `out` (words, records); bits beyond the days are 0."""
    out[:] = np.uint64(0)
    for day in range(marked.shape[0]):
        word, shift = day // WORD, np.uint64(day % WORD)
        for record in range(marked.shape[1]):
            out[word, record] |= np.uint64(marked[day, record]) << shift


@kernel
def count_words(exceeded: Words, known: Words, same_days: bool, out: Counts) -> None:
    r"""Days and transitions of every record, by the bits of a day and of the day before it.

    With x the exceedances, k the known days and x', k' the same one day later in the word:

    .. math:: n_{11} = |x \wedge x'|, \quad n_{10} = |x' \wedge k| - n_{11}, \quad
              n_{01} = |x \wedge k'| - n_{11}, \quad
              n_{00} = |k \wedge k'| - n_{01} - n_{10} - n_{11}

    exceeded (words, records) : a subset of `known`. known : (words, records), or (words, 1) where
    all records have the same days (`same_days`). out (6, records) : written; known days,
    exceedances, n00, n01, n10, n11.
    """
    words, records = exceeded.shape
    one_bit, last = np.uint64(1), np.uint64(WORD - 1)
    for first in range(0, records, RECORDS):
        stop = min(first + RECORDS, records)
        out[:, first:stop] = 0
        for w in range(words):
            for r in range(first, stop):
                column = 0 if same_days else r
                x, k = exceeded[w, r], known[w, column]
                before_x, before_k = x << one_bit, k << one_bit
                if w > 0:
                    before_x |= exceeded[w - 1, r] >> last
                    before_k |= known[w - 1, column] >> last
                # Pairs with an exceedance on one day only follow from these sums, below.
                out[0, r] += np.int64(ones(k))
                out[1, r] += np.int64(ones(x))
                out[2, r] += np.int64(ones(k & before_k))
                out[3, r] += np.int64(ones(x & before_k))
                out[4, r] += np.int64(ones(before_x & k))
                out[5, r] += np.int64(ones(x & before_x))
        for r in range(first, stop):
            out[3, r] -= out[5, r]
            out[4, r] -= out[5, r]
            out[2, r] -= out[3, r] + out[4, r] + out[5, r]


@kernel
def distinct_columns(columns: Counts, slots: NDArray[np.int64], group: NDArray[np.int64]) -> int:
    """Number the distinct columns in the order in which they first appear; return how many.

    columns (rows, records). slots : scratch, filled with EMPTY, a power of two above twice the
    records. group (records,) : written, the number of each record's column. The first record of
    each is left in `slots`, the number of its column in `group`.
    """
    mask = np.uint64(slots.shape[0] - 1)
    count = 0
    for r in range(columns.shape[1]):
        code = np.uint64(0)
        for row in range(columns.shape[0]):
            # A hash of the column, by the multiplier of Knuth's generator MMIX: similar counts get
            # distant places.
            code = (code ^ np.uint64(columns[row, r])) * np.uint64(6364136223846793005)
            code ^= code >> np.uint64(29)
        place = code & mask
        while True:
            first = slots[place]
            if first == EMPTY:
                slots[place] = r
                group[r] = count
                count += 1
                break
            is_same = True
            for row in range(columns.shape[0]):
                is_same &= columns[row, first] == columns[row, r]
            if is_same:
                group[r] = group[first]
                break
            place = (place + np.uint64(1)) & mask
    return count
