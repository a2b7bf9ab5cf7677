"""From a column name of a book to the contract it stands for."""

import re

from ..market import tenor_years
from ..types import StudyError
from .option import read_option
from .perpetual import read_perpetual
from .protocol import Instrument
from .spot import Spot
from .treasury import Treasury

_CONTRACT = re.compile(r"^(?P<body>[^@]+)(?:@(?P<silo>[A-Za-z0-9_-]+))?$")
_TREASURY = re.compile(r"^UST(\d+[MY])$")
_NOT_HELD = re.compile(r"^VIX$|-(?:VOL|REALISED|FUNDING(?:-[A-Z0-9]+)?)$")


def parse_instrument(name: str) -> Instrument:
    """Instrument of a column name: 'UST10Y', 'BTC', or either at another venue, 'UST5Y@CME'.

    Perpetuals are 'BTC-PERP' and 'BTC-INV' (see `Perpetual`), options 'SPY-PUT-30D-95' and
    'SPY-CALL-2026-06-26-700' (see `Option`).

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
    derivative = read_perpetual(body, silo) or read_option(body, silo)
    if derivative is not None:
        return derivative
    if _NOT_HELD.search(body):
        raise StudyError(
            f"{body!r} is a volatility or a funding index, which nothing pays outright; hold an "
            "option (SPY-CALL-30D) or a perpetual (BTC-PERP)."
        )
    return Spot(body, silo=silo or "CME")
