"""Historical simulation of the joint book: a quantile of its scenario losses."""

from dataclasses import replace
from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge

from backtest.book.book import Book
from backtest.book.coverage import Coverage
from backtest.instruments import is_option
from backtest.market.market import Market
from backtest.model.by_silo import margins_by_silo, proportional_shares
from backtest.model.delta_gamma import Scenarios
from backtest.model.forecasting import MarginOfForecast, Measure, margin_of
from backtest.model.mismatch import mismatch_step, over_same_days
from backtest.model.protocol import Forecast, Parts, model
from backtest.model.revaluation import Revaluation, priced_scenarios
from backtest.model.tails import Group, by_group, scenario_tails
from backtest.types import FloatArray, tail_count


@model(kind="historical_var")
class HistoricalVaR(MarginOfForecast):
    r"""Value-at-risk or expected shortfall of the joint book over past shocks.

    .. math:: M_t = \max(0, L_{(k)}), \qquad k = \lceil N (1 - c) \rceil

    with :math:`L_{(k)}` the k-th largest of the N = `lookback` scenario losses of the positions of
    day t (ES: the mean of the k largest). No interpolation. Options are revalued in full, under
    the joint shocks of price and volatility and the calendar days they took. Margin at day t uses
    closes up to and including t; on a day on which not all instruments of a portfolio trade it
    keeps its last value. USD.

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
        """VaR and ES of the scenarios; without a density."""
        return scenario_tails(
            market,
            book,
            coverage,
            estimate=lambda scenarios: self._tails(scenarios, coverage),
            scaling=self.scaling,
        )

    def takes_days(self, market: Market, book: Book) -> bool:
        """Positions by day at once, where all instruments trade on the same days, without options.

        What a portfolio holds decides on which days it is margined, and options are revalued.
        """
        return market.traded is None and not any(map(is_option, book.instruments))

    def parts(self, market: Market, book: Book, coverage: Coverage) -> Parts:
        """Steps gross and 'diversification and offset'; silos share the reduction in proportion.

        Gross is the sum of the silos' stand-alone margins. A joint simulation does not say how
        much of the reduction comes from dependence. Where MPORs differ, 'MPOR mismatch' (see
        `backtest.model.mismatch`) is the offset lost because legs close out over different days.
        It is zero with `scaling='sqrt'`: one-day shocks treat all legs as closed out together, and
        grant an offset in full that does not exist for unequal MPORs.
        """
        required = self.margin(market, book, coverage)
        silo_margins = margins_by_silo(self, market, book, coverage)
        silo_margins[np.isnan(required)] = np.nan
        gross, same_days_margin = silo_margins.sum(axis=2), required
        if self.scaling == "overlapping":
            same_days_margin = over_same_days(
                book,
                coverage,
                required,
                netted_over=lambda rows, h: self._over_same_days(
                    market, book.select(rows), coverage, silo_margins[:, rows], h
                ),
            )
        steps = {
            "gross": gross,
            "diversification and offset": same_days_margin - gross,
            **mismatch_step(book, coverage, required, same_days_margin),
        }
        return Parts(
            silos=book.silos,
            by_silo=proportional_shares(silo_margins, required, gross=gross),
            steps=steps,
        )

    def _over_same_days(
        self,
        market: Market,
        book: Book,
        coverage: Coverage,
        silo_margins: FloatArray,
        same_days: int,
    ) -> FloatArray:
        """Joint margin of legs closed out over the same days; each silo alone is unchanged."""

        def joint(group: Group) -> list[FloatArray]:
            scenarios = priced_scenarios(market, group.book, coverage=coverage, same_days=same_days)
            target = silo_margins[group.rows][:, group.portfolios]
            # Moves over the same days, scaled by the root of time, give a silo a different margin
            # from that over its own MPOR. Only the dependence between legs is to be compared, so
            # the units of every silo are scaled until its margin is the stand-alone one again.
            scale = np.ones_like(target)
            for s in range(len(book.silos)):
                in_silo = replace(
                    scenarios, exposure=np.where(scenarios.silo == s, scenarios.exposure, 0.0)
                )
                silo_tail = self._tail(in_silo, coverage)
                has_tail = (target[:, :, s] > 0) & (silo_tail > 0)
                np.divide(target[:, :, s], silo_tail, out=scale[:, :, s], where=has_tail)
            # The scale differs by portfolio and day, and all portfolios share their units: so each
            # portfolio is computed alone.
            columns = []
            for p in range(len(group.book.portfolios)):
                unit = scenarios.unit * scale[:, p, scenarios.silo]
                column = replace(scenarios, unit=unit, exposure=scenarios.exposure[[p]])
                columns.append(self._tail(column, coverage))
            return [np.hstack(columns)]

        return by_group(market, book, joint, empty=(0.0,))[0]

    def _tail(self, scenarios: Scenarios | Revaluation, coverage: Coverage) -> FloatArray:
        """(days, portfolios) margin from the scenarios, never below zero."""
        return margin_of(Forecast(*self._tails(scenarios, coverage)), self.measure)

    def _tails(
        self, scenarios: Scenarios | Revaluation, coverage: Coverage
    ) -> tuple[FloatArray, FloatArray]:
        """(days, portfolios) VaR and ES of the scenarios."""
        return scenarios.tails(self.lookback, count=tail_count(self.lookback, coverage.confidence))
