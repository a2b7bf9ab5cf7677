"""Days and repeated values of records that are no prices: P&L by account."""

from collections.abc import Sequence

import numpy as np

from backtest.market.examination.column import Column
from backtest.market.examination.days import check_days
from backtest.market.examination.repeats import SHORT, UNLIKELY
from backtest.types import Dates, DaysByPortfolios, RowNumbers

WORST = 3  # accounts that are named


def examine_records(days: Dates, values: DaysByPortfolios, names: Sequence[str]) -> list[str]:
    """What is doubtful with the days of a table, and values that repeat, a sentence each.

    Parameters
    ----------
    days : (days,) ascending. values : (days, accounts), NaN where there is none. names : accounts.

    Examples
    --------
    >>> days = np.arange("2024-01-01", "2024-04-01", dtype="M8[D]")
    >>> loss = np.random.default_rng(1).normal(size=(len(days), 2))
    >>> loss[20:30, 1] = loss[20, 1]
    >>> examine_records(days, loss, ["a", "b"])
    ['b has the same P&L on 10 days in a row (2024-01-21 .. 2024-01-30); a feed was frozen?']
    """
    count = np.arange(1.0, len(days) + 1.0)  # of which no value repeats
    calendar = Column("records", days, count, "price", where="the table")
    sentences = [finding.sentence for finding in check_days(calendar)]
    if len(days) < 2 or not len(names):
        return sentences
    sentences += _filled_weekends(calendar, values, names)
    runs, ends = _longest_runs(values)
    # Habit of an account: how often it repeats a value outside its longest run.
    repeats = ((values[1:] == values[:-1]) & (values[1:] != 0.0)).sum(axis=0)
    share = (repeats - (runs - 1) + 1.0) / len(days)
    frozen = (runs >= SHORT) & (len(days) * share ** (runs - 1.0) < UNLIKELY)
    for account in np.argsort(-runs, kind="stable")[: WORST + 1]:
        if frozen[account]:
            last = int(ends[account])
            sentences.append(
                f"{names[account]} has the same P&L on {runs[account]} days in a row "
                f"({days[last - runs[account] + 1]} .. {days[last]}); a feed was frozen?"
            )
    if frozen.sum() > WORST:
        sentences[-1] = f"{int(frozen.sum()) - WORST} more accounts repeat their P&L for days."
    return sentences


def _filled_weekends(calendar: Column, values: DaysByPortfolios, names: Sequence[str]) -> list[str]:
    """Accounts whose P&L of most weekend days is that of the day before."""
    weekend = calendar.weekend[1:]
    repeats = ((values[1:] == values[:-1]) & (values[1:] != 0.0))[weekend]
    filled = np.flatnonzero(2 * repeats.sum(axis=0) > len(repeats))
    if not len(filled):
        return []
    others = f" and {len(filled) - 1} more accounts" if len(filled) > 1 else ""
    return [
        f"{names[filled[0]]}{others} repeat Friday's P&L on weekends, {len(repeats)} days; leave "
        "out what was filled forward."
    ]


def _longest_runs(values: DaysByPortfolios) -> tuple[RowNumbers, RowNumbers]:
    """(accounts,) longest run of one value that is not zero, and the row on which it ends."""
    longest = np.ones(values.shape[1], dtype=np.int64)
    ends = np.zeros(values.shape[1], dtype=np.int64)
    run = np.ones(values.shape[1], dtype=np.int64)
    for row in range(1, len(values)):
        same = (values[row] == values[row - 1]) & (values[row] != 0.0)
        run = np.where(same, run + 1, 1)
        longer = run > longest
        longest = np.where(longer, run, longest)
        ends[longer] = row
    return longest, ends
