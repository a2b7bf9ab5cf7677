"""Records of a right model, simulated once, and the statistics of tests on them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from backtest.scores.exceedances.many_quantiles import DrawnQuantiles
from backtest.scores.exceedances.ranks import tied_pvalues
from backtest.types import BoolArray, FloatArray

Statistics = Callable[[BoolArray, float], FloatArray]  # of (days, records): (records,)


@dataclass(frozen=True)
class Law:
    """Simulated records at one confidence, shared by all portfolios, phases and calls."""

    confidence: float
    draws: int
    seed: int

    def drawn(self, days: int) -> BoolArray:
        """(draws, days) records of a right model."""
        return _drawn(self, days)

    def null(self, statistics: Statistics, days: int) -> FloatArray:
        """(draws,) statistics of a test under a right model."""
        return _null(self, statistics, days)

    def null_quantiles(self, days: int) -> DrawnQuantiles:
        """The dynamic quantile test under a right model."""
        return _null_quantiles(self, days)

    def rank(self, observed: FloatArray, null: FloatArray) -> FloatArray:
        """P-values of statistics among drawn ones; NaN where they are not identified."""
        return tied_pvalues(observed, null, seed=self.seed)


# Accounts of neighbouring numbers of days, whose phases are as long as each other, follow each
# other (`Study.tests`), so that a few lengths at a time are enough.
@lru_cache(maxsize=4)
def _drawn(law: Law, days: int) -> BoolArray:
    uniform = np.random.default_rng(law.seed).random((law.draws, days))
    return uniform < 1.0 - law.confidence


@lru_cache(maxsize=64)
def _null(law: Law, statistics: Statistics, days: int) -> FloatArray:
    return statistics(law.drawn(days).T, law.confidence)


@lru_cache(maxsize=4)
def _null_quantiles(law: Law, days: int) -> DrawnQuantiles:
    return DrawnQuantiles(law.drawn(days), confidence=law.confidence)
