"""Simulators: alternative histories of a market, each path a market of its own."""

from .bootstrap import FilteredBootstrap, StationaryBootstrap
from .diagnostics import diagnose
from .parametric import GarchT, MultivariateT, TCopula
from .paths import Paths, Simulator
from .transform import CorrelationStress, History, Spliced, StressEpisode, VolatilityScaling

__all__ = [
    "CorrelationStress",
    "FilteredBootstrap",
    "GarchT",
    "History",
    "MultivariateT",
    "Paths",
    "Simulator",
    "Spliced",
    "StationaryBootstrap",
    "StressEpisode",
    "TCopula",
    "VolatilityScaling",
    "diagnose",
]
