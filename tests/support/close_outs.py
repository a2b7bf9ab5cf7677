"""Random structures of accounts, firms and houses, each with days to close out."""

from dataclasses import dataclass

import numpy as np

from backtest.kernels import parties
from backtest.kernels.closed_day import close_out
from backtest.kernels.default_draws import several_defaults
from backtest.kernels.parties import Accounts, Classes, Day, Firms, Houses
from backtest.kernels.protection import Outcomes, replay_protection
from backtest.types import BoolArray, FloatArray


@dataclass(frozen=True, eq=False)
class Ended:
    """One close-out: who paid (houses, bearers), who lost as a fellow, who failed."""

    paid: FloatArray
    fellow: FloatArray
    failed: BoolArray
    firms: int


@dataclass(frozen=True, eq=False)
class World:
    """A structure, and arrays of its days as `replay_protection` takes them."""

    loss: FloatArray
    collateral: FloatArray
    required: FloatArray
    at_house: FloatArray
    advanced: FloatArray
    cost: FloatArray
    accounts: Accounts
    classes: Classes
    firms: Firms
    houses: Houses

    @property
    def names(self) -> int:
        """Accounts, and firms after them, that may be drawn to default."""
        return len(self.accounts.firm) + len(self.firms.capital)

    def day(self, t: int) -> Day:
        """One day."""
        return Day(
            self.loss[t], self.collateral[t], self.required[t], self.at_house[t],
            self.advanced[t], self.cost[t],
        )  # fmt: skip

    def close_out(self, t: int, *, joint: bool, drawn: BoolArray) -> Ended:
        """Close out one day; drawn : (names,) who is drawn to default."""
        _, count, houses = self.loss.shape
        failed, fellow = np.empty(count, dtype=np.bool_), np.empty(count)
        paid = np.empty((houses, parties.BEARERS))
        firms = close_out(
            self.day(t), self.accounts, self.classes, self.firms, self.houses, joint, drawn,
            failed, paid, fellow,
        )  # fmt: skip
        return Ended(paid, fellow, failed, firms)

    def replayed(self, daily: FloatArray, *, coordination: float, draws: int = 3) -> Outcomes:
        """Expectations of all days; daily : (days, names) probability of a default."""
        days, count, houses = self.loss.shape
        sizes = ((days, houses, parties.BEARERS), (days, 4), (days, 2), (count,))
        out = Outcomes(*(np.zeros(size) for size in sizes for _ in range(2)))
        replay_protection(
            self.loss, self.collateral, self.required, self.at_house, self.advanced, self.cost,
            self.accounts, self.classes, self.firms, self.houses, coordination, daily,
            several_defaults(1, 0, daily, draws), out,
        )  # fmt: skip
        return out


def drawn_world(rng: np.random.Generator, *, days: int = 1) -> World:
    """A structure of one to four firms and one to three houses, in USD up to some millions.

    Margins, capital, funds and resources are zero now and then, amounts whole numbers in every
    fourth structure, so that ties happen.
    """
    firms, houses, classes = rng.integers(1, 5), rng.integers(1, 4), rng.integers(1, 4)
    count = int(rng.integers(1, 13))
    whole = rng.random() < 0.25

    def amounts(*size: int, zeros: float = 0.2, scale: float = 1e6) -> FloatArray:
        values = rng.exponential(scale, size) * (rng.random(size) >= zeros)
        return np.round(values, -5) if whole else values

    required = amounts(days, count, houses)
    # What is held lags behind the margin, and its value at the end differs.
    collateral = required * rng.choice([0.0, 0.7, 1.0, 1.1], required.shape)
    size = amounts(1, count, houses, zeros=0.1)
    loss = size * rng.standard_t(2, (days, count, houses)) * rng.choice([0.1, 1.0, 4.0])
    loss = np.round(loss, -5) if whole else loss
    return World(
        loss,
        collateral,
        required,
        rng.choice([0.0, 0.4, 1.0], (days, firms, classes, houses)),
        amounts(days, firms, houses, zeros=0.6, scale=3e5),
        amounts(days, count, scale=1e3),
        Accounts(
            rng.integers(0, firms, count),
            rng.random(count) < 0.3,
            rng.integers(0, 3, count),
            amounts(count, zeros=0.5, scale=3e5),
            rng.integers(0, classes, (count, houses)),
        ),
        Classes(
            rng.random(classes) < 0.7,
            rng.random(classes) < 0.4,
            rng.choice([0.0, 1e5], classes),
        ),
        Firms(
            amounts(firms, scale=5e5),
            amounts(firms, houses, scale=2e5),
            float(rng.choice([0.0, 0.5, 1.0])),
            float(rng.choice([0.0, 0.5, 1.0])),
            0.5,
            2.0,
        ),
        Houses(
            amounts(houses, scale=3e5), amounts(houses, scale=5e5), rng.choice([0.0, 2.0], houses)
        ),
    )
