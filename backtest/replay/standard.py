"""What all models of a study are held to: the scored days, the standard and the account."""

from dataclasses import dataclass
from typing import Any

from backtest.book.book import Book
from backtest.book.closeout import Closeout
from backtest.book.coverage import Coverage
from backtest.market.market import Market
from backtest.model.window import ScoredWindow

BY_DAY, IN_UNITS = "by day", "in units"  # how positions are kept, beside 'daily' and 'never'
# The calendar in which calls are counted, for each way of settlement.
CALL_CALENDAR = {"margin_days": "margin", "cash": "Fedwire", "stablecoin": "calendar"}


@dataclass(frozen=True)
class Window:
    """First and last scored day, ISO, and how many there are."""

    first_scored: str
    last_scored: str
    observations: int

    @classmethod
    def of(cls, window: ScoredWindow) -> "Window":
        """Describe the days that are scored."""
        return cls(str(window.dates[0]), str(window.dates[-1]), len(window.dates))

    def sentence(self) -> str:
        """Scored days and how many there are."""
        return f"scored {self.first_scored} to {self.last_scored}, n = {self.observations:,} days"


@dataclass(frozen=True)
class Standard:
    """The standard that all models are held to, and how positions are kept.

    Parameters
    ----------
    mpor : margin days by silo, or by silo and asset class.
    overlap : rows of the market that the longest close-out spans.
    rebalance : as in a book, 'by day' or 'in units'; 'given' where losses are and no positions.
    liquidation : the table of costs that losses include, and its date; None for prices alone.
    """

    confidence: float
    mpor: dict[str, int]
    overlap: int
    rebalance: str
    liquidation: dict[str, str] | None = None

    @classmethod
    def of(cls, market: Market, book: Book, coverage: Coverage) -> "Standard":
        """Describe the standard of a book."""
        closeout = Closeout(book, coverage)
        cost = None if book.liquidation is None else book.liquidation.to_dict()
        kept = book.rebalance if book.units is None else IN_UNITS
        kept = kept if book.dates is None else BY_DAY
        return cls(coverage.confidence, closeout.by_silo, closeout.rows(market), kept, cost)

    @property
    def daily(self) -> bool:
        """Whether positions are rebalanced to constant USD every day."""
        return self.rebalance == "daily"

    def sentence(self) -> str:
        """Confidence, MPOR and how positions are kept, in words.

        Examples
        --------
        >>> Standard(0.99, {"FICC": 2, "CME": 2}, 2, "daily").sentence()
        '99 % coverage over an MPOR of 2 margin days; constant USD, rebalanced daily'
        """
        days = set(self.mpor.values())
        by_silo = (f"{silo} {d}" for silo, d in self.mpor.items())
        mpor = f"{days.pop()}" if len(days) == 1 else ", ".join(by_silo)
        positions = {
            "daily": "constant USD, rebalanced daily",
            "given": "positions as they were, not seen here",
            BY_DAY: "positions by day, each held over its MPOR",
            IN_UNITS: "constant contracts, coins and face",
        }.get(self.rebalance, "units bought on the first day and held")
        if self.liquidation is not None:
            positions += "; losses include liquidation cost (approximate)"
        return (
            f"{100 * self.confidence:g} % coverage over an MPOR of {mpor} margin days; {positions}"
        )


@dataclass(frozen=True)
class Account:
    """Terms of the collateral account; `collateral` is 'cash', or the fields of a mix."""

    call_lag: int
    minimum_transfer: float
    collateral: str | dict[str, Any]
    excess: str
    settlement: str = "margin_days"

    def lag_words(self) -> str:
        """How many days a call takes, and of which calendar.

        Examples
        --------
        >>> Account(1, 0.0, "cash", "returned", "cash").lag_words()
        'call lag 1 Fedwire days'
        """
        return f"call lag {self.call_lag} {CALL_CALENDAR[self.settlement]} days"
