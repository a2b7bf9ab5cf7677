"""Simulators: alternative histories of a market, each path a market of its own."""

from backtest.estimators.depegs import recorded_depegs
from backtest.simulate.bootstrap import FilteredBootstrap, StationaryBootstrap
from backtest.simulate.dcc_t import DccT
from backtest.simulate.depegs import Depegs
from backtest.simulate.diagnostics import diagnose
from backtest.simulate.garch_t import GarchT, GjrT
from backtest.simulate.independent import MultivariateT, TCopula
from backtest.simulate.jumps import Jumps
from backtest.simulate.paths import Paths, Simulator
from backtest.simulate.regimes import RegimeSwitching
from backtest.simulate.reverting import MeanReverting
from backtest.simulate.sample import SampleGenerator
from backtest.simulate.tied import TiedPrices
from backtest.simulate.transform import (
    CorrelationStress,
    History,
    Spliced,
    StressEpisode,
    VolatilityScaling,
)
from backtest.simulate.weekend import WeekendVariance

SIMULATORS: dict[str, type[Simulator]] = {
    "history": History,
    "stationary_bootstrap": StationaryBootstrap,
    "filtered_bootstrap": FilteredBootstrap,
    "garch_t": GarchT,
    "gjr_t": GjrT,
    "dcc_t": DccT,
    "regime_switching": RegimeSwitching,
    "multivariate_t": MultivariateT,
    "t_copula": TCopula,
    "sample_generator": SampleGenerator,
    "correlation_stress": CorrelationStress,
    "tied_prices": TiedPrices,
    "volatility_scaling": VolatilityScaling,
    "stress_episode": StressEpisode,
    "spliced": Spliced,
    "jumps": Jumps,
    "weekend_variance": WeekendVariance,
    "mean_reverting": MeanReverting,
    "depegs": Depegs,
}

__all__ = [
    "SIMULATORS",
    "CorrelationStress",
    "DccT",
    "Depegs",
    "FilteredBootstrap",
    "GarchT",
    "GjrT",
    "History",
    "Jumps",
    "MeanReverting",
    "MultivariateT",
    "Paths",
    "RegimeSwitching",
    "SampleGenerator",
    "Simulator",
    "Spliced",
    "StationaryBootstrap",
    "StressEpisode",
    "TCopula",
    "TiedPrices",
    "VolatilityScaling",
    "WeekendVariance",
    "diagnose",
    "recorded_depegs",
]
