"""What stands behind the margins of accounts: their own resources, their firm's, the funds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from backtest.types import FloatArray, StudyError, shown


@dataclass(frozen=True)
class Backing:
    """Firms of the accounts and the money that a loss beyond margin meets, in USD.

    Parameters
    ----------
    firm : by account, its clearing firm. Accounts that are not named belong to none.
    resources : by account, what it has beside its margin; 0 unless stated.
    capital : by firm, what it has beside all margins and contributions.
    contributions : by firm, what it has paid into the funds of its houses, all of them together.
    fund : by firm, the houses' own capital and what others have paid into the funds, all houses
        of the firm together.

    Raises
    ------
    StudyError : an amount below zero.

    Examples
    --------
    >>> backing = Backing({"a": "F", "b": "F"}, capital={"F": 5e6}, contributions={"F": 1e6})
    >>> backing.firms, backing.layers("F")
    (('F',), {'capital': 5000000.0, "the firm's contributions": 6000000.0})
    """

    firm: Mapping[str, str] = field(default_factory=dict)
    resources: Mapping[str, float] = field(default_factory=dict)
    capital: Mapping[str, float] = field(default_factory=dict)
    contributions: Mapping[str, float] = field(default_factory=dict)
    fund: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for what in ("resources", "capital", "contributions", "fund"):
            for name, usd in getattr(self, what).items():
                if not usd >= 0.0:
                    raise StudyError(f"{what} of {shown(name)} is {usd}; give USD, 0 or more.")

    @property
    def firms(self) -> tuple[str, ...]:
        """Names of the firms, in the order of their first accounts."""
        return tuple(dict.fromkeys(self.firm.values()))

    def own(self, portfolios: Sequence[str]) -> FloatArray:
        """(portfolios,) resources of each."""
        return np.array([self.resources.get(name, 0.0) for name in portfolios], dtype=np.float64)

    def members(self, firm: str, portfolios: Sequence[str]) -> list[int]:
        """Places of a firm's accounts among `portfolios`."""
        return [i for i, name in enumerate(portfolios) if self.firm.get(name) == firm]

    def layers(self, firm: str) -> dict[str, float]:
        """What a firm's accounts must lack together to use each layer up, USD, the first first.

        Amounts add up: the second layer is used up once the first is, and it. A layer of which
        nothing is stated is left out.
        """
        out, total = {}, 0.0
        for name, amounts in (
            ("capital", self.capital),
            ("the firm's contributions", self.contributions),
            ("the funds of its houses", self.fund),
        ):
            if firm in amounts:
                total += amounts[firm]
                out[name] = total
        return out

    def firm_resources(self, firm: str) -> float:
        """A firm's own capital and contributions; NaN where neither is stated."""
        stated = [m[firm] for m in (self.capital, self.contributions) if firm in m]
        return sum(stated) if stated else float("nan")
