"""Instruments that a study declares: a table of TOML for each, no Python."""

from backtest.instruments.declared.bond import SpreadBond, YieldBond
from backtest.instruments.declared.in_force import (
    contract_of,
    declaration_of_factor,
    declare,
    declared_instrument,
    in_force,
    terms_of_future,
)
from backtest.instruments.declared.price import DeclaredPrice
from backtest.instruments.declared.table import Buckets, Declaration

__all__ = [
    "Buckets",
    "Declaration",
    "DeclaredPrice",
    "SpreadBond",
    "YieldBond",
    "contract_of",
    "declaration_of_factor",
    "declare",
    "declared_instrument",
    "in_force",
    "terms_of_future",
]
