"""What a margin model is handed: copies that share nothing that it could change.

Several models are asked about one market and one book. Whoever zeroed positions, moved prices or
shortened the MPOR would do so for those that are asked next, and for the losses of all.
"""

from copy import deepcopy
from typing import TypeVar

import numpy as np

Lent = TypeVar("Lent")  # Market, Book, Coverage


def lent(given: Lent) -> Lent:
    """A copy of a frozen dataclass and of everything in it; its arrays are read-only.

    Examples
    --------
    >>> from backtest.book.coverage import Coverage
    >>> standard = Coverage(mpor={"CME": 2})
    >>> own = lent(standard)
    >>> object.__setattr__(own, "confidence", 0.5)
    >>> standard.confidence, own.mpor == standard.mpor
    (0.99, True)
    """
    own = deepcopy(given)
    for value in vars(own).values():
        if isinstance(value, np.ndarray):
            value.flags.writeable = False  # an honest slip fails where it happens
    return own


def changed(own: object, given: object) -> bool:
    """Whether an array of a lent copy is no longer that of the original.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> changed(SimpleNamespace(levels=np.zeros(2)), SimpleNamespace(levels=np.ones(2)))
    True
    """
    return not all(
        np.array_equal(vars(own).get(name, ()), value)
        for name, value in vars(given).items()
        if isinstance(value, np.ndarray)
    )
