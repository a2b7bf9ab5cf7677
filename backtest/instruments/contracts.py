"""Terms of the futures that a book can hold, from `contracts.toml`."""

import tomllib
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Literal

from pydantic import BaseModel, ConfigDict

from backtest.types import StudyError

LastTrading = Literal[
    "last_business_day",
    "seventh_before_last_business_day",
    "third_last_business_day",
    "last_friday",
    "third_friday",
    "third_before_25th_of_month_before",
]


class Contract(BaseModel):
    """One future; see `contracts.toml` for what the fields mean."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    title: str
    reference: str
    multiplier: float
    last_trading: LastTrading
    cycle: tuple[int, ...]
    first: date | None = None
    maturity: float | None = None
    to_delivery: float | None = None


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")
    dated: date
    source: str
    verified: bool
    note: str
    contracts: dict[str, Contract]


@cache
def known_contracts() -> dict[str, Contract]:
    """Every contract, by code."""
    text = (files("backtest.instruments") / "contracts.toml").read_text(encoding="utf-8")
    return _File(**tomllib.loads(text)).contracts


def contract_terms(code: str) -> Contract:
    """Terms of one contract.

    Raises
    ------
    StudyError : no such contract.

    Examples
    --------
    >>> contract_terms("ZN").maturity, contract_terms("BTC_CME").reference
    (6.5, 'BTC')
    """
    contracts = known_contracts()
    if code not in contracts:
        raise StudyError(f"unknown future {code!r}; known: {', '.join(contracts)}.")
    return contracts[code]
