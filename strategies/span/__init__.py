"""SPAN: sixteen scenarios a commodity, charges within it, credits between commodities."""

from strategies.span.model import Span

__all__ = ["Span"]
