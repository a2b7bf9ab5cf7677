"""Structure: accounts belong to clearing firms, and firms clear at houses."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from backtest.book.book import Book
from backtest.clearing.assumptions import MOST_ASKED, Posts
from backtest.clearing.regimes import REGIMES
from backtest.types import StudyError, shown

Kind = Literal["customer", "house"]
EVERYWHERE = ""  # a regime for all houses that are not named


@dataclass(frozen=True)
class Member:
    """An account: a customer's, or a firm's own.

    Parameters
    ----------
    account : a portfolio of the book. firm : that carries it.
    regimes : legal regime of a customer by house; house '' stands for all others. Regime '', or
        none, is that of the house's customers.
    resources : USD beyond collateral. default_rate : a year. None takes what is assumed.
    """

    account: str
    firm: str
    kind: Kind = "customer"
    regimes: Mapping[str, str] = field(default_factory=dict)
    resources: float | None = None
    default_rate: float | None = None

    def __post_init__(self) -> None:
        if self.kind not in ("customer", "house"):
            raise StudyError(
                f"account {self.account!r} is of kind {shown(self.kind)}; known: customer, house."
            )
        for regime in self.regimes.values():
            if regime and regime not in REGIMES:
                raise StudyError(
                    f"account {self.account!r} is under regime {shown(regime)}; known: "
                    f"{', '.join(REGIMES)}."
                )
        if self.kind == "house" and any(self.regimes.values()):
            raise StudyError(
                f"account {self.account!r} is the firm's own and under a customers' regime; leave "
                "the regime out."
            )
        if self.kind == "house" and (self.resources, self.default_rate) != (None, None):
            raise StudyError(
                f"account {self.account!r} is the firm's own; its resources and default rate are "
                "the firm's."
            )
        for what in ("resources", "default_rate"):
            value = getattr(self, what)
            if value is not None and not 0 <= value < float("inf"):
                raise StudyError(f"account {self.account!r} has {what} {value}; give 0 or more.")
        if self.default_rate is not None and self.default_rate >= 1:
            raise StudyError(
                f"account {self.account!r} has default_rate {self.default_rate}, which would be a "
                "default on every day; give 0 or more, below 1."
            )


@dataclass(frozen=True)
class Firm:
    """A clearing firm; None takes what is assumed.

    Parameters
    ----------
    capital : USD with which it can pay what its accounts lack, beyond what it has contributed and
        advanced.
    contributions : USD to the fund of each house.
    multiplier : of the house's margin that it asks of customers.
    posts : 'intraday', what the house requires is there before customers pay; or 'as paid'.
    default_rate : a year.
    """

    capital: float | None = None
    contributions: Mapping[str, float] = field(default_factory=dict)
    multiplier: float | None = None
    posts: Posts | None = None
    default_rate: float | None = None

    def __post_init__(self) -> None:
        amounts = {"capital": self.capital, "default_rate": self.default_rate}
        amounts |= {f"contribution to {h}": usd for h, usd in self.contributions.items()}
        _check_amounts("a firm", amounts)
        if self.default_rate is not None and self.default_rate >= 1:
            raise StudyError(
                f"a firm has default_rate {self.default_rate}, which would be a default on every "
                "day; give 0 or more, below 1."
            )
        if self.multiplier is not None and not 0 < self.multiplier <= MOST_ASKED:
            raise StudyError(
                f"a firm has multiplier {self.multiplier}; give more than 0 and at most "
                f"{MOST_ASKED:g} times the house's margin."
            )
        if self.posts not in (None, *get_args(Posts)):
            raise StudyError(
                f"a firm posts {shown(self.posts)}; known: {', '.join(get_args(Posts))}."
            )


@dataclass(frozen=True)
class House:
    """A clearing house; None takes the layers of `waterfall`.

    Parameters
    ----------
    capital : USD of its own before the mutual fund. fund : USD, contributions of members outside
        the structure. assessment : multiple of contributions.
    """

    capital: float | None = None
    fund: float | None = None
    assessment: float | None = None

    def __post_init__(self) -> None:
        _check_amounts("a house", vars(self))


@dataclass(frozen=True)
class Structure:
    """Who carries which account, and who stands behind whom.

    Examples
    --------
    >>> structure = Structure((Member("fund", "A"), Member("A's own", "A", "house")))
    >>> structure.firm_names, [m.account for m in structure.members if m.kind == "house"]
    (('A',), ["A's own"])
    """

    members: tuple[Member, ...]
    firms: Mapping[str, Firm] = field(default_factory=dict)
    houses: Mapping[str, House] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "members", tuple(self.members))
        counts = Counter(member.account for member in self.members)
        for name, count in counts.items():
            if count > 1:
                raise StudyError(f"account {name!r} is twice in the structure; give it one firm.")
        for firm in self.firms:
            if firm not in self.firm_names:
                raise StudyError(
                    f"firm {firm!r} carries no account; remove it, or give it one "
                    f"(known: {', '.join(self.firm_names)})."
                )

    @property
    def firm_names(self) -> tuple[str, ...]:
        """Firms, in the order of their accounts."""
        return tuple(dict.fromkeys(member.firm for member in self.members))

    def firm(self, name: str) -> Firm:
        """A firm."""
        return self.firms.get(name, Firm())

    def house(self, name: str) -> House:
        """A house."""
        return self.houses.get(name, House())

    def of(self, book: Book) -> "Structure":
        """The structure with its members in the order of the portfolios of a book.

        Raises
        ------
        StudyError : a portfolio without a firm, an account without positions, a house that no
            instrument clears at.
        """
        by_name = {member.account: member for member in self.members}
        portfolios = set(book.portfolios)
        for name in book.portfolios:
            if name not in by_name:
                raise StudyError(f"account {name!r} has no firm; give it one in [structure].")
        for name in by_name:
            if name not in portfolios:
                raise StudyError(f"[structure] names account {name!r}, which the study has not.")
        houses = [*self.houses]
        houses += [h for firm in self.firms.values() for h in firm.contributions]
        houses += [h for member in self.members for h in member.regimes if h != EVERYWHERE]
        for house in houses:
            if house not in book.silos:
                raise StudyError(
                    f"[structure] names house {house!r}; the book clears at "
                    f"{', '.join(book.silos)}."
                )
        return Structure(tuple(by_name[name] for name in book.portfolios), self.firms, self.houses)


def _check_amounts(whose: str, amounts: Mapping[str, float | None]) -> None:
    """Raise StudyError where an amount is negative or no number."""
    for what, value in amounts.items():
        if value is not None and not 0 <= value < float("inf"):
            raise StudyError(f"{whose} has {what} {value}; give 0 or more.")
