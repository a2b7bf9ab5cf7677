"""Instruments of a book: each is a contract at a venue, whose clearing house is its silo.

An instrument turns levels into exact P&L per 1 USD of notional, and shocks into scenario P&L
(delta-gamma by default). Positions are counted in constant USD.
"""

from backtest.instruments.bill import TBill
from backtest.instruments.curve_future import CurveFuture
from backtest.instruments.declared import Declaration, DeclaredPrice, SpreadBond, YieldBond, declare
from backtest.instruments.future import Future, basis, traded_price
from backtest.instruments.names import parse_instrument
from backtest.instruments.option import Option
from backtest.instruments.perpetual import Perpetual, coin_pnl
from backtest.instruments.priced import check_priced
from backtest.instruments.protocol import (
    Instrument,
    Revalued,
    bucket_of,
    by_factor,
    check_terms,
    is_option,
    rate_in,
    treasury_maturity,
    undeclared,
)
from backtest.instruments.spot import Spot
from backtest.instruments.swap import Swap
from backtest.instruments.treasury import Treasury, par_yield, seasoned_price

__all__ = [
    "CurveFuture",
    "Declaration",
    "DeclaredPrice",
    "Future",
    "Instrument",
    "Option",
    "Perpetual",
    "Revalued",
    "Spot",
    "SpreadBond",
    "Swap",
    "TBill",
    "Treasury",
    "YieldBond",
    "basis",
    "bucket_of",
    "by_factor",
    "check_priced",
    "check_terms",
    "coin_pnl",
    "declare",
    "is_option",
    "par_yield",
    "parse_instrument",
    "rate_in",
    "seasoned_price",
    "traded_price",
    "treasury_maturity",
    "undeclared",
]
