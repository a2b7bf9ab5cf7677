"""Days over which each position is closed out, and whether a standard fits the book."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from backtest.book.coverage import Coverage
from backtest.instruments import Instrument
from backtest.market.market import Market
from backtest.types import RowNumbers, StudyError

if TYPE_CHECKING:
    from backtest.book.book import Book


@dataclass(frozen=True, eq=False)
class Closeout:
    """Margin days from the last good settlement to the end of close-out, position by position.

    They are counted in days on which the instrument trades. StudyError where the standard has no
    days for an instrument of the book.

    Examples
    --------
    >>> import backtest as bt, pandas as pd
    >>> frame = pd.DataFrame({"UST10Y": [1e6, 0.0], "BTC": [1e6, 1e6]}, index=["both", "coin"])
    >>> closeout = Closeout(bt.Book.from_frame(frame), Coverage(mpor={"FICC": 3, "CME": 2}))
    >>> closeout.by_instrument, closeout.by_portfolio.tolist(), closeout.shared.tolist()
    ((3, 2), [3, 2], [2, 0])
    """

    book: "Book"
    coverage: Coverage

    @property
    def by_instrument(self) -> tuple[int, ...]:
        """(instruments,) margin days to close out each instrument."""
        return tuple(self._days_of(instrument) for instrument in self.book.instruments)

    @property
    def by_silo(self) -> dict[str, int]:
        """Margin days by silo, or by silo and asset class where they differ within a silo.

        Examples
        --------
        >>> import backtest as bt, pandas as pd
        >>> frame = pd.DataFrame({"UST10Y": [1e6], "UST5Y@CME": [1e6], "BTC": [1e6]})
        >>> Closeout(bt.Book.from_frame(frame), Coverage(mpor={"treasury": 3, "crypto": 2})).by_silo
        {'FICC': 3, 'CME treasury': 3, 'CME crypto': 2}
        """
        days: dict[str, int] = {}
        for silo in self.book.silos:
            silo_instruments = [i for i in self.book.instruments if i.silo == silo]
            by_class = {i.asset_class: self._days_of(i) for i in silo_instruments}
            if len(set(by_class.values())) == 1:
                days[silo] = self._days_of(silo_instruments[0])
            else:
                days |= {f"{silo} {name}": value for name, value in by_class.items()}
        return days

    @property
    def by_portfolio(self) -> RowNumbers:
        """(portfolios,) margin days of the slowest position ever held; 1 where none is."""
        days_held = np.where(self.book.is_held, self.by_instrument, 1)
        return np.asarray(days_held.max(axis=1))

    @property
    def longest(self) -> int:
        """Margin days of the slowest instrument in the book."""
        return max(self.by_instrument)

    @property
    def shared(self) -> RowNumbers:
        """(portfolios,) margin days on which all positions are still being closed out.

        The days of the fastest position; 0 where all positions take the same time.
        """
        days, is_held = np.array(self.by_instrument), self.book.is_held
        longest = np.where(is_held, days, 0).max(axis=1)
        shortest = np.where(is_held, days, days.max()).min(axis=1)
        return np.where(shortest < longest, shortest, 0)

    def rows(self, market: Market) -> int:
        """Rows of the market that the longest close-out of any position spans.

        More than the MPOR on the 24/7 clock, where closed days lie between. Losses that overlap by
        this many rows are not independent, which the tests of exceedances must know.
        """
        longest = 0
        for instrument, days in zip(self.book.instruments, self.by_instrument, strict=True):
            traded = np.flatnonzero(market.trades(instrument.factors))
            ends = traded[days:]
            longest = max(longest, int((ends - traded[: len(ends)]).max(initial=0)))
        return longest

    def known_from(self, market: Market) -> RowNumbers:
        """(days,) row at whose close the loss of positions held on each day is known.

        The number of days where the market ends before.

        Examples
        --------
        >>> import backtest as bt, pandas as pd
        >>> dates = pd.bdate_range("2024-01-02", periods=4)
        >>> market = Market.from_frame(pd.DataFrame({"BTC": [10., 8., 8., 6.]}, index=dates))
        >>> book = bt.Book.from_frame(pd.DataFrame({"BTC": [1.0]}))
        >>> Closeout(book, Coverage()).known_from(market).tolist()
        [2, 3, 4, 4]
        """
        count = len(market.dates)
        row_known = np.arange(count)
        for instrument, days in zip(self.book.instruments, self.by_instrument, strict=True):
            # A position held over a weekend starts from its last close, so a loss of Saturday is
            # known when Friday's is. Rows past the end stand for days after the market.
            traded = np.flatnonzero(market.trades(instrument.factors))
            last_traded = np.searchsorted(traded, np.arange(count), side="right") - 1
            ends = np.append(traded, np.full(days, count))
            row_known = np.maximum(row_known, ends[np.minimum(last_traded + days, len(ends) - 1)])
        return row_known

    @property
    def standard(self) -> Coverage:
        """The standard, without days for silos and asset classes that the book does not hold."""
        mpor = self.coverage.mpor
        if not isinstance(mpor, Mapping):
            return self.coverage
        names_in_book = {*self.book.silos, *(i.asset_class for i in self.book.instruments)}
        return replace(
            self.coverage, mpor={key: d for key, d in mpor.items() if key in names_in_book}
        )

    def check(self) -> None:
        """StudyError where the standard names what is neither a silo nor a class of the book.

        Examples
        --------
        >>> import backtest as bt, pandas as pd
        >>> book = bt.Book.from_frame(pd.DataFrame({"BTC": [1.0]}))
        >>> Closeout(book, Coverage(mpor={"CME": 2, "FIC": 3})).check()
        Traceback (most recent call last):
        ...
        backtest.types.StudyError: mpor names 'FIC', neither a silo (CME) nor an asset class \
(crypto) of the book; remove it or mend its spelling.
        """
        if not isinstance(self.coverage.mpor, Mapping):
            return
        classes = tuple(dict.fromkeys(i.asset_class for i in self.book.instruments))
        for key in self.coverage.mpor:
            if key not in self.book.silos and key not in classes:
                raise StudyError(
                    f"mpor names {key!r}, neither a silo ({', '.join(self.book.silos)}) nor an "
                    f"asset class ({', '.join(classes)}) of the book; remove it or mend its "
                    "spelling."
                )

    def _days_of(self, instrument: Instrument) -> int:
        """Days of its asset class, or else of its silo; the only place that reads `mpor`."""
        mpor = self.coverage.mpor
        if not isinstance(mpor, Mapping):
            return mpor
        for key in (instrument.asset_class, instrument.silo):
            if key in mpor:
                return mpor[key]
        raise StudyError(
            f"mpor has no days for silo {instrument.silo!r} or asset class "
            f"{instrument.asset_class!r}; known: {', '.join(sorted(mpor))}. Add it."
        )
