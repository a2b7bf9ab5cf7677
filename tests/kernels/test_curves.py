"""Yields between maturities, beside numpy's interpolation of one curve at a time."""

import numpy as np
import pytest

from backtest.kernels.curves import interpolated


@pytest.mark.parametrize("tenors", [[2.0, 10.0], [0.25, 2.0, 5.0, 10.0, 30.0]])
def test_each_day_is_read_off_its_own_curve(tenors: list[float]) -> None:
    rng, days = np.random.default_rng(3), 400
    levels = rng.normal(0.03, 0.02, (days, 7))
    columns = rng.permutation(7)[: len(tenors)]
    # Below, at, between and above the maturities of the curve.
    maturity = np.where(
        rng.random(days) < 0.3, rng.choice(tenors, days), rng.uniform(-1.0, 40.0, days)
    )
    out = np.empty(days)
    interpolated(levels, columns, np.array(tenors), maturity, out)
    for day in range(days):
        curve = levels[day, columns]
        assert out[day] == pytest.approx(np.interp(maturity[day], tenors, curve), rel=1e-13)
        if maturity[day] in tenors:
            assert out[day] == curve[tenors.index(maturity[day])]
