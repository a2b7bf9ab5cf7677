"""Candidate margin models, one family a file, and the registry that study files name them by."""

from backtest.model import MarginModel

from .cross_margining import CrossMargining
from .ficc import FiccVaR
from .haircut import HaircutOnly
from .historical import HistoricalVaR
from .net_capital import NetCapital
from .offset import CorrelationOffset
from .overlays import (
    Buffer,
    ConcentrationAddOn,
    CorrelationBreak,
    LiquidityAddOn,
    Minimum,
    SpeedLimit,
    StressBlend,
    TenYearFloor,
)
from .portfolio_margin import PortfolioMargin
from .siloed import Siloed
from .simm import Simm
from .span import Span
from .span2 import Span2
from .standard_schedule import StandardSchedule
from .stans import StansLike
from .venue_grid import VenueGrid

MODELS: dict[str, type[MarginModel]] = {
    "siloed": Siloed,
    "haircut_only": HaircutOnly,
    "correlation_offset": CorrelationOffset,
    "historical_var": HistoricalVaR,
    "cross_margining": CrossMargining,
    "ficc_var": FiccVaR,
    "net_capital_15c3_1": NetCapital,
    "uncleared_schedule": StandardSchedule,
    "portfolio_margin": PortfolioMargin,
    "stans_like": StansLike,
    "venue_grid": VenueGrid,
    "ten_year_floor": TenYearFloor,
    "buffer": Buffer,
    "stress_blend": StressBlend,
    "speed_limit": SpeedLimit,
    "concentration_add_on": ConcentrationAddOn,
    "liquidity_add_on": LiquidityAddOn,
    "correlation_break": CorrelationBreak,
    "minimum": Minimum,
    "span": Span,
    "span2": Span2,
    "simm": Simm,
}

__all__ = [
    "MODELS",
    "Buffer",
    "ConcentrationAddOn",
    "CorrelationBreak",
    "CorrelationOffset",
    "CrossMargining",
    "FiccVaR",
    "HaircutOnly",
    "HistoricalVaR",
    "LiquidityAddOn",
    "Minimum",
    "NetCapital",
    "PortfolioMargin",
    "Siloed",
    "Simm",
    "Span",
    "Span2",
    "SpeedLimit",
    "StandardSchedule",
    "StansLike",
    "StressBlend",
    "TenYearFloor",
    "VenueGrid",
]
