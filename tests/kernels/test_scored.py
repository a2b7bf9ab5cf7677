"""Sums and extremes of scored days, beside plain loops over one book at a time."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as some
from hypothesis.extra import numpy as arrays

from backtest.kernels.scored import beyond_cover, count_above, cover_ratios, sum_and_range
from backtest.types import FloatArray

# Ties, zeros, and amounts whose sums round.
amounts = some.sampled_from([-7.1, -1.0, 0.0, 0.1, 0.2, 0.3, 1.0, 2.0, 1e9])


@some.composite
def panels(draw: some.DrawFn) -> tuple[FloatArray, FloatArray]:
    """Losses and what covers them, (days, portfolios), of one day and one portfolio or more."""
    shape = (draw(some.integers(1, 12)), draw(some.integers(1, 4)))
    loss = draw(arrays.arrays(np.float64, shape, elements=amounts))
    return loss, np.abs(draw(arrays.arrays(np.float64, shape, elements=amounts)))


@given(panels())
def test_days_beyond_a_cover_are_counted_summed_and_the_largest_found(
    panel: tuple[FloatArray, FloatArray],
) -> None:
    loss, cover = panel
    books = loss.shape[1]
    count = np.empty(books, dtype=np.int64)
    total, largest = np.empty(books), np.empty(books)
    beyond_cover(loss, cover, count, total, largest)
    for book in range(books):
        pairs = zip(loss[:, book].tolist(), cover[:, book].tolist(), strict=True)
        gaps = [one - other for one, other in pairs if one > other]
        # To the bit: both add day after day.
        assert (count[book], total[book]) == (len(gaps), sum(gaps))
        assert largest[book] == max(gaps, default=0.0)


@given(panels())
def test_sum_and_range_of_each_column(panel: tuple[FloatArray, FloatArray]) -> None:
    values = panel[0]
    total, least, most = (np.empty(values.shape[1]) for _ in range(3))
    sum_and_range(values, total, least, most)
    for book, column in enumerate(values.T.tolist()):
        assert total[book] == sum(column)
        assert (least[book], most[book]) == (min(column), max(column))


@given(panels(), some.sampled_from([0.2, 1.0, math.inf]))
def test_values_above_a_bound_are_counted_and_infinite_ones_always(
    panel: tuple[FloatArray, FloatArray], bound: float
) -> None:
    values = np.where(panel[1] == 1e9, np.inf, panel[0])
    count = np.empty(values.shape[1], dtype=np.int64)
    count_above(values, bound, count)
    for book, column in enumerate(values.T.tolist()):
        assert count[book] == sum(one > bound or one == math.inf for one in column)


@given(panels())
def test_a_ratio_is_the_scale_that_just_covers(panel: tuple[FloatArray, FloatArray]) -> None:
    loss, required = (values.ravel() for values in panel)
    ratio = np.empty(len(loss))
    cover_ratios(loss, required, ratio)
    for one, margin, scale in zip(loss.tolist(), required.tolist(), ratio.tolist(), strict=True):
        if margin == 0.0:
            assert scale == (math.inf if one > 0.0 else 0.0)
        else:
            assert scale == max(0.0, one / margin)
