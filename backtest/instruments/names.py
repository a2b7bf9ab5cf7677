"""From a column name of a book to the contract it stands for.

A kind of contract is one entry of `CONTRACTS`: a pattern for the body of the name, and what makes
the contract of a match and of the venue that stands behind '@' (None: its home). A body that no
pattern knows is a price held outright.
"""

import re
from collections.abc import Callable, Mapping

from ..market import tenor_years
from ..types import StudyError
from .protocol import Instrument
from .spot import Spot
from .treasury import Treasury

Maker = Callable[[re.Match[str], str | None], Instrument]

_NAME = re.compile(r"^(?P<body>[^@]+)(?:@(?P<silo>[A-Za-z0-9_-]+))?$")


def _treasury(body: re.Match[str], silo: str | None) -> Instrument:
    return Treasury(tenor_years(body[1]) or 0.0, silo=silo or "FICC")


CONTRACTS: Mapping[str, Maker] = {
    r"UST(\d+[MY])": _treasury,
}


def parse_instrument(name: str) -> Instrument:
    """Instrument of a column name: 'UST10Y', 'BTC', or either at another venue, 'UST5Y@CME'.

    Examples
    --------
    >>> parse_instrument("UST5Y@CME")
    Treasury(tenor=5.0, silo='CME')
    """
    match = _NAME.match(name)
    if match is None:
        raise StudyError(f"unknown instrument {name!r}; write UST10Y, BTC or UST5Y@CME.")
    for pattern, make in CONTRACTS.items():
        body = re.fullmatch(pattern, match["body"])
        if body:
            return make(body, match["silo"])
    return Spot(match["body"], silo=match["silo"] or "CME")
