"""Reverse stress through the waterfall: the smallest move at which each layer is reached.

Along a direction of the market all accounts are closed out at ever larger multiples, until each
rung of the ladder is reached; of all moves together the most plausible one is searched.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from backtest.replay.protection.ladder import EVENTS, MARGIN_GONE, Ladder
from backtest.replay.protection.stressed import Key, Stressed
from backtest.replay.protection.tabled import tabled
from backtest.stress.directions import Direction, Path, stated_directions
from backtest.stress.history import Plausibility
from backtest.stress.joint import NAME as JOINT
from backtest.stress.joint import JointMove, nearest_move, slopes
from backtest.types import FloatArray, Progress, counted, unheard

EACH = np.arange(len(EVENTS))
MARGIN = EVENTS.index(MARGIN_GONE)
STEPS = 200  # of the grid of a direction: a quarter of a deviation each, at most
PARTS, ROUNDS = 4, 14  # of cutting a step: 4^14 parts of it are a billionth of a deviation
NEAREST = 3  # margins, and scouts, near whose moves the search for the joint one begins
MOST_JOINT = 50  # accounts up to which the most plausible of all moves is searched


@dataclass(frozen=True, eq=False)
class Rung:
    """One event of a ladder, which is a target of the search for the most plausible move."""

    ladder: Ladder
    event: int

    def gap(self, pnl: FloatArray) -> FloatArray:
        """(scenarios,) above zero where the event is reached."""
        if self.event == MARGIN:
            return self.ladder.margins[0].gap(pnl)
        return np.where(self.ladder.reached(pnl)[:, self.event], 1.0, -1.0)

    def leading(self, pnl: FloatArray) -> FloatArray:
        """(columns,) the exposure whose losses decide whether it is."""
        if self.event == MARGIN:
            return self.ladder.margins[0].leading(pnl)
        return self.ladder.of_firm(pnl)[1]

    def whose(self, pnl: FloatArray) -> str:
        """The account whose margin is used up; else the firm that lacks most beyond its capital.

        pnl : (columns,).
        """
        if self.event == MARGIN:
            target, accounts = self.ladder.margins
            first = int(target.lacks(pnl[None])[0].argmax())
            return self.ladder.pledged.held.book.portfolios[int(accounts[first])]
        return self.ladder.standing.setting.structure.firm_names[self.ladder.of_firm(pnl)[0]]


@dataclass(frozen=True, eq=False)
class Found:
    """The smallest move in a direction that does something; its multiple is infinite for none.

    share : of days of the history that moved as far.
    """

    direction: Direction
    multiple: float
    share: float

    @classmethod
    def joint(cls, best: JointMove | None, known: Plausibility) -> "Found":
        """The most plausible of all moves, as a search has found it or has not."""
        if best is None:
            return cls(Direction(JOINT, np.zeros(len(known.deviations))), np.inf, np.nan)
        return cls(best.direction, best.multiple, best.days_as_far(known))

    @property
    def reached(self) -> bool:
        """Whether some move within the search does it."""
        return bool(np.isfinite(self.multiple))

    @property
    def move(self) -> FloatArray:
        """(factors,) relative for prices, absolute for yields; no move for none."""
        return self.multiple * self.direction.unit if self.reached else 0.0 * self.direction.unit

    def columns(self, known: Plausibility) -> dict[str, object]:
        """Its columns in a table; NaN where there is no move."""
        there = self.reached
        return {
            "reached": there,
            "multiple": self.multiple if there else np.nan,
            "distance": known.distance(self.move) if there else np.nan,
            "days_as_far": self.share if there else np.nan,
        }


@dataclass(frozen=True, eq=False)
class ReverseWaterfall:
    """Reverse stress of a structure, by model and arrangement.

    Parameters
    ----------
    stressed : the structure on the day. directions : some of `stress.DIRECTIONS`.
    model : for which the most plausible of all moves, 'joint', is searched.
    """

    stressed: Stressed
    directions: Sequence[str]
    model: str

    @cached_property
    def ladders(self) -> dict[Key, Ladder]:
        """By (model, arrangement)."""
        pledged = self.stressed.pledged
        return {key: Ladder(pledged, one) for key, one in self.stressed.standing.items()}

    @cached_property
    def known(self) -> Plausibility:
        """Moves over the longest MPOR, by which deviations and distances are measured."""
        held = self.stressed.pledged.held
        return Plausibility.of(held.market, held.row, held.closeout.longest)

    def table(self, progress: Progress = unheard) -> pd.DataFrame:
        """A row a (model, arrangement, event, direction).

        `reached`; `multiple` in standard deviations of moves along the direction, of the joint one
        its Mahalanobis distance; `distance`, that of the move; `days_as_far`, share of days of the
        history that moved as far; `whose` margin is used up, or the firm that lacks most beyond its
        capital there; `move of` each factor, relative for prices, absolute for yields. NaN and ''
        where no move within the search reaches the event.

        The joint direction, the most plausible of all moves, is searched for one model and up to 50
        accounts. A move that is found does reach the event; that none is nearer is not certain.
        """
        held = self.stressed.pledged.held
        factors = {f for i in held.book.instruments for f in i.factors}
        stated = stated_directions(held.market, self.known, factors, self.directions)
        found: dict[Rung, list[Found]] = {
            Rung(ladder, event): []
            for ladder in self.ladders.values()
            for event in range(len(EVENTS))
        }
        stage = "reverse stress through the waterfall"
        for direction in counted(progress, stage, stated, len(stated)):
            multiples = self._along(direction).ravel()
            for moves, multiple in zip(found.values(), map(float, multiples), strict=True):
                share = direction.days_as_far(self.known, multiple)
                moves.append(Found(direction, multiple, share))
        if JOINT in self.directions and len(held.book.portfolios) <= MOST_JOINT:
            ladders = [one for key, one in self.ladders.items() if key[0] == self.model]
            scouted = self._scouted(ladders)
            best: dict[Rung, JointMove | None] = {}
            for k, one in counted(
                progress, f"{stage}, joint moves", enumerate(ladders), len(ladders)
            ):
                rungs = {rung: moves for rung, moves in found.items() if rung.ladder is one}
                best |= self._joint(rungs, scouted[k])
            for rung, move in self._shared(best).items():
                found[rung].append(Found.joint(move, self.known))
        return self._rows(found)

    def _joint(
        self, rungs: "Mapping[Rung, list[Found]]", scouted: FloatArray
    ) -> "dict[Rung, JointMove | None]":
        """The most plausible move of each event; a search begins where that of the last one ended.

        rungs : of one ladder, with moves in stated directions, at the nearest of which a search
            begins besides. scouted : (events, scouts) multiples of `scouts` at which each is
            reached; so does one at the nearest of them.
        """
        best: dict[Rung, JointMove | None] = {}
        last: list[FloatArray] = []
        for rung, moves in rungs.items():
            reaching = [one.move for one in moves if one.reached]
            near = [min(reaching, key=self.known.distance)] if reaching else []
            if rung.event == MARGIN:
                near += self._nearest_margins(rung.ladder)
            multiples = scouted[rung.event]
            near += [
                multiples[i] * self.scouts[i].unit
                for i in np.argsort(multiples, kind="stable")[:NEAREST]
                if np.isfinite(multiples[i])
            ]
            best[rung] = self._nearest(rung, [*last, *near])
            last = [move.move for move in (best[rung],) if move is not None]
        return best

    def _shared(self, best: "Mapping[Rung, JointMove | None]") -> "dict[Rung, JointMove | None]":
        """The same, where a search begins at what was found nearer in other arrangements."""
        out = dict(best)
        for rung, own in best.items():
            nearer = [
                other.move
                for one, other in out.items()
                if other is not None and one.event == rung.event and one is not rung
                if own is None or other.multiple < own.multiple
            ]
            again = self._nearest(rung, nearer) if nearer else None
            if again is not None and (own is None or again.multiple < own.multiple):
                out[rung] = again
        return out

    def _nearest(self, rung: Rung, starts: Sequence[FloatArray]) -> JointMove | None:
        """The most plausible move that a search finds from these moves and from none."""
        return nearest_move(self.stressed.pledged.repricer, self.known, rung, starts)

    @cached_property
    def scouts(self) -> list[Direction]:
        """Directions of Mahalanobis length 1, all around."""
        return [Direction(JOINT, unit) for unit in self.known.around()]

    def _scouted(self, ladders: Sequence[Ladder]) -> FloatArray:
        """(ladders, events, scouts) step of a grid at which each event is first reached."""
        out = np.full((len(ladders), len(EVENTS), len(self.scouts)), np.inf)
        for i, scout in enumerate(self.scouts):
            path = Path(scout, self.stressed.pledged.repricer, STEPS)
            for k, ladder in enumerate(ladders):
                seen = ladder.reached(path.pnl)
                out[k, :, i] = np.where(
                    seen.any(axis=0), path.multiples[seen.argmax(axis=0)], np.inf
                )
        return out

    def _nearest_margins(self, ladder: Ladder) -> list[FloatArray]:
        """(factors,) moves by which the nearest margins would be used up if losses were linear."""
        target, repricer = ladder.margins[0], self.stressed.pledged.repricer
        pnl, slope = slopes(repricer, self.known, np.zeros(len(repricer.market.factors)))
        gradient = -target.exposure @ slope.T
        turned = gradient @ self.known.covariance
        variance = (turned * gradient).sum(axis=1)
        lacks = target.lacks(pnl[None])[0]
        real = np.flatnonzero((variance > 0.0) & (lacks < 0.0))
        nearest = real[np.argsort(-lacks[real] / np.sqrt(variance[real]), kind="stable")]
        return [-lacks[i] / variance[i] * turned[i] for i in nearest[:NEAREST]]

    def _along(self, direction: Direction) -> FloatArray:
        """(models and arrangements, events) smallest multiple at which each event is reached.

        Infinite where none is. The first step of a grid at which an event is reached is bracketed,
        and the bracket cut again, all of them in one pricing. What is reached and undone between
        two steps is not seen.
        """
        path = Path(direction, self.stressed.pledged.repricer, STEPS)
        seen = np.stack([ladder.reached(path.pnl) for ladder in self.ladders.values()])
        step = seen.argmax(axis=1)
        high = path.multiples[step]
        low = path.multiples[np.maximum(step - 1, 0)]
        shares = np.arange(1, PARTS) / PARTS
        for _ in range(ROUNDS):
            points = low[..., None] + (high - low)[..., None] * shares
            pnl = path.at(points.ravel()).reshape(len(low), points[0].size, -1)
            for k, ladder in enumerate(self.ladders.values()):
                own = ladder.reached(pnl[k]).reshape(*points[k].shape, len(EACH))[EACH, :, EACH]
                # At the end of the bracket each event is reached, whatever rounding says there.
                first = np.where(own.any(axis=1), own.argmax(axis=1), len(shares))
                ends = np.column_stack([low[k], points[k], high[k]])
                low[k], high[k] = ends[EACH, first], ends[EACH, first + 1]
        return np.where(seen.any(axis=1), high, np.inf)

    def _rows(self, found: "Mapping[Rung, list[Found]]") -> pd.DataFrame:
        held, known = self.stressed.pledged.held, self.known
        names = {id(ladder): key for key, ladder in self.ladders.items()}
        each = [(rung, one) for rung, moves in found.items() for one in moves]
        pnl = self.stressed.pledged.repricer.pnl(np.array([one.move for _, one in each]))
        rows: dict[tuple[str, ...], dict[str, object]] = {}
        for (rung, one), at in zip(each, pnl, strict=True):
            key = (*names[id(rung.ladder)], EVENTS[rung.event], one.direction.name)
            rows[key] = {
                **one.columns(known),
                "whose": rung.whose(at) if one.reached else "",
                **{
                    f"move of {factor}": float(x) if one.reached else np.nan
                    for factor, x in zip(held.market.factors, one.move, strict=True)
                },
            }
        return tabled(rows, "model", "arrangement", "event", "direction")
