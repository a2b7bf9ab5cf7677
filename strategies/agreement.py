"""Terms of a cross-margining arrangement: who and what may take part, and how much is waived."""

from collections.abc import Sequence
from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge, Le
from pydantic import ConfigDict

from backtest.book.book import Book
from backtest.instruments import Instrument, parse_instrument
from backtest.parameters.terms import Terms
from backtest.types import BoolArray, FloatArray, StudyError

OWN_CLASSES = ("treasury", "rates", "crypto", "equity", "stablecoin", "other")
ASSET_CLASSES = (*OWN_CLASSES, "credit", "commodity", "fx")  # the last of declared instruments
Account = Literal["house", "affiliate", "customer"]
Share = Annotated[float, Ge(0), Le(1)]


class Agreement(Terms):
    """An agreement between houses, or a rule about such agreements.

    Parameters
    ----------
    eligible : asset classes and instrument names. excluded : instruments of them that are not.
    over_years : bonds, bills and swaps are eligible only with a longer maturity.
    accounts : whose positions may be cross-margined.
    limit : 'margin': the saving is capped; 'reduction': the share `cap` of it is granted.
    cap : share of the margin, or of the saving.
    threshold : no reduction is granted below this saving.
    """

    # EMIR's article is one file for two models, so that each leaves the other's terms.
    model_config = ConfigDict(extra="ignore")
    eligible: tuple[str, ...]
    excluded: tuple[str, ...] = ()
    over_years: Annotated[float, Ge(0)]
    accounts: tuple[Account, ...]
    limit: Literal["margin", "reduction"]
    cap: Share
    threshold: Share

    def granted_share(self, saving: FloatArray) -> FloatArray:
        """Share of the silos' margins that is waived for a saving s; NaN where s is NaN."""
        limited = np.minimum(saving, self.cap) if self.limit == "margin" else self.cap * saving
        return np.where((saving < self.threshold) | (saving < 0.0), 0.0, limited)

    def may_join(self, book: Book, account: Account) -> BoolArray:
        """(instruments,) whether each may be held in a cross-margining account.

        Raises
        ------
        StudyError : an entry of `eligible` is neither an asset class nor an instrument.
        """
        check_eligible(self.eligible, book)
        admitted = account in self.accounts
        return np.array([admitted and self._takes(i) for i in book.instruments], dtype=np.bool_)

    def _takes(self, instrument: Instrument) -> bool:
        if instrument.name in self.excluded:
            return False
        matches = bool({instrument.name, instrument.asset_class} & set(self.eligible))
        if instrument.maturity is None or instrument.contract == "future":
            return matches
        return matches and instrument.maturity > self.over_years

    @property
    def in_words(self) -> str:
        """The eligible positions: 'treasury over 1 year'."""
        years = f" over {self.over_years:g} year{'' if self.over_years == 1 else 's'}"
        return f"{', '.join(self.eligible)}{years if self.over_years else ''}"


def check_eligible(eligible: Sequence[str], book: Book) -> None:
    """Raise StudyError where an entry is neither an asset class nor an instrument."""
    names = {i.name for i in book.instruments}
    for entry in eligible:
        is_known = entry in ASSET_CLASSES or entry in names
        if not is_known and parse_instrument(entry).asset_class == "other":
            raise StudyError(
                f"cross_margining.eligible names {entry!r}, neither an asset class "
                f"({', '.join(ASSET_CLASSES)}) nor an instrument; mend its spelling."
            )
