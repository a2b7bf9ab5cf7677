"""A crypto venue's portfolio margin: the worst point of a price and volatility grid, per coin."""

from itertools import product
from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from backtest.book.book import Book
from backtest.book.coverage import Coverage
from backtest.market.market import Market
from backtest.model.grid import days_to_expiry, grid_pnl
from backtest.model.protocol import model
from backtest.parameters.buckets import Rate
from backtest.parameters.files import read_as
from backtest.types import Days, DaysByPortfolios, FloatArray
from strategies.haircut import HaircutOnly

REFERENCE_DAYS = 30.0  # days to expiry of the volatility moves in the table


class Grid(BaseModel):
    """Price range and volatility moves of a venue."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    price_range: Rate
    buckets: Annotated[int, Field(ge=1)]
    volatility_up: Annotated[float, Field(ge=0)]
    volatility_down: Rate
    short_term_power: float
    long_term_power: float

    @property
    def moves(self) -> FloatArray:
        """(points, 2) relative moves of price and of volatility at 30 days."""
        prices = np.linspace(-self.price_range, self.price_range, 2 * self.buckets + 1)
        return np.array(list(product(prices, (-self.volatility_down, 0.0, self.volatility_up))))

    def volatility_scale(self, days: Days) -> Days:
        """Multiple of the volatility moves for options with `days` to expiry."""
        power = np.where(days < REFERENCE_DAYS, self.short_term_power, self.long_term_power)
        return (REFERENCE_DAYS / days) ** power


@model(kind="venue_grid")
class VenueGrid:
    r"""Worst loss of each coin's positions over price moves times volatility moves.

    .. math:: M = \sum_c \max_{j, v} \left(-P_{c}(\Delta_j, \nu_v)\right)^+ + \sum_i h_i |x_i|

    Nine prices evenly spaced over +/-16 %, each with volatility up 50 %, unchanged and down 25 %
    (at 30 days to expiry, scaled by (30 / days)^p otherwise). Positions in one coin net in full,
    nothing nets between coins, and other assets take a haircut. Margin at day t uses levels of day
    t and no history. USD. It depends on neither confidence nor MPOR.

    Parameters
    ----------
    parameters : rule or version of `strategies/parameters/` with grid.
    haircuts : haircut by instrument name, for instruments that are no crypto assets.
    schedules : for names not in `haircuts`, the first of these that lists the instrument.

    References
    ----------
    Deribit, Portfolio Margin (support page) and API private/pme/simulate, 17 June 2024.

    Examples
    --------
    >>> load_grid("deribit_pm/2024").moves.shape
    (27, 2)
    """

    parameters: str = "deribit_pm"
    haircuts: dict[str, Rate] = Field(default_factory=dict)
    schedules: tuple[str, ...] = ("haircuts/cme", "haircuts/cftc_pilot")

    def margin(self, market: Market, book: Book, coverage: Coverage) -> FloatArray:
        """Margin required at each close, (days, portfolios), USD, >= 0; never NaN."""
        required = np.zeros((len(market.dates), len(book.portfolios)))
        haircut_model = HaircutOnly(haircuts=self.haircuts, schedules=self.schedules)
        coins: dict[str, list[int]] = {}
        for i, instrument in enumerate(book.instruments):
            if instrument.asset_class == "crypto":
                coins.setdefault(instrument.underlying, []).append(i)
            else:
                required += haircut_model.margin(market, book.holding([i]), coverage)
        for members in coins.values():
            required += self._worst(market, book.holding(members))
        return required

    def _worst(self, market: Market, book: Book) -> DaysByPortfolios:
        """(days, portfolios) worst loss of the positions in one coin."""
        grid, index = load_grid(self.parameters), book.unit_index(market)
        pnl = np.zeros((len(market.dates), len(book.portfolios), len(grid.moves)))
        # All positions in a coin see the same point of the grid, so P&Ls are added point by point
        # before the worst is taken.
        for i, instrument in enumerate(book.instruments):
            scale = grid.volatility_scale(days_to_expiry(instrument, market))
            per_usd = grid_pnl(instrument, market, grid.moves, volatility_scale=scale)
            pnl += (per_usd * index[:, [i]])[:, None] * book.exposure[:, i, None]
        return np.maximum(-pnl.min(axis=2), 0.0)


def load_grid(name: str) -> Grid:
    """Grid of `strategies/parameters/<name>.toml`."""
    return read_as(Grid, name)
