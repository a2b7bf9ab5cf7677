"""An add-on for correlations that change from one part of history to another."""

from typing import Annotated, Literal, NamedTuple

import numpy as np
from annotated_types import Ge
from pydantic import Field

from backtest.book.book import Book
from backtest.book.coverage import Coverage
from backtest.market.market import Market
from backtest.model.asking import required_margin
from backtest.model.protocol import MarginModel, Parts, model
from backtest.model.wrapping import with_lookback, with_step
from backtest.parameters.files import read_as, stated
from backtest.types import DaysByPortfolios, FloatArray
from strategies.historical import HistoricalVaR
from strategies.overlays.terms import Assumed
from strategies.parts import parts_of


class BreakTerms(NamedTuple):
    """Sub-windows, scenarios of each, and standard deviations above their mean."""

    windows: int
    days: int
    deviations: float


@model(kind="correlation_break")
class CorrelationBreak:
    r"""Base margin, raised to the netting of a bad part of history.

    .. math:: M = \max\left(m, \; \min(1, \mu + \kappa s) \sum_i m_i\right)

    m is the base margin, m_i its stand-alone margins. The kept share of a sub-window is joint over
    summed margin, both of the base over `days` scenarios; mu and s are its mean and population
    standard deviation over the last `windows` consecutive sub-windows (over fewer at the start). A
    book with one piece has nothing to net and no add-on. **PRISMA-like**: the form of the
    adjustment and its settings are not those of any clearing house. Margin at day t uses closes up
    to and including t. USD.

    Parameters
    ----------
    base : the model to which the add-on is added.
    by : 'silo' or 'instrument': the pieces whose correlation may change.
    parameters : rule or version of `strategies/parameters/`.
    windows, days : sub-windows, and the scenarios of each; None takes those of the file.
    deviations : kappa; None takes that of the file.

    References
    ----------
    Eurex Clearing Prisma: correlation break adjustment (brochure; its formula from memory, not
    verified).

    Examples
    --------
    >>> CorrelationBreak(windows=3).terms
    BreakTerms(windows=3, days=100, deviations=1.0)
    """

    base: MarginModel = Field(default_factory=HistoricalVaR)
    by: Literal["silo", "instrument"] = "silo"
    parameters: str = "overlays_assumed"
    windows: Annotated[int, Ge(2)] | None = None
    days: Annotated[int, Ge(20)] | None = None
    deviations: Annotated[float, Ge(0)] | None = None

    @property
    def terms(self) -> BreakTerms:
        """The terms in use: those that this model states, before those of the files."""
        assumed = read_as(Assumed, self.parameters)
        return BreakTerms(
            windows=stated(self.windows, assumed.break_windows),
            days=stated(self.days, assumed.break_days),
            deviations=stated(self.deviations, assumed.break_deviations),
        )

    def margin(self, market: Market, book: Book, coverage: Coverage) -> FloatArray:
        """Margin required at each close, (days, portfolios), USD, >= 0; NaN while warming up."""
        base = required_margin(self.base, market, book, coverage)
        gross = self._gross(self.base, market, book, coverage)
        # Netting is measured over short windows, each with its own correlations: one long lookback
        # averages over the days on which an offset failed.
        terms = self.terms
        short_model = with_lookback(self.base, terms.days)
        short_joint = required_margin(short_model, market, book, coverage)
        short_gross = self._gross(short_model, market, book, coverage)
        share = np.divide(
            short_joint, short_gross, out=np.ones_like(short_joint), where=short_gross != 0
        )
        stressed_share = np.minimum(1.0, kept_share(share, *terms))
        return np.where(np.isnan(base), np.nan, np.fmax(base, stressed_share * gross))

    def parts(self, market: Market, book: Book, coverage: Coverage) -> Parts:
        """The base's steps, then 'correlation break'; silos scale alike."""
        required = self.margin(market, book, coverage)
        return with_step(
            parts_of(self.base, market, book, coverage), required, step="correlation break"
        )

    def _gross(
        self, of: MarginModel, market: Market, book: Book, coverage: Coverage
    ) -> DaysByPortfolios:
        """(days, portfolios) sum of stand-alone margins."""
        pieces = (
            [book.in_silo(s) for s in book.silos] if self.by == "silo" else book.by_instrument()
        )
        return np.sum([required_margin(of, market, b, coverage) for b in pieces], axis=0)


def kept_share(
    share: DaysByPortfolios, windows: int, days: int, deviations: float
) -> DaysByPortfolios:
    """Mean plus `deviations` standard deviations of values `days` apart, without unknown ones.

    Examples
    --------
    >>> kept_share(np.array([[np.nan], [0.4], [0.5], [0.6]]), 2, 2, 1.0).round(3).ravel().tolist()
    [nan, 0.4, 0.5, 0.6]
    """
    lagged = np.full((windows, *share.shape), np.nan)
    for window, lag in enumerate(range(0, min(windows * days, len(share)), days)):
        lagged[window, lag:] = share[: len(share) - lag]
    count = np.maximum((~np.isnan(lagged)).sum(axis=0), 1)
    mean = np.nansum(lagged, axis=0) / count
    deviation = np.sqrt(np.nansum((lagged - mean) ** 2, axis=0) / count)
    return np.where(np.isnan(share), np.nan, mean + deviations * deviation)
