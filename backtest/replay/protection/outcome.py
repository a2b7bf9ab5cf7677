"""One margin model under one arrangement: its margins, its collateral, who bore what it missed."""

from dataclasses import dataclass

import numpy as np

from backtest.clearing.calls import Holdings
from backtest.clearing.ledger import BEARERS, check_balanced
from backtest.kernels.default_draws import Several
from backtest.kernels.holdings import sum_cells, sum_lacking
from backtest.kernels.protection import Outcomes, replay_protection
from backtest.replay.protection.collateral import Collateral
from backtest.types import DaysByPortfolios, DaysByPortfoliosBySilos, FloatArray


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a model under an arrangement left on the scored days; USD.

    Parameters
    ----------
    accounts : margin and collateral of accounts.
    holdings : where customers' collateral is.
    paid, base : (days, houses, bearers), expected amount of who pays, with and without defaults
        that come whatever prices do.
    touched, base_touched : (days, 4) probability that fellow customers lose, the mutual fund pays,
        a firm fails, something is uncovered.
    stuck, base_stuck : (days, 2) of customers of failed firms who did nothing: expected cost of
        closing out those that are not ported, USD, which is in no loss above; and what they have
        left times the margin days until they are ported, USD x days.
    fellow, base_fellow : (accounts,) lost by customers who did nothing, sum over the days.
    unbalanced : largest difference of a day's ledger, USD.
    """

    accounts: Collateral
    holdings: Holdings
    paid: FloatArray
    base: FloatArray
    touched: FloatArray
    base_touched: FloatArray
    stuck: FloatArray
    base_stuck: FloatArray
    fellow: FloatArray
    base_fellow: FloatArray
    unbalanced: float

    @property
    def required(self) -> DaysByPortfoliosBySilos:
        """(days, accounts, houses) margin of the houses."""
        return self.accounts.required()

    @property
    def collateral(self) -> DaysByPortfoliosBySilos:
        """(days, accounts, houses) value of collateral at the end of close-out."""
        return self.accounts.at_the_end(self.accounts.held())


@dataclass(frozen=True, eq=False)
class Draws:
    """Defaults that come whatever margins do, the same for every model and arrangement.

    Parameters
    ----------
    coordination : probability that houses close out jointly.
    daily : (days, accounts + firms) probability of a default on each scored day.
    several : draws of days on which two names or more fail.
    """

    coordination: float
    daily: FloatArray
    several: Several


def replay_outcome(
    accounts: Collateral,
    nets: DaysByPortfoliosBySilos | None,
    loss: DaysByPortfoliosBySilos,
    cost: DaysByPortfolios,
    draws: Draws,
) -> Outcome:
    """Replay one model under one arrangement, on the scored days.

    nets : margins of the net positions of `setting.net_groups`, over all days.
    loss : (days, accounts, houses). cost : (days, accounts) of closing an account out.
    """
    setting = accounts.setting
    required, held = accounts.required(), accounts.held()
    holdings = where_held(accounts, required, held, nets)
    collateral = accounts.at_the_end(held)
    del held  # an array of the size of all margins
    out = no_outcomes(*required.shape)
    loss = np.ascontiguousarray(loss)
    replay_protection(
        loss,
        collateral,
        np.ascontiguousarray(required),
        holdings.at_house,
        holdings.advanced,
        np.ascontiguousarray(cost),
        setting.kernel_accounts(),
        setting.kernel_classes(),
        setting.kernel_firms(),
        setting.kernel_houses(),
        draws.coordination,
        draws.daily,
        draws.several,
        out,
    )
    worst = check_balanced(out.paid, out.base, loss=loss)
    return Outcome(accounts, holdings, *out, worst)


def no_outcomes(days: int, accounts: int, houses: int) -> Outcomes:
    """Outcomes of which nothing is known yet, for the kernel to write; fields as of `Outcome`."""
    shapes = (days, houses, len(BEARERS)), (days, 4), (days, 2), (accounts,)
    return Outcomes(*(np.zeros(shape) for shape in shapes for _ in range(2)))


def where_held(
    accounts: Collateral,
    required: DaysByPortfoliosBySilos,
    held: DaysByPortfoliosBySilos,
    nets: DaysByPortfoliosBySilos | None,
) -> Holdings:
    """Where customers' collateral is: by firm, class and house."""
    setting = accounts.setting
    firms, classes = len(setting.structure.firm_names), len(setting.classes)
    days, _, houses = required.shape
    groups = setting.net_groups()
    cell = setting.firm_of[:, None] * classes + setting.account_class
    cell[setting.is_own] = -1
    netted = np.zeros(len(cell), dtype=np.bool_)
    netted[[a for members in groups.values() for a in members]] = True
    alone, together = cell.copy(), cell.copy()
    alone[netted], together[~netted] = -1, -1
    required, held = np.ascontiguousarray(required), np.ascontiguousarray(held)
    posted, asked, lacking = (np.empty((days, firms * classes, houses)) for _ in range(3))
    sum_cells(required, alone, asked)
    sum_lacking(required, held, alone, lacking)
    if groups:
        assert nets is not None
        of_net = np.zeros_like(asked)
        for g, members in enumerate(groups.values()):
            for h in range(houses):
                of_net[:, cell[members[0], h], h] += nets[accounts.rows, g, h]
        sum_cells(held, together, posted)
        asked += of_net
        lacking += np.maximum(of_net - posted, 0.0)
    sum_cells(held, cell, posted)
    shape = days, firms, classes, houses
    return Holdings.of(
        asked.reshape(shape),
        posted.reshape(shape),
        lacking.reshape(shape),
        setting.posts_intraday,
    )
