"""Historical simulation in which stressed observations have a weight of their own."""

from typing import Annotated, Literal, NamedTuple

import numpy as np
from annotated_types import Ge, Gt, Lt

from backtest.book.book import Book
from backtest.book.coverage import Coverage
from backtest.kernels.aged_tail import aged_tail
from backtest.market.market import Market
from backtest.model.delta_gamma import Scenarios
from backtest.model.forecasting import MarginOfForecast, Measure
from backtest.model.protocol import Forecast, model
from backtest.model.revaluation import Revaluation
from backtest.model.tails import nan_estimates, scenario_tails
from backtest.parameters.files import read_as, stated
from backtest.types import BoolArray, FloatArray
from strategies.overlays.terms import Article28
from strategies.stressed import FEWEST_SCENARIOS, Windows, in_windows


class StressWeightTerms(NamedTuple):
    """Weight of all stressed observations together."""

    weight: float


@model(kind="stress_weighted")
class StressWeighted(MarginOfForecast):
    r"""Historical simulation that gives stressed observations a share of all weight.

    .. math:: w_s = \frac{1 - w}{N} [s \text{ recent}] + \frac{w}{S} [s \text{ stressed}]

    N are the last `lookback` scenarios, S those that ended in `windows` on or before day t, w =
    `weight`; a scenario that is both has both. VaR is the loss at which the weights of all larger
    ones reach 1 - confidence. It is the letter of EMIR's second option; `StressBlend` weights
    margins instead. A stress quieter than the recent days lowers the margin. Until 20 such days
    have passed the recent scenarios have all weight, since no model can know a stress before it
    happens. Margin at day t uses closes up to and including t. USD.

    Parameters
    ----------
    lookback : N. windows : first and last day of each stress, ISO; they may not overlap.
    parameters : rule or version of `strategies/parameters/` that gives `weight`.
    weight : w; None takes the article's 25 %, the least that it allows.
    measure : 'var' or 'es'.
    scaling : 'overlapping' MPOR-day shocks, or 'sqrt': one-day shocks times sqrt(MPOR).

    References
    ----------
    Commission Delegated Regulation (EU) 153/2013, Art. 28(1)(b).

    Examples
    --------
    >>> StressWeighted().terms
    StressWeightTerms(weight=0.25)
    """

    lookback: Annotated[int, Ge(20)] = 500
    windows: Windows = (("2020-02-20", "2020-04-30"),)
    parameters: str = "emir_28"
    weight: Annotated[float, Gt(0), Lt(1)] | None = None
    measure: Measure = "var"
    scaling: Literal["overlapping", "sqrt"] = "overlapping"

    @property
    def terms(self) -> StressWeightTerms:
        """The terms in use: those that this model states, before those of the file."""
        published = read_as(Article28, self.parameters).stress_weight
        return StressWeightTerms(stated(self.weight, published))

    def forecast(self, market: Market, book: Book, coverage: Coverage) -> Forecast:
        """VaR and ES by weight; without a density."""
        return scenario_tails(
            market,
            book,
            coverage,
            estimate=lambda scenarios: self._tails(scenarios, 1.0 - coverage.confidence),
            scaling=self.scaling,
        )

    def _tails(self, scenarios: Scenarios | Revaluation, level: float) -> FloatArray:
        """VaR and ES, (2, days of the scenarios, portfolios)."""
        tails = nan_estimates(scenarios)
        is_stress = in_windows(self.windows, scenarios.dates)[scenarios.first :]
        for day in range(scenarios.first + self.lookback - 1, len(scenarios.unit)):
            known = day + 1 - scenarios.first
            weights = self._weights(is_stress[:known])
            # All days before a stress and after it are without weight: only the others are priced.
            used = np.flatnonzero(weights)
            values = scenarios.values(day, lookback=known - int(used[0]))
            aged_tail(
                np.ascontiguousarray(values[:, used - used[0]]),
                scenarios.unit[day],
                scenarios.exposure,
                weights[used],
                level,
                *tails[:, day],
            )
        return tails

    def _weights(self, is_stress: BoolArray) -> FloatArray:
        """(scenarios so far,) weights, which sum to one."""
        stressed = int(is_stress.sum())
        share = self.terms.weight if stressed >= FEWEST_SCENARIOS else 0.0
        weights = np.where(is_stress, share / max(stressed, 1), 0.0)
        weights[-self.lookback :] += (1.0 - share) / self.lookback
        return weights
