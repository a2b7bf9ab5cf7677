"""One thing that an examination of prices found."""

from dataclasses import dataclass

import numpy as np

from backtest.types import Dates

LISTED = 5  # days that a sentence names


@dataclass(frozen=True)
class Finding:
    """What is wrong or doubtful with the prices of one factor.

    Parameters
    ----------
    factor : that is meant; of a pair, the one that is probably wrong.
    kind : of fault, a word or two; the same for all factors.
    days : that it touches, ISO, ascending.
    what : a clause with the size, such as '10Y goes from 4.2 to 0.042 percent on 2021-01-04'.
    advice : what to do.
    impossible : True where it cannot be true, so that the prices are refused.
    accepted : the reason why a user takes it as it is; empty where nobody has judged it.
    """

    factor: str
    kind: str
    days: tuple[str, ...]
    what: str
    advice: str
    impossible: bool = False
    accepted: str = ""

    @property
    def dates(self) -> Dates:
        """The days as dates."""
        return np.array(self.days, dtype="datetime64[D]")

    @property
    def sentence(self) -> str:
        """What was found and what to do, in one line.

        Examples
        --------
        >>> Finding("BTC", "frozen", ("2021-05-10",), "BTC is 57 twice", "leave it out").sentence
        'BTC is 57 twice; leave it out.'
        """
        return f"{self.what}; {self.advice}."


@dataclass(frozen=True)
class Accepted:
    """A user's judgement: what was found of a factor is true, and why."""

    factor: str
    kind: str
    reason: str


def iso(days: Dates) -> tuple[str, ...]:
    """Days as text."""
    return tuple(days.astype("datetime64[D]").astype(str).tolist())


def listed(days: Dates) -> str:
    """Some days for a sentence.

    Examples
    --------
    >>> listed(np.array(["2024-01-01", "2024-12-25"], "M8[D]"))
    '2024-01-01, 2024-12-25'
    """
    more = f", ... {days[-1]}" if len(days) > LISTED else ""
    return ", ".join(iso(days[:LISTED])) + more
