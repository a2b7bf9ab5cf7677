"""Stand-alone margins netted by their correlation."""

from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge, Le
from pydantic import Field

from backtest.book.book import Book
from backtest.book.closeout import Closeout
from backtest.book.coverage import Coverage
from backtest.estimators.correlation import correlation_bounded_by
from backtest.kernels.netting import netted_margin
from backtest.market.market import Market
from backtest.model.mismatch import mismatch_step, over_same_days, proportional_shares
from backtest.model.protocol import MarginModel, Parts, model, required_margin
from backtest.model.revaluation import priced_scenarios
from backtest.model.tails import same_clock
from backtest.types import FloatArray
from strategies.historical import HistoricalVaR


@model
class CorrelationOffset:
    r"""Stand-alone margins netted through the correlation of their scenario P&Ls, up to a cap.

    .. math:: M = \sqrt{m' R m}, \quad S = \sum_i m_i, \quad
              \text{required} = S - \min(g (S - M), \; c S)

    m_i are the base model's margins by silo (or by instrument), R the Pearson correlation of the
    H-day scenario P&Ls of the positions over `lookback` scenarios (the signs of the positions are
    in the P&Ls, those of options revalued in full; zero variance gives correlation 0), g =
    `granted`, c = `cap`. Margin at day t uses closes up to and including t. USD.

    Parameters
    ----------
    base : model of the stand-alone margins.
    lookback : scenarios behind each correlation.
    by : 'silo' or 'instrument'.
    granted : share of the modelled reduction that is granted; the EMIR form is 0.80.
    cap : largest reduction as a share of S; 0.80 is the form of the CME-FICC programme.
    credit : 'full' takes each correlation as estimated; 'reliable' sets to +1 every pair whose
        correlation lacks a 95 % upper bound (Fisher, lookback / H independent observations) below
        -min_correlation.
    min_correlation : how negative the bound must be before credit is given.
    correlation_floor : no correlation counts as less than this; -1 leaves all as they are.

    References
    ----------
    CME Group and FICC (2024). Enhanced cross-margining arrangement (cap of 80 % of margin).
    Commission Delegated Regulation (EU) 153/2013, Art. 27 (80 % of the reduction).

    Examples
    --------
    >>> CorrelationOffset(granted=0.8, cap=1.0).cap
    1.0
    """

    base: MarginModel = Field(default_factory=HistoricalVaR)
    lookback: Annotated[int, Ge(20)] = 500
    by: Literal["silo", "instrument"] = "silo"
    granted: Annotated[float, Ge(0), Le(1)] = 1.0
    cap: Annotated[float, Ge(0), Le(1)] = 0.80
    credit: Literal["full", "reliable"] = "full"
    min_correlation: Annotated[float, Ge(0), Le(1)] = 0.3
    correlation_floor: Annotated[float, Ge(-1), Le(1)] = -1.0

    def margin(self, market: Market, book: Book, coverage: Coverage) -> FloatArray:
        """Margin required at each close, (days, portfolios), USD, >= 0; NaN while warming up."""
        alone, netted = self._alone_and_netted(market, book, coverage)
        return self._required(alone.sum(axis=2), netted)

    def parts(self, market: Market, book: Book, coverage: Coverage) -> Parts:
        """Steps gross, diversification, offset, cap; silos share the reduction in proportion.

        'diversification' is what independence alone would give, 'offset' what dependence adds
        (positive where it takes back), 'cap' what the cap and the granted share withhold. Where
        MPORs differ, these are of legs closed out over the same days, and 'MPOR mismatch' (see
        `backtest.model.mismatch`) is what closing them out over their own takes back of what was
        left.
        """
        alone, netted = self._alone_and_netted(market, book, coverage)
        together = over_same_days(
            book,
            coverage,
            netted,
            netted_over=lambda rows, h: self._netted(
                market, book.select(rows), coverage, alone[:, rows], same_days=h
            ),
        )
        gross = alone.sum(axis=2)
        required, charged = self._required(gross, netted), self._required(gross, together)
        independent = np.sqrt((alone**2).sum(axis=2))
        owner = [book.silos.index(i.silo) for i in book.instruments]
        if self.by == "instrument":
            alone = np.stack(
                [
                    alone[:, :, [k for k, o in enumerate(owner) if o == s]].sum(axis=2)
                    for s in range(len(book.silos))
                ],
                axis=2,
            )
        steps = {
            "gross": gross,
            "diversification": independent - gross,
            "offset": together - independent,
            "cap": charged - together,
            **mismatch_step(book, coverage, required, charged),
        }
        return Parts(
            silos=book.silos, by_silo=proportional_shares(alone, required, gross=gross), steps=steps
        )

    def _required(self, gross: FloatArray, netted: FloatArray) -> FloatArray:
        reduction = np.minimum(self.granted * (gross - netted), self.cap * gross)
        return gross - reduction

    def _alone_and_netted(
        self, market: Market, book: Book, coverage: Coverage
    ) -> tuple[FloatArray, FloatArray]:
        """Stand-alone margins (days, portfolios, groups) and sqrt(m' R m) (days, portfolios)."""
        silos = self.by == "silo"
        books = [book.in_silo(s) for s in book.silos] if silos else book.by_instrument()
        alone = np.stack([required_margin(self.base, market, b, coverage) for b in books], axis=2)
        netted = self._netted(market, book, coverage, alone)
        alone[np.isnan(netted)] = np.nan
        return alone, netted

    def _netted(
        self,
        market: Market,
        book: Book,
        coverage: Coverage,
        alone: FloatArray,
        same_days: int | None = None,
    ) -> FloatArray:
        """sqrt(m' R m) (days, portfolios), R over own MPORs or over the same days."""
        netted = np.zeros(alone.shape[:2])
        # A silo's own margin may move on a day on which the pool as a whole does not trade, so
        # netting is done on every day of the market, with the correlations that stand on it.
        for group in same_clock(market, book):
            past = priced_scenarios(market, group.book, coverage=coverage, same_days=same_days)
            margin = np.ascontiguousarray(alone[:, group.portfolios])
            out = np.empty(margin.shape[:2])
            netted_margin(
                margin,
                group.on_every_day(past.covariance(self.lookback)),
                group.on_every_day(past.unit),
                past.exposure,
                past.silo if self.by == "silo" else past.instrument,
                self._leaned_below(book, coverage),
                self.correlation_floor,
                out,
            )
            netted[:, group.portfolios] = out
        return netted

    def _leaned_below(self, book: Book, coverage: Coverage) -> float:
        """The correlation whose upper bound is exactly -min_correlation; +inf for full credit."""
        if self.credit == "full":
            return np.inf
        horizon = Closeout(book, coverage).longest
        return correlation_bounded_by(-self.min_correlation, self.lookback / horizon)
