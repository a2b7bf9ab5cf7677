"""What a move reaches, layer by layer, of one model under one arrangement.

All accounts are closed out under the move, and what is reached is read from who pays: a margin is
used up, a firm fails, fellow customers lose, a mutual fund pays. Legs that are closed out together
net before anything is lacking.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from backtest.clearing.ledger import BEARERS, CENT, FELLOW
from backtest.replay.protection.standing import Standing
from backtest.stress.directions import Target
from backtest.stress.pledged import Pledged
from backtest.types import BoolArray, FloatArray, RowNumbers

MARGIN_GONE, FELLOW_LOSE = "a margin is used up", "fellow customers lose"
FUND_PAYS, SOME_UNCOVERED = "the mutual fund pays", "something is uncovered"
EVENTS = (
    MARGIN_GONE,
    "a firm fails",
    "a firm's own money is used up",
    FELLOW_LOSE,
    FUND_PAYS,
    "the mutual fund is used up",
    SOME_UNCOVERED,
)
ASSESSED = BEARERS.index("assessments")


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
        together = np.flatnonzero(nets & self.has_leg.any(axis=1))
        account, house = np.nonzero(self.has_leg & ~nets[:, None])
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
        """The firm that lacks most beyond its capital, and (columns,) what decides that.

        Of accounts that leave something unpaid: legs that lack, and those whose gains pay for them.
        """
        accounts, legs = self.standing.parties[0], self.legs
        loss, value = self.pledged.losses(pnl[None]), self.pledged.values(pnl[None])
        unpaid = self.standing.unpaid(loss, value)[0]
        firm = int(self.standing.firms_lack(unpaid).argmax())
        short = (accounts.firm == firm) & (unpaid > 0.0).any(axis=1)
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
    def has_leg(self) -> BoolArray:
        """(accounts, houses) whether an account holds a position at a house."""
        columns = self.pledged.held.silo_columns
        exposure = self.pledged.held.exposure
        return np.stack([(exposure[:, own] != 0.0).any(axis=1) for own in columns], axis=1)
