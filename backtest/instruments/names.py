"""From a column name of a book to its instrument.

A kind of contract is one entry of `CONTRACTS`: a pattern for the name, and a function from its
match and the silo after '@' (None: its home) to the instrument. A name that a study declares is
what it is declared to be; any other that fits no pattern is a price held outright.
"""

import re
from collections.abc import Callable, Mapping

from backtest.instruments.bill import TBill
from backtest.instruments.contracts import known_contracts
from backtest.instruments.curve_future import CurveFuture
from backtest.instruments.declared import declared_instrument
from backtest.instruments.future import Future
from backtest.instruments.option import OPTION_NAME, option_of
from backtest.instruments.perpetual import PERPETUAL_NAME, perpetual_of
from backtest.instruments.protocol import Instrument
from backtest.instruments.spot import Spot
from backtest.instruments.swap import Swap
from backtest.instruments.treasury import Treasury
from backtest.market.market import tenor_years
from backtest.types import StudyError

Maker = Callable[[re.Match[str], str | None], Instrument]

_NAME = re.compile(r"^(?P<body>[^@]+)(?:@(?P<silo>[A-Za-z0-9_-]+))?$")


def _treasury(body: re.Match[str], silo: str | None) -> Instrument:
    return Treasury(tenor_years(body[1]) or 0.0, silo=silo or "FICC")


def _bill(body: re.Match[str], silo: str | None) -> Instrument:
    return TBill(tenor_years(body[1]) or 0.0, silo=silo or "FICC")


def _swap(body: re.Match[str], silo: str | None) -> Instrument:
    return Swap(tenor_years(body[1]) or 0.0, silo=silo or "CME")


def _future(body: re.Match[str], silo: str | None) -> Instrument:
    return Future(body[1], silo=silo or "CME")


def _curve_future(body: re.Match[str], silo: str | None) -> Instrument:
    return CurveFuture(body[1], silo=silo or "CME")


def not_held(body: re.Match[str], silo: str | None) -> Instrument:
    """StudyError: no position is held in a quoted index."""
    raise StudyError(
        f"{body[0]!r} is a volatility or a funding index, which nobody can hold outright; hold an "
        "option (SPY-CALL-30D) or a perpetual (BTC-PERP)."
    )


CONTRACTS: Mapping[str, Maker] = {
    r"UST(\d+[MY])": _treasury,
    r"BILL(\d+[MY])": _bill,
    r"SWAP(\d+[MY])": _swap,
    "(" + "|".join(known_contracts()) + ")": _future,
    r"(\w+)~curve": _curve_future,
    PERPETUAL_NAME: perpetual_of,
    OPTION_NAME: option_of,
    r"VIX|.+-(?:VOL|REALISED|FUNDING(?:-[A-Z0-9]+)?)": not_held,
}


def parse_instrument(name: str) -> Instrument:
    """Instrument of a column name: 'UST10Y', 'BILL3M', 'ZN', 'BTC'; with its silo, 'UST5Y@CME'.

    Perpetuals are 'BTC-PERP' and 'BTC-INV' (see `Perpetual`), options 'SPY-PUT-30D-95' and
    'SPY-CALL-2026-06-26-700' (see `Option`).

    Examples
    --------
    >>> parse_instrument("UST5Y@CME")
    Treasury(tenor=5.0, silo='CME')
    """
    match = _NAME.match(name)
    if match is None:
        raise StudyError(f"unknown instrument {name!r}; write UST10Y, BTC or UST5Y@CME.")
    declared = declared_instrument(match["body"], match["silo"])
    if declared is not None:
        return declared
    for pattern, make in CONTRACTS.items():
        body = re.fullmatch(pattern, match["body"])
        if body:
            return make(body, match["silo"])
    return Spot(match["body"], silo=match["silo"] or "CME")


def known_form(name: str) -> bool:
    """Whether a name is that of a contract by its form: nothing else can be declared under it.

    Examples
    --------
    >>> known_form("ZN"), known_form("UST7Y"), known_form("SOL")
    (True, True, False)
    """
    return any(re.fullmatch(pattern, name) for pattern in CONTRACTS)
