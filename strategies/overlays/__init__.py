"""Overlays: each adds one step to any margin model, its `base`."""

from strategies.overlays.add_ons import ConcentrationAddOn, LiquidityAddOn
from strategies.overlays.buffer import Buffer
from strategies.overlays.correlation_break import CorrelationBreak
from strategies.overlays.floors import Minimum, TenYearFloor
from strategies.overlays.speed import SpeedLimit
from strategies.overlays.stress import StressBlend

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
