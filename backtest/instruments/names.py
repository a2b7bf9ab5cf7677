"""From a column name of a book to the contract it stands for."""

import re

from ..market import tenor_years
from ..types import StudyError
from .protocol import Instrument
from .spot import Spot
from .treasury import Treasury

_CONTRACT = re.compile(r"^(?P<body>[^@]+)(?:@(?P<silo>[A-Za-z0-9_-]+))?$")
_TREASURY = re.compile(r"^UST(\d+[MY])$")


def parse_instrument(name: str) -> Instrument:
    """Instrument of a column name: 'UST10Y', 'BTC', or either at another venue, 'UST5Y@CME'.

    Examples
    --------
    >>> parse_instrument("UST5Y@CME")
    Treasury(tenor=5.0, silo='CME')
    """
    match = _CONTRACT.match(name)
    if match is None:
        raise StudyError(f"unknown instrument {name!r}; write UST10Y, BTC or UST5Y@CME.")
    body, silo = match["body"], match["silo"]
    treasury = _TREASURY.match(body)
    if treasury:
        years = tenor_years(treasury[1]) or 0.0
        return Treasury(years, silo=silo or "FICC")
    return Spot(body, silo=silo or "CME")
