"""What can be held: each instrument is a contract at a venue, whose clearing house is its silo.

An instrument turns levels into exact P&L per 1 USD of notional, and shocks into scenario P&L
(delta-gamma by default). Constant USD is the unit throughout.
"""

from .bill import TBill
from .curve_future import CurveFuture
from .future import Future, basis, traded_price
from .names import parse_instrument
from .option import Option
from .perpetual import Perpetual, coin_pnl
from .priced import check_priced
from .protocol import Instrument, Revalued, by_factor
from .spot import Spot
from .swap import Swap
from .treasury import Treasury, par_yield, seasoned_price

__all__ = [
    "CurveFuture",
    "Future",
    "Instrument",
    "Option",
    "Perpetual",
    "Revalued",
    "Spot",
    "Swap",
    "TBill",
    "Treasury",
    "basis",
    "by_factor",
    "check_priced",
    "coin_pnl",
    "par_yield",
    "parse_instrument",
    "seasoned_price",
    "traded_price",
]
