"""What follows from a finished study."""

from backtest.replay.findings.findings import Findings

__all__ = ["Findings"]
