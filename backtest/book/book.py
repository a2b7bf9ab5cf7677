"""A book: what each portfolio holds, its losses over the MPOR by silo, its unit sensitivities."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from backtest.book.closeout import Closeout
from backtest.book.coverage import Coverage
from backtest.book.liquidation import LiquidationCost
from backtest.book.sizing import margin_per_usd
from backtest.instruments import Instrument, by_factor, check_priced, check_terms, parse_instrument
from backtest.market.market import Market
from backtest.types import (
    DaysByInstruments,
    DaysByPortfoliosBySilos,
    FloatArray,
    PortfoliosByInstruments,
    StudyError,
)

if TYPE_CHECKING:
    from backtest.model.protocol import MarginModel


SHOWN = 6  # instruments named in a repr
MOST_ROWS = 30  # portfolios shown in a notebook


@dataclass(frozen=True, eq=False)
class Book:
    """Portfolios x instruments, in signed USD.

    Parameters
    ----------
    portfolios : names.
    instruments : what the columns of `exposure` hold.
    exposure : (portfolios, instruments) signed USD.
    rebalance : 'daily' keeps the USD constant, so that risk is stationary; 'never' buys units at
        the first day of the market and lets their USD value drift with the price.
    liquidation : what closing out costs, added to every loss; None leaves it out.

    Examples
    --------
    >>> frame = pd.DataFrame({"UST10Y": [1e8], "BTC": [-5e6]}, index=["long 10Y, short BTC"])
    >>> Book.from_frame(frame).silos
    ('FICC', 'CME')
    """

    portfolios: tuple[str, ...]
    instruments: tuple[Instrument, ...]
    exposure: PortfoliosByInstruments
    rebalance: Literal["daily", "never"] = "daily"
    liquidation: LiquidationCost | None = None

    def __post_init__(self) -> None:
        exposure = np.array(self.exposure, dtype=np.float64, order="C")
        object.__setattr__(self, "exposure", exposure)
        object.__setattr__(self, "portfolios", tuple(self.portfolios))
        object.__setattr__(self, "instruments", tuple(self.instruments))
        for instrument in self.instruments:
            check_terms(instrument)
        expected = (len(self.portfolios), len(self.instruments))
        if exposure.shape != expected or 0 in expected:
            raise StudyError(
                f"exposure has shape {exposure.shape}; {expected[0]} portfolios and "
                f"{expected[1]} instruments (at least one of each) need {expected}."
            )
        for axis in (self.portfolios, tuple(i.name for i in self.instruments)):
            if len(set(axis)) != len(axis):
                twice = next(name for name in axis if axis.count(name) > 1)
                raise StudyError(f"{twice!r} stands twice in the book; name each once.")
        if not np.isfinite(exposure).all():
            p, i = np.argwhere(~np.isfinite(exposure))[0]
            raise StudyError(
                f"exposure of {self.portfolios[p]!r} in {self.instruments[i].name} is "
                f"{exposure[p, i]}; give USD, 0 where nothing is held."
            )
        if self.rebalance not in ("daily", "never"):
            raise StudyError(f"rebalance is {self.rebalance!r}; known: 'daily', 'never'.")
        exposure.flags.writeable = False

    def __repr__(self) -> str:
        gross = np.abs(self.exposure).sum(axis=1) / 1e6
        names = ", ".join(i.name for i in self.instruments[:SHOWN])
        more = ", ..." if len(self.instruments) > SHOWN else ""
        return (
            f"<Book of {len(self.portfolios)} portfolios in {names}{more}; gross "
            f"{gross.min():,.1f} to {gross.max():,.1f} USD m, rebalanced {self.rebalance}>"
        )

    def _repr_html_(self) -> str:
        page = str(self.to_frame().head(MOST_ROWS).to_html(float_format="{:,.0f}".format))
        more = len(self.portfolios) - MOST_ROWS
        return page + (f"<p>and {more:,} more portfolios</p>" if more > 0 else "")

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
        unless the name says otherwise ('UST5Y@CME'). With a `market`, an instrument it has no
        factor for is an error here rather than later.
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
    def risk_matched(
        cls,
        weights: pd.DataFrame,
        market: Market,
        *,
        base: "MarginModel",
        coverage: Coverage,
        gross: float,
        day: int | None = None,
    ) -> "Book":
        """Legs sized by risk: USD = weight / stand-alone margin per USD, scaled to `gross`.

        weights : (portfolios x instrument names) signed; +1 and -1 make legs of equal stand-alone
            margin. A leg's margin is that of its own side, long or short.
        gross : USD, sum of absolute exposures of every portfolio.
        day : row of the market on which margins are compared; the first on which `base` knows
            them unless given. Nothing later than that day is used.

        Raises
        ------
        StudyError : no such day, or a leg without margin on it.
        """
        unsized = cls.from_frame(weights, market)
        per_usd = margin_per_usd(unsized, market, base=base, coverage=coverage, day=day)
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
        day: int | None = None,
    ) -> "Book":
        """Seeded books with independent standard normal risk weights on every instrument."""
        drawn = np.random.default_rng(seed).standard_normal((portfolios, len(instruments)))
        names = [f"random {i + 1:02d}" for i in range(portfolios)]
        weights = pd.DataFrame(drawn, index=names, columns=list(instruments))
        return cls.risk_matched(weights, market, base=base, coverage=coverage, gross=gross, day=day)

    def to_frame(self) -> pd.DataFrame:
        """Exposures in USD (portfolios x instruments)."""
        names = [i.name for i in self.instruments]
        return pd.DataFrame(self.exposure, index=pd.Index(self.portfolios), columns=names)

    @property
    def silos(self) -> tuple[str, ...]:
        """Clearing houses, in the order in which the instruments name them."""
        return tuple(dict.fromkeys(i.silo for i in self.instruments))

    def select(self, portfolios: slice | Sequence[int]) -> "Book":
        """Some of the portfolios, all instruments."""
        rows = np.arange(len(self.portfolios))[portfolios]
        names = tuple(self.portfolios[r] for r in rows)
        return replace(self, portfolios=names, exposure=self.exposure[rows])

    def in_silo(self, silo: str) -> "Book":
        """Every portfolio's own positions in one silo."""
        return self.holding([i for i, x in enumerate(self.instruments) if x.silo == silo])

    def by_instrument(self) -> list["Book"]:
        """One book an instrument: every portfolio's position in that alone."""
        return [self.holding([i]) for i in range(len(self.instruments))]

    def holding(self, columns: Sequence[int]) -> "Book":
        """Every portfolio's positions in some of the instruments."""
        chosen = tuple(self.instruments[i] for i in columns)
        return replace(self, instruments=chosen, exposure=self.exposure[:, list(columns)])

    def unit_index(self, market: Market) -> DaysByInstruments:
        """USD held today per USD of `exposure`: ones where the USD is kept constant."""
        if self.rebalance == "daily":
            return np.ones((len(market.dates), len(self.instruments)))
        values = np.column_stack([i.unit_value(market) for i in self.instruments])
        return values / values[0]

    def with_mirrors(self) -> "Book":
        """The same portfolios, then the mirror image of each: what its counterparty holds.

        A clearing house margins both sides of every trade, so both count.

        Examples
        --------
        >>> frame = pd.DataFrame({"BTC": [5e6]}, index=["long BTC"])
        >>> Book.from_frame(frame).with_mirrors().portfolios
        ('long BTC', 'long BTC (mirror)')
        """
        return replace(
            self,
            portfolios=(*self.portfolios, *(f"{name} (mirror)" for name in self.portfolios)),
            exposure=np.vstack([self.exposure, -self.exposure]),
        )

    def unit_sensitivities(self, market: Market) -> list[dict[str, FloatArray]]:
        """Per instrument, by factor: (days, 2) delta and gamma per USD of `exposure`."""
        index = self.unit_index(market)
        return [
            {name: each * index[:, i, None] for name, each in by_factor(held, market).items()}
            for i, held in enumerate(self.instruments)
        ]

    def unit_pnl(self, market: Market, coverage: Coverage) -> DaysByInstruments:
        """(days, instruments) exact P&L per USD of `exposure`, struck at t, held over the MPOR.

        The MPOR is counted in the days on which the instrument trades. On a day on which it does
        not, it is struck at its last close before.
        """
        columns, days = [], Closeout(self, coverage).by_instrument
        for instrument, horizon in zip(self.instruments, days, strict=True):
            own, at = market.own_days(instrument.factors)
            columns.append(instrument.pnl(own, horizon)[at])
        pnl = np.column_stack(columns) * self.unit_index(market)
        # A day of the book is known only once its longest close-out has ended.
        pnl[~np.logical_and.accumulate(~np.isnan(pnl).any(axis=1))] = np.nan
        return pnl

    def loss(self, market: Market, coverage: Coverage) -> DaysByPortfoliosBySilos:
        """Loss (USD, > 0 is a loss) of positions struck at t over the MPOR; last rows NaN."""
        pnl = self.unit_pnl(market, coverage)
        out = np.empty((len(market.dates), len(self.portfolios), len(self.silos)))
        for s, silo in enumerate(self.silos):
            held = [i for i, x in enumerate(self.instruments) if x.silo == silo]
            out[:, :, s] = -pnl[:, held] @ self.exposure[:, held].T
            if self.liquidation is not None:
                own = self.holding(held)
                out[:, :, s] += self.liquidation.cost(
                    market, own.instruments, exposure=own.exposure, index=own.unit_index(market)
                )
        return out
