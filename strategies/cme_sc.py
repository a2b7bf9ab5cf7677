"""A model for CME Securities Clearing in the form of SPAN 2, over a period of its own."""

from dataclasses import replace
from typing import Annotated

from annotated_types import Ge, Gt, Lt

from backtest.book.book import Book
from backtest.book.coverage import Coverage
from backtest.market.market import Market
from backtest.model.asking import required_margin
from backtest.model.protocol import Parts, model
from backtest.model.volatility_scaled import SEED_DAYS
from backtest.types import FloatArray
from strategies.span2 import Share, Span2, Span2Terms


class CmeScTerms(Span2Terms):
    """The terms of a version, see `CmeScLike`."""

    mpor: Annotated[int, Ge(1)]


@model(kind="cme_sc_like")
class CmeScLike:
    r"""CME Securities Clearing-like: SPAN 2 of Treasuries over `mpor` days.

    .. math:: M_t = x \, HVaR_t + (1 - x) \, SVaR_t + \text{liquidity} + \text{concentration}

    as `Span2` has it, over the house's margin period of risk and not the study's. Margin at day t
    uses closes up to and including t. USD.

    **CME SC-like**: the house is registered, and no text on its margin model was found. The form is
    that of SPAN 2, the model of its sister house; the period and every number are assumed
    (`strategies/parameters/cme_sc/`). A table that compares it with other houses compares them
    with SPAN 2, whatever its caption.

    Parameters
    ----------
    mpor : margin days of all positions. Losses are always over the study's days.
    weight, lookback, min_lookback, decay, floor, threshold, costs : see `Span2`.
    parameters : rule or version of `strategies/parameters/`, for the terms that are None here.

    References
    ----------
    SEC (2025). Release 34-104281 (registration). CME Group (2023). SPAN 2 methodology.

    Examples
    --------
    >>> CmeScLike(weight=1.0).span2.weight, CmeScLike().terms.mpor
    (1.0, 2)
    """

    mpor: Annotated[int, Ge(1)] | None = None
    weight: Share | None = None
    lookback: Annotated[int, Ge(SEED_DAYS)] | None = None
    min_lookback: Annotated[int, Ge(20)] = 500
    decay: Annotated[float, Gt(0), Lt(1)] | None = None
    floor: Annotated[float, Ge(0)] | None = None
    threshold: Annotated[float, Ge(0)] | None = None
    costs: str = "liquidation/2025"
    parameters: str = "cme_sc"

    @property
    def terms(self) -> CmeScTerms:
        """The terms in use."""
        return CmeScTerms.of(self)

    @property
    def span2(self) -> Span2:
        """SPAN 2 with this house's terms."""
        return Span2(
            **self.terms.model_dump(exclude={"mpor"}),
            min_lookback=self.min_lookback,
            costs=self.costs,
        )

    def margin(self, market: Market, book: Book, coverage: Coverage) -> FloatArray:
        """Margin required at each close, (days, portfolios), USD, >= 0; NaN while warming up."""
        return required_margin(self.span2, market, book, self._over(coverage))

    def parts(self, market: Market, book: Book, coverage: Coverage) -> Parts:
        """Steps gross and 'diversification and offset', as those of `Span2`."""
        return self.span2.parts(market, book, self._over(coverage))

    def _over(self, coverage: Coverage) -> Coverage:
        return replace(coverage, mpor=self.terms.mpor)
