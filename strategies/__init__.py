"""Candidate margin models, one family a file, and the registry that study files name them by."""

from backtest.model import MarginModel

from .copula import CopulaVaR
from .covariance import VarianceCovariance
from .extreme import ExtremeValueVaR
from .filtered import AgeWeighted, FilteredHistorical
from .haircut import HaircutOnly
from .historical import HistoricalVaR
from .offset import CorrelationOffset
from .parametric import CornishFisherVaR, EwmaVaR, GarchVaR
from .siloed import Siloed
from .stressed import StressedVaR

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
}

__all__ = [
    "MODELS",
    "AgeWeighted",
    "CopulaVaR",
    "CornishFisherVaR",
    "CorrelationOffset",
    "EwmaVaR",
    "ExtremeValueVaR",
    "FilteredHistorical",
    "GarchVaR",
    "HaircutOnly",
    "HistoricalVaR",
    "Siloed",
    "StressedVaR",
    "VarianceCovariance",
]
