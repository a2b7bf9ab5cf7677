"""Candidate margin models, one family per file, and the registry of their names in study files."""

from backtest.model.protocol import MarginModel
from strategies.caviar import CaviarVaR
from strategies.copula import CopulaVaR
from strategies.covariance import VarianceCovariance
from strategies.cross_margining import CrossMargining
from strategies.extreme import ExtremeValueVaR
from strategies.ficc import FiccVaR
from strategies.filtered import AgeWeighted, FilteredHistorical
from strategies.haircut import HaircutOnly
from strategies.historical import HistoricalVaR
from strategies.net_capital import NetCapital
from strategies.offset import CorrelationOffset
from strategies.overlays import (
    Buffer,
    ConcentrationAddOn,
    CorrelationBreak,
    LiquidityAddOn,
    Minimum,
    SpeedLimit,
    StressBlend,
    TenYearFloor,
)
from strategies.parametric import CornishFisherVaR, EwmaVaR, GarchVaR
from strategies.portfolio_margin import PortfolioMargin
from strategies.siloed import Siloed
from strategies.simm import Simm
from strategies.span import Span
from strategies.span2 import Span2
from strategies.standard_schedule import StandardSchedule
from strategies.stans import StansLike
from strategies.stressed import StressedVaR
from strategies.venue_grid import VenueGrid

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
    "caviar_var": CaviarVaR,
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
    "CaviarVaR",
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
