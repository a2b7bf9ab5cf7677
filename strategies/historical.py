"""Historical simulation of the joint book: its scenario losses, ranked."""

from dataclasses import replace
from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge

from backtest.book.book import Book
from backtest.book.coverage import Coverage
from backtest.market.market import Market
from backtest.model.delta_gamma import Scenarios
from backtest.model.forecasting import MarginOfForecast, Measure, margin_of
from backtest.model.mismatch import mismatch_step, over_same_days, proportional_shares
from backtest.model.protocol import Forecast, Parts, model, required_margin
from backtest.model.revaluation import Revaluation, priced_scenarios
from backtest.model.tails import Group, by_group, scenario_tails
from backtest.types import FloatArray, tail_count


@model
class HistoricalVaR(MarginOfForecast):
    r"""Value-at-risk or expected shortfall of the joint book over past shocks.

    .. math:: M_t = \max(0, L_{(k)}), \qquad k = \lceil N (1 - c) \rceil

    with :math:`L_{(k)}` the k-th largest of the N = `lookback` scenario losses of the positions of
    day t (ES: the mean of the k largest). No interpolation. Options are revalued in full, under
    the shocks of price and volatility together and the calendar days they took. Margin at day t
    uses closes up to and including t; between days on which all that a portfolio holds trades, it
    stands. USD.

    Parameters
    ----------
    lookback : scenarios, ending on day t.
    measure : 'var' or 'es'.
    scaling : 'overlapping' MPOR-day shocks, or 'sqrt': one-day shocks times sqrt(MPOR).

    References
    ----------
    Hendricks, D. (1996). Evaluation of value-at-risk models using historical data. FRBNY Economic
    Policy Review, 2(1), 39-69.

    Examples
    --------
    >>> HistoricalVaR(lookback=250)
    HistoricalVaR(lookback=250, measure='var', scaling='overlapping')
    """

    lookback: Annotated[int, Ge(20)] = 500
    measure: Measure = "var"
    scaling: Literal["overlapping", "sqrt"] = "overlapping"

    def forecast(self, market: Market, book: Book, coverage: Coverage) -> Forecast:
        """VaR and ES of the scenarios; they have no density."""
        return scenario_tails(
            market,
            book,
            coverage,
            estimate=lambda past: self._tails(past, coverage),
            scaling=self.scaling,
        )

    def parts(self, market: Market, book: Book, coverage: Coverage) -> Parts:
        """Steps gross and 'diversification and offset'; silos share the reduction in proportion.

        Gross is the sum of the silos' own margins. A joint simulation does not say how much of
        the reduction needs dependence. Where MPORs differ, 'MPOR mismatch' (see
        `backtest.model.mismatch`) is what closing legs out over their own days takes back; it is
        zero with `scaling='sqrt'`, whose one-day shocks never part the legs: that setting grants
        offsets in full which unequal MPORs do not earn.
        """
        required = self.margin(market, book, coverage)
        alone = np.stack(
            [required_margin(self, market, book.in_silo(s), coverage) for s in book.silos], axis=2
        )
        alone[np.isnan(required)] = np.nan
        gross, together = alone.sum(axis=2), required
        if self.scaling == "overlapping":
            together = over_same_days(
                book,
                coverage,
                required,
                netted_over=lambda rows, h: self._over_same_days(
                    market, book.select(rows), coverage, alone[:, rows], h
                ),
            )
        steps = {
            "gross": gross,
            "diversification and offset": together - gross,
            **mismatch_step(book, coverage, required, together),
        }
        return Parts(
            silos=book.silos, by_silo=proportional_shares(alone, required, gross=gross), steps=steps
        )

    def _over_same_days(
        self,
        market: Market,
        book: Book,
        coverage: Coverage,
        alone: FloatArray,
        same_days: int,
    ) -> FloatArray:
        """Joint margin of legs closed out over the same days, each silo's own as in `alone`."""

        def joint(group: Group) -> list[FloatArray]:
            past = priced_scenarios(market, group.book, coverage=coverage, same_days=same_days)
            own = alone[group.rows][:, group.portfolios]
            # Moves over the same days, scaled by the root of time, give a silo another margin than
            # its own MPOR does. Only what one leg says of the other is to be compared, so every
            # silo's units are scaled until it asks what it asks alone.
            scale = np.ones_like(own)
            for s in range(len(book.silos)):
                in_silo = replace(past, exposure=np.where(past.silo == s, past.exposure, 0.0))
                apart = self._tail(in_silo, coverage)
                known = (own[:, :, s] > 0) & (apart > 0)
                np.divide(own[:, :, s], apart, out=scale[:, :, s], where=known)
            # The scale belongs to a portfolio and a day, and units are shared by all portfolios:
            # each is replayed alone.
            columns = []
            for p in range(len(group.book.portfolios)):
                unit = past.unit * scale[:, p, past.silo]
                column = replace(past, unit=unit, exposure=past.exposure[[p]])
                columns.append(self._tail(column, coverage))
            return [np.hstack(columns)]

        return by_group(market, book, joint, empty=(0.0,))[0]

    def _tail(self, past: Scenarios | Revaluation, coverage: Coverage) -> FloatArray:
        """(days, portfolios) margin by the scenarios, never below zero."""
        return margin_of(Forecast(*self._tails(past, coverage)), self.measure)

    def _tails(
        self, past: Scenarios | Revaluation, coverage: Coverage
    ) -> tuple[FloatArray, FloatArray]:
        """(days, portfolios) VaR and ES of the scenarios."""
        return past.tails(self.lookback, count=tail_count(self.lookback, coverage.confidence))
