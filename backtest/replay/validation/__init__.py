"""Margins that somebody else computed: read, checked, and scored as those of a study."""

from backtest.replay.validation.validate import validate

__all__ = ["validate"]
