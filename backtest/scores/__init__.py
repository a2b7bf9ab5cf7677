"""Scores of a margin model: pure functions on arrays over scored days, one axis of days first."""

from backtest.scores.alternatives import draw_records
from backtest.scores.battery import battery
from backtest.scores.exceedances.counts import coverage_counts, independence_counts, kupiec_counts
from backtest.scores.exceedances.coverage import (
    christoffersen_coverage,
    christoffersen_independence,
    christoffersen_pvalues,
    kupiec,
    kupiec_pvalues,
)
from backtest.scores.exceedances.durations import gmm_duration, weibull_duration
from backtest.scores.exceedances.dynamic_quantile import dynamic_quantile
from backtest.scores.exceedances.exact import (
    binomial_one_sided,
    exact_pvalue,
    kupiec_exact,
    kupiec_size,
    monte_carlo_pvalue,
)
from backtest.scores.exceedances.phases import cauchy_combination, over_phases
from backtest.scores.exceedances.poisson_binomial import varying_coverage
from backtest.scores.exceedances.squared_spells import squared_spells
from backtest.scores.exceedances.waiting import (
    first_exceedance_on,
    mixed_kupiec,
    time_between_exceedances,
    time_to_first_exceedance,
)
from backtest.scores.exceedances.zones import TrafficLight, traffic_light
from backtest.scores.forecasts.calibration import conditional_calibration
from backtest.scores.forecasts.density import (
    berkowitz,
    berkowitz_tail,
    pit_histogram,
    shortfall_by_pit,
    shortfall_independence,
)
from backtest.scores.forecasts.expected_shortfall import (
    acerbi_szekely,
    mcneil_frey,
    minimally_biased,
)
from backtest.scores.forecasts.losses import fz0_loss, tick_loss
from backtest.scores.forecasts.shortfall_by_rank import shortfall_by_rank
from backtest.scores.forecasts.shortfall_regression import shortfall_regression
from backtest.scores.models.comparison import (
    diebold_mariano,
    model_confidence_set,
    superior_models,
)
from backtest.scores.models.multiple import (
    benjamini_hochberg,
    benjamini_yekutieli,
    holm,
    romano_wolf,
)
from backtest.scores.models.paired import paired_difference
from backtest.scores.money.coordination import (
    Coordination,
    break_even_coordination,
    separate_rate,
)
from backtest.scores.money.cost import coverage_ratio, equal_coverage_margin, equal_coverage_scale
from backtest.scores.money.liquidity import funding_cost, liquidity_at_risk
from backtest.scores.money.money import share_beyond, total_excess, total_shortfall
from backtest.scores.money.pooled import (
    PooledCoverage,
    PooledScale,
    pooled_equal_coverage,
    pooled_scale,
)
from backtest.scores.money.procyclicality import (
    expected_rise,
    large_call_rate,
    largest_rise,
    largest_rise_within,
    peak_to_trough,
    rises,
    time_above_mean,
)
from backtest.scores.money.severity import max_excess, max_shortfall, mean_excess, mean_shortfall
from backtest.scores.monitor import Monitor, monitor_coverage, monitor_shortfall
from backtest.scores.overlapping.bootstrap import bootstrap_coverage, bootstrap_pvalues
from backtest.scores.overlapping.clustered import clustered_bootstrap, clustered_coverage
from backtest.scores.overlapping.clusters import is_clustered
from backtest.scores.overlapping.hac import hac_coverage
from backtest.scores.overlapping.interval import rate_interval, variance_inflation
from backtest.scores.overlapping.overlap import naive_coverage, thinned_coverage
from backtest.scores.overlapping.panel import PackedRecords, PanelTests, pack_records, panel_tests
from backtest.scores.overlapping.verdict import coverage_p, coverage_tests, pooled_coverage_p
from backtest.scores.power import power_table, smallest_detectable
from backtest.scores.resample import day_weights, stationary_indices
from backtest.scores.result import TestResult
from backtest.scores.table import score_table

__all__ = [
    "Coordination",
    "Monitor",
    "PackedRecords",
    "PanelTests",
    "PooledCoverage",
    "PooledScale",
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
    "bootstrap_pvalues",
    "break_even_coordination",
    "cauchy_combination",
    "christoffersen_coverage",
    "christoffersen_independence",
    "christoffersen_pvalues",
    "clustered_bootstrap",
    "clustered_coverage",
    "conditional_calibration",
    "coverage_counts",
    "coverage_p",
    "coverage_ratio",
    "coverage_tests",
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
    "independence_counts",
    "is_clustered",
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
    "pooled_coverage_p",
    "pooled_equal_coverage",
    "pooled_scale",
    "power_table",
    "rate_interval",
    "rises",
    "romano_wolf",
    "score_table",
    "separate_rate",
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
