"""SPAN: sixteen scenarios per commodity, charges within it, credits between commodities."""
