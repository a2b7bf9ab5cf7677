"""Logs, exponentials and angles that are the same to the bit on every processor."""

import hashlib
import math
import os
import subprocess
import sys
from decimal import Decimal, localcontext

import numpy as np
import pytest

from backtest.kernels.portable import cholesky, circle, exp, log, polynomial
from backtest.simulate.sample import DEFAULT_SEED, sample_levels

# Of the default sample's levels; another value means that the sample is another market.
SAMPLE_SHA256 = "e6de8211ce251f181f2917aac2fa63637b73494719b9d7804226cc6c2d8c5e5a"
OTHER_PROCESSORS = {
    "an old BLAS": {"OPENBLAS_CORETYPE": "Nehalem"},
    "another BLAS": {"OPENBLAS_CORETYPE": "Zen"},
    "numba's generic processor": {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""},
    "numpy without AVX": {"NPY_DISABLE_CPU_FEATURES": "AVX512_SKX AVX512F AVX2 FMA3"},
}


def units_in_last_place(value: float, exact: Decimal) -> float:
    return float(abs(Decimal(value) - exact) / Decimal(math.ulp(float(exact))))


@pytest.mark.parametrize("function, name", [(log, "ln"), (exp, "exp")])
def test_errors_are_below_one_unit_in_the_last_place(function, name: str) -> None:
    rng = np.random.default_rng(5)
    x = np.concatenate([rng.uniform(-600.0, 600.0, 700), rng.uniform(-1.5, 1.5, 700)])
    if name == "ln":
        x = np.concatenate([np.exp(x / 2.0), rng.uniform(0.99, 1.01, 300)])
    with localcontext() as context:
        context.prec = 40
        worst = max(
            units_in_last_place(function(value), getattr(Decimal(value), name)()) for value in x
        )
    assert 0.5 < worst < 1.0


def test_circle_agrees_with_the_library() -> None:
    turns = np.concatenate([np.linspace(0.0, 1.0, 4097), np.random.default_rng(6).random(4000)])
    ours = np.array([circle(turn) for turn in turns])
    angle = 2.0 * np.pi * turns
    # The library is given a rounded angle, so that its error is a little larger than ours.
    assert np.abs(ours - np.column_stack([np.cos(angle), np.sin(angle)])).max() < 1e-15


def test_cholesky_and_polynomial_agree_with_numpy() -> None:
    draws = np.random.default_rng(7).standard_normal((40, 6))
    matrix = draws.T @ draws
    root = np.empty_like(matrix)
    cholesky(matrix, root)
    assert np.allclose(root, np.linalg.cholesky(matrix), rtol=1e-13, atol=1e-13)
    assert math.isclose(polynomial((3.0, -2.0, 1.0), 0.7), np.polyval([3.0, -2.0, 1.0], 0.7))


def test_sample_is_the_market_that_was_published() -> None:
    assert hashlib.sha256(sample_levels(DEFAULT_SEED).tobytes()).hexdigest() == SAMPLE_SHA256


@pytest.mark.parametrize("processor", OTHER_PROCESSORS)
def test_sample_is_the_same_on_other_processors(processor: str) -> None:
    code = (
        "import hashlib; from backtest.simulate.sample import DEFAULT_SEED, sample_levels;"
        "print(hashlib.sha256(sample_levels(DEFAULT_SEED).tobytes()).hexdigest())"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        env={**os.environ, **OTHER_PROCESSORS[processor]},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == SAMPLE_SHA256
