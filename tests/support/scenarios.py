"""Shocks, sensitivities that drift, and books: worlds for tests of rolling tails."""

import numpy as np

WORLDS = {
    "smooth": lambda rng, shape: rng.standard_t(4, shape),
    "ties": lambda rng, shape: rng.integers(-2, 3, shape).astype(float),
    "flat": lambda rng, shape: np.zeros(shape),
    "trend": lambda rng, shape: np.linspace(-1.0, 1.0, shape[0])[:, None] * np.ones(shape),
    "clusters": lambda rng, shape: (
        rng.standard_t(4, shape) * np.exp(np.cumsum(rng.normal(0, 0.3, shape), axis=0))
    ),
}
DRIFTS = {
    "none": lambda rng, shape: np.broadcast_to(rng.choice([-2.0, 0.0, 1.0], shape[1]), shape),
    "slow": lambda rng, shape: np.exp(np.cumsum(rng.normal(0, 0.01, shape), axis=0)),
    "common": lambda rng, shape: (
        np.exp(np.cumsum(rng.normal(0, 0.3, (shape[0], 1)), axis=0)) * np.ones(shape)
    ),
    "huge": lambda rng, shape: rng.normal(0, 10, shape),
    "stops": lambda rng, shape: rng.normal(0, 1, shape).round() * (rng.random((shape[0], 1)) < 0.3),
    "steps": lambda rng, shape: np.repeat(rng.normal(0, 1, (shape[0] // 9 + 1, shape[1])), 9, 0)[
        : shape[0]
    ],
}


def books(rng: np.random.Generator, portfolios: int, columns: int) -> np.ndarray:
    """Random exposures with holes; the first book is empty."""
    exposure = rng.normal(0, 1e6, (portfolios, columns)) * (rng.random((portfolios, columns)) < 0.6)
    exposure[0] = 0.0
    return exposure
