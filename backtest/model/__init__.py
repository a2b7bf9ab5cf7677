"""The protocol of a margin model, the audit it must pass, and the tools that models share."""

from .asking import required_margin
from .causality import CausalityError, check_causal
from .certificate import CausalityAudit
from .protocol import (
    Forecast,
    HasForecast,
    HasParts,
    MarginModel,
    Parts,
    in_words,
    model,
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
