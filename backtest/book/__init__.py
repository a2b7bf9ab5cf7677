"""A book of positions, the standard it is margined to, and the time and cost to close it out."""

from .book import Book
from .closeout import Closeout
from .coverage import Coverage
from .liquidation import LiquidationCost

__all__ = ["Book", "Closeout", "Coverage", "LiquidationCost"]
