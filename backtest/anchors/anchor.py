"""An anchor: a number as it was printed, who printed it, and the question that has it as answer."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from math import isfinite, isnan, nan, ulp
from typing import Any, Literal

from backtest.types import BacktestError, shown

# How the printed number is known: read where it was printed, read where another quotes it, or only
# remembered. What is remembered is marked wherever it is shown.
Known = Literal["read", "quoted", "memory"]
STEPS = 8  # of a double, by which sums in another order may differ
MARK = "†"
SHOWN = 16  # digits of ours at most: a double has no more


@dataclass(frozen=True)
class Anchor:
    """One published number.

    Parameters
    ----------
    what : what is asked, in words. source : who printed the answer, and where.
    published : as printed, with all its digits; or a word, such as a zone.
    ask : computes it here.
    group : part of a large set, which is shown in a line a group.
    within : largest difference that meets it, where half a unit of the last printed digit is not
        it: what was drawn at random, or where the other program's search stops early.
    known : how the number is known.

    Examples
    --------
    >>> one = Anchor("a third", "a table of thirds", "0.333", lambda: 1.0 / 3.0)
    >>> one.compare().is_met, one.allowed
    (True, 0.0005)
    """

    what: str
    source: str
    published: str
    ask: Callable[[], float | str]
    group: str = ""
    within: float | None = None
    known: Known = "read"

    @property
    def allowed(self) -> float:
        """Largest difference that meets it; 0 for a word."""
        return half_unit(self.published) if self.within is None else self.within

    def compare(self) -> "Compared":
        """Ask, and set the answer beside it. What is raised is an answer too, and a wrong one."""
        try:
            ours = self.ask()
        except BacktestError as error:
            ours = f"the error {shown(str(error))}"
        except Exception as error:
            ours = f"{type(error).__name__}: {error}"
        return Compared(self, ours if isinstance(ours, str) else float(ours))


@dataclass(frozen=True)
class Compared:
    """An anchor and what came."""

    anchor: Anchor
    ours: float | str

    @property
    def difference(self) -> float:
        """Ours less the published; NaN where one of them is a word."""
        if isinstance(self.ours, str):
            return nan
        return self.ours - number(self.anchor.published)

    @property
    def is_met(self) -> bool:
        """Whether ours is the published: the same word, or near enough."""
        if isinstance(self.ours, str):
            return self.ours == self.anchor.published
        printed = number(self.anchor.published)
        if isnan(printed):
            return is_missing(self.anchor.published) and isnan(self.ours)
        near = isfinite(self.difference) and abs(self.difference) <= self.anchor.allowed
        return self.ours == printed or near

    @property
    def answer(self) -> str:
        """Ours with two digits more than were printed, or the word."""
        if isinstance(self.ours, str) or not isfinite(self.ours):
            return str(self.ours)
        printed = self.anchor.published
        if "e" in printed.lower():
            return f"{self.ours:.{SHOWN}g}"
        places = decimals(printed) + 2 if decimals(printed) or self.ours % 1.0 else 0
        separator = "," if "," in printed else ""
        return f"{self.ours:{separator}.{max(0, min(places, SHOWN - _whole(self.ours)))}f}"

    def __str__(self) -> str:
        """What a miss says: the question, both numbers, the difference and the source."""
        anchor = self.anchor
        by = "" if isnan(self.difference) else f", {self.difference:+.2g} away"
        return (
            f"{anchor.what}: published is {anchor.published}, ours {self.answer}{by} "
            f"(at most {anchor.allowed:.2g}); {anchor.source}"
        )


@dataclass(frozen=True)
class AnchorSet:
    """Anchors that are shown as one table.

    Parameters
    ----------
    title : of the table. anchors : in the order shown. note : said under the table.
    file : from which they were read, where they do not ship.
    """

    title: str
    anchors: tuple[Anchor, ...]
    note: str = ""
    file: str = ""


def part(ask: Callable[[], Any], name: str) -> Any:
    """An attribute of an answer, for `functools.partial`.

    Examples
    --------
    >>> part(lambda: 3.0 + 4.0j, "imag")
    4.0
    """
    return getattr(ask(), name)


def number(printed: str) -> float:
    """The number that was printed; NaN for a word.

    Examples
    --------
    >>> number("96,694,880.94"), number("green")
    (96694880.94, nan)
    """
    try:
        return float(_decimal(printed))
    except InvalidOperation:
        return nan


def is_missing(printed: str) -> bool:
    """Whether the source printed that it has no value."""
    return printed.strip().lower() in ("na", "nan")


def half_unit(printed: str) -> float:
    """Half a unit of the last digit, and eight steps of a double of that size; 0 for a word.

    Examples
    --------
    >>> half_unit("0.46147"), half_unit("9,166,804,066.41"), half_unit("green")
    (5e-06, 0.005, 0.0)
    """
    value = number(printed)
    if not isfinite(value):
        return 0.0
    return 0.5 * float(Decimal(1).scaleb(_exponent(printed))) + STEPS * ulp(value)


def decimals(printed: str) -> int:
    """Digits after the point.

    Examples
    --------
    >>> decimals("68.65"), decimals("1,000"), decimals("green")
    (2, 0, 0)
    """
    return max(0, -_exponent(printed)) if isfinite(number(printed)) else 0


def _whole(value: float) -> int:
    """Digits before the point."""
    return len(f"{abs(value):.0f}")


def _exponent(printed: str) -> int:
    return int(_decimal(printed).as_tuple().exponent)


def _decimal(printed: str) -> Decimal:
    return Decimal(printed.replace(",", "").strip())
