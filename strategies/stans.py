"""Expected shortfall of the joint book, and an add-on for dependence that turns out otherwise."""

from typing import Annotated

import numpy as np
from annotated_types import Ge
from pydantic import Field

from backtest.book.book import Book
from backtest.book.coverage import Coverage
from backtest.instruments import by_factor
from backtest.market.market import Market
from backtest.model.protocol import MarginModel, Parts, model, required_margin
from backtest.model.wrapping import with_step
from backtest.parameters.files import load_parameters
from backtest.types import DaysByPortfolios, FloatArray
from strategies.historical import HistoricalVaR
from strategies.parts import parts_of


def _expected_shortfall() -> HistoricalVaR:
    return HistoricalVaR(measure="es")


@model(kind="stans_like")
class StansLike:
    r"""Joint expected shortfall, and 25 % of what stressed dependence would add to it.

    .. math:: M = E + f \max\left(0, \; \max\left(\sqrt{\textstyle\sum_g m_g^2}, \;
              \left|\textstyle\sum_g d_g m_g\right|\right) - E\right)

    E is the base margin of the joint book, m_g that of what moves with risk factor g alone
    (positions with the same `factor`, whatever their silo), f = `share`. Dependence 0 adds the
    m_g as independent risks; dependence 1 moves every price the same way, d_g = +1 where the group
    gains as prices rise and -1 where it loses. Both are rules of elliptical risks, not
    simulations. **STANS-like**: OCC simulates fat-tailed marginals under a copula, over two days,
    and stresses them, as remembered, at 99.5 %; here all margins have the study's confidence.
    Margin at day t uses closes up to and including t. USD.

    Parameters
    ----------
    base : model of the joint book and of each factor's own part.
    share : f.

    References
    ----------
    The Options Clearing Corporation, margin methodology (STANS); 86 FR 9410 (2021).

    Examples
    --------
    >>> alone, sides = np.array([30.0, 40.0]), np.array([1.0, -1.0])
    >>> float(stressed(alone, sides)), float(stressed(alone, np.ones(2)))
    (50.0, 70.0)
    """

    base: MarginModel = Field(default_factory=_expected_shortfall)
    share: Annotated[float, Ge(0)] = load_parameters("portfolio_margin/stans")["share"]

    parameter_files = ("portfolio_margin/stans",)

    def margin(self, market: Market, book: Book, coverage: Coverage) -> FloatArray:
        """Margin required at each close, (days, portfolios), USD, >= 0; NaN while warming up."""
        joint = required_margin(self.base, market, book, coverage)
        worst = self._worst(market, book, coverage)
        return joint + self.share * np.maximum(0.0, worst - joint)

    def parts(self, market: Market, book: Book, coverage: Coverage) -> Parts:
        """The base's steps, then 'dependence stress'; silos scale alike."""
        required = self.margin(market, book, coverage)
        return with_step(
            parts_of(self.base, market, book, coverage), required, step="dependence stress"
        )

    def _worst(self, market: Market, book: Book, coverage: Coverage) -> DaysByPortfolios:
        """(days, portfolios) the larger margin under stressed dependence."""
        groups: dict[str, list[int]] = {}
        for i, instrument in enumerate(book.instruments):
            groups.setdefault(instrument.factor, []).append(i)
        alone, sides = [], []
        for members in groups.values():
            part = book.holding(members)
            alone.append(required_margin(self.base, market, part, coverage))
            sides.append(np.sign(price_delta(part, market)))
        return stressed(np.stack(alone, axis=2), np.stack(sides, axis=2))


def stressed(alone: FloatArray, sides: FloatArray) -> FloatArray:
    """The larger of the margins under dependence 0 and 1; both arguments (..., groups)."""
    independent = np.sqrt((alone**2).sum(axis=-1))
    together = np.abs((sides * alone).sum(axis=-1))
    return np.maximum(independent, together)


def price_delta(book: Book, market: Market) -> DaysByPortfolios:
    """(days, portfolios) USD gained as the main factor's price rises: as a yield falls."""
    index = book.unit_index(market)
    delta = np.zeros((len(market.dates), len(book.portfolios)))
    for i, instrument in enumerate(book.instruments):
        kind = market.kinds[market.column(instrument.factor)]
        per_usd = by_factor(instrument, market)[instrument.factor][:, 0] * index[:, i]
        delta += (-1.0 if kind == "yield" else 1.0) * per_usd[:, None] * book.exposure[:, i]
    return delta
