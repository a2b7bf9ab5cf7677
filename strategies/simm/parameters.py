"""Weights, correlations and thresholds of SIMM, from dated, cited files."""

from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from backtest.parameters.files import read_as
from strategies.simm.sensitivity import Sensitivity

Number = Annotated[float, Field(allow_inf_nan=True)]
RESIDUAL = "Residual"
# Quantiles of the standard normal, scipy.special.ndtri(0.99), ndtri(0.995) to double precision.
NORMAL_99 = 2.3263478740408408
NORMAL_995 = 2.5758293035489004
DAYS_PER_YEAR = 365.0
CURVATURE_DAYS = 14.0  # calendar days of the ten-day horizon
MILLION = 1e6


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Extra(_Table):
    weight: float
    correlation: float


class _Currencies(_Table):
    currencies: list[str]
    weights: list[float]
    delta_threshold: float
    vega_threshold: float


class Rates(_Table):
    """Interest rates: one bucket per currency, whose factors are the tenors of its curves."""

    tenors: list[str]
    triangle: list[list[float]]
    curves: float
    inflation: _Extra
    basis: _Extra
    between_currencies: float
    vega_weight: float
    volatility_ratio: float
    group: list[_Currencies]

    @property
    def curvature_scale(self) -> float:
        """1 / ratio^2: curvature of rates is not reduced by the volatility ratio of vega."""
        return 1.0 / self.volatility_ratio**2

    def weight(self, of: Sensitivity) -> float:
        """Risk weight of a delta, in basis points; of a vega, a share."""
        if of.measure != "delta":
            return self.vega_weight
        if of.tenor in ("inflation", "basis"):
            return (self.inflation if of.tenor == "inflation" else self.basis).weight
        return self._group(of.bucket).weights[self.tenors.index(of.tenor)]

    def volatility(self, of: Sensitivity) -> float:
        """1: a vega of rates is already multiplied by its volatility."""
        return 1.0

    def threshold(self, of: Sensitivity) -> float:
        """Concentration threshold, USD; infinite for the basis between currencies."""
        if of.tenor == "basis":
            return np.inf
        group = self._group(of.bucket)
        return MILLION * (group.delta_threshold if of.measure == "delta" else group.vega_threshold)

    def within(self, a: Sensitivity, b: Sensitivity) -> float:
        """Correlation of two factors of one currency."""
        for name, special in (("basis", self.basis), ("inflation", self.inflation)):
            if name in (a.tenor, b.tenor):
                return special.correlation
        same_curve = 1.0 if a.curve == b.curve else self.curves
        return same_curve * _entry(self.triangle, self.tenors, a.tenor, b.tenor)

    def between(self, a: str, b: str) -> float:
        """Correlation of two currencies."""
        return self.between_currencies

    def _group(self, currency: str) -> _Currencies:
        return next((g for g in self.group if currency in g.currencies), self.group[-1])


class Bucketed(_Table):
    """A class of names in buckets: credit, equity, commodity, exchange rates, crypto."""

    buckets: list[str]
    weights: list[Number]
    vega_weight: list[float]
    same_name: list[float] | None = None
    other_name: list[float]
    delta_threshold: list[float]
    vega_threshold: list[float]
    triangle: list[list[float]]
    volatility_ratio: float | None = None
    base_correlation: _Extra | None = None

    @property
    def curvature_scale(self) -> float:
        """1: only the curvature of rates is scaled."""
        return 1.0

    def weight(self, of: Sensitivity) -> float:
        """Risk weight of a delta, in basis points or per cent; of a vega, a share."""
        if of.measure == "delta":
            return self._of(self.weights, of.bucket)
        return self._of(self.vega_weight, of.bucket)

    def volatility(self, of: Sensitivity) -> float:
        r"""Multiple of a vega: the volatility implied by the delta weight.

        .. math:: \sigma = RW \sqrt{365 / 14} / \Phi^{-1}(0.99)

        times the ratio of historical to implied volatility (not for curvature). 1 for credit, whose
        vega is already multiplied by its volatility.
        """
        if self.volatility_ratio is None:
            return 1.0
        implied = (DAYS_PER_YEAR / CURVATURE_DAYS) ** 0.5 / NORMAL_99
        ratio = self.volatility_ratio if of.measure == "vega" else 1.0
        return ratio * implied * self._of(self.weights, of.bucket)

    def threshold(self, of: Sensitivity) -> float:
        """Concentration threshold, USD."""
        table = self.delta_threshold if of.measure == "delta" else self.vega_threshold
        return MILLION * self._of(table, of.bucket)

    def within(self, a: Sensitivity, b: Sensitivity) -> float:
        """Correlation of two factors of one bucket."""
        is_same_name = self.same_name is not None and a.qualifier == b.qualifier
        table = self.same_name if self.same_name is not None and is_same_name else self.other_name
        return self._of(table, a.bucket)

    def between(self, a: str, b: str) -> float:
        """Correlation of two buckets, neither of them the residual one."""
        return _entry(self.triangle, self.buckets, a, b)

    def _of(self, table: list[float], bucket: str) -> float:
        return table[0] if len(table) == 1 else table[self.buckets.index(bucket)]


RiskClass = Rates | Bucketed


class _Between(_Table):
    classes: list[str]
    triangle: list[list[float]]


class SimmParameters(_Table):
    """One version of SIMM."""

    between_classes: _Between
    rates: Rates
    bucketed: dict[str, Bucketed]

    def risk_class(self, name: str) -> RiskClass:
        """A risk class by name."""
        return self.rates if name == "rates" else self.bucketed[name]

    def correlation(self, a: str, b: str) -> float:
        """Correlation of two risk classes; 1 with itself."""
        return _entry(self.between_classes.triangle, self.between_classes.classes, a, b)


class CryptoParameters(_Table):
    """Possible classes of crypto, with their weights."""

    bucketed: dict[str, Bucketed]


def _entry(triangle: list[list[float]], names: list[str], a: str, b: str) -> float:
    """Entry of a symmetric matrix, from its part below the diagonal; 1 on the diagonal."""
    low, high = sorted((names.index(a), names.index(b)))
    return 1.0 if low == high else triangle[high][low]


def load_simm(name: str) -> SimmParameters:
    """Version `strategies/parameters/<name>.toml`.

    Examples
    --------
    >>> load_simm("simm/2.1").correlation("rates", "commodity")
    0.3
    """
    return read_as(SimmParameters, name)


def load_crypto(name: str) -> CryptoParameters:
    """Crypto classes of `strategies/parameters/<name>.toml`.

    Examples
    --------
    >>> ways = load_crypto("simm_crypto").bucketed
    >>> {way: table.weights[0] for way, table in ways.items()}
    {'own_class': 132.0, 'commodity': 58.0, 'other': 54.0}
    """
    return read_as(CryptoParameters, name)
