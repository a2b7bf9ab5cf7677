"""Liquidity: what firms pay to houses on one day before customers do, and houses if one does not.

On the day after t a firm pays its variation margin of t -> t+1 and the rise of what the house
requires; customers' calls of that day settle later, on the payment days of their regime.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from backtest.replay.protection.protect import Protection
from backtest.replay.protection.tabled import tabled
from backtest.types import FloatArray, StudyError

ALL = "all houses"


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
    and the `day` of payment. Firm '' is all firms of the structure on one day; house 'all houses'
    is what one must find on one day at all of them.
    """
    rows = {}
    for model, arrangement in done.outcomes:
        paid = day_payments(done, model, arrangement)
        for house, customers, own in _by_house(done, paid):
            firms = [(name, customers[:, f], own[:, f]) for f, name in _firms(done)]
            for name, for_customers, for_own in (
                *firms,
                ("", customers.sum(axis=1), own.sum(axis=1)),
            ):
                total = for_customers + for_own
                worst = int(total.argmax())
                rows[model, arrangement, house, name] = {
                    "usd": float(total[worst]),
                    "customers": float(for_customers[worst]),
                    "day": done.days[worst + 1],
                }
    return tabled(rows, "model", "arrangement", "house", "firm")


def _firms(done: Protection) -> list[tuple[int, str]]:
    return list(enumerate(done.structure.firm_names))


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
    house: the worst `day` of payment, the `firm`, the `usd`.
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
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("house")
