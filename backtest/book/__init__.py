"""Who holds what, to which standard, and what closing it out takes."""

from .book import Book
from .closeout import Closeout
from .coverage import Coverage
from .liquidation import LiquidationCost

__all__ = [
    "Book",
    "Closeout",
    "Coverage",
    "LiquidationCost",
]
