"""What of a given table can be scored: the days of each account, and the accounts left out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from backtest.market.examination import examine_records
from backtest.replay.own_days import cohorts
from backtest.replay.validation.given import Given
from backtest.replay.validation.layout import SHOWN
from backtest.replay.validation.signs import refuse_negative, refuse_reversed
from backtest.types import (
    MOST_MARGIN,
    BoolArray,
    DataError,
    DaysByPortfolios,
    StudyError,
    shown,
)

FEWEST_DAYS = 60  # scored days of an account; fewer say nothing about a coverage of 95 % or more
Span = Literal["mpor", "daily"]


@dataclass(frozen=True, eq=False)
class Examined:
    """A table whose accounts can be scored.

    Parameters
    ----------
    given : without the accounts that are left out; its loss is over the MPOR.
    own : (days, accounts) whether a day is scored: loss and all margins are known.
    idle : accounts whose losses and margins are all zero.
    short : accounts with too few scored days.
    doubts : sentences on signs that may be reversed, days without a session, P&L that repeats.
    """

    given: Given
    own: BoolArray
    idle: tuple[str, ...]
    short: tuple[str, ...]
    doubts: tuple[str, ...] = ()


def examine(
    given: Given, *, pnl: Span, mpor: int, confidence: float, signs_checked: bool
) -> Examined:
    """Check a table and say what of it is scored; daily losses become those over the MPOR.

    Raises
    ------
    DataError : a negative margin, reversed signs, P&L and margin on different days, a number that
        is no amount. StudyError : no account with 60 scored days; an unknown `pnl`.
    """
    if pnl not in ("mpor", "daily"):
        raise StudyError(f"pnl is {shown(pnl)}; known: 'mpor' (over t -> t + MPOR), 'daily'.")
    for model, required in given.required.items():
        refuse_negative(required, model, given.dates, given.accounts)
    _refuse_huge(given)
    nothing: BoolArray = np.logical_not(np.nan_to_num(given.loss).any(axis=0))
    for required in given.required.values():
        nothing &= ~np.nan_to_num(required).any(axis=0)
    given, idle = _without(given, nothing)
    if not given.accounts:
        raise StudyError(f"all accounts of {given.where} are zero on every day; nothing to score.")
    _refuse_gaps(given, pnl=pnl, mpor=mpor)
    records = examine_records(given.dates, given.loss, given.accounts)
    if pnl == "daily":
        given = _over_mpor(given, mpor)
    own = _own(given)
    few = own.sum(axis=0) < FEWEST_DAYS
    if few.all():
        most = int(own.sum(axis=0).max(initial=0))
        raise StudyError(
            f"{given.where} has no account with {FEWEST_DAYS} days on which P&L and margin are "
            f"both known (the most is {most}); give a longer history."
        )
    given, short = _without(given, few)
    own = own[:, ~few] if few.any() else own
    _refuse_unheld(given, own)
    doubts = [] if signs_checked else _doubts(given, own, confidence=confidence, mpor=mpor)
    return Examined(
        given, own, idle, short, tuple(dict.fromkeys(filter(None, [*doubts, *records])))
    )


def _refuse_unheld(given: Given, own: BoolArray) -> None:
    """DataError where collateral is not known on a scored day."""
    for model, held in given.held.items():
        blank = own & np.isnan(held)
        if blank.any():
            raise DataError(
                f"the collateral held under model {model!r} is blank in {int(blank.sum()):,} "
                f"scored cells{_examples(blank, given)}; complete them, or remove the column held."
            )


def _doubts(given: Given, own: BoolArray, *, confidence: float, mpor: int) -> list[str]:
    scored = given.loss if own.all() else np.where(own, given.loss, np.nan)
    return [
        refuse_reversed(scored, margin, signs=given.signs, confidence=confidence, horizon=mpor)
        for margin in given.required.values()
    ]


def _own(given: Given) -> BoolArray:
    """(days, accounts) whether the loss and the margins of all models are known."""
    own = ~np.isnan(given.loss)
    for required in given.required.values():
        own &= ~np.isnan(required)
    return own


def _refuse_huge(given: Given) -> None:
    arrays = {"loss": given.loss}
    arrays |= {f"margin of {model!r}": values for model, values in given.required.items()}
    arrays |= {f"collateral of {model!r}": values for model, values in given.held.items()}
    for what, values in arrays.items():
        with np.errstate(invalid="ignore"):
            wrong = np.abs(values) > MOST_MARGIN
            if what.startswith("collateral"):
                wrong |= values < 0
        if wrong.any():
            day, account = np.argwhere(wrong)[0]
            raise DataError(
                f"{given.where} has a {what} of {values[day, account]:g} for "
                f"{given.accounts[account]!r} on {given.dates[day]}, which is no amount; mend it."
            )


def _refuse_gaps(given: Given, *, pnl: Span, mpor: int) -> None:
    """DataError where P&L and margins are on different days; a warm-up and an open end are none.

    A margin may begin after the P&L of its account, and the last losses may not be known yet: those
    of `mpor` rows where they are over the MPOR. Of daily P&L the first may be missing.
    """
    every = np.ones(given.loss.shape, dtype=np.bool_)
    some = np.zeros(given.loss.shape, dtype=np.bool_)
    for required in given.required.values():
        known = ~np.isnan(required)
        every &= known
        some |= known
    lossless = np.isnan(given.loss)
    present = some | ~lossless
    begun = np.logical_or.accumulate(every, axis=0)
    no_margin = present & ~every & begun
    before_end = np.cumsum(present[::-1], axis=0, dtype=np.int32)[::-1]
    allowed = before_end <= mpor if pnl == "mpor" else np.cumsum(present, axis=0) == 1
    no_loss = present & lossless & ~allowed
    if not (no_margin.any() or no_loss.any()):
        return
    which = "a P&L and no margin" if len(given.required) == 1 else "no margin of some model"
    raise DataError(
        f"P&L and margin of {given.where} are on different days: {int(no_margin.sum()):,} cells "
        f"have {which}{_examples(no_margin, given)}, {int(no_loss.sum()):,} a margin and no P&L"
        f"{_examples(no_loss, given)}; complete those rows or remove them."
    )


def _examples(wrong: BoolArray, given: Given) -> str:
    """The first cells of a mask, in brackets; empty where there is none."""
    cells = [
        f"{given.accounts[account]} {given.dates[day]}"
        for day, account in np.argwhere(wrong)[:SHOWN]
    ]
    more = ", ..." if np.count_nonzero(wrong) > len(cells) else ""
    return f" ({', '.join(cells)}{more})" if cells else ""


def _over_mpor(given: Given, mpor: int) -> Given:
    """The loss of each day as the sum of the next `mpor` daily ones of the same account."""
    margin = ~np.isnan(next(iter(given.required.values())))
    for required in given.required.values():
        margin |= ~np.isnan(required)

    def summed(daily: DaysByPortfolios) -> DaysByPortfolios:
        present = margin | ~np.isnan(daily)
        loss = np.full(daily.shape, np.nan)
        for cohort in cohorts(present):
            own = daily[np.ix_(cohort.rows, cohort.columns)]
            ends = max(0, len(own) - mpor)
            total = np.zeros((ends, own.shape[1]))
            for day in range(1, mpor + 1):
                total += own[day : day + ends]
            loss[np.ix_(cohort.rows[:ends], cohort.columns)] = total
        return loss

    silos = {silo: (summed(loss), required) for silo, (loss, required) in given.silos.items()}
    return replace(given, loss=summed(given.loss), silos=silos)


def _without(given: Given, left_out: BoolArray) -> tuple[Given, tuple[str, ...]]:
    """The table without some accounts, and their names."""
    if not left_out.any():
        return given, ()
    stay = np.flatnonzero(~left_out)

    def kept(values: DaysByPortfolios) -> DaysByPortfolios:
        return values[:, stay]

    names = _named(given.accounts, np.flatnonzero(left_out))
    return replace(
        given,
        accounts=_named(given.accounts, stay),
        loss=kept(given.loss),
        required={model: kept(values) for model, values in given.required.items()},
        held={model: kept(values) for model, values in given.held.items()},
        forecasts={key: kept(values) for key, values in given.forecasts.items()},
        silos={s: (kept(loss), kept(margin)) for s, (loss, margin) in given.silos.items()},
        groups=_named(given.groups, stay) if given.groups else (),
    ), names


def _named(names: tuple[str, ...], places: Sequence[int] | np.ndarray) -> tuple[str, ...]:
    return tuple(names[place] for place in places)
