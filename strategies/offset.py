"""Stand-alone margins netted by their correlation."""

from functools import reduce
from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge, Le
from pydantic import Field

from backtest.book.book import Book
from backtest.book.closeout import Closeout
from backtest.book.coverage import Coverage
from backtest.estimators.correlation import correlation_bounded_by
from backtest.instruments import is_option
from backtest.kernels.netting import netted_margin
from backtest.market.market import Market
from backtest.model.asking import required_margin, takes_days
from backtest.model.by_silo import proportional_shares
from backtest.model.mismatch import mismatch_step, over_same_days
from backtest.model.protocol import MarginModel, Parts, model
from backtest.model.revaluation import priced_scenarios
from backtest.model.tails import same_clock
from backtest.types import FloatArray
from strategies.historical import HistoricalVaR


@model(kind="correlation_offset")
class CorrelationOffset:
    r"""Stand-alone margins netted through the correlation of their scenario P&Ls, up to a cap.

    .. math:: M = \sqrt{m' R m}, \quad S = \sum_i m_i, \quad
              \text{required} = S - \min(g (S - M), \; c S)

    m_i are the base model's margins by silo (or by instrument), R the Pearson correlation of the
    H-day scenario P&Ls of the positions over `lookback` scenarios (P&Ls contain the signs of the
    positions; options are revalued in full; zero variance gives correlation 0), g = `granted`,
    c = `cap`. Margin at day t uses closes up to and including t. USD.

    Parameters
    ----------
    base : model of the stand-alone margins.
    lookback : scenarios of each correlation.
    by : 'silo' or 'instrument'.
    granted : share of the modelled reduction that is granted; EMIR: 0.80.
    cap : largest reduction as a share of S; CME-FICC programme: 0.80.
    credit : 'full' takes each correlation as estimated; 'reliable' sets to +1 every correlation
        whose 95 % upper bound (Fisher, lookback / H independent observations) is not below
        -min_correlation.
    min_correlation : size of a negative bound from which credit is given.
    correlation_floor : smallest correlation that counts; -1 changes none.

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
        alone = self._alone(market, book, coverage)
        joint = self._netted(market, book, coverage, np.stack(alone, axis=2))
        return self._required(reduce(np.add, alone), joint)

    def takes_days(self, market: Market, book: Book) -> bool:
        """Positions by day at once where the base takes them, and no options or other clocks."""
        one_clock = market.traded is None and not any(map(is_option, book.instruments))
        return one_clock and takes_days(self.base, market, book)

    def parts(self, market: Market, book: Book, coverage: Coverage) -> Parts:
        """Steps gross, diversification, offset, cap; silos share the reduction in proportion.

        'diversification' is the reduction of independent groups, 'offset' the further effect of
        dependence (positive where it raises the margin), 'cap' the reduction withheld by the cap
        and the granted share. Where MPORs differ, these steps are those of legs closed out over
        the same days, and 'MPOR mismatch' (see `backtest.model.mismatch`) is the reduction lost
        because they close out over different days.
        """
        standalone = np.stack(self._alone(market, book, coverage), axis=2)
        joint = self._netted(market, book, coverage, standalone)
        standalone[np.isnan(joint)] = np.nan
        same_days_joint = over_same_days(
            book,
            coverage,
            joint,
            netted_over=lambda rows, h: self._netted(
                market, book.select(rows), coverage, standalone[:, rows], same_days=h
            ),
        )
        gross = standalone.sum(axis=2)
        required, same_days_required = (
            self._required(gross, joint),
            self._required(gross, same_days_joint),
        )
        independent = np.sqrt((standalone**2).sum(axis=2))
        owner = [book.silos.index(i.silo) for i in book.instruments]
        if self.by == "instrument":
            standalone = np.stack(
                [
                    standalone[:, :, [k for k, o in enumerate(owner) if o == s]].sum(axis=2)
                    for s in range(len(book.silos))
                ],
                axis=2,
            )
        steps = {
            "gross": gross,
            "diversification": independent - gross,
            "offset": same_days_joint - independent,
            "cap": same_days_required - same_days_joint,
            **mismatch_step(book, coverage, required, same_days_required),
        }
        return Parts(
            silos=book.silos,
            by_silo=proportional_shares(standalone, required, gross=gross),
            steps=steps,
        )

    def _required(self, gross: FloatArray, joint: FloatArray) -> FloatArray:
        # EMIR grants a share of the modelled reduction, CME and FICC cap it at a share of margin:
        # the stricter of the two holds.
        reduction = np.minimum(self.granted * (gross - joint), self.cap * gross)
        return gross - reduction

    def _alone(self, market: Market, book: Book, coverage: Coverage) -> list[FloatArray]:
        """(days, portfolios) stand-alone margin of each silo, or of each instrument."""
        silos = self.by == "silo"
        books = [book.in_silo(s) for s in book.silos] if silos else book.by_instrument()
        return [required_margin(self.base, market, b, coverage) for b in books]

    def _netted(
        self,
        market: Market,
        book: Book,
        coverage: Coverage,
        standalone: FloatArray,
        same_days: int | None = None,
    ) -> FloatArray:
        """sqrt(m' R m) (days, portfolios), R over own MPORs or over the same days."""
        joint = np.zeros(standalone.shape[:2])
        # The margin of one silo may change on a day on which others do not trade. So margins are
        # netted on every day of the market, with the last known correlations.
        for group in same_clock(market, book):
            scenarios = priced_scenarios(market, group.book, coverage=coverage, same_days=same_days)
            margin = np.ascontiguousarray(standalone[:, group.portfolios])
            out = np.empty(margin.shape[:2])
            netted_margin(
                margin,
                group.on_every_day(scenarios.covariance(self.lookback)),
                group.on_every_day(scenarios.unit),
                scenarios.exposure if scenarios.exposure.ndim == 3 else scenarios.exposure[None],
                scenarios.silo if self.by == "silo" else scenarios.instrument,
                self._credit_below(book, coverage),
                self.correlation_floor,
                out,
            )
            joint[:, group.portfolios] = out
        return joint

    def _credit_below(self, book: Book, coverage: Coverage) -> float:
        """The correlation whose upper bound is -min_correlation; +inf for full credit."""
        if self.credit == "full":
            return np.inf
        horizon = Closeout(book, coverage).longest
        return correlation_bounded_by(-self.min_correlation, self.lookback / horizon)
