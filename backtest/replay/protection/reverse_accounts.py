"""Reverse stress of accounts by arrangement: the smallest move that uses up what they have.

Legs that are closed out apart each have the margin of their house, and the first that lacks
something has used it up, whatever the other has left. Legs that are closed out together have one
margin, which is smaller, and gains of one pay for the other. What follows the margin differs as
well: an account that is closed out apart can pay with what its other leg gained.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from backtest.clearing.ledger import CENT
from backtest.replay.protection.ladder import Ladder
from backtest.replay.protection.reverse import MOST_JOINT, Found, ReverseWaterfall
from backtest.replay.protection.tabled import tabled
from backtest.replay.protection.unpaid import left_unpaid
from backtest.stress.directions import Path, UsedUp, stated_directions
from backtest.stress.joint import NAME as JOINT
from backtest.stress.joint import nearest_move
from backtest.types import FloatArray, Progress, counted, unheard

MARGIN, ALL = "margin", "all it has"
NEAREST = 3  # moves in stated directions at which the search for the joint one begins
Alike = tuple[str, int, bool, bytes]  # layer, account, whether its legs net, its collateral


@dataclass(frozen=True, eq=False)
class Means:
    """All that a customer has, as a target: collateral, resources, gains at other houses.

    Parameters
    ----------
    ladder : of the model and arrangement. account : its place.
    """

    ladder: Ladder
    account: int

    def gap(self, pnl: FloatArray) -> FloatArray:
        """(scenarios,) USD that it leaves unpaid, less a cent; below zero where it can pay."""
        beyond, loss = self._by_leg(pnl)
        standing = self.ladder.standing
        nets, resources = standing.nets[self.account], standing.parties[0].resources[self.account]
        return left_unpaid(loss, beyond, nets=nets, resources=resources) - CENT

    def leading(self, pnl: FloatArray) -> FloatArray:
        """(columns,) what decides that: legs that lack, and those whose gains pay for them."""
        legs = self.ladder.legs[self.account]
        beyond, loss = self._by_leg(pnl[None])
        if self.ladder.standing.nets[self.account] or not (beyond > 0.0).any():
            return np.asarray(legs.sum(axis=0))
        out: FloatArray = legs[beyond[0] > 0.0].sum(axis=0)
        return out + self._positions[loss[0] < 0.0].sum(axis=0)

    @cached_property
    def _positions(self) -> FloatArray:
        """(houses, columns) the legs without the collateral."""
        legs = self.ladder.legs[self.account].copy()
        legs[:, self.ladder.pledged.column[self.account]] = 0.0
        return legs

    def _by_leg(self, pnl: FloatArray) -> tuple[FloatArray, FloatArray]:
        """(scenarios, houses) USD lost beyond collateral, and lost."""
        cost = self.ladder.pledged.held.cost[self.account]
        margin = self.ladder.standing.collateral[self.account]
        return (
            -pnl @ self.ladder.legs[self.account].T + cost - margin,
            -pnl @ self._positions.T + cost,
        )


@dataclass(frozen=True, eq=False)
class ReverseAccounts:
    """Reverse stress of the accounts that hold positions at several houses.

    Parameters
    ----------
    of : the structure, under every model and arrangement.
    """

    of: ReverseWaterfall

    @cached_property
    def accounts(self) -> list[int]:
        """Places of these accounts; none where they are more than 50."""
        has_leg = next(iter(self.of.ladders.values())).has_leg
        places = [int(a) for a in np.flatnonzero(has_leg.sum(axis=1) > 1)]
        return places if len(places) <= MOST_JOINT else []

    def table(self, progress: Progress = unheard) -> pd.DataFrame:
        """A row a (model, arrangement, account, layer, direction).

        layer : 'margin', which is used up once the account lacks something at a house or, where its
        legs are closed out together, in all; of customers 'all it has', once it leaves something
        unpaid: after its resources, and what it gained at other houses.

        `margin`, USD at all houses; `apart`, whether the legs are closed out apart; `reached`,
        `multiple`, `distance` and `days_as_far` as of `ReverseWaterfall`.
        """
        targets: dict[Alike, UsedUp] = {}
        for ladder in self.of.ladders.values():
            for account in self.accounts:
                targets |= _targets(ladder, account)
        held, known = self.of.stressed.pledged.held, self.of.known
        factors = {f for i in held.book.instruments for f in i.factors}
        found: dict[Alike, list[Found]] = {key: [] for key in targets}
        repricer = self.of.stressed.pledged.repricer
        for direction in stated_directions(held.market, known, factors, self.of.directions):
            crossings = Path(direction, repricer).first_crossings(list(targets.values()))
            for key, multiple in zip(targets, map(float, crossings), strict=True):
                share = direction.days_as_far(known, multiple)
                found[key].append(Found(direction, multiple, share))
        if JOINT in self.of.directions:
            stage = "reverse stress of accounts, joint moves"
            for key, target in counted(progress, stage, targets.items(), len(targets)):
                found[key].append(self._joint(target, found[key]))
        return self._rows(found)

    def _joint(self, target: UsedUp, stated: Sequence[Found]) -> Found:
        """The most plausible move that uses a target up."""
        known, repricer = self.of.known, self.of.stressed.pledged.repricer
        moves = [one.move for one in stated if one.reached]
        starts = sorted(moves, key=known.distance)[:NEAREST]
        return Found.joint(nearest_move(repricer, known, target, starts), known)

    def _rows(self, found: Mapping[Alike, Sequence[Found]]) -> pd.DataFrame:
        names = self.of.stressed.pledged.held.book.portfolios
        rows: dict[tuple[str, ...], dict[str, object]] = {}
        for key, ladder in self.of.ladders.items():
            for account in self.accounts:
                for alike in _targets(ladder, account):
                    for one in found[alike]:
                        rows[*key, names[account], alike[0], one.direction.name] = {
                            "margin": float(ladder.standing.collateral[account].sum()),
                            "apart": not ladder.standing.nets[account],
                            **one.columns(self.of.known),
                        }
        return tabled(rows, "model", "arrangement", "account", "layer", "direction")


def _targets(ladder: Ladder, account: int) -> dict[Alike, UsedUp]:
    """The layers of an account by what their answer depends on, which many a model shares."""
    standing = ladder.standing
    same = account, bool(standing.nets[account]), standing.collateral[account].tobytes()
    targets: dict[Alike, UsedUp] = {(MARGIN, *same): ladder.margin_of(account)}
    if not standing.parties[0].own[account]:
        targets[ALL, *same] = Means(ladder, account)
    return targets
