"""Floors: margin not below that of a longer lookback, and not below a share of exposure."""

from typing import Annotated

import numpy as np
from annotated_types import Ge
from pydantic import Field

from backtest.book.book import Book
from backtest.book.coverage import Coverage
from backtest.market.market import Market
from backtest.model.asking import required_margin
from backtest.model.protocol import MarginModel, Parts, model
from backtest.model.wrapping import longest_lookback, with_lookback, with_step
from backtest.parameters.files import load_parameters
from backtest.types import DaysByPortfolios, FloatArray
from strategies.historical import HistoricalVaR
from strategies.parts import parts_of

RULE = load_parameters("emir_28/2013")
ASSUMED = load_parameters("overlays_assumed/2026")


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
    days : scenarios of ten years.
    step : scenarios by which the lookback of a growing history is lengthened.

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
    days: Annotated[int, Ge(20)] = RULE["floor_days"]
    step: Annotated[int, Ge(1)] = ASSUMED["floor_step"]

    parameter_files = ("emir_28/2013", "overlays_assumed/2026")

    @property
    def lookbacks(self) -> tuple[int, ...]:
        """Lookbacks of the floor as history grows, without an explicit floor."""
        base_lookback = longest_lookback(self.base)
        return (*range(base_lookback + self.step, self.days, self.step), self.days)

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


@model(kind="minimum")
class Minimum:
    r"""Margin not below a share of gross exposure.

    .. math:: M_t = \max\left(m_t, r \sum_i |x_i(t)|\right)

    x_i(t) is the USD held in instrument i. Margin at day t uses the data of the base. USD.

    Parameters
    ----------
    base : the model to which the minimum is applied.
    rate : r, USD per USD of gross exposure.

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
    rate: Annotated[float, Ge(0)] = ASSUMED["minimum_rate"]

    parameter_files = ("overlays_assumed/2026",)

    def margin(self, market: Market, book: Book, coverage: Coverage) -> FloatArray:
        """Margin required at each close, (days, portfolios), USD, >= 0; NaN while warming up."""
        least = self.rate * (book.unit_index(market) @ np.abs(book.exposure).T)
        return np.maximum(required_margin(self.base, market, book, coverage), least)

    def parts(self, market: Market, book: Book, coverage: Coverage) -> Parts:
        """The base's steps, then 'minimum'; silos scale alike."""
        required = self.margin(market, book, coverage)
        return with_step(parts_of(self.base, market, book, coverage), required, step="minimum")
