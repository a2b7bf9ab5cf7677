"""Liquidity: what firms pay to houses on one day before customers do, and houses if one does not.

On the day after t a firm pays its variation margin of t -> t+1 and the rise of what the house
requires; customers' calls of that day settle later, on the payment days of their regime.

The worst day of a record is one number. Beside it stand what is exceeded on one day in a hundred,
with its lower end, and how often a day may come that is worse than the worst that was seen. How
often both hold: docs/intervals.md.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from backtest.replay.protection.protect import Protection
from backtest.replay.protection.tabled import tabled
from backtest.scores.money.seldom import seldom
from backtest.scores.money.worst import worse_days
from backtest.types import FloatArray, StudyError

ALL = "all houses"
SELDOM = 0.99  # of days on which no more is paid than on the others, one in a hundred


@dataclass(frozen=True, eq=False)
class DayPayments:
    """What each firm must pay to each house on each day but the first; (days - 1, firms, houses).

    Parameters
    ----------
    customers, own : USD for its customers and for its own account, 0 where it receives.
    variation : the part of both that is variation margin, which the house pays on.
    """

    customers: FloatArray
    own: FloatArray
    variation: FloatArray


def day_payments(done: Protection, model: str, arrangement: str) -> DayPayments:
    """Payments of a model under an arrangement.

    Every account class is paid for by itself, and a firm's own account too: what one receives
    does not pay for another, nor does what a firm receives at another house. Where a firm posts as
    paid, it pays its customers' variation margin in their place, and no margin.

    Raises
    ------
    StudyError : a single scored day.
    """
    if len(done.days) < 2:
        raise StudyError(
            "a payment is from one scored day to the next, and there is one; lengthen the history, "
            "or score from an earlier day."
        )
    setting, outcome = done.settings[arrangement], done.outcomes[model, arrangement]
    change, own = done.next_day[:-1], setting.is_own
    intraday = setting.posts_intraday[:, None]
    members = setting.firm_of == np.arange(len(done.structure.firm_names))[:, None]
    paid = np.zeros((len(change), len(members), change.shape[2]))
    variation = np.zeros_like(paid)
    for k in range(len(setting.classes)):
        for h in range(change.shape[2]):
            chosen = members & ~own & (setting.account_class[:, h] == k)
            lost = change[:, :, h] @ chosen.T
            rise = np.diff(outcome.holdings.required[:, :, k, h], axis=0)
            paid[..., h] += np.maximum(lost + np.where(intraday.T, rise, 0.0), 0.0)
            variation[..., h] += np.maximum(lost, 0.0)
    lost = np.einsum("fa,tah->tfh", (members & own).astype(np.float64), change)
    asked = np.einsum("fa,tah->tfh", (members & own).astype(np.float64), outcome.required)
    return DayPayments(
        paid, np.maximum(lost + np.diff(asked, axis=0), 0.0), variation + np.maximum(lost, 0.0)
    )


def liquidity(done: Protection) -> pd.DataFrame:
    """The worst day of every firm at every house, and of all firms; USD.

    A row a (model, arrangement, house, firm): the `usd` it pays, what of it is for `customers`,
    and the `day` of payment. `seldom` is exceeded on 1 % of days, with the lower end of its 95 %
    interval over dates, `seldom_low`; it has no upper end, as many records do not bound it.
    `worse_days` is the share of days, at most, that are worse than the worst, with 95 %
    confidence. Firm '' is all firms of the structure on one day; house 'all houses' is what one
    must find on one day at all of them.

    Examples
    --------
    >>> import backtest as bt, strategies as st
    >>> from backtest.clearing import Member, Structure
    >>> from backtest.replay.protection import protect
    >>> market = bt.load_market("sample", end="2018-12-31")
    >>> book = bt.Book.from_frame(pd.DataFrame({"BTC": [5e6]}, index=["fund"]))
    >>> done = protect(market, book, {"var": st.HistoricalVaR()}, Structure((Member("fund", "A"),)))
    >>> row = liquidity(done).loc["var", "silos", "CME", "A"]
    >>> bool(row["seldom_low"] < row["seldom"] < row["usd"]), bool(0.0 < row["worse_days"] < 0.05)
    (True, True)
    """
    rows: dict[tuple[str, ...], dict[str, object]] = {}
    names = [*done.structure.firm_names, ""]
    for model, arrangement in done.outcomes:
        paid = day_payments(done, model, arrangement)
        for house, *by_firm in _by_house(done, paid):
            customers, own = (np.column_stack([usd, usd.sum(axis=1)]) for usd in by_firm)
            total = customers + own
            for f, (name, sure) in enumerate(zip(names, _how_sure(total), strict=True)):
                worst = int(total[:, f].argmax())
                rows[model, arrangement, house, name] = {
                    "usd": float(total[worst, f]),
                    "customers": float(customers[worst, f]),
                    "day": done.days[worst + 1],
                    **sure,
                }
    return tabled(rows, "model", "arrangement", "house", "firm")


def _how_sure(paid: FloatArray) -> list[dict[str, float]]:
    """Columns beside the worst day of each column of (days, columns) USD."""
    found = [seldom(one[None], np.ones(1), confidence=SELDOM) for one in paid.T]
    return [
        {"seldom": one.size, "seldom_low": one.low, "worse_days": float(share)}
        for one, share in zip(found, worse_days(paid), strict=True)
    ]


def _by_house(done: Protection, paid: DayPayments) -> list[tuple[str, FloatArray, FloatArray]]:
    """Names of houses, with (days, firms) USD for customers and for firms' own accounts."""
    each = [
        (house, paid.customers[..., h], paid.own[..., h]) for h, house in enumerate(done.book.silos)
    ]
    if len(each) > 1:
        each.append((ALL, paid.customers.sum(axis=2), paid.own.sum(axis=2)))
    return each


def largest_payer(done: Protection) -> pd.DataFrame:
    """What a house must find on one day if its largest payer fails to pay; USD.

    Variation margin alone, which a house hands on to those who gained; it is that of the positions
    and the same under every model, with the account classes of the first arrangement. A row a
    house: the worst `day` of payment, the `firm`, the `usd`; beside them the columns of
    `liquidity` on the largest payer of each day.
    """
    model, arrangement = next(iter(done.outcomes))
    variation = day_payments(done, model, arrangement).variation
    rows = {}
    for h, house in enumerate(done.book.silos):
        day, firm = np.unravel_index(variation[..., h].argmax(), variation.shape[:2])
        rows[house] = {
            "usd": float(variation[day, firm, h]),
            "firm": done.structure.firm_names[int(firm)],
            "day": done.days[int(day) + 1],
            **_how_sure(variation[..., h].max(axis=1, keepdims=True))[0],
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("house")
