"""A row of the self-check: a small input that some program got wrong, and its right value."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from backtest.types import BacktestError, shown


@dataclass(frozen=True)
class Refused:
    """The right end of an input that must not be used: an error whose message holds `words`."""

    words: str


Right = float | bool | str | Refused | Sequence[Any]


@dataclass(frozen=True)
class Row:
    """One input, the function of this program that is asked, and what it has to answer.

    Parameters
    ----------
    given : the input, in words.
    source : the report that taught it, 'owner/project#number'; or what published the value; or
        'definition' where the words of this program leave no other value.
    ask : calls the function with the input.
    right : numbers (NaN where nothing is known), text, or the error that refuses the input.
    by : how the right value is known without this program.
    tolerance : largest difference of numbers, relative where they are above one.

    Examples
    --------
    >>> row = Row("1 and 2", "by hand", lambda: 1.0 + 2.0, right=3.0, by="counting")
    >>> row.answer().is_right
    True
    """

    given: str
    source: str
    ask: Callable[[], Any]
    right: Right
    by: str
    tolerance: float = 1e-9

    def answer(self) -> "Answer":
        """Ask, and compare. Whatever is raised is an answer, and mostly a wrong one."""
        try:
            came = self.ask()
        except BacktestError as error:
            came = Refused(str(error))
        except Exception as error:
            return Answer(self, f"{type(error).__name__}: {error}", is_right=False)
        return Answer(self, came, is_right=_agree(came, self.right, self.tolerance))


@dataclass(frozen=True)
class Answer:
    """What came, and whether it is right."""

    row: Row
    came: Any
    is_right: bool

    def __str__(self) -> str:
        """The input, the right value and what came, on one line."""
        row = self.row
        right, came = in_words(row.right), in_words(self.came)
        return f"{row.given}: right is {right} ({row.by}; {row.source}), but {came} came"


def in_words(value: Any) -> str:
    """A value as a line shows it.

    Examples
    --------
    >>> in_words(np.array([1.0, np.nan])), in_words(Refused("price")), in_words(0.1 + 0.2)
    ('[1.0, nan]', "the error 'price'", '0.30000000000000004')
    """
    if isinstance(value, Refused):
        return f"the error {shown(value.words)}"
    return shown(value.tolist() if isinstance(value, np.ndarray | np.generic) else value)


def _agree(came: Any, right: Right, tolerance: float) -> bool:
    """Whether an answer is the right one: same shape, same places without a value, near enough."""
    if isinstance(right, Refused):
        return isinstance(came, Refused) and right.words in came.words
    if isinstance(right, str) or isinstance(came, Refused):
        return bool(came == right)
    try:
        one, other = np.asarray(came, dtype=np.float64), np.asarray(right, dtype=np.float64)
    except (TypeError, ValueError):  # text
        return isinstance(right, Sequence) and list(came) == list(right)
    if one.shape != other.shape:
        return False
    unknown = np.isnan(other)
    allowed = tolerance * np.maximum(1.0, np.abs(other, where=~unknown, out=np.ones_like(other)))
    with np.errstate(invalid="ignore"):  # an infinity less itself
        near = (one == other) | (np.abs(one - other) <= allowed)
    return bool(np.where(unknown, np.isnan(one), near).all())
