"""Expected shortfall of the joint book, and an add-on for other dependence than in history."""

from typing import Annotated

import numpy as np
from annotated_types import Ge
from pydantic import Field

from backtest.book.book import Book
from backtest.book.coverage import Coverage
from backtest.instruments import by_factor
from backtest.market.market import Market
from backtest.model.asking import required_margin
from backtest.model.protocol import MarginModel, Parts, model
from backtest.model.wrapping import with_step
from backtest.parameters.terms import Terms
from backtest.types import DaysByPortfolios, FloatArray
from strategies.historical import HistoricalVaR
from strategies.parts import parts_of


def _expected_shortfall() -> HistoricalVaR:
    return HistoricalVaR(measure="es")


class StansTerms(Terms):
    """`share`: f, of what stressed dependence adds."""

    share: Annotated[float, Ge(0)]


@model(kind="stans_like")
class StansLike:
    r"""Joint expected shortfall, and 25 % of the increase under stressed dependence.

    .. math:: M = E + f \max\left(0, \; \max\left(\sqrt{\textstyle\sum_g m_g^2}, \;
              \left|\textstyle\sum_g d_g m_g\right|\right) - E\right)

    E is the base margin of the joint book, m_g that of the positions on risk factor g alone
    (instruments with the same `factor`, in any silo), f = `share`. Dependence 0 adds the m_g as
    independent risks; dependence 1 moves every price in the same direction, d_g = +1 where the
    group gains as prices rise and -1 where it loses. Both are rules for elliptical risks, not
    simulations. **STANS-like**: OCC simulates fat-tailed marginals under a copula, over two days,
    and stresses them at 99.5 % (from memory, not verified); here all margins have the study's
    confidence. Margin at day t uses closes up to and including t. USD.

    Parameters
    ----------
    base : model of the joint book and of the positions on each factor.
    share : f; None is that of the file.
    parameters : rule or version of `strategies/parameters/`.

    References
    ----------
    The Options Clearing Corporation, margin methodology (STANS); 86 FR 9410 (2021).

    Examples
    --------
    >>> alone, sides = np.array([30.0, 40.0]), np.array([1.0, -1.0])
    >>> float(stressed_margin(alone, sides)), float(stressed_margin(alone, np.ones(2)))
    (50.0, 70.0)
    """

    base: MarginModel = Field(default_factory=_expected_shortfall)
    share: Annotated[float, Ge(0)] | None = None
    parameters: str = "stans"

    @property
    def terms(self) -> StansTerms:
        """The terms in use."""
        return StansTerms.of(self)

    def margin(self, market: Market, book: Book, coverage: Coverage) -> FloatArray:
        """Margin required at each close, (days, portfolios), USD, >= 0; NaN while warming up."""
        joint = required_margin(self.base, market, book, coverage)
        worst = self._worst(market, book, coverage)
        return joint + self.terms.share * np.maximum(0.0, worst - joint)

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
        # A long Treasury and a long coin lose together when prices fall together, though yields
        # rise: sides are those of prices, so that dependence 1 is the same for both.
        group_margins, sides = [], []
        for members in groups.values():
            group_book = book.holding(members)
            group_margins.append(required_margin(self.base, market, group_book, coverage))
            sides.append(np.sign(price_delta(group_book, market)))
        return stressed_margin(np.stack(group_margins, axis=2), np.stack(sides, axis=2))


def stressed_margin(margins: FloatArray, sides: FloatArray) -> FloatArray:
    """The larger of the margins under dependence 0 and 1; arguments (..., groups)."""
    independent = np.sqrt((margins**2).sum(axis=-1))
    comoving = np.abs((sides * margins).sum(axis=-1))
    return np.maximum(independent, comoving)


def price_delta(book: Book, market: Market) -> DaysByPortfolios:
    """(days, portfolios) USD gained as the price of the main factor rises, or its yield falls."""
    index = book.unit_index(market)
    delta = np.zeros((len(market.dates), len(book.portfolios)))
    for i, instrument in enumerate(book.instruments):
        kind = market.kinds[market.column(instrument.factor)]
        per_usd = by_factor(instrument, market)[instrument.factor][:, 0] * index[:, i]
        delta += (-1.0 if kind == "yield" else 1.0) * per_usd[:, None] * book.exposure[:, i]
    return delta
