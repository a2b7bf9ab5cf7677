"""Legal regimes of customers' accounts: whose collateral may be taken, and when calls are paid."""

from typing import Annotated, Literal, Self

from annotated_types import Ge
from pydantic import BaseModel, ConfigDict

from backtest.parameters.files import read_as

Regime = Literal["4d", "15c3-3", "LSOC", "commingled"]
Fellow = Literal["omnibus", "one account", "none"]
KEYS: dict[str, str] = {
    "4d": "futures_4d",
    "15c3-3": "securities_15c3_3",
    "LSOC": "swaps_lsoc",
    "commingled": "commingled",
}
NAMES = {key: name for name, key in KEYS.items()}
REGIMES = tuple(KEYS)


class Protection(BaseModel):
    """What a regime says.

    Whatever is taken is shared by all customers of the class at the firm in proportion to their
    net equity, wherever it was held: a class is an estate of its own (17 CFR 190.09), and so is
    customer property of a securities firm (15 USC 78fff-2(c)(1)).

    Parameters
    ----------
    account_class : customers of one class of a firm share what is taken of them.
    fellow : collateral of fellow customers that a house may take: 'omnibus', what it holds itself
        of the class; 'one account', also what another house holds of it; 'none'.
    fellow_gross : the same where the house margins and holds customers one by one.
    call_lag : payment days until a call has settled. settlement : 'cash', days of Fedwire, or
        'margin_days' of the study.
    advance : USD that each customer gets back of what is taken, from a protection fund.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)
    account_class: str
    fellow: Fellow
    fellow_gross: Fellow
    call_lag: Annotated[int, Ge(0)]
    settlement: Literal["cash", "margin_days", "stablecoin"]
    advance: Annotated[float, Ge(0)] = 0.0


class Regimes(BaseModel):
    """Form of `customer_regimes`."""

    model_config = ConfigDict(extra="ignore", frozen=True)
    regimes: dict[str, Protection]
    by_house: dict[str, str]

    @classmethod
    def of(cls, name: str = "customer_regimes") -> Self:
        """The regimes of a version, or of the version in force of a rule.

        Examples
        --------
        >>> Regimes.of().protection("LSOC").fellow, Regimes.of().usual("CME")
        ('none', '4d')
        """
        return read_as(cls, name)

    def protection(self, regime: str) -> Protection:
        """What a regime says."""
        return self.regimes[KEYS[regime]]

    def taken(self, account_class: str, *, omnibus: bool) -> Fellow:
        """What a house may take of fellow customers of a class, held omnibus or one by one.

        Where regimes share a class, as cross-margined accounts may that of futures, the first of
        them says it: one class has one answer.

        Examples
        --------
        >>> regimes = Regimes.of()
        >>> regimes.taken("securities", omnibus=True), regimes.taken("securities", omnibus=False)
        ('omnibus', 'none')
        """
        first = next(one for one in self.regimes.values() if one.account_class == account_class)
        return first.fellow if omnibus else first.fellow_gross

    def usual(self, house: str) -> str:
        """The regime of customers of a house where none is stated."""
        return NAMES[self.by_house.get(house, self.by_house["other"])]
