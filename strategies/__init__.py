"""Candidate margin models, one family a file, and the registry that study files name them by."""

from backtest.model import MarginModel

from .haircut import HaircutOnly
from .historical import HistoricalVaR
from .offset import CorrelationOffset
from .siloed import Siloed
from .simm import Simm
from .span import Span
from .span2 import Span2

MODELS: dict[str, type[MarginModel]] = {
    "siloed": Siloed,
    "haircut_only": HaircutOnly,
    "correlation_offset": CorrelationOffset,
    "historical_var": HistoricalVaR,
    "span": Span,
    "span2": Span2,
    "simm": Simm,
}

__all__ = [
    "MODELS",
    "CorrelationOffset",
    "HaircutOnly",
    "HistoricalVaR",
    "Siloed",
    "Simm",
    "Span",
    "Span2",
]
