"""Collateral of accounts at houses: called and settled in time order, and where it is held."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from backtest.account.account import AccountTerms, replay_account
from backtest.account.mix import Marks
from backtest.types import Dates, DaysByPortfoliosBySilos, FloatArray


def held_at_houses(
    required: DaysByPortfoliosBySilos,
    terms: Sequence[Sequence[AccountTerms]],
    *,
    marks: Marks,
    dates: Dates,
) -> DaysByPortfoliosBySilos:
    """(days, accounts, houses) USD that has settled by each close, its value after haircut.

    Every house calls its own part of the margin, and its calls settle on the payment days of the
    account's regime there (`account.replay_account`).

    terms : of each account, by house. marks : values of the collateral on these days.
    """
    days, accounts, houses = required.shape
    flat = required.reshape(days, accounts * houses)
    held = np.empty_like(flat)
    of_column = [term for by_house in terms for term in by_house]
    for term in dict.fromkeys((t.call_lag, t.settlement) for t in of_column):
        columns = [c for c, t in enumerate(of_column) if (t.call_lag, t.settlement) == term]
        part = np.ascontiguousarray(flat[:, columns])
        history = replay_account(
            part,
            np.zeros_like(part),
            of_column[columns[0]],
            marks=replace(marks, closeout=marks.closeout[:, :1]),
            dates=dates,
        )
        held[:, columns] = history.held_value
    return held.reshape(required.shape)


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
    def of(cls, required: FloatArray, posted: FloatArray, intraday: np.ndarray) -> "Holdings":
        """Holdings of what is required and posted; intraday : (firms,) whether a firm advances.

        Examples
        --------
        >>> required, posted = np.full((1, 1, 1, 1), 60.0), np.full((1, 1, 1, 1), 80.0)
        >>> Holdings.of(required, posted, np.array([True])).at_house.item()
        0.75
        >>> Holdings.of(posted, required, np.array([True])).advanced.item()
        20.0
        """
        share = np.ones_like(posted)
        np.divide(required, posted, out=share, where=posted > 0)
        lacking = np.maximum(required - posted, 0.0).sum(axis=2)
        return cls(
            required,
            posted,
            np.minimum(share, 1.0),
            np.where(intraday[None, :, None], lacking, 0.0),
        )
