"""Floors: margin not below that of a longer lookback, and not below a share of exposure."""

from typing import Annotated, NamedTuple

import numpy as np
from annotated_types import Ge
from pydantic import Field

from backtest.book.book import Book
from backtest.book.coverage import Coverage
from backtest.market.market import Market
from backtest.model.asking import required_margin
from backtest.model.protocol import MarginModel, Parts, model
from backtest.model.wrapping import longest_lookback, with_lookback, with_step
from backtest.parameters.files import read_as, stated
from backtest.types import DaysByPortfolios, FloatArray
from strategies.historical import HistoricalVaR
from strategies.overlays.terms import Article28, Assumed
from strategies.parts import parts_of


class FloorTerms(NamedTuple):
    """Scenarios of ten years, and of a step of a growing history."""

    days: int
    step: int


@model(kind="ten_year_floor")
class TenYearFloor:
    r"""Margin not below that of a ten-year lookback, or of another model.

    .. math:: M_t = \max(m_t, f_t)

    m is the base margin and f that of `floor`. Without `floor`, f is the base itself over `days`
    scenarios; a shorter history takes the longest lookback that it fills, in steps of `step`
    beyond the lookback of the base, and has no floor before the first step. Margin at day t uses
    closes up to and including t. USD.

    Parameters
    ----------
    base : the model to which the floor is applied.
    floor : the model of the floor; by default the base over `days` scenarios.
    parameters, assumed_parameters : rule or version of `strategies/parameters/` that gives the
        years; and the margin days of a year and `step`, which no rule fixes.
    days : scenarios of ten years; None takes those of the two files.
    step : scenarios by which the lookback of a growing history is lengthened; None as assumed.

    References
    ----------
    Commission Delegated Regulation (EU) 153/2013, Art. 28(1)(c).

    Examples
    --------
    >>> TenYearFloor().lookbacks
    (750, 1000, 1250, 1500, 1750, 2000, 2250, 2500)
    """

    base: MarginModel = Field(default_factory=HistoricalVaR)
    floor: MarginModel | None = None
    parameters: str = "emir_28"
    assumed_parameters: str = "overlays_assumed"
    days: Annotated[int, Ge(20)] | None = None
    step: Annotated[int, Ge(1)] | None = None

    @property
    def terms(self) -> FloorTerms:
        """The terms in use: those that this model states, before those of the files."""
        assumed = read_as(Assumed, self.assumed_parameters)
        years = read_as(Article28, self.parameters).floor_years
        days = stated(self.days, years * assumed.year_days)
        return FloorTerms(days, stated(self.step, assumed.floor_step))

    @property
    def lookbacks(self) -> tuple[int, ...]:
        """Lookbacks of the floor as history grows, without an explicit floor."""
        days, step = self.terms
        return (*range(longest_lookback(self.base) + step, days, step), days)

    def margin(self, market: Market, book: Book, coverage: Coverage) -> FloatArray:
        """Margin required at each close, (days, portfolios), USD, >= 0; NaN while warming up."""
        base = required_margin(self.base, market, book, coverage)
        return np.where(np.isnan(base), np.nan, np.fmax(base, self._floor(market, book, coverage)))

    def parts(self, market: Market, book: Book, coverage: Coverage) -> Parts:
        """The base's steps, then 'ten-year floor'; silos scale alike."""
        required = self.margin(market, book, coverage)
        return with_step(
            parts_of(self.base, market, book, coverage), required, step="ten-year floor"
        )

    def _floor(self, market: Market, book: Book, coverage: Coverage) -> DaysByPortfolios:
        """(days, portfolios) the floor; NaN before it is known."""
        if self.floor is not None:
            return required_margin(self.floor, market, book, coverage)
        # A history of ten years is rare: until then the floor grows with it, or it would be absent
        # from most of a backtest and appear at once. Longer lookbacks overwrite shorter ones.
        floor = np.full((len(market.dates), len(book.portfolios)), np.nan)
        for lookback in self.lookbacks:
            longer_model = with_lookback(self.base, lookback)
            if lookback > len(market.dates):
                break
            required = required_margin(longer_model, market, book, coverage)
            floor = np.where(np.isnan(required), floor, required)
        return floor


class MinimumTerms(NamedTuple):
    """USD per USD of gross exposure."""

    rate: float


@model(kind="minimum")
class Minimum:
    r"""Margin not below a share of gross exposure.

    .. math:: M_t = \max\left(m_t, r \sum_i |x_i(t)|\right)

    x_i(t) is the USD held in instrument i. Margin at day t uses the data of the base. USD.

    Parameters
    ----------
    base : the model to which the minimum is applied.
    parameters : rule or version of `strategies/parameters/`.
    rate : r, USD per USD of gross exposure; None takes that of the file, an assumption.

    References
    ----------
    CPSS-IOSCO (2012). Principles for financial market infrastructures, Principle 6 (stable and
    conservative margin). The rate is an assumption.

    Examples
    --------
    >>> Minimum(rate=0.01).rate
    0.01
    """

    base: MarginModel = Field(default_factory=HistoricalVaR)
    parameters: str = "overlays_assumed"
    rate: Annotated[float, Ge(0)] | None = None

    @property
    def terms(self) -> MinimumTerms:
        """The terms in use: those that this model states, before those of the files."""
        return MinimumTerms(stated(self.rate, read_as(Assumed, self.parameters).minimum_rate))

    def margin(self, market: Market, book: Book, coverage: Coverage) -> FloatArray:
        """Margin required at each close, (days, portfolios), USD, >= 0; NaN while warming up."""
        least = self.terms.rate * (book.unit_index(market) @ np.abs(book.exposure).T)
        return np.maximum(required_margin(self.base, market, book, coverage), least)

    def parts(self, market: Market, book: Book, coverage: Coverage) -> Parts:
        """The base's steps, then 'minimum'; silos scale alike."""
        required = self.margin(market, book, coverage)
        return with_step(parts_of(self.base, market, book, coverage), required, step="minimum")
