"""Scores of a margin model: pure functions on arrays over scored days, one axis of days first."""

from backtest.scores.clustered import clustered_bootstrap, clustered_coverage
from backtest.scores.coordination import Coordination, break_even_coordination
from backtest.scores.cost import coverage_ratio, equal_coverage_margin, equal_coverage_scale
from backtest.scores.coverage import (
    christoffersen_coverage,
    christoffersen_independence,
    christoffersen_pvalues,
    kupiec,
    kupiec_pvalues,
)
from backtest.scores.hac import hac_coverage
from backtest.scores.overlap import bootstrap_coverage, naive_coverage, thinned_coverage
from backtest.scores.phases import over_phases
from backtest.scores.pooled import PooledCoverage, pooled_equal_coverage
from backtest.scores.procyclicality import peak_to_trough
from backtest.scores.resample import day_weights, stationary_indices
from backtest.scores.result import TestResult
from backtest.scores.severity import max_excess, max_shortfall, mean_excess, mean_shortfall
from backtest.scores.table import score_table
from backtest.scores.verdict import coverage_p, rate_interval, variance_inflation

__all__ = [
    "Coordination",
    "PooledCoverage",
    "TestResult",
    "bootstrap_coverage",
    "break_even_coordination",
    "christoffersen_coverage",
    "christoffersen_independence",
    "christoffersen_pvalues",
    "clustered_bootstrap",
    "clustered_coverage",
    "coverage_p",
    "coverage_ratio",
    "day_weights",
    "equal_coverage_margin",
    "equal_coverage_scale",
    "hac_coverage",
    "kupiec",
    "kupiec_pvalues",
    "max_excess",
    "max_shortfall",
    "mean_excess",
    "mean_shortfall",
    "naive_coverage",
    "over_phases",
    "peak_to_trough",
    "pooled_equal_coverage",
    "rate_interval",
    "score_table",
    "stationary_indices",
    "thinned_coverage",
    "variance_inflation",
]
