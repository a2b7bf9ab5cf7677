"""Collateral of accounts at houses: called and settled in time order, and where it is held."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from backtest.account.account import AccountHistory, AccountTerms, replay_account
from backtest.account.mix import Marks
from backtest.types import Dates, DaysByPortfoliosBySilos, FloatArray

COLUMNS = 512  # accounts at a time: bounds memory, does not change a number


def accounts_at_houses(
    required: DaysByPortfoliosBySilos,
    terms: Sequence[Sequence[AccountTerms]],
    *,
    multiplier: FloatArray,
    marks: Marks,
    dates: Dates,
) -> Iterator[tuple[list[int], AccountHistory]]:
    """Accounts at houses, some at a time: their places in accounts x houses, and their history.

    Every house calls its own part of the margin, and its calls settle on the payment days of the
    account's regime there (`account.replay_account`). Losses are of no account here: shortfalls are
    zero.

    required : (days, accounts, houses) USD. terms : of each account, by house.
    multiplier : (accounts,) of the house's margin that is asked. marks : values of the collateral.
    """
    days, _, houses = required.shape
    flat = required.reshape(days, -1)
    asked = np.repeat(multiplier, houses)
    # Whether and when it is paid is known at the close: the end of close-out plays no part.
    marks = replace(marks, closeout=np.ones((days, 1)))
    of_place = [term for by_house in terms for term in by_house]
    groups: dict[tuple[int, str], list[int]] = {}  # terms differ in nothing else
    for place, term in enumerate(of_place):
        groups.setdefault((term.call_lag, term.settlement), []).append(place)
    for places in groups.values():
        for start in range(0, len(places), COLUMNS):
            some = places[start : start + COLUMNS]
            margin = flat[:, some] * asked[some]
            none = np.zeros_like(margin)
            yield some, replay_account(margin, none, of_place[some[0]], marks=marks, dates=dates)


@dataclass(frozen=True, eq=False)
class Holdings:
    """Where the collateral of customers is; (days, firms, classes, houses) unless said.

    Parameters
    ----------
    required : USD that a house asks of a firm for its customers of a class.
    posted : USD of customers' collateral that has settled.
    at_house : share of it that is at the house; the rest is at the firm.
    advanced : (days, firms, houses) USD that the firm has posted in their place.
    """

    required: FloatArray
    posted: FloatArray
    at_house: FloatArray
    advanced: FloatArray

    @classmethod
    def of(
        cls,
        required: FloatArray,
        posted: FloatArray,
        lacking: FloatArray,
        intraday: np.ndarray,
    ) -> "Holdings":
        """Holdings of what is required and posted.

        lacking : USD of what is required that customers have not paid yet. Where a house margins
            them one by one it is the sum of what each lacks: what one has posted beyond its own
            margin may not margin another (17 CFR 1.22(a), 22.2(d)), and stays at the firm.
        intraday : (firms,) whether a firm advances what they lack.

        Examples
        --------
        One customer has 130 where 100 are required of it, another 80.

        >>> required, posted, lacking = (np.full((1, 1, 1, 1), x) for x in (200.0, 210.0, 20.0))
        >>> holdings = Holdings.of(required, posted, lacking, np.array([True]))
        >>> holdings.advanced.item(), round(holdings.at_house.item() * 210.0)
        (20.0, 180)
        """
        share = np.ones_like(posted)
        np.divide(required - lacking, posted, out=share, where=posted > 0)
        advanced = np.where(intraday[None, :, None], lacking.sum(axis=2), 0.0)
        return cls(required, posted, np.minimum(share, 1.0), advanced)
