"""Words of the sentences that pages open with: one rule for estimates, families and holdings.

A page is quoted from its first lines. So an estimate is never named without its bound, or without
saying that it has none; a bound at or below zero supports nothing; tests of many books are told
with what chance alone would reject; and a worst book is told with what it holds.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

import numpy as np
from numpy.typing import ArrayLike

from backtest.present.numbers import percent, percent_down

LARGEST = 3  # positions of a book that a sentence names
SMALLEST = 0.01  # a bound below this is rounded down to zero, which would read as none
OWN_TEST = "a test of its own, from resampled days, that may reject more than coverage p does"
IS_SIMULATED = "Prices are simulated, so nothing here is evidence about any market"


def joined(parts: Iterable[str], last: str = "and") -> str:
    """Words as a list in a sentence.

    Examples
    --------
    >>> joined(["a"]), joined(["a", "b", "c"]), joined(["a", "b"], "or")
    ('a', 'a, b and c', 'a or b')
    """
    words = list(parts)
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"


def sentence(text: str) -> str:
    """A text with a capital letter and a full stop.

    Examples
    --------
    >>> sentence("none of it is offset")
    'None of it is offset.'
    """
    return f"{text[0].upper()}{text[1:].rstrip('.')}."


def counted(number: float, noun: str) -> str:
    """So many of something.

    Examples
    --------
    >>> counted(0, "book"), counted(1, "book"), counted(2196, "book")
    ('no book', '1 book', '2,196 books')
    """
    return f"{number:,.0f} {noun}{'' if number == 1 else 's'}" if number else f"no {noun}"


def bound_words(bound: float) -> str:
    """What a one-sided lower bound supports.

    bound : a share, rounded down to whole per cent; NaN where none was estimated.

    Examples
    --------
    >>> bound_words(0.2212), bound_words(0.0017)
    ('at least 22 %', 'lower bound of less than 1 %')
    >>> bound_words(-0.054)
    'none of it supported (lower bound below zero)'
    >>> bound_words(float("nan"))
    'without a bound'
    """
    if np.isnan(bound):
        return "without a bound"
    if bound <= 0.0:
        return f"none of it supported (lower bound {'below' if bound < 0.0 else 'at'} zero)"
    if bound < SMALLEST:
        return "lower bound of less than 1 %"
    return f"at least {percent_down(bound)}"


def estimate_words(estimate: float, bound: float) -> str:
    """A share that was estimated, with what its lower bound supports.

    Examples
    --------
    >>> estimate_words(0.2978, 0.2213)
    'estimated 29.8 %, at least 22 %'
    >>> estimate_words(0.0222, -0.0544)
    'estimated 2.2 %, none of it supported (lower bound below zero)'
    >>> estimate_words(-0.0231, -0.0866)
    'estimated -2.3 %, so that none was found'
    >>> estimate_words(float("nan"), float("nan"))
    'not estimated'
    """
    if np.isnan(estimate):
        return "not estimated"
    words = f"estimated {percent(estimate)}"
    return (
        f"{words}, so that none was found" if estimate <= 0.0 else f"{words}, {bound_words(bound)}"
    )


def estimates_words(estimates: ArrayLike, bounds: ArrayLike) -> str:
    """Estimates of several books, lowest to highest, with the same of their lower bounds.

    Examples
    --------
    >>> estimates_words([0.0652, 0.3093], [0.0217, 0.2301])
    'estimated 6.5 to 30.9 %, with lower bounds of 2 to 23 %'
    >>> estimates_words([0.0652, 0.3093], [0.0017, 0.2301])
    'estimated 6.5 to 30.9 %, with lower bounds of less than 1 to 23 %'
    >>> estimates_words([-0.0231, 0.0222], [-0.0866, -0.0544])
    'estimated -2.3 to +2.2 %, none of it supported (every lower bound is below zero)'
    >>> estimates_words([0.2, 0.3], [float("nan")] * 2)
    'estimated 20.0 to 30.0 %, without bounds'
    >>> estimates_words([0.2978], [0.2213])
    'estimated 29.8 %, at least 22 %'
    """
    values = np.asarray(estimates, dtype=np.float64)
    known = ~np.isnan(values)
    values, lower = values[known], np.asarray(bounds, dtype=np.float64)[known]
    if len(values) < 2:
        return estimate_words(*([*values, np.nan][0], [*lower, np.nan][0]))
    signed = bool(values.min() < 0.0)
    words = f"estimated {span_words(values, sign=signed)}"
    if np.isnan(lower).any():
        some = "without bounds" if np.isnan(lower).all() else "not all with a bound"
        return f"{words}, {some}"
    if lower.max() <= 0.0:
        side = "below zero" if lower.max() < 0.0 else "at or below zero"
        return f"{words}, none of it supported (every lower bound is {side})"
    ends = [_rounded_down(end, sign=bool(lower.min() < 0.0)) for end in (lower.min(), lower.max())]
    if ends[0] == ends[1]:
        return f"{words}, with lower bounds of {ends[0]}"
    return f"{words}, with lower bounds of {ends[0].removesuffix(' %')} to {ends[1]}"


def _rounded_down(bound: float, *, sign: bool) -> str:
    return "less than 1 %" if 0.0 < bound < SMALLEST else percent_down(bound, sign=sign)


def low_to_high(values: Iterable[float], show: Callable[[float], str], unit: str = "") -> str:
    """The smallest and the largest of some values; a unit that ends both in words stands once.

    Examples
    --------
    >>> low_to_high([0.25, 0.1], percent, " %"), low_to_high([0.25, 0.25], percent, " %")
    ('10.0 to 25.0 %', '25.0 %')
    """
    known = np.asarray(list(values), dtype=np.float64)
    low, high = show(float(known.min())), show(float(known.max()))
    return low if low == high else f"{low.removesuffix(unit)} to {high}"


def span_words(shares: Iterable[float], *, sign: bool = False) -> str:
    """Lowest and highest of some shares.

    Examples
    --------
    >>> span_words([0.3093, 0.0652]), span_words([0.31, 0.31])
    ('6.5 to 30.9 %', '31.0 %')
    """
    return low_to_high(shares, partial(percent, sign=sign), " %")


def family_words(
    tested: float,
    alone: float,
    *,
    by_chance: float,
    corrected: Mapping[str, float],
    noun: str = "book",
) -> str:
    """How many of many books are rejected, beside what chance gives and what corrections leave.

    Parameters
    ----------
    tested : books. alone : those rejected at 5 %, each as if it were alone.
    by_chance : rejections of that kind expected of a right model.
    corrected : name of a correction for the number of books -> rejections, NaN where not made.

    Examples
    --------
    >>> family_words(60, 5, by_chance=3.0, corrected={"Holm": 0, "Romano-Wolf": 4})
    '5 of 60 books rejected one by one (chance: 3.0), none after Holm and 4 after Romano-Wolf'
    >>> family_words(60, 0, by_chance=3.0, corrected={"Holm": 0, "Romano-Wolf": 0})
    'none of 60 books rejected'
    >>> print(family_words(60, 0, by_chance=3.0, corrected={"Holm": 0, "Romano-Wolf": 2}))
    none of 60 books rejected one by one (chance: 3.0), none after Holm and 2 after Romano-Wolf \
