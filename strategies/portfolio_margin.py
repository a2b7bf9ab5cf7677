"""Portfolio margin of securities accounts: the worst of ten price moves, offsets within a group."""

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from backtest.book.book import Book
from backtest.book.coverage import Coverage
from backtest.instruments import Instrument, bucket_of, is_option, treasury_maturity
from backtest.market.market import Market
from backtest.model.grid import grid_pnl
from backtest.model.protocol import model
from backtest.parameters.buckets import ByMaturity, Rate
from backtest.parameters.files import read_as
from backtest.parameters.header import Marked
from backtest.types import DaysByPortfolios, FloatArray
from strategies.haircut import HaircutOnly

POINTS = 5  # price moves on either side of today's price; the last one is the whole range


class _Group(Marked):
    classes: tuple[str, ...]
    down: Rate
    up: Rate
    offset: Rate

    @property
    def moves(self) -> FloatArray:
        """(points, 2) moves of price and of volatility; the latter are zero."""
        share = np.arange(1, POINTS + 1) / POINTS
        price = np.concatenate([-self.down * share[::-1], self.up * share])
        return np.column_stack([price, np.zeros_like(price)])


class Ranges(BaseModel):
    """Product groups with ranges and offsets, rates of government securities, option minimum."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    option_minimum: float
    group: dict[str, _Group]
    government: ByMaturity

    def group_of(self, instrument: Instrument) -> str | None:
        """Product group of an instrument, declared or by its price factor; None without one."""
        declared = bucket_of(instrument, "portfolio_margin")
        if declared is not None:
            return str(declared) if declared in self.group else None
        groups = (name for name, g in self.group.items() if instrument.factor in g.classes)
        return next(groups, None)


@model(kind="portfolio_margin")
class PortfolioMargin:
    r"""TIMS under FINRA 4210(g): the worst of ten price moves, gains offset within a group.

    .. math:: M = \sum_q \max\left(\max_j \sum_{c \in q} \left[(-P_{cj})^+ - o_q P_{cj}^+\right],
              \; n_q\right)

    P_cj is the P&L of all positions on underlying c at point j, which net in full. Gains on one
    underlying count at o_q against losses on others of its product group q; nothing is offset
    between groups. n_q is the dollar minimum of the group's options. Volatility and time are held
    constant. Government securities take their maintenance percentage on the net of each row of
    maturity, other instruments an explicit haircut. Margin at day t uses levels of day t and no
    history. USD. It depends on neither confidence nor MPOR.

    Parameters
    ----------
    parameters : rule or version of `strategies/parameters/` with groups, ranges and offsets.
    haircuts : haircut by instrument name, for instruments in no group.

    References
    ----------
    FINRA Rule 4210(g); SEC Release 34-46576 (2002).

    Examples
    --------
    >>> group = load_ranges("finra_4210/2010").group["broad_index"]
    >>> group.moves[:, 0].round(3).tolist()
    [-0.08, -0.064, -0.048, -0.032, -0.016, 0.012, 0.024, 0.036, 0.048, 0.06]
    >>> float(worst_point(np.array([[-100.0, 50.0], [80.0, -60.0]]), offset=0.75))
    40.0
    """

    parameters: str = "finra_4210"
    haircuts: dict[str, Rate] = Field(default_factory=dict)

    def margin(self, market: Market, book: Book, coverage: Coverage) -> FloatArray:
        """Margin required at each close, (days, portfolios), USD, >= 0; never NaN."""
        table = load_ranges(self.parameters)
        index = book.unit_index(market)
        required = np.zeros((len(market.dates), len(book.portfolios)))
        rows = np.zeros((*required.shape, len(table.government.rate)))
        groups: dict[str, list[int]] = {}
        for i, instrument in enumerate(book.instruments):
            name = table.group_of(instrument)
            row = table.government.row(treasury_maturity(instrument))
            if row is not None:
                rows[:, :, row] += index[:, [i]] * book.exposure[:, i]
            elif name is not None:
                groups.setdefault(name, []).append(i)
            else:
                haircut_model = HaircutOnly(haircuts=self.haircuts, schedules=())
                required += haircut_model.margin(market, book.holding([i]), coverage)
        required += (np.abs(rows) * np.array(table.government.rate)).sum(axis=2)
        for name, members in groups.items():
            required += group_margin(book.holding(members), market, table, name)
        return required


def group_margin(book: Book, market: Market, table: Ranges, name: str) -> DaysByPortfolios:
    """(days, portfolios) requirement of one product group's positions."""
    group, index = table.group[name], book.unit_index(market)
    # Stock, future and options on one underlying net in full at each point; only across the
    # underlyings of a group do gains count at a discount.
    factors = list(dict.fromkeys(i.factor for i in book.instruments))
    shape = (len(market.dates), len(book.portfolios))
    pnl = np.zeros((*shape, len(factors), 2 * POINTS))
    minimum = np.zeros(shape)
    for i, instrument in enumerate(book.instruments):
        per_usd = grid_pnl(instrument, market, group.moves) * index[:, [i]]
        pnl[:, :, factors.index(instrument.factor)] += per_usd[:, None] * book.exposure[:, i, None]
        if is_option(instrument):
            units = index[:, i] / market.level(instrument.factor)
            minimum += table.option_minimum * units[:, None] * np.abs(book.exposure[:, i])
    return np.maximum(worst_point(pnl, offset=group.offset), minimum)


def worst_point(pnl: FloatArray, *, offset: float) -> FloatArray:
    """Largest loss over points of P&L (..., classes, points), gains counted at `offset`.

    Zero where every point is a gain.
    """
    loss = np.maximum(-pnl, 0.0).sum(axis=-2) - offset * np.maximum(pnl, 0.0).sum(axis=-2)
    return np.maximum(loss.max(axis=-1), 0.0)


def load_ranges(name: str) -> Ranges:
    """Groups of `strategies/parameters/<name>.toml`."""
    return read_as(Ranges, name)
