"""Exchange rates of SIMM: groups of volatility, and categories of concentration."""

import re

from strategies.simm.sensitivity import Sensitivity
from strategies.simm.tables import MILLION, TEN_DAYS, Number, Table, implied_volatility


class Grouped(Table):
    """Correlations of two currencies, by the group of the calculation currency."""

    regular: list[list[float]]
    high: list[list[float]]


class Exchange(Table):
    """Exchange rates: one bucket, whose factors are currencies against the calculation currency.

    Every table of two by two has the currencies of regular volatility first, those of high
    volatility second. Volatilities are of pairs of currencies.

    Parameters
    ----------
    high_volatility : currencies of high volatility; every other one is regular.
    weights : per cent, of a currency by its group and that of the calculation currency; of a
        pair's volatility by those of its two currencies.
    categories : significantly material and frequently traded currencies; every other one is of
        the third category, of the thresholds.
    vega_threshold : of a pair by its two categories, the part up to the diagonal.
    currency : in which margin is calculated.
    """

    high_volatility: list[str]
    weights: list[list[float]]
    correlation: Grouped
    vega_weight: float
    vega_correlation: float
    volatility_ratio: float
    categories: list[list[str]]
    delta_threshold: list[Number]
    vega_threshold: list[list[Number]]
    days: float = TEN_DAYS
    currency: str = "USD"

    @property
    def curvature_scale(self) -> float:
        """1: only the curvature of rates is scaled."""
        return 1.0

    def has_curvature(self, bucket: str) -> bool:
        """Always."""
        return True

    def weight(self, of: Sensitivity) -> float:
        """Risk weight of a delta, per cent; of a vega, a share."""
        return self._weight(of.qualifier) if of.measure == "delta" else self.vega_weight

    def volatility(self, of: Sensitivity) -> float:
        """Multiple of a vega: the volatility that the weight of its pair implies."""
        ratio = self.volatility_ratio if of.measure == "vega" else 1.0
        return ratio * implied_volatility(self._weight(of.qualifier), self.days)

    def threshold(self, of: Sensitivity) -> float:
        """Concentration threshold, USD."""
        first, second = (self._category(c) for c in self._pair(of.qualifier))
        if of.measure == "delta":
            return MILLION * self.delta_threshold[first]
        return MILLION * self.vega_threshold[max(first, second)][min(first, second)]

    def within(self, a: Sensitivity, b: Sensitivity) -> float:
        """Correlation of two currencies, or of the volatilities of two pairs."""
        if a.measure != "delta":
            return self.vega_correlation
        table = self.correlation.high if self._group(self.currency) else self.correlation.regular
        return table[self._group(self._pair(a.qualifier)[0])][
            self._group(self._pair(b.qualifier)[0])
        ]

    def between(self, a: str, b: str) -> float:
        """There is one bucket."""
        return 1.0

    def _weight(self, qualifier: str) -> float:
        first, second = self._pair(qualifier)
        return self.weights[self._group(first)][self._group(second)]

    def _pair(self, qualifier: str) -> tuple[str, str]:
        """The two currencies of a rate, that of calculation second where it is one of them."""
        letters = qualifier.replace("/", "")
        if re.fullmatch("[A-Z]{6}", letters) is None:
            return qualifier, self.currency
        first, second = letters[:3], letters[3:]
        return (second, first) if first == self.currency else (first, second)

    def _group(self, currency: str) -> int:
        return int(currency in self.high_volatility)

    def _category(self, currency: str) -> int:
        known = (n for n, members in enumerate(self.categories) if currency in members)
        return next(known, len(self.categories))
