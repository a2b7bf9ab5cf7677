"""SPAN: sixteen scenarios per commodity, charges within it, credits between commodities."""

from strategies.span.model import Span

__all__ = ["Span"]
