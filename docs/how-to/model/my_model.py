"""A weighted mean of VaR and ES of past scenarios."""  # GAP 1: what your model asks for, one line

from typing import Annotated

import numpy as np
from annotated_types import Ge, Le

from backtest.book.book import Book
from backtest.book.coverage import Coverage
from backtest.market.market import Market
from backtest.model.delta_gamma import Scenarios
from backtest.model.protocol import model
from backtest.model.revaluation import Revaluation
from backtest.model.tails import scenario_tails
from backtest.types import DaysByPortfolios, FloatArray, tail_count


@model(kind="my_model")  # GAP 2: the name that study files use
class MyModel:  # GAP 3: the name that Python users use
    r"""Weighted mean of value-at-risk and expected shortfall of the joint book.

    .. math:: M_t = \max(0, (1 - w) \mathrm{VaR}_t + w \mathrm{ES}_t)

    Margin at day t uses closes up to and including t. USD.

    Parameters
    ----------
    lookback : scenarios, ending on day t.
    weight : w, of the expected shortfall; in [0, 1].

    References
    ----------
    None: a template.

    Examples
    --------
    >>> MyModel(weight=0.25)
    MyModel(lookback=500, weight=0.25)
    """  # GAP 4: formula, parameters with units, what it was taken from

    # GAP 5: parameters, each with a default and its bounds
    lookback: Annotated[int, Ge(20)] = 500
    weight: Annotated[float, Ge(0), Le(1)] = 0.5

    def margin(self, market: Market, book: Book, coverage: Coverage) -> DaysByPortfolios:
        """Margin required at each close, (days, portfolios), USD >= 0; NaN while warming up."""

        # GAP 6: your estimate. `scenarios` are past shocks, applied to the positions of each day;
        # a loss is positive. Any other way to (days, portfolios) will do: docs/models.md has
        # one, and `strategies/haircut.py` is a model that uses no history.
        def var_and_es(scenarios: Scenarios | Revaluation) -> tuple[FloatArray, FloatArray]:
            tail = tail_count(self.lookback, coverage.confidence)
            return scenarios.tails(self.lookback, count=tail)

        tails = scenario_tails(market, book, coverage, estimate=var_and_es)
        mean = (1 - self.weight) * tails.value_at_risk + self.weight * tails.expected_shortfall
        return np.maximum(mean, 0.0)
