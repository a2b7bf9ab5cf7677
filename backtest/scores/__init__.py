"""Scores of a margin model: pure functions on arrays over scored days, one axis of days first."""

from backtest.scores.battery import battery
from backtest.scores.calibration import conditional_calibration
from backtest.scores.clustered import clustered_bootstrap, clustered_coverage
from backtest.scores.comparison import diebold_mariano, model_confidence_set, superior_models
from backtest.scores.cost import coverage_ratio, equal_coverage_margin, equal_coverage_scale
from backtest.scores.coverage import (
    christoffersen_coverage,
    christoffersen_independence,
    christoffersen_pvalues,
    kupiec,
    kupiec_pvalues,
)
from backtest.scores.density import (
    berkowitz,
    berkowitz_tail,
    pit_histogram,
    shortfall_by_pit,
    shortfall_independence,
)
from backtest.scores.durations import gmm_duration, weibull_duration
from backtest.scores.dynamic_quantile import dynamic_quantile
from backtest.scores.exact import (
    binomial_one_sided,
    exact_pvalue,
    kupiec_exact,
    kupiec_size,
    monte_carlo_pvalue,
)
from backtest.scores.expected_shortfall import acerbi_szekely, mcneil_frey, minimally_biased
from backtest.scores.hac import hac_coverage
from backtest.scores.losses import fz0_loss, tick_loss
from backtest.scores.monitor import Monitor, monitor_coverage, monitor_shortfall
from backtest.scores.overlap import bootstrap_coverage, naive_coverage, thinned_coverage
from backtest.scores.phases import over_phases
from backtest.scores.poisson_binomial import varying_coverage
from backtest.scores.pooled import PooledCoverage, pooled_equal_coverage
from backtest.scores.procyclicality import peak_to_trough
from backtest.scores.resample import day_weights, stationary_indices
from backtest.scores.result import TestResult
from backtest.scores.severity import max_excess, max_shortfall, mean_excess, mean_shortfall
from backtest.scores.shortfall_by_rank import shortfall_by_rank
from backtest.scores.shortfall_regression import shortfall_regression
from backtest.scores.squared_spells import squared_spells
from backtest.scores.table import score_table
from backtest.scores.verdict import coverage_p, rate_interval, variance_inflation
from backtest.scores.waiting import (
    mixed_kupiec,
    time_between_exceedances,
    time_to_first_exceedance,
)
from backtest.scores.zones import TrafficLight, traffic_light

__all__ = [
    "conditional_calibration",
    "diebold_mariano",
    "model_confidence_set",
    "superior_models",
    "berkowitz",
    "berkowitz_tail",
    "pit_histogram",
    "shortfall_by_pit",
    "shortfall_independence",
    "acerbi_szekely",
    "mcneil_frey",
    "minimally_biased",
    "fz0_loss",
    "tick_loss",
    "Monitor",
    "monitor_coverage",
    "monitor_shortfall",
    "varying_coverage",
    "shortfall_by_rank",
    "shortfall_regression",
    "squared_spells",
    "battery",
    "PooledCoverage",
    "TestResult",
    "TrafficLight",
    "binomial_one_sided",
    "bootstrap_coverage",
    "christoffersen_coverage",
    "christoffersen_independence",
    "christoffersen_pvalues",
    "clustered_bootstrap",
    "clustered_coverage",
    "coverage_p",
    "coverage_ratio",
    "day_weights",
    "dynamic_quantile",
    "equal_coverage_margin",
    "equal_coverage_scale",
    "exact_pvalue",
    "gmm_duration",
    "hac_coverage",
    "kupiec",
    "kupiec_exact",
    "kupiec_pvalues",
    "kupiec_size",
    "max_excess",
    "max_shortfall",
    "mean_excess",
    "mean_shortfall",
    "mixed_kupiec",
    "monte_carlo_pvalue",
    "naive_coverage",
    "over_phases",
    "peak_to_trough",
    "pooled_equal_coverage",
    "rate_interval",
    "score_table",
    "stationary_indices",
    "thinned_coverage",
    "time_between_exceedances",
    "time_to_first_exceedance",
    "traffic_light",
    "variance_inflation",
    "weibull_duration",
]
