"""Weights, correlations and thresholds of one risk class of SIMM."""

from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from strategies.simm.sensitivity import Sensitivity

Number = Annotated[float, Field(allow_inf_nan=True)]
RESIDUAL = "Residual"
# Quantiles of the standard normal, scipy.special.ndtri(0.99), ndtri(0.995) to double precision.
NORMAL_99 = 2.3263478740408408
NORMAL_995 = 2.5758293035489004
DAYS_PER_YEAR = 365.0
TEN_DAYS = 14.0  # calendar days of the ten-day horizon
MILLION = 1e6


class Table(BaseModel):
    """A table of a parameter file; other fields are refused."""

    model_config = ConfigDict(extra="forbid")


class Extra(Table):
    """Weight of a factor that a class has once, and its correlation."""

    weight: float
    correlation: float


class Currencies(Table):
    """Currencies whose rates have the same weights and thresholds; [] for every other one."""

    currencies: list[str]
    weights: list[float]
    delta_threshold: Number
    vega_threshold: Number


class Rates(Table):
    """Interest rates: one bucket per currency, whose factors are the tenors of its curves."""

    tenors: list[str]
    triangle: list[list[float]]
    curves: float
    inflation: Extra
    basis: Extra
    between_currencies: float
    vega_weight: float
    volatility_ratio: float
    group: list[Currencies]
    days: float = TEN_DAYS

    @property
    def curvature_scale(self) -> float:
        """1 / ratio^2: curvature of rates is not reduced by the volatility ratio of vega."""
        return 1.0 / self.volatility_ratio**2

    def has_curvature(self, bucket: str) -> bool:
        """Always."""
        return True

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
        return same_curve * entry(self.triangle, self.tenors, a.tenor, b.tenor)

    def between(self, a: str, b: str) -> float:
        """Correlation of two currencies."""
        return self.between_currencies

    def _group(self, currency: str) -> Currencies:
        return next((g for g in self.group if currency in g.currencies), self.group[-1])


class Bucketed(Table):
    """A class of names in buckets: credit, equity, commodity, crypto.

    Parameters
    ----------
    same_name : correlation of two factors of one name, where a name has several.
    by_group : names are told apart by their group (Label2 of a CRIF), not by the qualifier.
    no_curvature : buckets whose volatilities have no curvature.
    days : calendar days of the horizon.
    """

    buckets: list[str]
    weights: list[Number]
    vega_weight: list[float]
    same_name: list[float] | None = None
    by_group: bool = False
    other_name: list[float]
    delta_threshold: list[Number]
    vega_threshold: list[Number]
    triangle: list[list[float]]
    volatility_ratio: float | None = None
    base_correlation: Extra | None = None
    no_curvature: list[str] = Field(default_factory=list)
    days: float = TEN_DAYS

    @property
    def curvature_scale(self) -> float:
        """1: only the curvature of rates is scaled."""
        return 1.0

    def has_curvature(self, bucket: str) -> bool:
        """Whether volatilities of a bucket have curvature."""
        return bucket not in self.no_curvature

    def weight(self, of: Sensitivity) -> float:
        """Risk weight of a delta, in basis points or per cent; of a vega, a share."""
        return self.of(self.weights if of.measure == "delta" else self.vega_weight, of.bucket)

    def volatility(self, of: Sensitivity) -> float:
        """Multiple of a vega: see `implied_volatility`, and 1 for credit.

        A vega of credit is already multiplied by its volatility.
        """
        if self.volatility_ratio is None:
            return 1.0
        ratio = self.volatility_ratio if of.measure == "vega" else 1.0
        return ratio * implied_volatility(self.of(self.weights, of.bucket), self.days)

    def threshold(self, of: Sensitivity) -> float:
        """Concentration threshold, USD."""
        table = self.delta_threshold if of.measure == "delta" else self.vega_threshold
        return MILLION * self.of(table, of.bucket)

    def within(self, a: Sensitivity, b: Sensitivity) -> float:
        """Correlation of two factors of one bucket."""
        is_same = a.curve == b.curve if self.by_group else a.qualifier == b.qualifier
        table = self.same_name if self.same_name is not None and is_same else self.other_name
        return self.of(table, a.bucket)

    def between(self, a: str, b: str) -> float:
        """Correlation of two buckets, neither of them the residual one."""
        return entry(self.triangle, self.buckets, a, b)

    def of(self, table: list[float], bucket: str) -> float:
        """The number of a bucket in a table, which has one for all or one for each."""
        return table[0] if len(table) == 1 else table[self.buckets.index(bucket)]


def implied_volatility(weight: float, days: float) -> float:
    r"""Volatility of a year, in per cent, that a risk weight implies.

    .. math:: \sigma = RW \sqrt{365 / \text{days}} / \Phi^{-1}(0.99)

    Examples
    --------
    >>> round(implied_volatility(17.0, 14.0), 2)
    37.31
    """
    return weight * (DAYS_PER_YEAR / days) ** 0.5 / NORMAL_99


def entry(triangle: list[list[float]], names: list[str], a: str, b: str) -> float:
    """Entry of a symmetric matrix, from its part below the diagonal; 1 on the diagonal."""
    low, high = sorted((names.index(a), names.index(b)))
    return 1.0 if low == high else triangle[high][low]
