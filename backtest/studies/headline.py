"""The books that a page's title is about, and what pooling them gives, in one sentence."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from backtest.instruments import parse_instrument
from backtest.studies.sentences import estimates_words, joined, sentence, span_words
from backtest.types import FloatArray

CURVE = ("treasury", "rates")  # asset classes priced on the Treasury curve
MIXED = "named pools of Treasuries with other assets"
POOLS = "named books held in several silos"
CHOSEN = "books that the title asks about"
OTHERS = "other named pools of Treasuries with other assets"
MOST_NAMED = 4  # other pools that a sentence names
LEVEL = "bounds are one-sided, 95 %"  # as `supportable_offset` estimates them by itself
LESS = "a lower margin at equal coverage for the pool than for its silos"


@dataclass(frozen=True)
class Headline:
    """The books that the first sentence of a page is about.

    Parameters
    ----------
    books : those held in several silos. noun : what they are, of several.
    single : books that the study file names as its headline and that lie in one silo.
    others : pools of Treasuries with other assets that the study file leaves out of its headline.

    Examples
    --------
    >>> holdings = {"basis": {"UST10Y": -1.0, "BTC": 1.0}, "venues": {"BTC": 1.0, "ETH@X": -1.0}}
    >>> Headline.of(["basis", "venues"], holdings, chosen=()).books
    ('basis',)
    >>> chosen = Headline.of(["basis", "venues"], holdings, chosen=["venues"])
    >>> chosen.books, chosen.others
    (('venues',), ('basis',))
    """

    books: tuple[str, ...]
    noun: str = POOLS
    single: tuple[str, ...] = ()
    others: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        pools: Sequence[str],
        holdings: Mapping[str, Mapping[str, float]],
        *,
        chosen: Collection[str],
    ) -> "Headline":
        """The books that the study file chose; else the pools of Treasuries with other assets.

        pools : named books held in several silos; all of them where none mixes the two.
        holdings : book -> its positions, or weights, by instrument.
        """
        mixed = tuple(name for name in pools if is_mixed(holdings.get(name, {})))
        if chosen:
            return cls(
                tuple(name for name in pools if name in chosen),
                CHOSEN,
                single=tuple(name for name in chosen if name not in pools),
                others=tuple(name for name in mixed if name not in chosen),
            )
        return cls(mixed, MIXED) if mixed else cls(tuple(pools))

    def where(self, count: int) -> str:
        """In how many of the books something holds.

        Examples
        --------
        >>> books = Headline(("a", "b"), noun="named pools")
        >>> books.where(2), books.where(1), books.where(0)
        ('in both named pools', 'in 1 of the 2 named pools', 'in none of the 2 named pools')
        >>> Headline(("a",)).where(1)
        "in 'a'"
        """
        total = len(self.books)
        if total == 1 and count:
            return f"in '{self.books[0]}'"
        if count == total:
            return f"in {'both' if total == 2 else f'all {total:,}'} {self.noun}"
        return f"in {f'{count:,}' if count else 'none'} of the {total:,} {self.noun}"


def is_mixed(positions: Mapping[str, float]) -> bool:
    """Whether a book holds both Treasuries and something else.

    Examples
    --------
    >>> is_mixed({"UST10Y": 1.0, "BTC": 1.0}), is_mixed({"UST10Y": 1.0, "BTC": 0.0})
    (True, False)
    """
    held = [name for name, amount in positions.items() if amount]
    return len({parse_instrument(name).asset_class in CURVE for name in held}) == 2


def pooling_sentence(headline: Headline, ladder: pd.DataFrame, *, simulated: bool) -> str:
    """What pooling the headline's books saves, and how much of that is offset, by their bounds.

    A second sentence tells the same of the headline's `others`, where any was estimated: whoever
    reads of one pool only must not take it for those that hold Treasuries and something else.

    ladder : of `OffsetLadder.to_frame`, with or without bounds.

    Examples
    --------
    >>> ladder = pd.DataFrame({"total": [0.8058], "diversification": [0.3051],
    ...     "dependence": [0.5008], "total_bound": [0.7227], "dependence_bound": [0.4177]}, ["p"])
    >>> print(pooling_sentence(Headline(("p",)), ladder, simulated=False))
    In 'p' the data support a lower margin at equal coverage for the pool than for its silos, \
