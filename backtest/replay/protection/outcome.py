"""One margin model under one arrangement: its margins, its collateral, who bore what it missed."""

from dataclasses import dataclass

import numpy as np

from backtest.account.account import AccountTerms
from backtest.account.mix import Marks
from backtest.clearing.calls import Holdings, held_at_houses
from backtest.clearing.ledger import BEARERS, check_balanced
from backtest.clearing.setting import Setting
from backtest.kernels import protection as kernels
from backtest.replay.protection.margins import ByHouse
from backtest.types import Dates, DaysByPortfoliosBySilos, FloatArray

UNLIMITED = 1e18  # USD


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a model under an arrangement left on the scored days; USD.

    Parameters
    ----------
    required, collateral : (days, accounts, houses), margin of the houses, and collateral at the
        end of close-out.
    holdings : where customers' collateral is.
    paid, base : (days, houses, bearers), expected amount of who pays, with and without defaults
        that come whatever prices do.
    touched, base_touched : (days, 4) probability that fellow customers lose, the mutual fund pays,
        a firm fails, something is uncovered.
    fellow, base_fellow : (accounts,) taken of customers who did nothing, sum over the days.
    unbalanced : largest difference of a day's ledger, USD.
    """

    required: DaysByPortfoliosBySilos
    collateral: DaysByPortfoliosBySilos
    holdings: Holdings
    paid: FloatArray
    base: FloatArray
    touched: FloatArray
    base_touched: FloatArray
    fellow: FloatArray
    base_fellow: FloatArray
    unbalanced: float


@dataclass(frozen=True, eq=False)
class Draws:
    """Defaults that come whatever margins do, the same for every model and arrangement.

    Parameters
    ----------
    seed, path : of the generator. count : draws of a day on which two names or more fail.
    coordination : probability that houses close out jointly.
    daily : (days, accounts + firms) probability of a default on each scored day.
    """

    seed: int
    path: int
    count: int
    coordination: float
    daily: FloatArray


def replay_outcome(
    setting: Setting,
    accounts: ByHouse,
    nets: ByHouse | None,
    loss: DaysByPortfoliosBySilos,
    rows: slice,
    *,
    account: AccountTerms,
    stated: bool,
    marks: Marks,
    dates: Dates,
    draws: Draws,
) -> Outcome:
    """Replay one model under one arrangement.

    accounts, nets : margins of accounts, and of the net positions of `setting.net_groups`.
    loss : (days, accounts, houses) over all days; rows : the scored ones.
    """
    pooled = setting.is_pooled[None, :, None]
    required = np.where(pooled, accounts.pooled, accounts.alone)
    held = held_at_houses(
        required * setting.multiplier[None, :, None],
        setting.account_terms(account, stated=stated),
        marks=marks,
        dates=dates,
    )[rows]
    required = np.ascontiguousarray(required[rows])
    ends = marks.closeout[rows]
    # One horizon for the collateral of all accounts, or one of each account.
    collateral = np.ascontiguousarray(
        held * (ends[:, :, None] if ends.shape[1] > 1 else ends[:, :1, None])
    )
    holdings = _holdings(setting, required, held, None if nets is None else nets, rows)
    days, count, houses = required.shape
    out = kernels.Outcomes(
        np.zeros((days, houses, len(BEARERS))),
        np.zeros((days, houses, len(BEARERS))),
        np.zeros((days, 4)),
        np.zeros((days, 4)),
        np.zeros(count),
        np.zeros(count),
    )
    firms = setting.kernel_firms()
    scored_loss = np.ascontiguousarray(loss[rows])
    kernels.replay_protection(
        scored_loss,
        collateral,
        required,
        holdings.at_house,
        holdings.advanced,
        np.full((days, len(firms.capital), houses), UNLIMITED),
        setting.kernel_accounts(),
        setting.kernel_classes(),
        firms,
        setting.kernel_houses(),
        draws.coordination,
        draws.daily,
        np.uint64(draws.seed),
        np.uint64(draws.path),
        draws.count,
        out,
    )
    worst = max(check_balanced(out.paid, scored_loss), check_balanced(out.base, scored_loss))
    return Outcome(required, collateral, holdings, *out, worst)


def _holdings(
    setting: Setting,
    required: DaysByPortfoliosBySilos,
    held: DaysByPortfoliosBySilos,
    nets: ByHouse | None,
    rows: slice,
) -> Holdings:
    """Where customers' collateral is: by firm, class and house."""
    firms, classes = len(setting.structure.firm_names), len(setting.classes)
    days, _, houses = required.shape
    asked = np.zeros((days, firms, classes, houses))
    posted = np.zeros_like(asked)
    groups, of_class = setting.net_groups(), setting.account_class
    netted = {a for rows_of in groups.values() for a in rows_of}
    for a in np.flatnonzero(~setting.is_own):
        for h in range(houses):
            place = (slice(None), setting.firm_of[a], of_class[a, h], h)
            posted[place] += held[:, a, h]
            if a not in netted:
                asked[place] += required[:, a, h]
    for g, members in enumerate(groups.values()):
        assert nets is not None
        for h in range(houses):
            place = (slice(None), setting.firm_of[members[0]], of_class[members[0], h], h)
            asked[place] += nets.pooled[rows, g, h]
    return Holdings.of(asked, posted, setting.posts_intraday)
