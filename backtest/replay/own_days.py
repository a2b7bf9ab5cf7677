"""Accounts that have days of their own: those with the same days are scored together."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from backtest.types import BoolArray

Places = NDArray[np.intp]
Number = TypeVar("Number", bound=np.generic)


@dataclass(frozen=True, eq=False)
class Cohort:
    """Accounts that have the same days.

    Parameters
    ----------
    rows : places of their days. columns : places of the accounts.
    all_of_them : True where they are the whole table.
    """

    rows: Places
    columns: Places
    all_of_them: bool = False

    @classmethod
    def whole(cls, days: int, accounts: int) -> "Cohort":
        """All accounts on all days."""
        return cls(np.arange(days), np.arange(accounts), all_of_them=True)

    def blocks(self, width: int) -> Iterator["Cohort"]:
        """The cohort in pieces of at most `width` accounts, which bound the memory."""
        for first in range(0, len(self.columns), width):
            yield Cohort(self.rows, self.columns[first : first + width])

    def of(self, values: NDArray[Number]) -> NDArray[Number]:
        """The rows and columns of the cohort in a table."""
        return values if self.all_of_them else values[np.ix_(self.rows, self.columns)]


def cohorts(known: BoolArray, columns: Iterable[int] | None = None) -> list[Cohort]:
    """Accounts grouped by their days, in the order in which they come.

    known : (days, accounts) whether a day is one of the account's own.
    columns : places of the accounts, for part of a table; all if None.

    Examples
    --------
    >>> known = np.array([[True, False, True], [True, True, True]])
    >>> [(c.rows.tolist(), c.columns.tolist()) for c in cohorts(known)]
    [([0, 1], [0, 2]), ([1], [1])]
    """
    places = np.arange(known.shape[1]) if columns is None else np.fromiter(columns, dtype=np.intp)
    # A day is a bit: ten thousand accounts are told apart by a few hundred bytes each.
    patterns = np.packbits(known[:, places], axis=0).T
    alike: dict[bytes, list[int]] = {}
    for place, pattern in zip(places.tolist(), patterns, strict=True):
        alike.setdefault(pattern.tobytes(), []).append(place)
    return [
        Cohort(np.flatnonzero(known[:, members[0]]), np.array(members))
        for members in alike.values()
    ]


def of_equal_length(groups: Iterable[Cohort]) -> list[list[Cohort]]:
    """Cohorts with as many days as each other, whichever they are: their tests share one law.

    The shortest come first.

    Examples
    --------
    >>> known = np.array([[True, False], [True, True], [False, True]])
    >>> [len(alike) for alike in of_equal_length(cohorts(known))]
    [2]
    """
    by_length: dict[int, list[Cohort]] = {}
    for cohort in groups:
        by_length.setdefault(len(cohort.rows), []).append(cohort)
    return [by_length[length] for length in sorted(by_length)]


def side_by_side(alike: list[Cohort], values: NDArray[Number]) -> NDArray[Number]:
    """The values of cohorts with as many days as each other, beside each other."""
    parts = [cohort.of(values) for cohort in alike]
    return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)
