"""Ranks of columns, and pairs of days on which two columns move the same way: Kendall's tau."""

import numpy as np
from numpy.typing import NDArray

from backtest.kernels.compile import kernel
from backtest.kernels.packed import WORD, ones
from backtest.kernels.tail_select import FloatArray, IntArray


@kernel
def tied_ranks(
    values: FloatArray, order: IntArray, first: IntArray, last: IntArray, tied: IntArray
) -> None:
    """Smaller, and not larger, values of the column beside each value; pairs of equal values.

    Parameters
    ----------
    values : (columns, days). order : (columns, days) that sorts each column.
    first : (columns, days) smaller values. last : (columns, days) those not larger, itself
        among them; its average rank from 1 is (first + last + 1) / 2. tied : (columns,) pairs.
    """
    days = values.shape[1]
    for c in range(len(values)):
        begin, tied[c] = 0, 0
        while begin < days:
            end = begin + 1
            while end < days and values[c, order[c, end]] == values[c, order[c, begin]]:
                end += 1
            for i in range(begin, end):
                first[c, order[c, i]] = begin
                last[c, order[c, i]] = end
            tied[c] += (end - begin) * (end - begin - 1) // 2
            begin = end


@kernel
def concordance(order: IntArray, first: IntArray, last: IntArray, out: IntArray) -> None:
    """Pairs of days that two columns put in one order, less those they put in opposite orders.

    order, first, last : (columns, days) as `tied_ranks` has them. out : (columns, columns),
    symmetric, but for the diagonal, which is not written; pairs that are equal in either column
    count as neither.
    """
    columns, days = order.shape
    place = np.empty((columns, days), np.int64)  # of each day in the order of a column
    for c in range(columns):
        for i in range(days):
            place[c, order[c, i]] = i
    words = days // WORD + 1
    for one in range(columns):
        for other in range(one):
            # Days enter as the one column rises; their places in the other are bits, and `before`
            # counts the bits below each word, so that a day is compared with all of them at once.
            bits, before = np.zeros(words, np.uint64), np.zeros(words, np.int64)
            begin = balance = 0
            while begin < days:
                end = last[one, order[one, begin]]
                for i in range(begin, end):
                    day = order[one, i]
                    below = entered_below(bits, before, first[other, day])
                    balance += below - (begin - entered_below(bits, before, last[other, day]))
                for i in range(begin, end):
                    at = place[other, order[one, i]]
                    bits[at // WORD] |= np.uint64(1) << np.uint64(at % WORD)
                    for word in range(at // WORD + 1, words):
                        before[word] += 1
                begin = end
            out[one, other] = out[other, one] = balance


@kernel
def entered_below(bits: NDArray[np.uint64], before: IntArray, place: int) -> int:
    """Number of bits below a place; before (words,) counts those below each word."""
    word = place // WORD
    mask = (np.uint64(1) << np.uint64(place % WORD)) - np.uint64(1)
    return before[word] + np.int64(ones(bits[word] & mask))
