"""Weighted sums, and the largest values of an array: tools of the rolling tails."""

import numpy as np
from numpy.typing import NDArray

from backtest.kernels.compile import kernel

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@kernel
def weighted_sum(
    rows: FloatArray, index: IntArray, weight: FloatArray, first: int, out: FloatArray
) -> None:
    """out[i] = sum over c of weight[c] * rows[index[c], first + i]."""
    size = len(out)
    for c in range(len(index)):
        row = rows[index[c], first : first + size]
        scale = weight[c]
        if c == 0:
            for i in range(size):
                out[i] = scale * row[i]
        else:
            for i in range(size):
                out[i] += scale * row[i]


@kernel
def heap_largest(values: FloatArray, heap: FloatArray) -> float:
    """Return the len(heap)-th largest value; the heap has the largest so far, the least on top."""
    size = len(heap)
    heap[:] = -np.inf
    for value in values:
        if value > heap[0]:
            place = 0
            child = 1
            while child < size:
                if child + 1 < size and heap[child + 1] < heap[child]:
                    child += 1
                if value <= heap[child]:
                    break
                heap[place] = heap[child]
                place = child
                child = 2 * place + 1
            heap[place] = value
    return heap[0]


@kernel
def walk_largest(values: FloatArray, size: int, count: int, guess: float) -> float:
    """Return the count-th largest of values[:size], in steps from a guess.

    All steps go to the next larger value, or all to the next smaller one, so the loop ends. The
    result is minus infinity if fewer than `count` values are numbers.
    """
    value = guess
    while True:
        above = 0
        reached = 0
        for i in range(size):
            above += values[i] > value
            reached += values[i] >= value
        if above >= count:
            step = np.inf
            for i in range(size):
                step = values[i] if value < values[i] < step else step
        elif reached < count and value != -np.inf:
            step = -np.inf
            for i in range(size):
                step = values[i] if step < values[i] < value else step
        else:
            return value
        value = step


@kernel
def mean_largest(values: FloatArray, size: int, count: int, least: float) -> float:
    """Return the mean of the count largest of values[:size], `least` the smallest of them."""
    total = 0.0
    above = 0
    for i in range(size):
        total += values[i] if values[i] > least else 0.0
        above += values[i] > least
    return (total + (count - above) * least) / count
