"""SPAN: sixteen scenarios a commodity, charges within it, credits between commodities."""
