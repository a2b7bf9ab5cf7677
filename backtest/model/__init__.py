"""What a margin model is, the law it keeps, and what it may ask: scenarios, parts, volatility."""

from .causality import CausalityAudit, CausalityError, check_causal
from .protocol import (
    Forecast,
    HasForecast,
    HasParts,
    MarginModel,
    Parts,
    in_words,
    model,
    required_margin,
)

__all__ = [
    "CausalityAudit",
    "CausalityError",
    "Forecast",
    "HasForecast",
    "HasParts",
    "MarginModel",
    "Parts",
    "check_causal",
    "in_words",
    "model",
    "required_margin",
]
