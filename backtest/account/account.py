"""The collateral account: when calls are made, when they settle, what is held on each day."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from backtest.account.mix import Marks, Mix, cash_marks
from backtest.kernels.replay import replay
from backtest.market.calendars import Calendar, sessions
from backtest.types import Dates, DaysByPortfolios, RowNumbers, StudyError

Settlement = Literal["margin_days", "cash", "stablecoin"]
NEVER = 10**9  # days: no history is as long, and numpy's whole numbers have an end
PAID_ON: dict[str, Calendar] = {"cash": "Fedwire", "stablecoin": "24/7"}


@dataclass(frozen=True)
class AccountTerms:
    """Terms on which collateral is called and returned.

    Parameters
    ----------
    call_lag : margin days from the close at which a call is made to the close by which it has
        settled; 0 settles at once.
    minimum_transfer : USD; smaller calls and returns are not made.
    collateral : 'cash', whose value is constant, or a `Mix` of assets, which is re-marked daily.
    excess : 'returned' at the close at which it arises, or 'kept'.
    settlement : the days in which `call_lag` is counted: 'margin_days', those of the study;
        'cash', days on which Fedwire is open; 'stablecoin', every calendar day.

    Examples
    --------
    >>> AccountTerms().call_lag, AccountTerms().settlement
    (1, 'margin_days')
    """

    call_lag: int = 1
    minimum_transfer: float = 0.0
    collateral: Literal["cash"] | Mix = "cash"
    excess: Literal["returned", "kept"] = "returned"
    settlement: Settlement = "margin_days"

    def __post_init__(self) -> None:
        if isinstance(self.call_lag, bool) or not isinstance(self.call_lag, int):
            raise StudyError(f"call_lag is {self.call_lag!r}; give whole margin days.")
        if self.call_lag < 0:
            raise StudyError(f"call_lag is {self.call_lag}; give 0 or more margin days.")
        if not 0 <= self.minimum_transfer < np.inf:
            raise StudyError(f"minimum_transfer is {self.minimum_transfer}; give 0 USD or more.")
        if self.collateral != "cash" and not isinstance(self.collateral, Mix):
            raise StudyError(f"unknown collateral {self.collateral!r}; known: cash, or a Mix.")
        if self.excess not in ("returned", "kept"):
            raise StudyError(f"excess is {self.excess!r}; known: returned, kept.")
        if self.settlement not in ("margin_days", *PAID_ON):
            raise StudyError(
                f"settlement is {self.settlement!r}; known: margin_days, {', '.join(PAID_ON)}."
            )


@dataclass(frozen=True, eq=False)
class AccountHistory:
    """The account day by day, (days, portfolios) USD each; NaN before the first requirement.

    Parameters
    ----------
    held_value : collateral settled at each close, its value after haircut.
    call : amount called at that close.
    collateral : value at the end of close-out of the collateral held at each close.
    shortfall : loss over the MPOR beyond that value; NaN where the loss is not yet known.
    """

    held_value: DaysByPortfolios
    call: DaysByPortfolios
    collateral: DaysByPortfolios
    shortfall: DaysByPortfolios


def replay_account(
    required: DaysByPortfolios,
    loss: DaysByPortfolios,
    terms: AccountTerms,
    *,
    marks: Marks | None = None,
    dates: Dates | None = None,
) -> AccountHistory:
    """Replay the account day by day under `terms`.

    required : (days, portfolios) USD, NaN in a leading block, and where a new position warms up:
        the first requirement after it is deposited. loss : (days, portfolios) USD.
    marks : values of the collateral on these days (`collateral_marks`); needed unless it is cash.
    dates : (days,) the margin days; needed unless calls settle in margin days.

    Examples
    --------
    >>> required = np.array([[1.0], [3.0], [2.0]])
    >>> replay_account(required, np.zeros((3, 1)), AccountTerms()).held_value[:, 0].tolist()
    [1.0, 1.0, 2.0]
    """
    required = np.ascontiguousarray(required)
    held_value, call, shortfall = (np.empty(required.shape) for _ in range(3))
    if marks is None:
        if terms.collateral != "cash":
            raise StudyError("a mix of assets needs its marks; see `collateral_marks`.")
        marks = cash_marks(len(required))
    replay(
        required,
        np.ascontiguousarray(loss),
        marks.growth,
        np.ascontiguousarray(marks.closeout),
        settled_by(terms, len(required), dates=dates),
        terms.minimum_transfer,
        terms.excess == "returned",
        held_value,
        call,
        shortfall,
    )
    return AccountHistory(held_value, call, held_value * marks.closeout, shortfall)


def known_account(
    required: DaysByPortfolios, loss: DaysByPortfolios, held: DaysByPortfolios
) -> AccountHistory:
    """The account whose collateral is known: a call is what is lacking at a close.

    required, loss, held : (days, portfolios) USD.

    Examples
    --------
    >>> required, loss, held = np.array([[3.0]]), np.array([[2.5]]), np.array([[2.0]])
    >>> account = known_account(required, loss, held)
    >>> account.call.tolist(), account.shortfall.tolist()
    ([[1.0]], [[0.5]])
    """
    lacking, short = np.maximum(required - held, 0.0), np.maximum(loss - held, 0.0)
    return AccountHistory(held, lacking, held, short)


def settled_by(terms: AccountTerms, days: int, *, dates: Dates | None = None) -> RowNumbers:
    """(days,) row of the margin day by whose close a call made at each close has settled.

    `days` or more where a call settles after the last margin day. With lag 0, a call on a day
    without payments settles on the next payment day.

    Raises
    ------
    StudyError : calls that settle on a calendar, without dates. DataError : dates outside the
        calendar.

    Examples
    --------
    >>> days = np.arange("2024-10-11", "2024-10-17", dtype="M8[D]")  # Friday .. Wednesday
    >>> settled_by(AccountTerms(settlement="cash"), 6, dates=days).tolist()  # Columbus Day is shut
    [4, 4, 4, 4, 5, 6]
    >>> settled_by(AccountTerms(settlement="stablecoin"), 6, dates=days).tolist()
    [1, 2, 3, 4, 5, 6]
    """
    lag = min(terms.call_lag, NEVER)
    if terms.settlement == "margin_days":
        return np.arange(days) + lag
    if dates is None or len(dates) != days:
        raise StudyError(f"settlement = {terms.settlement!r} needs the dates of the margin days.")
    payment_days = sessions(PAID_ON[terms.settlement], dates[0], dates[-1])
    # A call is paid on the lag-th payment day after it; with no lag on the day of the call itself
    # if payments are open, else on the next one. It counts at the first close from then on.
    first = payment_days.searchsorted(dates, side="right" if lag else "left")
    settles = first + max(lag, 1) - 1
    arrives = np.full(days, days)
    arrives_in_time = settles < len(payment_days)
    arrives[arrives_in_time] = dates.searchsorted(payment_days[settles[arrives_in_time]])
    return arrives
