"""The protocol of a margin model, the audit it must pass, and the tools that models share."""

from .protocol import (
    CausalityAudit,
    CausalityError,
    Forecast,
    HasForecast,
    HasParts,
    MarginModel,
    Parts,
    check_causal,
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
