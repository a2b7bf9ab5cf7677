"""Customers, clearing firms and houses: whose collateral stands behind whose losses."""

from backtest.clearing.arrangement import ARRANGEMENTS, Arrangement
from backtest.clearing.assumptions import Assumptions
from backtest.clearing.rules import Rules
from backtest.clearing.structure import Firm, House, Member, Structure

__all__ = [
    "ARRANGEMENTS",
    "Arrangement",
    "Assumptions",
    "Firm",
    "House",
    "Member",
    "Rules",
    "Structure",
]
