"""Overlays: each wraps any margin model in `base`, and keeps its parts."""

from .add_ons import ConcentrationAddOn, LiquidityAddOn
from .buffer import Buffer
from .correlation_break import CorrelationBreak
from .floors import Minimum, TenYearFloor
from .speed import SpeedLimit
from .stress import StressBlend

__all__ = [
    "Buffer",
    "ConcentrationAddOn",
    "CorrelationBreak",
    "LiquidityAddOn",
    "Minimum",
    "SpeedLimit",
    "StressBlend",
    "TenYearFloor",
]
