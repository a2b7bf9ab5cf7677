"""Candidate margin models, one family a file, and the registry that study files name them by."""

from backtest.model import MarginModel

from .copula import CopulaVaR
from .covariance import VarianceCovariance
from .cross_margining import CrossMargining
from .extreme import ExtremeValueVaR
from .ficc import FiccVaR
from .filtered import AgeWeighted, FilteredHistorical
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
from .parametric import CornishFisherVaR, EwmaVaR, GarchVaR
from .portfolio_margin import PortfolioMargin
from .siloed import Siloed
from .simm import Simm
from .span import Span
from .span2 import Span2
from .standard_schedule import StandardSchedule
from .stans import StansLike
from .stressed import StressedVaR
from .venue_grid import VenueGrid

MODELS: dict[str, type[MarginModel]] = {
    "siloed": Siloed,
    "haircut_only": HaircutOnly,
    "correlation_offset": CorrelationOffset,
    "historical_var": HistoricalVaR,
    "age_weighted": AgeWeighted,
    "filtered_historical": FilteredHistorical,
    "ewma_var": EwmaVaR,
    "garch_var": GarchVaR,
    "cornish_fisher_var": CornishFisherVaR,
    "extreme_value_var": ExtremeValueVaR,
    "variance_covariance": VarianceCovariance,
    "copula_var": CopulaVaR,
    "stressed_var": StressedVaR,
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
    "cross_margining": CrossMargining,
    "ficc_var": FiccVaR,
}

__all__ = [
    "MODELS",
    "AgeWeighted",
    "Buffer",
    "ConcentrationAddOn",
    "CopulaVaR",
    "CornishFisherVaR",
    "CorrelationBreak",
    "CorrelationOffset",
    "CrossMargining",
    "EwmaVaR",
    "ExtremeValueVaR",
    "FiccVaR",
    "FilteredHistorical",
    "GarchVaR",
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
    "StressedVaR",
    "TenYearFloor",
    "VarianceCovariance",
    "VenueGrid",
]
