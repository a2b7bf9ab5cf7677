"""Simulators: alternative histories of a market, each path a market of its own."""

from .bootstrap import FilteredBootstrap, StationaryBootstrap
from .diagnostics import diagnose
from .parametric import GarchT, MultivariateT, TCopula
from .paths import Paths, Simulator
from .sample import SampleGenerator
from .transform import CorrelationStress, History, Spliced, StressEpisode, VolatilityScaling

SIMULATORS: dict[str, type[Simulator]] = {
    "history": History,
    "stationary_bootstrap": StationaryBootstrap,
    "filtered_bootstrap": FilteredBootstrap,
    "garch_t": GarchT,
    "multivariate_t": MultivariateT,
    "t_copula": TCopula,
    "sample_generator": SampleGenerator,
    "correlation_stress": CorrelationStress,
    "volatility_scaling": VolatilityScaling,
    "stress_episode": StressEpisode,
    "spliced": Spliced,
}

__all__ = [
    "SIMULATORS",
    "CorrelationStress",
    "FilteredBootstrap",
    "GarchT",
    "History",
    "MultivariateT",
    "Paths",
    "SampleGenerator",
    "Simulator",
    "Spliced",
    "StationaryBootstrap",
    "StressEpisode",
    "TCopula",
    "VolatilityScaling",
    "diagnose",
]
