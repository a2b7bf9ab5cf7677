"""Historical simulation of the joint book: its scenario losses, ranked."""

from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge

from backtest.book import Book
from backtest.market import Market
from backtest.model import model
from backtest.revaluation import priced_scenarios
from backtest.types import Coverage, FloatArray, tail_count


@model
class HistoricalVaR:
    r"""Value-at-risk or expected shortfall of the joint book over past shocks.

    .. math:: M_t = \max(0, L_{(k)}), \qquad k = \lceil N (1 - c) \rceil

    with :math:`L_{(k)}` the k-th largest of the N = `lookback` scenario losses of the positions of
    day t (ES: the mean of the k largest). No interpolation. Options are revalued in full, under
    the shocks of price and volatility together and the calendar days they took. Margin at day t
    uses closes up to and including t. USD.

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
    measure: Literal["var", "es"] = "var"
    scaling: Literal["overlapping", "sqrt"] = "overlapping"

    def margin(self, market: Market, book: Book, coverage: Coverage) -> FloatArray:
        """Margin required at each close, (days, portfolios), USD, >= 0; NaN while warming up."""
        past = priced_scenarios(market, book, coverage=coverage, scaling=self.scaling)
        value_at_risk, expected_shortfall = past.tails(
            self.lookback, count=tail_count(self.lookback, coverage.confidence)
        )
        tail = value_at_risk if self.measure == "var" else expected_shortfall
        return np.maximum(tail, 0.0)
