"""Monte Carlo backtesting of margin models that pool Treasuries and crypto.

Names are imported when they are first used, so that the command line starts quickly.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import charts, scores, simulate
    from .account import AccountTerms
    from .adequacy import haircut_adequacy
    from .book import Book
    from .collateral import Mix
    from .data.load import load_market
    from .engine import run
    from .ensemble import monte_carlo
    from .instruments import (
        CurveFuture,
        Future,
        Option,
        Perpetual,
        Spot,
        Swap,
        TBill,
        Treasury,
    )
    from .market import Market
    from .model import MarginModel, Parts, check_causal
    from .offset import supportable_offset
    from .results import Study
    from .simulate import StationaryBootstrap
    from .types import BacktestError, Coverage, DataError, ResultsError, StudyError

__all__ = [
    "AccountTerms",
    "BacktestError",
    "Book",
    "Coverage",
    "CurveFuture",
    "DataError",
    "Future",
    "MarginModel",
    "Market",
    "Mix",
    "Option",
    "Parts",
    "Perpetual",
    "ResultsError",
    "Spot",
    "StationaryBootstrap",
    "Study",
    "StudyError",
    "Swap",
    "TBill",
    "Treasury",
    "charts",
    "check_causal",
    "haircut_adequacy",
    "load_market",
    "monte_carlo",
    "run",
    "scores",
    "simulate",
    "supportable_offset",
]

_HOME = {
    "AccountTerms": "account",
    "BacktestError": "types",
    "Book": "book",
    "Coverage": "types",
    "CurveFuture": "instruments",
    "DataError": "types",
    "Future": "instruments",
    "MarginModel": "model",
    "Market": "market",
    "Mix": "collateral",
    "Option": "instruments",
    "Parts": "model",
    "Perpetual": "instruments",
    "ResultsError": "types",
    "Spot": "instruments",
    "StationaryBootstrap": "simulate",
    "Study": "results",
    "StudyError": "types",
    "Swap": "instruments",
    "TBill": "instruments",
    "Treasury": "instruments",
    "check_causal": "model",
    "haircut_adequacy": "adequacy",
    "load_market": "data.load",
    "monte_carlo": "ensemble",
    "run": "engine",
    "supportable_offset": "offset",
}


def __getattr__(name: str) -> Any:
    if name in ("charts", "scores", "simulate"):
        return import_module(f".{name}", __name__)
    if name in _HOME:
        return getattr(import_module(f".{_HOME[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
