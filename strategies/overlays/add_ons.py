"""Add-ons for size: extra days and cost to close out a position too large for its market."""

from typing import Annotated, NamedTuple

import numpy as np
from annotated_types import Ge, Gt, Le
from pydantic import Field

from backtest.book.book import Book
from backtest.book.closeout import Closeout
from backtest.book.coverage import Coverage
from backtest.book.liquidation import LiquidationCost, load_costs
from backtest.market.market import Market
from backtest.model.asking import required_margin
from backtest.model.protocol import MarginModel, Parts, model
from backtest.parameters.files import read_as, stated
from backtest.types import DaysByPortfoliosBySilos, FloatArray
from strategies.historical import HistoricalVaR
from strategies.overlays.terms import Assumed
from strategies.parts import parts_of


class ConcentrationTerms(NamedTuple):
    """Largest share of a day's volume that the close-out sells."""

    participation: float


@model(kind="concentration_add_on")
class ConcentrationAddOn:
    r"""Base margin, and for positions too large for the MPOR the margin of a longer close-out.

    .. math:: M = m + \sum_i m_i \left(\sqrt{\max(1, D_i / H_i)} - 1\right),
              \qquad D_i = \frac{|x_i|}{p V_i}

    m_i is the base margin of position i alone, D_i the days to sell it at the share p of an average
    day's volume V_i, H_i its MPOR: margin grows with the square root of the days, and the add-ons
    do not net. Volumes are constant over history. Margin at day t uses the data of the base. USD.

    Parameters
    ----------
    base : the model to which the add-on is added.
    parameters : rule or version of `strategies/parameters/`.
    participation : p, largest share of a day's volume that the close-out sells; None takes that of
        the file, an assumption.
    table : average daily volumes, of `backtest/parameters/`.

    References
    ----------
    BCBS (2019). Minimum capital requirements for market risk (d457), MAR33 (liquidity horizons
    scale with the square root of time). The participation is an assumption.

    Examples
    --------
    >>> ConcentrationAddOn(participation=0.1).table
    'liquidation/2025'
    """

    base: MarginModel = Field(default_factory=HistoricalVaR)
    parameters: str = "overlays_assumed"
    participation: Annotated[float, Gt(0), Le(1)] | None = None
    table: str = "liquidation/2025"

    @property
    def terms(self) -> ConcentrationTerms:
        """The terms in use: those that this model states, before those of the files."""
        assumed = read_as(Assumed, self.parameters)
        return ConcentrationTerms(stated(self.participation, assumed.participation))

    def margin(self, market: Market, book: Book, coverage: Coverage) -> FloatArray:
        """Margin required at each close, (days, portfolios), USD, >= 0; NaN while warming up."""
        base = required_margin(self.base, market, book, coverage)
        return base + self._charge(market, book, coverage).sum(axis=2)

    def parts(self, market: Market, book: Book, coverage: Coverage) -> Parts:
        """The base's steps, then 'concentration', held where the position is."""
        charge = self._charge(market, book, coverage)
        return _with_add_on(
            parts_of(self.base, market, book, coverage), charge, step="concentration"
        )

    def _charge(self, market: Market, book: Book, coverage: Coverage) -> DaysByPortfoliosBySilos:
        charge = np.zeros((len(market.dates), len(book.portfolios), len(book.silos)))
        index, horizons = book.unit_index(market), Closeout(book, coverage).by_instrument
        for i, single_book in enumerate(book.by_instrument()):
            usd = index[:, [i]] * np.abs(book.exposure[:, i])
            volume = load_costs(self.table).of(book.instruments[i]).adv_usd
            days = usd / (self.terms.participation * volume)
            longer = np.sqrt(np.maximum(1.0, days / horizons[i])) - 1.0
            # The house that holds a position must sell it, whatever offsets it elsewhere: so the
            # charge is on the position's own margin, and in its own silo.
            silo = book.silos.index(book.instruments[i].silo)
            charge[:, :, silo] += longer * required_margin(self.base, market, single_book, coverage)
        return charge


@model(kind="liquidity_add_on")
class LiquidityAddOn:
    r"""Base margin and the cost of closing out: half the bid-offer and the impact of size.

    .. math:: M = m + f \sum_i |x_i| \left(\tfrac{s_i}{2} + Y \sigma_i \sqrt{|x_i| / V_i}\right)

    The cost is that of `backtest.book.liquidation`, times f = `share`; costs do not net. Margin at
    day t uses closes up to and including t. USD.

    Parameters
    ----------
    base : the model to which the cost is added.
    share : f, of the cost.
    table : bid-offer, volumes and impact, of `backtest/parameters/`.

    References
    ----------
    Almgren, R., Thum, C., Hauptmann, E. & Li, H. (2005). Direct estimation of equity market
    impact. Risk, 18(7), 58-62.

    Examples
    --------
    >>> LiquidityAddOn(share=2.0).share
    2.0
    """

    base: MarginModel = Field(default_factory=HistoricalVaR)
    share: Annotated[float, Ge(0)] = 1.0
    table: str = "liquidation/2025"

    def margin(self, market: Market, book: Book, coverage: Coverage) -> FloatArray:
        """Margin required at each close, (days, portfolios), USD, >= 0; NaN while warming up."""
        base = required_margin(self.base, market, book, coverage)
        return base + self._charge(market, book).sum(axis=2)

    def parts(self, market: Market, book: Book, coverage: Coverage) -> Parts:
        """The base's steps, then 'liquidity', held where the position is."""
        charge = self._charge(market, book)
        return _with_add_on(parts_of(self.base, market, book, coverage), charge, step="liquidity")

    def _charge(self, market: Market, book: Book) -> DaysByPortfoliosBySilos:
        cost = LiquidationCost(self.table)
        silo_books = [book.in_silo(s) for s in book.silos]
        costs = [
            cost.cost(market, b.instruments, exposure=b.exposure, index=b.unit_index(market))
            for b in silo_books
        ]
        return self.share * np.stack(costs, axis=2)


def _with_add_on(parts: Parts, charge: DaysByPortfoliosBySilos, *, step: str) -> Parts:
    """`parts` with an add-on by silo as one more step, NaN where the base is."""
    # The base may still be warming up while the charge is known: no step may be known before the
    # requirement is.
    by_silo = parts.by_silo + charge
    charge_known = np.where(np.isnan(by_silo).any(axis=2), np.nan, charge.sum(axis=2))
    steps = {**parts.steps, step: parts.steps.get(step, 0.0) + charge_known}
    return Parts(silos=parts.silos, by_silo=by_silo, steps=steps)