and as a part of it an offset: of the silos' margins, the reduction is estimated 80.6 %, at least \
72 %, and the offset estimated 50.1 %, at least 41 %; bounds are one-sided, 95 %.
    >>> print(pooling_sentence(Headline(("p",)), ladder.iloc[:, :3], simulated=False))
    In 'p' pooling is estimated to lower margins at equal coverage by 80.6 % of the silos' \
margins, and its offset is estimated 50.1 % of them; no bound was computed, so that what of this \
is more than chance is not known.
    """
    told = [_told(headline, ladder, simulated=simulated)]
    others = ladder.loc[list(headline.others)]
    estimated = tuple(map(str, others.index[others["total"].notna()]))
    if estimated:
        known = Headline(estimated, OTHERS + _in_brackets(estimated))
        told.append(_told(known, ladder, simulated=simulated))
    return " ".join(told)


def _in_brackets(books: Sequence[str]) -> str:
    """The names of a few books."""
    quoted = [f"'{name}'" for name in books]
    return f" ({joined(quoted)})" if len(books) <= MOST_NAMED else ""


def _told(headline: Headline, ladder: pd.DataFrame, *, simulated: bool) -> str:
    """The sentence on the headline's own books."""
    rows = ladder.loc[list(headline.books)]
    rows = rows[rows["total"].notna()]
    prices = "the simulated prices" if simulated else "the data"
    if rows.empty:
        reasons = dict.fromkeys(filter(None, ladder.loc[list(headline.books), "reason"]))
        where = headline.where(len(headline.books))
        return sentence(f"{where} no reduction from pooling could be estimated: {joined(reasons)}")
    estimated = Headline(tuple(map(str, rows.index)), headline.noun)
    total, offset = rows["total"].to_numpy(float), rows["dependence"].to_numpy(float)
    total_bound, offset_bound = (_column(rows, f"{n}_bound") for n in ("total", "dependence"))
    if np.isnan(offset_bound).all():
        return _unbounded(estimated, total, offset)
    sides = [int((bounds > 0).sum()) for bounds in (total_bound, offset_bound)]
    support = _support(estimated, *sides, prices=prices)
    shares = (
        f"of the silos' margins, the reduction is {estimates_words(total, total_bound)}, and the "
        f"offset {estimates_words(offset, offset_bound)}"
    )
    alone = f"{LEVEL}, each for its own book" if len(rows) > 1 else LEVEL
    return sentence(f"{support}: {shares}; {alone}{_left_out(headline, estimated)}")


def _support(estimated: Headline, lower: int, offset: int, *, prices: str) -> str:
    """In how many books a lower margin, and an offset, have a bound above zero."""
    books = len(estimated.books)
    if books > 1:
        inside = "all of them" if offset == books else f"{offset or 'none'} of them"
        return f"{estimated.where(lower)} {prices} support {LESS}, and in {inside} an offset"
    if lower:
        found = "and as a part of it an offset" if offset else "but no offset"
        return f"{estimated.where(1)} {prices} support {LESS}, {found}"
    if offset:
        return f"{estimated.where(1)} {prices} support an offset, but not {LESS}"
    return f"{estimated.where(1)} {prices} support neither {LESS} nor an offset"


def _unbounded(estimated: Headline, total: FloatArray, offset: FloatArray) -> str:
    reduction, part = (span_words(shares, sign=shares.min() < 0) for shares in (total, offset))
    return sentence(
        f"{estimated.where(len(total))} pooling is estimated to lower margins at equal coverage by "
        f"{reduction} of the silos' margins, and its offset is estimated {part} of them; no bound "
        "was computed, so that what of this is more than chance is not known"
    )


def _left_out(headline: Headline, estimated: Headline) -> str:
    """What is said of headline books that are not pooled, or of which nothing was estimated."""
    words = ""
    missing = len(headline.books) - len(estimated.books)
    if missing:
        words += f"; of {missing} more nothing could be estimated"
    if headline.single:
        names = joined(f"'{name}'" for name in headline.single)
        words += f"; nothing is pooled in {names}"
    return words


def _column(rows: pd.DataFrame, name: str) -> FloatArray:
    known = rows[name] if name in rows else pd.Series(np.nan, rows.index)
    return np.asarray(known, dtype=np.float64)
