"""Figures of a version of SIMM, from dated, cited files, for a horizon and a currency."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from backtest.parameters.files import read_as
from strategies.simm.exchange import Exchange
from strategies.simm.tables import TEN_DAYS, Bucketed, Rates, Table, entry

RiskClass = Rates | Bucketed | Exchange
Horizon = Literal[1, 10]


class Between(Table):
    """Correlations of the classes of risk inside a product."""

    classes: list[str]
    triangle: list[list[float]]


class OneDayRates(Table):
    """Figures of rates for one day; weights by group, in the order of the ten-day ones."""

    weights: list[list[float]]
    inflation: float
    basis: float
    vega_weight: float
    volatility_ratio: float


class OneDayBucketed(Table):
    """Figures of a class in buckets for one day."""

    weights: list[float]
    vega_weight: list[float]
    volatility_ratio: float | None = None
    base_correlation: float | None = None


class OneDayExchange(Table):
    """Figures of exchange rates for one day."""

    weights: list[list[float]]
    vega_weight: float
    volatility_ratio: float


class OneDay(Table):
    """Figures that a horizon of one day replaces; correlations stay, concentration does not."""

    rates: OneDayRates
    bucketed: dict[str, OneDayBucketed]
    fx: OneDayExchange


class SimmParameters(Table):
    """One version of SIMM, as its file states it."""

    between_classes: Between
    rates: Rates
    bucketed: dict[str, Bucketed]
    fx: Exchange
    one_day: OneDay


@dataclass(frozen=True)
class Figures:
    """Classes of risk by name, and how they correlate inside a product."""

    classes: Mapping[str, RiskClass]
    between_classes: Between

    def risk_class(self, name: str) -> RiskClass:
        """A risk class by name."""
        return self.classes[name]

    def correlation(self, a: str, b: str) -> float:
        """Correlation of two risk classes; 1 with itself."""
        return 1.0 if a == b else entry(self.between_classes.triangle, self._names, a, b)

    @property
    def rates(self) -> Rates:
        """Interest rates, which every version has."""
        rates = self.classes["rates"]
        assert isinstance(rates, Rates)
        return rates

    def with_class(self, name: str, table: RiskClass) -> "Figures":
        """The same with one more class, or with another one of that name."""
        return replace(self, classes={**self.classes, name: table})

    @property
    def _names(self) -> list[str]:
        return self.between_classes.classes


def load_simm(name: str, *, horizon: Horizon = 10, currency: str = "USD") -> Figures:
    """Figures of a version, or of the version in force of the rule 'simm'.

    Parameters
    ----------
    horizon : margin days; 10, or 1 as ISDA publishes it beside.
    currency : in which margin is calculated; weights and correlations of exchange rates depend on
        whether it is of high volatility.

    Raises
    ------
    StudyError : no such version.

    Examples
    --------
    >>> dollar = load_simm("simm/2.8+2506").rates.group[0]
    >>> dollar.weights[5], dollar.weights[8]
    (69.0, 60.0)
    >>> load_simm("simm/2.8+2506", horizon=1).rates.group[0].weights[5]
    22.0
    """
    file = read_as(SimmParameters, name)
    if horizon == 1:
        file = _for_one_day(file)
    fx = file.fx.model_copy(update={"currency": currency})
    return Figures({"rates": file.rates, **file.bucketed, "fx": fx}, file.between_classes)


def _for_one_day(file: SimmParameters) -> SimmParameters:
    one = file.one_day
    days = TEN_DAYS / 10.0
    groups = [
        group.model_copy(
            update={"weights": weights, "delta_threshold": np.inf, "vega_threshold": np.inf}
        )
        for group, weights in zip(file.rates.group, one.rates.weights, strict=True)
    ]
    rates = file.rates.model_copy(
        update={
            "group": groups,
            "inflation": file.rates.inflation.model_copy(update={"weight": one.rates.inflation}),
            "basis": file.rates.basis.model_copy(update={"weight": one.rates.basis}),
            "vega_weight": one.rates.vega_weight,
            "volatility_ratio": one.rates.volatility_ratio,
            "days": days,
        }
    )
    fx = file.fx.model_copy(
        update={
            **one.fx.model_dump(),
            "delta_threshold": [np.inf] * len(file.fx.delta_threshold),
            "vega_threshold": [[np.inf] * len(row) for row in file.fx.vega_threshold],
            "days": days,
        }
    )
    bucketed = {
        risk: _class_for_one_day(table, one.bucketed[risk], days)
        for risk, table in file.bucketed.items()
    }
    return file.model_copy(update={"rates": rates, "bucketed": bucketed, "fx": fx})


def _class_for_one_day(table: Bucketed, one: OneDayBucketed, days: float) -> Bucketed:
    base = table.base_correlation
    if base is not None:
        base = base.model_copy(update={"weight": one.base_correlation})
    return table.model_copy(
        update={
            **one.model_dump(),
            "base_correlation": base,
            "delta_threshold": [np.inf],
            "vega_threshold": [np.inf],
            "days": days,
        }
    )
