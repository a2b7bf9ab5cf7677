"""Customers, firms and houses replayed: who bears what margins do not cover."""

from backtest.replay.protection.margined import Margined
from backtest.replay.protection.paths import ProtectedPaths, protect_paths
from backtest.replay.protection.protect import Protection, close_out, protect

__all__ = ["Margined", "ProtectedPaths", "Protection", "close_out", "protect", "protect_paths"]
