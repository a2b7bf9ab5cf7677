"""Directions in which a market can move, and the least move along one that uses something up."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from backtest.market import YIELD_RANGE
from backtest.market.market import Market
from backtest.stress.history import Plausibility
from backtest.stress.repricing import Repricer
from backtest.types import FloatArray

FURTHEST = 50.0  # standard deviations to which a direction is followed
STEPS = 500  # of the grid on which the first crossing is looked for: a tenth of a deviation each
PARTS = 16  # into which a bracket is cut, in one pricing of all targets
ROUNDS = 12  # of cutting: 16^12 parts of a tenth of a deviation are below rounding
WORTHLESS = 0.99  # a price is followed down until it has lost this share
EDGE = 1e-4  # a yield is followed to just inside the range that a market may have


@dataclass(frozen=True, eq=False)
class Direction:
    """A direction of the market; `unit` is one standard deviation of moves along it.

    Parameters
    ----------
    name : in tables. unit : (factors,) moves, relative for prices, absolute for yields.
    """

    name: str
    unit: FloatArray

    def furthest(self, market: Market, row: int) -> float:
        """The multiple at which the search ends: 50, or where a price is nearly worthless.

        Or where a yield leaves the range that any market may have.

        Examples
        --------
        >>> import pandas as pd
        >>> frame = pd.DataFrame({"BTC": [100.0]}, index=["2024-01-02"])
        >>> Direction("BTC down", np.array([-0.1])).furthest(Market.from_frame(frame), 0)
        9.9
        """
        low, high = YIELD_RANGE
        ends = [FURTHEST]
        for kind, level, move in zip(market.kinds, market.levels[row], self.unit, strict=True):
            if kind == "price" and move < 0.0:
                ends.append(WORTHLESS / -move)
            elif kind == "yield" and move != 0.0:
                room = (high - level if move > 0.0 else level - low) - EDGE
                ends.append(max(0.0, room / abs(move)))
        return float(min(ends))

    def days_as_far(self, known: Plausibility, multiple: float) -> float:
        """Share of days whose moves, averaged over its factors as multiples, were as large."""
        moved = self.unit != 0.0
        multiples = (known.moves[:, moved] / self.unit[moved]).mean(axis=1)
        return float((multiples >= multiple).mean())


def stated_directions(
    market: Market, known: Plausibility, factors: Collection[str], names: Sequence[str]
) -> list[Direction]:
    """Directions of the names 'each factor' and 'all yields', both ways; 'joint' has none here.

    factors : that the book's prices need. Factors that never moved have no direction.
    """
    deviations = known.deviations
    place = [market.factors.index(f) for f in market.factors if f in factors]
    place = [j for j in place if known.moving[j]]
    directions = []
    if "each factor" in names:
        for j in place:
            for sign, word in ((1.0, "up"), (-1.0, "down")):
                unit = np.zeros(len(market.factors))
                unit[j] = sign * deviations[j]
                directions.append(Direction(f"{market.factors[j]} {word}", unit))
    yields = np.array([kind == "yield" for kind in market.kinds])
    if "all yields" in names and yields[place].any():
        # One number for the whole curve: the deviation of the mean of its yields.
        size = float(known.moves[:, yields].mean(axis=1).std(ddof=1))
        for sign, word in ((1.0, "up"), (-1.0, "down")):
            directions.append(Direction(f"all yields {word}", np.where(yields, sign * size, 0.0)))
    return directions


class UsedUp(Protocol):
    """Something that a move can use up; `pnl` is (scenarios, instruments) per USD."""

    def gap(self, pnl: FloatArray) -> FloatArray:
        """(scenarios,) > 0 where it is used up."""

    def leading(self, pnl: FloatArray) -> FloatArray:
        """(instruments,) the exposure whose losses decide whether it is, at one scenario."""


@dataclass(frozen=True, eq=False)
class Target:
    """Something that a loss can use up: the margin of an account, or what stands behind several.

    Parameters
    ----------
    exposure : (accounts, instruments) USD held. cost : (accounts,) of closing each out.
    cushion : (accounts,) what each has itself. amount : USD that stand behind all of them; it is
        used up once what the accounts lack together is more. Without it the target is used up
        once the first account lacks anything.
    """

    exposure: FloatArray
    cost: FloatArray
    cushion: FloatArray
    amount: float | None = None

    def lacks(self, pnl: FloatArray) -> FloatArray:
        """(scenarios, accounts) loss less what the account has; > 0 is what it lacks."""
        return -pnl @ self.exposure.T + self.cost - self.cushion

    def gap(self, pnl: FloatArray) -> FloatArray:
        """(scenarios,) > 0 where the target is used up; `pnl` (scenarios, instruments) per USD."""
        lacks = self.lacks(pnl)
        if self.amount is None:
            return np.asarray(lacks.max(axis=1))
        return np.asarray(np.maximum(lacks, 0.0).sum(axis=1) - self.amount)

    def lost(self, pnl: FloatArray) -> float:
        """USD that the first account to lack anything loses; with an amount, what all lack."""
        lacks = self.lacks(pnl[None])[0]
        if self.amount is None:
            first = int(lacks.argmax())
            return float(lacks[first] + self.cushion[first])
        return float(np.maximum(lacks, 0.0).sum())

    def leading(self, pnl: FloatArray) -> FloatArray:
        """(instruments,) the exposure whose losses decide whether it is used up at `pnl`."""
        lacks = self.lacks(pnl[None])[0]
        if self.amount is None:
            return self.exposure[int(lacks.argmax())]
        short = lacks > 0.0
        return self.exposure[short].sum(axis=0) if short.any() else self.exposure.sum(axis=0)


@dataclass(frozen=True, eq=False)
class Path:
    """The instruments' P&L along a direction, on a grid of multiples from none to the furthest.

    steps : of the grid.
    """

    direction: Direction
    repricer: Repricer
    steps: int = STEPS

    @cached_property
    def multiples(self) -> FloatArray:
        """(steps,) of the grid."""
        end = self.direction.furthest(self.repricer.market, self.repricer.row)
        return np.linspace(0.0, end, self.steps + 1)

    @cached_property
    def pnl(self) -> FloatArray:
        """(steps, instruments) per 1 USD."""
        return self.at(self.multiples)

    def at(self, multiples: FloatArray) -> FloatArray:
        """(multiples, instruments) P&L per 1 USD at any multiples."""
        return self.repricer.pnl(multiples[:, None] * self.direction.unit)

    def first_crossings(self, targets: Sequence[UsedUp]) -> FloatArray:
        """(targets,) smallest multiple at which each is used up; infinite where none is.

        The first point of the grid beyond which it is used up is bracketed, and the bracket cut
        again. A target that is used up and made whole again between two points is not seen.
        """
        found = np.full(len(targets), np.inf)
        searched, low, high = [], [], []
        for place, target in enumerate(targets):
            used_up = target.gap(self.pnl) > 0.0
            step = int(used_up.argmax())
            if used_up[step]:
                searched.append(place)
                low.append(self.multiples[max(0, step - 1)])
                high.append(self.multiples[step])
        if not searched:
            return found
        shares = np.arange(1, PARTS + 1) / PARTS
        ends = np.array([low, high])
        for _ in range(ROUNDS):
            points = ends[0][:, None] + (ends[1] - ends[0])[:, None] * shares
            pnl = self.at(points.ravel()).reshape(*points.shape, -1)
            for i, place in enumerate(searched):
                used_up = targets[place].gap(pnl[i]) > 0.0
                used_up[-1] = True  # as the bracket says; rounding may say otherwise
                step = int(used_up.argmax())
                ends[:, i] = points[i, step - 1] if step else ends[0, i], points[i, step]
        found[searched] = ends[1]
        return found
