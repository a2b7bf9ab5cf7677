"""Reverse stress: the smallest move that uses up a margin, then what stands behind it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd

from backtest.stress.backing import Backing
from backtest.stress.directions import Direction, Path, Target, stated_directions
from backtest.stress.history import Plausibility
from backtest.stress.joint import NAME as JOINT
from backtest.stress.joint import JointMove, nearest_move
from backtest.stress.positions import Held
from backtest.types import FloatArray, Progress, counted, unheard

Way = Literal["each factor", "all yields", "joint"]
DIRECTIONS: tuple[Way, ...] = ("each factor", "all yields", "joint")
ACCOUNT, FIRM = "account", "firm"
MARGIN, RESOURCES, FIRST = "margin", "margin and resources", "margin of the first account"
KEYS = ("level", "name", "model", "layer", "direction")
COLUMNS = (*KEYS, "reached", "multiple", "loss", "distance", "days_as_far")
MOVE_COLUMNS = (*KEYS, "factor", "kind", "move", "deviations")
NEAREST = 3  # moves in stated directions, and of a firm's accounts, at which a search also begins


@dataclass(frozen=True)
class _Named:
    """A target with the words of its row."""

    level: str
    name: str
    model: str
    layer: str
    target: Target
    accounts: tuple[str, ...]  # whose losses use it up

    @property
    def key(self) -> tuple[str, str, str, str]:
        """First columns of its rows."""
        return self.level, self.name, self.model, self.layer


@dataclass(frozen=True, eq=False)
class ReverseStress:
    """Reverse stress of the positions held on a day.

    Parameters
    ----------
    held : positions. margins : by model, (portfolios,) on that day.
    backing : firms, resources, funds. directions : some of `DIRECTIONS`.
    accounts : places of the portfolios that get rows; all firms do.
    """

    held: Held
    margins: Mapping[str, FloatArray]
    backing: Backing
    directions: Sequence[str]
    accounts: Sequence[int]

    @cached_property
    def known(self) -> Plausibility:
        """Moves over the longest MPOR, by which deviations and distances are measured."""
        return Plausibility.of(self.held.market, self.held.row, self.held.closeout.longest)

    def tables(self, progress: Progress = unheard) -> tuple[pd.DataFrame, pd.DataFrame]:
        """A row a (target, direction), and a row a factor that moves in it.

        `multiple` is in standard deviations of moves along the direction; of the joint one, its
        Mahalanobis distance. `loss` is that of the account, USD; of a firm's layers what its
        accounts lack together. `days_as_far` is
        the share of days of the history that moved as far. A target that a direction does not use
        up has `reached` False, and NaN.
        """
        rows: list[tuple[object, ...]] = []
        moves: list[tuple[object, ...]] = []
        targets = list(self._targets())
        factors = {f for i in self.held.book.instruments for f in i.factors}
        stated = stated_directions(self.held.market, self.known, factors, self.directions)
        found: dict[int, list[FloatArray]] = {i: [] for i in range(len(targets))}
        for direction in stated:
            crossings = Path(direction, self.held.repricer).first_crossings(
                [named.target for named in targets]
            )
            for i, named in enumerate(targets):
                multiple = float(crossings[i])
                if np.isfinite(multiple):
                    found[i].append(multiple * direction.unit)
                share = direction.days_as_far(self.known, multiple)
                self._add(rows, moves, named, direction, multiple, share)
        if JOINT in self.directions:
            for i, best in self._joint(targets, found, progress):
                direction, multiple, share = Direction(JOINT, self._none), np.inf, np.nan
                if best is not None:
                    direction, multiple = best.direction, best.multiple
                    share = best.days_as_far(self.known)
                self._add(rows, moves, targets[i], direction, multiple, share)
        order = {named.key: place for place, named in enumerate(targets)}
        rows.sort(key=lambda row: order[row[:4]])  # type: ignore[index]
        moves.sort(key=lambda row: order[row[:4]])  # type: ignore[index]
        return pd.DataFrame(rows, columns=list(COLUMNS)), pd.DataFrame(
            moves, columns=list(MOVE_COLUMNS)
        )

    @property
    def _none(self) -> FloatArray:
        """(factors,) no move at all."""
        return np.zeros(len(self.held.market.factors))

    def _joint(
        self, targets: Sequence[_Named], found: Mapping[int, list[FloatArray]], progress: Progress
    ) -> Iterator[tuple[int, JointMove | None]]:
        """The most plausible move of each target; accounts come before the firms that carry them.

        found : moves in stated directions that use each target up.
        """
        of_accounts: dict[tuple[str, str], FloatArray] = {}
        stage = "reverse stress, joint moves"
        for i, named in counted(progress, stage, enumerate(targets), len(targets)):
            starts = self._nearest(found[i])
            if named.level == FIRM:
                keys = [(named.model, account) for account in named.accounts]
                starts += self._nearest([of_accounts[key] for key in keys if key in of_accounts])
            best = nearest_move(self.held.repricer, self.known, named.target, starts)
            if best is not None and named.level == ACCOUNT and named.layer == MARGIN:
                of_accounts[named.model, named.name] = best.move
            yield i, best

    def _nearest(self, moves: Sequence[FloatArray]) -> list[FloatArray]:
        return sorted(moves, key=self.known.distance)[:NEAREST]

    def _targets(self) -> Iterator[_Named]:
        book, held = self.held.book, self.held
        cost, own = held.cost.sum(axis=1), self.backing.own(book.portfolios)
        for model, margin in self.margins.items():
            for i in self.accounts:
                rows, name = [i], book.portfolios[i]
                target = Target(held.exposure[rows], cost[rows], margin[rows])
                yield _Named(ACCOUNT, name, model, MARGIN, target, (name,))
                if own[i] > 0.0:
                    both = Target(held.exposure[rows], cost[rows], margin[rows] + own[rows])
                    yield _Named(ACCOUNT, name, model, RESOURCES, both, (name,))
            for firm in self.backing.firms:
                rows = self.backing.members(firm, book.portfolios)
                if not rows:
                    continue
                usd, names = held.exposure[rows], tuple(book.portfolios[i] for i in rows)
                first = Target(usd, cost[rows], margin[rows])
                yield _Named(FIRM, firm, model, FIRST, first, names)
                cushion = margin[rows] + own[rows]
                for layer, amount in self.backing.layers(firm).items():
                    target = Target(usd, cost[rows], cushion, amount)
                    yield _Named(FIRM, firm, model, layer, target, names)

    def _add(
        self,
        rows: list[tuple[object, ...]],
        moves: list[tuple[object, ...]],
        named: _Named,
        direction: Direction,
        multiple: float,
        share: float,
    ) -> None:
        """One row, and those of the factors that move in it."""
        key, market = (*named.key, direction.name), self.held.market
        if not np.isfinite(multiple):
            rows.append((*key, False, np.nan, np.nan, np.nan, np.nan))
            return
        move = multiple * direction.unit
        loss = named.target.lost(self.held.repricer.pnl(move[None])[0])
        rows.append((*key, True, multiple, loss, self.known.distance(move), share))
        deviations = self.known.deviations
        for j in np.flatnonzero(move):
            size = float(move[j] / deviations[j])
            moves.append((*key, market.factors[j], market.kinds[j], float(move[j]), size))
