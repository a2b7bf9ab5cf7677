"""Reverse stress through the waterfall: the smallest move at which each layer is reached.

Along a direction of the market all accounts are closed out at ever larger multiples, and what each
multiple reaches is read from who pays: a margin is used up, a firm fails, fellow customers lose, a
mutual fund pays. Legs that are closed out together net before anything is lacking.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from backtest.clearing.ledger import BEARERS, CENT, FELLOW
from backtest.replay.protection.standing import Standing
from backtest.replay.protection.stressed import Key, Stressed
from backtest.replay.protection.tabled import tabled
from backtest.stress.directions import PARTS, Direction, Path, Target, stated_directions
from backtest.stress.history import Plausibility
from backtest.stress.joint import NAME as JOINT
from backtest.stress.joint import nearest_move, slopes
from backtest.stress.pledged import Pledged
from backtest.types import BoolArray, FloatArray, Progress, RowNumbers, counted, unheard

EVENTS = (
    "a margin is used up",
    "a firm fails",
    "a firm's own money is used up",
    "fellow customers lose",
    "the mutual fund pays",
    "the mutual fund is used up",
    "something is uncovered",
)
EACH = np.arange(len(EVENTS))
MARGIN = 0  # place of the first event
ASSESSED = BEARERS.index("assessments")
STEPS = 200  # of the grid of a direction: a quarter of a deviation each, at most
ROUNDS = 7  # of cutting a step: 16^7 parts of it are a billionth of a deviation
NEAREST = 3  # margins near whose moves the search for the joint one begins
MOST_JOINT = 50  # accounts up to which the most plausible of all moves is searched


@dataclass(frozen=True, eq=False)
class Ladder:
    """What moves reach, of one model under one arrangement; `pnl` is that of `Pledged`.

    Parameters
    ----------
    pledged : positions and collateral of the day. standing : accounts, firms and houses.
    """

    pledged: Pledged
    standing: Standing

    def reached(self, pnl: FloatArray) -> BoolArray:
        """(scenarios, events) which of `EVENTS` a close-out reaches.

        Up to a cent is rounding. Where houses close out jointly with some probability only, what
        either way of closing out reaches is reached.
        """
        loss, value = self.pledged.losses(pnl), self.pledged.values(pnl)
        paid, touched = self.standing.close_out(loss, value)
        usd = paid.sum(axis=1)
        return np.column_stack(
            [
                self.margins[0].gap(pnl) > 0.0,
                touched[:, 2] > 0.0,
                usd[:, FELLOW:].sum(axis=1) > CENT,  # whoever is there pays after it
                touched[:, :2] > 0.0,
                usd[:, ASSESSED:].sum(axis=1) > CENT,
                touched[:, 3] > 0.0,
            ]
        )

    @cached_property
    def legs(self) -> FloatArray:
        """(accounts, houses, columns of `pnl`) USD held."""
        return self.pledged.legs(self.standing.collateral)

    @cached_property
    def margins(self) -> tuple[Target, RowNumbers]:
        """What uses a margin up, and (rows,) whose it is.

        A row a leg that is closed out apart, which has the margin of its house; one an account
        whose legs are closed out together.
        """
        cost, margin, nets = self.pledged.held.cost, self.standing.collateral, self.standing.nets
        together = np.flatnonzero(nets & self.held.any(axis=1))
        account, house = np.nonzero(self.held & ~nets[:, None])
        target = Target(
            np.concatenate([self.legs[together].sum(axis=1), self.legs[account, house]]),
            np.concatenate([cost[together].sum(axis=1), cost[account, house]]),
            np.concatenate([margin[together].sum(axis=1), margin[account, house]]),
        )
        return target, np.concatenate([together, account])

    def margin_of(self, account: int) -> Target:
        """What uses the margin of one account up."""
        whole, accounts = self.margins
        own = accounts == account
        return Target(whole.exposure[own], whole.cost[own], whole.cushion[own])

    def of_firm(self, pnl: FloatArray) -> tuple[int, FloatArray]:
        """The firm whose accounts leave most beyond its capital, and (columns,) what decides that.

        Of accounts that leave something unpaid: legs that lack, and those whose gains pay for them.
        """
        (accounts, _, firms, _), legs = self.standing.parties, self.legs
        loss, value = self.pledged.losses(pnl[None]), self.pledged.values(pnl[None])
        unpaid = self.standing.unpaid(loss, value)[0]
        owed = np.bincount(accounts.firm, unpaid, minlength=len(firms.capital))
        firm = int((owed - firms.capital - self.standing.advanced.sum(axis=1)).argmax())
        short = (accounts.firm == firm) & (unpaid > 0.0)
        if not short.any():
            return firm, legs[accounts.firm == firm].sum(axis=(0, 1))
        beyond = self.standing.beyond(loss, value)[0]
        nets = self.standing.nets[:, None]
        counts = short[:, None] & (nets | (beyond > 0.0))
        gains = short[:, None] & ~nets & (loss[0] < 0.0)
        positions = legs[:, :, : len(self.pledged.held.book.instruments)]
        out: FloatArray = legs[counts].sum(axis=0)
        out[: positions.shape[2]] += positions[gains].sum(axis=0)
        return firm, out

    @cached_property
    def held(self) -> BoolArray:
        """(accounts, houses) whether a leg holds a position."""
        columns = self.pledged.held.silo_columns
        exposure = self.pledged.held.exposure
        return np.stack([(exposure[:, own] != 0.0).any(axis=1) for own in columns], axis=1)


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
            keys = [key for key in self.ladders if key[0] == self.model]
            for key in counted(progress, f"{stage}, joint moves", keys, len(keys)):
                self._add_joint(self.ladders[key], found)
        return self._rows(found)

    def _add_joint(self, ladder: Ladder, found: "Mapping[Rung, list[Found]]") -> None:
        """The most plausible move of each event; a search begins where that of the last one ended.

        found : moves in stated directions, at the nearest of which a search begins besides.
        """
        last: list[FloatArray] = []
        repricer = self.stressed.pledged.repricer
        for rung, moves in found.items():
            if rung.ladder is not ladder:
                continue
            reaching = [one.move for one in moves if one.reached]
            near = [min(reaching, key=self.known.distance)] if reaching else []
            if rung.event == MARGIN:
                near += self._nearest_margins(ladder)
            best = nearest_move(repricer, self.known, rung, [*last, *near])
            if best is None:
                none = Direction(JOINT, np.zeros(len(repricer.market.factors)))
                moves.append(Found(none, np.inf, np.nan))
            else:
                last = [best.move]
                moves.append(Found(best.direction, best.multiple, best.days_as_far(self.known)))

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
        shares = np.arange(1, PARTS + 1) / PARTS
        for _ in range(ROUNDS):
            points = low[..., None] + (high - low)[..., None] * shares
            pnl = path.at(points.ravel()).reshape(len(low), points[0].size, -1)
            for k, ladder in enumerate(self.ladders.values()):
                own = ladder.reached(pnl[k]).reshape(len(EACH), PARTS, len(EACH))[EACH, :, EACH]
                own[:, -1] = True  # as the bracket says; rounding may say otherwise
                first = own.argmax(axis=1)
                before = np.column_stack([low[k], points[k]])
                low[k], high[k] = before[EACH, first], points[k][EACH, first]
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
