"""What a house closes out when a firm fails: each account, or customers' net position."""

from dataclasses import dataclass

import numpy as np

from backtest.kernels.parties import APART, COMMINGLED
from backtest.replay.protection.protect import Protection
from backtest.types import BoolArray, DaysByPortfoliosBySilos


@dataclass(frozen=True, eq=False)
class Units:
    """Positions that a house closes out as one, with what it holds for them.

    Parameters
    ----------
    loss, collateral, required : (days, units, houses) USD; collateral that the house itself holds,
        at the end of close-out.
    firm, own : (units,) number of the firm; whether it is its own account.
    nets, always : (units,) whether legs net where houses close out jointly, and where they do not.
    """

    loss: DaysByPortfoliosBySilos
    collateral: DaysByPortfoliosBySilos
    required: DaysByPortfoliosBySilos
    firm: np.ndarray
    own: BoolArray
    nets: BoolArray
    always: BoolArray

    @classmethod
    def of(cls, done: Protection, model: str, arrangement: str) -> "Units":
        """Units of a model under an arrangement.

        Customers whose positions a house nets are one unit, with the margin of the net position
        and with the part of their collateral that is at the house; any other account is its own.
        """
        setting, outcome = done.settings[arrangement], done.outcomes[model, arrangement]
        accounts, groups = setting.kernel_accounts(), setting.net_groups()
        loss, at_house = done.loss, outcome.holdings.at_house
        houses = np.arange(loss.shape[2])
        netted = [a for members in groups.values() for a in members]
        alone = np.setdiff1d(np.arange(len(accounts.firm)), netted)
        lost, held = [loss[:, alone]], [outcome.collateral[:, alone]]
        required = [outcome.required[:, alone]]
        rows = [*alone.tolist()]
        nets = done.margined.nets(model, setting)
        for number, members in enumerate(groups.values()):
            assert nets is not None
            first = members[0]
            share = at_house[:, accounts.firm[first], accounts.account_class[first], houses]
            lost.append(loss[:, members].sum(axis=1, keepdims=True))
            held.append((outcome.collateral[:, members].sum(axis=1) * share)[:, None])
            required.append(nets[done.window.rows, number][:, None])
            rows.append(first)
        place = np.array(rows, dtype=np.int64)
        return cls(
            np.concatenate(lost, axis=1),
            np.concatenate(held, axis=1),
            np.concatenate(required, axis=1),
            accounts.firm[place],
            accounts.own[place],
            accounts.nets[place] != APART,
            accounts.nets[place] == COMMINGLED,
        )

    def lacks(self, *, joint: bool) -> tuple[DaysByPortfoliosBySilos, DaysByPortfoliosBySilos]:
        r"""What units lack beyond collateral, and what they have left; (days, units, houses) USD.

        .. math:: x_h = L_h - V_h, \qquad
            \text{lack} = \max(0, \textstyle\sum_h x_h) \text{ where legs net, else }
            \max(0, x_h)

        What legs that net lack is shared by the houses in proportion to their margins, what they
        have left in proportion to collateral.
        """
        x = self.loss - self.collateral
        lack, left = np.maximum(x, 0.0), np.maximum(-x, 0.0)
        nets = self.nets if joint else self.always
        total = x[:, nets].sum(axis=2, keepdims=True)
        lack[:, nets] = np.maximum(total, 0.0) * _shares(self.required[:, nets])
        left[:, nets] = np.maximum(-total, 0.0) * _shares(self.collateral[:, nets])
        return lack, left


def _shares(amounts: DaysByPortfoliosBySilos) -> DaysByPortfoliosBySilos:
    """Shares of the houses in each sum, equal where it is zero."""
    total = amounts.sum(axis=2, keepdims=True)
    shares = np.full_like(amounts, 1.0 / amounts.shape[2])
    np.divide(amounts, total, out=shares, where=total > 0.0)
    return shares
