"""Who holds what, to which standard, and what closing it out takes."""

from .book import Book
from .coverage import Coverage
from .liquidation import LiquidationCost

__all__ = [
    "Book",
    "Coverage",
    "LiquidationCost",
]
