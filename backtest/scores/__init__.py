"""Scores of a margin model: pure functions on arrays over scored days, one axis of days first."""

from backtest.scores.alternatives import draw_records
from backtest.scores.battery import battery
from backtest.scores.calibration import conditional_calibration
from backtest.scores.clustered import clustered_bootstrap, clustered_coverage
from backtest.scores.comparison import diebold_mariano, model_confidence_set, superior_models
from backtest.scores.coordination import Coordination, break_even_coordination
from backtest.scores.cost import coverage_ratio, equal_coverage_margin, equal_coverage_scale
from backtest.scores.counts import coverage_counts, independence_counts, kupiec_counts
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
from backtest.scores.liquidity import funding_cost, liquidity_at_risk
from backtest.scores.losses import fz0_loss, tick_loss
from backtest.scores.money import share_beyond, total_excess, total_shortfall
from backtest.scores.monitor import Monitor, monitor_coverage, monitor_shortfall
from backtest.scores.multiple import benjamini_hochberg, benjamini_yekutieli, holm, romano_wolf
from backtest.scores.overlap import bootstrap_coverage, naive_coverage, thinned_coverage
from backtest.scores.paired import paired_difference
from backtest.scores.panel import PackedRecords, PanelTests, pack_records, panel_tests
from backtest.scores.phases import over_phases
from backtest.scores.poisson_binomial import varying_coverage
from backtest.scores.pooled import PooledCoverage, pooled_equal_coverage
from backtest.scores.power import power_table, smallest_detectable
from backtest.scores.procyclicality import (
    expected_rise,
    large_call_rate,
    largest_rise,
    largest_rise_within,
    peak_to_trough,
    rises,
    time_above_mean,
)
from backtest.scores.reaction import impulse_response
from backtest.scores.resample import day_weights, stationary_indices
from backtest.scores.result import TestResult
from backtest.scores.severity import max_excess, max_shortfall, mean_excess, mean_shortfall
from backtest.scores.shortfall_by_rank import shortfall_by_rank
from backtest.scores.shortfall_regression import shortfall_regression
from backtest.scores.squared_spells import squared_spells
from backtest.scores.table import score_table
from backtest.scores.verdict import coverage_p, rate_interval, variance_inflation
from backtest.scores.waiting import (
    first_exceedance_on,
    mixed_kupiec,
    time_between_exceedances,
    time_to_first_exceedance,
)
from backtest.scores.zones import TrafficLight, traffic_light

__all__ = [
    "Coordination",
    "Monitor",
    "PackedRecords",
    "PanelTests",
    "PooledCoverage",
    "TestResult",
    "TrafficLight",
    "acerbi_szekely",
    "battery",
    "benjamini_hochberg",
    "benjamini_yekutieli",
    "berkowitz",
    "berkowitz_tail",
    "binomial_one_sided",
    "bootstrap_coverage",
    "break_even_coordination",
    "christoffersen_coverage",
    "christoffersen_independence",
    "christoffersen_pvalues",
    "clustered_bootstrap",
    "clustered_coverage",
    "conditional_calibration",
    "coverage_counts",
    "coverage_p",
    "coverage_ratio",
    "day_weights",
    "diebold_mariano",
    "draw_records",
    "dynamic_quantile",
    "equal_coverage_margin",
    "equal_coverage_scale",
    "exact_pvalue",
    "expected_rise",
    "first_exceedance_on",
    "funding_cost",
    "fz0_loss",
    "gmm_duration",
    "hac_coverage",
    "holm",
    "impulse_response",
    "independence_counts",
    "kupiec",
    "kupiec_counts",
    "kupiec_exact",
    "kupiec_pvalues",
    "kupiec_size",
    "large_call_rate",
    "largest_rise",
    "largest_rise_within",
    "liquidity_at_risk",
    "max_excess",
    "max_shortfall",
    "mcneil_frey",
    "mean_excess",
    "mean_shortfall",
    "minimally_biased",
    "mixed_kupiec",
    "model_confidence_set",
    "monitor_coverage",
    "monitor_shortfall",
    "monte_carlo_pvalue",
    "naive_coverage",
    "over_phases",
    "pack_records",
    "paired_difference",
    "panel_tests",
    "peak_to_trough",
    "pit_histogram",
    "pooled_equal_coverage",
    "power_table",
    "rate_interval",
    "rises",
    "romano_wolf",
    "score_table",
    "share_beyond",
    "shortfall_by_pit",
    "shortfall_by_rank",
    "shortfall_independence",
    "shortfall_regression",
    "smallest_detectable",
    "squared_spells",
    "stationary_indices",
    "superior_models",
    "thinned_coverage",
    "tick_loss",
    "time_above_mean",
    "time_between_exceedances",
    "time_to_first_exceedance",
    "total_excess",
    "total_shortfall",
    "traffic_light",
    "variance_inflation",
    "varying_coverage",
    "weibull_duration",
]
