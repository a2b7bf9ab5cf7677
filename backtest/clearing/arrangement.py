"""Arrangements of pooling: whose positions are margined together, and how the house holds them."""

from dataclasses import dataclass
from typing import Literal

SILOS = "silos"  # what every other arrangement is compared with
Whose = Literal["nobody", "house", "everybody"]


@dataclass(frozen=True)
class Arrangement:
    """An arrangement between houses.

    Parameters
    ----------
    pooled : whose positions at several houses are margined together.
    omnibus : the house asks a firm for the margin of its customers' net position, not for the
        sum of their margins.
    commingled : pooled customers are in one account under the cross-margining order; otherwise
        each leg is under the regime of its house.

    Examples
    --------
    >>> ARRANGEMENTS["silos"].pools("customer"), ARRANGEMENTS["house pooled"].pools("house")
    (False, True)
    """

    name: str
    pooled: Whose
    omnibus: bool = False
    commingled: bool = False

    def pools(self, kind: str) -> bool:
        """Whether accounts of a kind, 'customer' or 'house', are pooled."""
        return self.pooled == "everybody" or self.pooled == kind


ARRANGEMENTS = {
    one.name: one
    for one in (
        Arrangement(SILOS, "nobody"),
        Arrangement("house pooled", "house"),
        Arrangement("customers gross, segregated", "everybody"),
        Arrangement("customers gross, commingled", "everybody", commingled=True),
        Arrangement("customers omnibus, segregated", "everybody", omnibus=True),
        Arrangement("customers omnibus, commingled", "everybody", omnibus=True, commingled=True),
    )
}
