"""Customers, firms and houses replayed: who bears what margins do not cover."""

from backtest.replay.protection.protect import Protection, protect

__all__ = ["Protection", "protect"]
