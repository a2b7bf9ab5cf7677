"""Candidate margin models, one family a file, and the registry that study files name them by."""

from backtest.model import MarginModel

from .cross_margining import CrossMargining
from .ficc import FiccVaR
from .haircut import HaircutOnly
from .historical import HistoricalVaR
from .offset import CorrelationOffset
from .siloed import Siloed

MODELS: dict[str, type[MarginModel]] = {
    "siloed": Siloed,
    "haircut_only": HaircutOnly,
    "correlation_offset": CorrelationOffset,
    "historical_var": HistoricalVaR,
    "cross_margining": CrossMargining,
    "ficc_var": FiccVaR,
}

__all__ = [
    "MODELS",
    "CorrelationOffset",
    "CrossMargining",
    "FiccVaR",
    "HaircutOnly",
    "HistoricalVaR",
    "Siloed",
]
