"""The packaged hypothetical scenarios, for whatever factors a market has."""

from collections.abc import Sequence
from typing import Annotated, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from backtest.instruments import Spot, seasoned_price
from backtest.instruments.contracts import known_contracts
from backtest.instruments.option import IMPLIED
from backtest.market.market import Market, tenor_years
from backtest.parameters.files import read_as
from backtest.stress.scenario import Scenario
from backtest.types import StudyError, shown

RULE = "stress_scenarios"
EQUITY = "equity"
VOLATILITIES = ("-VOL", "-REALISED")  # endings of a volatility's name after that of its price


class ScenarioTerms(BaseModel):
    """One scenario of the file; see its first lines for what the fields mean."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    title: str
    source: str = ""
    up_to: tuple[Annotated[float, Field(gt=0)], ...] = ()
    yields: tuple[float, ...] = ()
    prices: dict[str, Annotated[float, Field(gt=-1)]] = Field(default_factory=dict)
    volatility: dict[str, Annotated[float, Field(gt=-1)]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_change_a_maturity(self) -> Self:
        if len(self.up_to) != len(self.yields):
            raise ValueError("up_to and yields differ in length")
        if any(a >= b for a, b in zip(self.up_to, self.up_to[1:], strict=False)):
            raise ValueError("up_to does not ascend")
        return self

    def yield_change(self, years: float) -> float:
        """Absolute change of a yield; 0 where the scenario moves none."""
        return float(np.interp(years, self.up_to, self.yields)) if self.up_to else 0.0


class ScenarioFile(BaseModel):
    """Form of the file."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    scenario: dict[str, ScenarioTerms]


def packaged_scenarios(market: Market, row: int, *, rule: str = RULE) -> list[Scenario]:
    """The scenarios of a version that move any factor of a market, in its order.

    row : day on which bond futures are valued, whose price follows from the yields.
    rule : a rule or a version.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"10Y": [0.04], "BTC": [100.0]}, index=["2024-01-02"])
    >>> first, *_, last = packaged_scenarios(Market.from_frame(frame), 0)
    >>> dict(first.moves), dict(last.moves)
    ({'10Y': 0.01}, {'10Y': -0.0043, 'BTC': 0.11})
    """
    scenarios = []
    for terms in read_as(ScenarioFile, rule).scenario.values():
        moves = factor_moves(terms, market, row)
        if moves:
            scenarios.append(Scenario(terms.title, moves))
    return scenarios


def chosen(scenarios: Sequence[Scenario], names: Sequence[str]) -> list[Scenario]:
    """The scenarios of these names, all of them where none is named.

    Raises
    ------
    StudyError : a name that none has.
    """
    by_name = {scenario.name: scenario for scenario in scenarios}
    for name in names:
        if name not in by_name:
            raise StudyError(
                f"stress.scenarios names {shown(name)}; known for these prices: "
                f"{', '.join(by_name)}."
            )
    return [by_name[name] for name in names] if names else list(scenarios)


def factor_moves(terms: ScenarioTerms, market: Market, row: int) -> dict[str, float]:
    """Moves of a market's factors, without those that stand still.

    A yield that is no par yield of a maturity (a credit spread) stands still, and so does a price
    of a class that the scenario does not name.
    """
    moves = {}
    for factor, kind in zip(market.factors, market.kinds, strict=True):
        years = tenor_years(factor)
        if kind == "yield":
            move = 0.0 if years is None else terms.yield_change(years)
        else:
            move = _price_move(terms, factor, market, row)
        if move:
            moves[factor] = move
    return moves


def _price_move(terms: ScenarioTerms, factor: str, market: Market, row: int) -> float:
    """Relative move of a price, a volatility or a bond future."""
    if factor in terms.prices:
        return terms.prices[factor]
    if factor in IMPLIED.values():
        return terms.volatility.get(EQUITY, 0.0)
    for ending in VOLATILITIES:
        if factor.endswith(ending):
            return terms.volatility.get(asset_class_of(factor.removesuffix(ending)), 0.0)
    contract = known_contracts().get(factor)
    if contract is not None and contract.maturity is not None:
        return _future_move(terms.yield_change(contract.maturity), contract.maturity, market, row)
    price = factor if contract is None else contract.reference
    return terms.prices.get(price, terms.prices.get(asset_class_of(price), 0.0))


def asset_class_of(price: str) -> str:
    """Asset class of a price; of an index with an implied volatility of its own, equity.

    Examples
    --------
    >>> asset_class_of("BTC"), asset_class_of("SP500"), asset_class_of("GOLD")
    ('crypto', 'equity', 'other')
    """
    return EQUITY if price in IMPLIED else Spot(price).asset_class


def _future_move(change: float, maturity: float, market: Market, row: int) -> float:
    """Relative move of a bond future: that of a par bond of its shortest deliverable maturity.

    The par yield is the market's own, interpolated; without any yield its level matters little
    and is taken as zero, which makes the bond most sensitive.
    """
    curve = {
        years: float(market.levels[row, j])
        for j, factor in enumerate(market.factors)
        if market.kinds[j] == "yield" and (years := tenor_years(factor)) is not None
    }
    tenors = sorted(curve)
    par = float(np.interp(maturity, tenors, [curve[t] for t in tenors])) if tenors else 0.0
    bond = seasoned_price(np.array([par]), np.array([par + change]), maturity, np.array([0.0]))
    return float(bond[0] - 1.0)
