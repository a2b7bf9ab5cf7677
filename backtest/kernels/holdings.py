"""Sums over the accounts of each cell: of one firm, account class and house."""

import numpy as np
from numpy.typing import NDArray

from backtest.kernels.compile import kernel

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@kernel
def sum_cells(values: FloatArray, cell: IntArray, out: FloatArray) -> None:
    """Sum values (days, accounts, houses) into out (days, cells, houses), written.

    cell : (accounts, houses) number of the cell of each account; below 0 it is in none.
    """
    days, accounts, houses = values.shape
    out[:] = 0.0
    for t in range(days):
        for a in range(accounts):
            for h in range(houses):
                if cell[a, h] >= 0:
                    out[t, cell[a, h], h] += values[t, a, h]


@kernel
def sum_lacking(required: FloatArray, held: FloatArray, cell: IntArray, out: FloatArray) -> None:
    """Sum what accounts hold less than is required of each; arguments as of `sum_cells`."""
    days, accounts, houses = required.shape
    out[:] = 0.0
    for t in range(days):
        for a in range(accounts):
            for h in range(houses):
                if cell[a, h] >= 0:
                    out[t, cell[a, h], h] += max(0.0, required[t, a, h] - held[t, a, h])