(a test of its own, from resampled days, that may reject more than coverage p does)
    """
    made = {name: count for name, count in corrected.items() if not np.isnan(count)}
    books = f"{tested:,.0f} {noun}{'' if tested == 1 else 's'}"
    if not alone and not any(made.values()):
        return f"none of {books} rejected"
    words = f"{_none_or(alone)} of {books} rejected one by one (chance: {by_chance:.1f})"
    after = [
        f"{_none_or(count)} after {name}{f' ({OWN_TEST})' if count > alone else ''}"
        for name, count in made.items()
    ]
    return f"{words}, {joined(after)}" if after and tested > 1 else words


def _none_or(count: float) -> str:
    return f"{count:,.0f}" if count else "none"


def holding_words(positions: Mapping[str, float]) -> str:
    """What a book holds, the largest positions first, in shares of its gross USD.

    positions : name of an instrument -> signed USD.

    Examples
    --------
    >>> holding_words({"UST2Y": -8e7, "UST10Y": 0.0, "BTC": 2e7})
    '80 % short UST2Y, 20 % long BTC'
    >>> holding_words({"UST2Y": -6e7, "UST5Y": 1e7, "UST10Y": 1e7, "BTC": 1e7, "ETH": 1e7})
    '60 % short UST2Y, 10 % long UST5Y, 10 % long UST10Y and 2 more'
    >>> holding_words({"BTC": -1e6}), holding_words({"BTC": 0.0})
    ('short BTC alone', 'nothing')
    """
    held = {name: usd for name, usd in positions.items() if usd}
    if not held:
        return "nothing"
    sides = {name: "short" if usd < 0 else "long" for name, usd in held.items()}
    if len(held) == 1:
        return " ".join([*(f"{side} {name}" for name, side in sides.items()), "alone"])
    gross = sum(map(abs, held.values()))
    order = sorted(held, key=lambda name: -abs(held[name]))
    parts = [
        f"{percent(abs(held[name]) / gross, digits=0)} {sides[name]} {name}"
        for name in order[:LARGEST]
    ]
    more = len(order) - LARGEST
    words = ", ".join(parts)
    return f"{words} and {more} more" if more > 0 else words


def not_shown(clauses: Sequence[str], *, simulated: bool) -> str:
    """The sentence on what a page does not show, of clauses that follow 'does not show'.

    Examples
    --------
    >>> not_shown(["what a pool would cost"], simulated=False)
    'It does not show what a pool would cost.'
    >>> not_shown(["whether it lasts", "what it costs"], simulated=False)
    'It does not show whether it lasts, nor what it costs.'
    >>> not_shown(["whether it lasts"], simulated=True)[-34:]
    'it does not show whether it lasts.'
    """
    text = f"it does not show {', nor '.join(clauses)}" if clauses else ""
    if simulated:
        return sentence("; ".join(filter(None, (IS_SIMULATED, text))))
    return sentence(text) if text else ""
