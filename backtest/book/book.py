"""A book: positions of portfolios, their losses over the MPOR by silo, their sensitivities."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from backtest.book.coverage import Coverage
from backtest.book.liquidation import LiquidationCost
from backtest.book.losses import loss_by_silo, unit_pnl
from backtest.book.positions import Gaps, check_exposure, read_positions, rows_of
from backtest.book.shown import book_html, book_text
from backtest.book.sizing import margin_per_usd
from backtest.instruments import Instrument, check_priced, check_terms, parse_instrument
from backtest.instruments.units import usd_of_unit
from backtest.market.market import Market
from backtest.types import (
    BoolArray,
    Dates,
    DaysByInstruments,
    DaysByPortfoliosBySilos,
    FloatArray,
    StudyError,
)

if TYPE_CHECKING:
    from backtest.model.protocol import MarginModel


@dataclass(frozen=True, eq=False)
class Book:
    """Portfolios x instruments, in signed USD or units; constant, or by day.

    Parameters
    ----------
    portfolios : names.
    instruments : one for each column of `exposure`.
    exposure : (portfolios, instruments) signed USD, or (days, portfolios, instruments) where
        positions change: those at the close of a day are margined on it and held over the MPOR.
    rebalance : 'daily' keeps the USD constant, so that risk is stationary; 'never' buys units at
        the first day of the market, whose USD value then drifts with the price.
    liquidation : cost of closing out, added to every loss; None leaves it out.
    dates : (days,) of positions that change; None of constant ones.
    units : what `exposure` counts, by instrument: 'usd', or units whose USD value drifts with the
        price ('face', 'contracts', 'coins'). None counts USD.

    Examples
    --------
    >>> frame = pd.DataFrame({"UST10Y": [1e8], "BTC": [-5e6]}, index=["long 10Y, short BTC"])
    >>> Book.from_frame(frame).silos
    ('FICC', 'CME')
    """

    portfolios: tuple[str, ...]
    instruments: tuple[Instrument, ...]
    exposure: FloatArray
    rebalance: Literal["daily", "never"] = "daily"
    liquidation: LiquidationCost | None = None
    dates: Dates | None = None
    units: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        exposure = np.array(self.exposure, dtype=np.float64, order="C")
        object.__setattr__(self, "exposure", exposure)
        object.__setattr__(self, "portfolios", tuple(self.portfolios))
        object.__setattr__(self, "instruments", tuple(self.instruments))
        for instrument in self.instruments:
            check_terms(instrument)
        for axis in (self.portfolios, tuple(i.name for i in self.instruments)):
            if len(set(axis)) != len(axis):
                twice = next(name for name in axis if axis.count(name) > 1)
                raise StudyError(f"{twice!r} is twice in the book; name each once.")
        check_exposure(self)
        if self.rebalance not in ("daily", "never"):
            raise StudyError(f"rebalance is {self.rebalance!r}; known: 'daily', 'never'.")
        if self.units is not None and self.rebalance == "never":
            raise StudyError("rebalance is 'never', and units are given; give one of the two.")
        exposure.flags.writeable = False

    def __repr__(self) -> str:
        return book_text(self)

    def _repr_html_(self) -> str:
        return book_html(self)

    @classmethod
    def from_frame(
        cls,
        frame: pd.DataFrame,
        market: Market | None = None,
        *,
        rebalance: Literal["daily", "never"] = "daily",
        liquidation: LiquidationCost | None = None,
    ) -> "Book":
        """Book of a frame: index portfolios, columns instrument names, values signed USD.

        Treasuries ('UST2Y' .. 'UST30Y') clear at FICC and price factors ('BTC', 'ETH') at CME
        unless the name says otherwise ('UST5Y@CME'). With a `market`, an instrument that it cannot
        price is refused here rather than later.
        """
        instruments = tuple(parse_instrument(str(c)) for c in frame.columns)
        if market is not None:
            for instrument in instruments:
                check_priced(instrument, market)
        return cls(
            portfolios=tuple(str(p) for p in frame.index),
            instruments=instruments,
            exposure=frame.to_numpy(dtype=np.float64),
            rebalance=rebalance,
            liquidation=liquidation,
        )

    @classmethod
    def from_positions(
        cls,
        frame: pd.DataFrame,
        market: Market,
        *,
        gaps: Gaps,
        liquidation: LiquidationCost | None = None,
    ) -> "Book":
        """Book of a table of positions: one row a (date, account, instrument).

        Parameters
        ----------
        frame : columns `date`, `account`, `instrument` and one or more of `usd`, `face`,
            `contracts`, `coins`, one of them in each row. A row is the position at the close of
            its date: it is margined on it, and held, frozen, over the MPOR.
        market : prices of all instruments on all dates.
        gaps : what days without a row say of an account that has rows: 'unchanged' goes on with
            its last row of each instrument, 'flat' holds nothing.

        Raises
        ------
        StudyError : a day without prices, two rows of one position, an instrument in two units, an
            unknown instrument.

        Examples
        --------
        >>> days = pd.bdate_range("2024-01-02", periods=3)
        >>> market = Market.from_frame(pd.DataFrame({"BTC": [10.0, 20.0, 40.0]}, index=days))
        >>> frame = pd.DataFrame(
        ...     {"date": days[:1], "account": "a", "instrument": "BTC", "coins": 2.0})
        >>> Book.from_positions(frame, market, gaps="unchanged").usd(market)[:, 0, 0].tolist()
        [20.0, 40.0, 80.0]
        """
        table = read_positions(frame, market, gaps=gaps)
        return cls(
            table.accounts,
            table.instruments,
            table.amounts,
            liquidation=liquidation,
            dates=table.dates,
            units=table.units,
        )

    @classmethod
    def risk_matched(
        cls,
        weights: pd.DataFrame,
        market: Market,
        *,
        base: "MarginModel",
        coverage: Coverage,
        gross: float,
    ) -> "Book":
        """Legs sized by risk: USD = weight / stand-alone margin per USD, scaled to `gross`.

        weights : (portfolios x instrument names) signed; +1 and -1 make legs of equal stand-alone
            margin. Long legs are sized by the margin of a long position, short legs by a short's.
        gross : USD, sum of absolute exposures of every portfolio.

        Margins are compared on the first day on which `base` has them. No later day is used.

        Raises
        ------
        StudyError : a market too short for `base`, or a leg without margin on that day.
        """
        # One dollar of BTC carries many times the risk of one of a Treasury: equal dollars would
        # make a crypto portfolio of every pair, with no offset to measure.
        unsized = cls.from_frame(weights, market)
        per_usd = margin_per_usd(unsized, market, base=base, coverage=coverage)
        side = np.where(unsized.exposure >= 0, per_usd[0], per_usd[1])
        usd = unsized.exposure / np.where(unsized.exposure == 0, 1.0, side)
        return replace(unsized, exposure=usd * (gross / np.abs(usd).sum(axis=1, keepdims=True)))

    @classmethod
    def random(
        cls,
        instruments: Sequence[str],
        market: Market,
        *,
        base: "MarginModel",
        coverage: Coverage,
        gross: float,
        portfolios: int,
        seed: int,
    ) -> "Book":
        """A book of random portfolios: independent standard normal risk weights, from a seed."""
        draws = np.random.default_rng(seed).standard_normal((portfolios, len(instruments)))
        names = [f"random {i + 1:02d}" for i in range(portfolios)]
        weights = pd.DataFrame(draws, index=names, columns=list(instruments))
        return cls.risk_matched(weights, market, base=base, coverage=coverage, gross=gross)

    def to_frame(self) -> pd.DataFrame:
        """Exposures (portfolios x instruments): the largest of each, where they change."""
        return self._framed(self.exposure)

    def largest(self, market: Market) -> pd.DataFrame:
        """Signed USD (portfolios x instruments): the largest of each position on any day."""
        constant = self.dates is None and self.units is None
        return self.to_frame() if constant else self._framed(self.usd(market))

    def _framed(self, positions: FloatArray) -> pd.DataFrame:
        if positions.ndim == 3:
            day = np.abs(positions).argmax(axis=0)
            positions = np.take_along_axis(positions, day[None], axis=0)[0]
        names = [i.name for i in self.instruments]
        return pd.DataFrame(positions, index=pd.Index(self.portfolios), columns=names)

    @property
    def is_held(self) -> BoolArray:
        """(portfolios, instruments) whether a position is held, on any day."""
        held = self.exposure != 0.0
        return np.asarray(held if self.dates is None else held.any(axis=0))

    def on(self, dates: Dates) -> "Book":
        """The book on some of its days; a book of constant positions is the same on all.

        Raises
        ------
        StudyError : no positions are known for one of `dates`.
        """
        if self.dates is None or np.array_equal(self.dates, dates):
            return self
        return replace(self, dates=dates, exposure=self.exposure[rows_of(self.dates, dates)])

    def usd(self, market: Market) -> FloatArray:
        """(days, portfolios, instruments) signed USD at each close of the market."""
        exposure = self.on(market.dates).exposure
        return self.unit_index(market)[:, None, :] * exposure

    @property
    def silos(self) -> tuple[str, ...]:
        """Clearing houses, in the order of the instruments."""
        return tuple(dict.fromkeys(i.silo for i in self.instruments))

    def select(self, portfolios: slice | Sequence[int]) -> "Book":
        """The book of the named rows: these portfolios, all instruments."""
        rows = np.arange(len(self.portfolios))[portfolios]
        names = tuple(self.portfolios[r] for r in rows)
        return replace(self, portfolios=names, exposure=self.exposure[..., rows, :])

    def in_silo(self, silo: str) -> "Book":
        """Every portfolio's positions in one silo."""
        return self.holding([i for i, x in enumerate(self.instruments) if x.silo == silo])

    def by_instrument(self) -> list["Book"]:
        """One book per instrument: every portfolio's position in it alone."""
        return [self.holding([i]) for i in range(len(self.instruments))]

    def holding(self, columns: Sequence[int]) -> "Book":
        """Every portfolio's positions in the instruments of `columns`."""
        return replace(
            self,
            instruments=tuple(self.instruments[i] for i in columns),
            exposure=self.exposure[..., list(columns)],
            units=None if self.units is None else tuple(self.units[i] for i in columns),
        )

    @property
    def in_usd(self) -> bool:
        """Whether `exposure` is USD at every close, so that all of `unit_index` is 1."""
        return self.units is None and self.rebalance == "daily"

    def unit_index(self, market: Market) -> DaysByInstruments:
        """USD held at each close per 1 of `exposure`: ones where that is USD, rebalanced daily."""
        if self.units is not None:
            pairs = zip(self.instruments, self.units, strict=True)
            return np.column_stack([usd_of_unit(i, unit, market) for i, unit in pairs])
        if self.in_usd:
            return np.ones((len(market.dates), len(self.instruments)))
        # Units are bought once: their USD, and so their share of the risk, follows the price.
        values = np.column_stack([i.unit_value(market) for i in self.instruments])
        return values / values[0]

    def with_mirrors(self) -> "Book":
        """The same portfolios, then the mirror of each: the positions of its counterparty.

        A clearing house margins both sides of every trade, so coverage of both counts.

        Examples
        --------
        >>> frame = pd.DataFrame({"BTC": [5e6]}, index=["long BTC"])
        >>> Book.from_frame(frame).with_mirrors().portfolios
        ('long BTC', 'long BTC (mirror)')
        """
        return replace(
            self,
            portfolios=(*self.portfolios, *(f"{name} (mirror)" for name in self.portfolios)),
            exposure=np.concatenate([self.exposure, -self.exposure], axis=-2),
        )

    def unit_pnl(self, market: Market, coverage: Coverage) -> DaysByInstruments:
        """(days, instruments) exact P&L over the MPOR per 1 of `exposure` held at each close."""
        return unit_pnl(self, market, coverage)

    def loss(self, market: Market, coverage: Coverage) -> DaysByPortfoliosBySilos:
        """Loss over the MPOR of positions held at t, USD, > 0 is a loss; last rows NaN."""
        return loss_by_silo(self, market, coverage)
