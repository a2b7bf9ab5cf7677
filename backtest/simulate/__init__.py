"""Simulators: alternative histories of a market, each path a market of its own."""

from backtest.simulate.bootstrap import FilteredBootstrap, StationaryBootstrap
from backtest.simulate.diagnostics import diagnose
from backtest.simulate.garch_t import GarchT, GjrT
from backtest.simulate.independent import MultivariateT, TCopula
from backtest.simulate.paths import Paths, Simulator
from backtest.simulate.sample import SampleGenerator
from backtest.simulate.tied import TiedPrices
from backtest.simulate.transform import (
    CorrelationStress,
    History,
    Spliced,
    StressEpisode,
    VolatilityScaling,
)

SIMULATORS: dict[str, type[Simulator]] = {
    "history": History,
    "stationary_bootstrap": StationaryBootstrap,
    "filtered_bootstrap": FilteredBootstrap,
    "garch_t": GarchT,
    "gjr_t": GjrT,
    "multivariate_t": MultivariateT,
    "t_copula": TCopula,
    "sample_generator": SampleGenerator,
    "correlation_stress": CorrelationStress,
    "tied_prices": TiedPrices,
    "volatility_scaling": VolatilityScaling,
    "stress_episode": StressEpisode,
    "spliced": Spliced,
}

__all__ = [
    "SIMULATORS",
    "CorrelationStress",
    "FilteredBootstrap",
    "GarchT",
    "GjrT",
    "History",
    "MultivariateT",
    "Paths",
    "SampleGenerator",
    "Simulator",
    "Spliced",
    "StationaryBootstrap",
    "StressEpisode",
    "TCopula",
    "TiedPrices",
    "VolatilityScaling",
    "diagnose",
]
