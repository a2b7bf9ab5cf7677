"""Monte Carlo backtesting of margin models that pool Treasuries and crypto.

Names are imported when they are first used, so that the command line starts quickly.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from backtest import charts, scores, simulate
    from backtest.account.account import AccountTerms
    from backtest.account.adequacy import haircut_adequacy
    from backtest.account.mix import Mix
    from backtest.book.book import Book
    from backtest.book.coverage import Coverage
    from backtest.data.load import load_market
    from backtest.instruments import (
        CurveFuture,
        Future,
        Option,
        Perpetual,
        Spot,
        Swap,
        TBill,
        Treasury,
    )
    from backtest.market.market import Market
    from backtest.model.causality import check_causal
    from backtest.model.protocol import MarginModel, Parts
    from backtest.offset import supportable_offset
    from backtest.replay.monte_carlo import monte_carlo
    from backtest.replay.run import run
    from backtest.replay.study import Study
    from backtest.simulate import StationaryBootstrap
    from backtest.types import BacktestError, DataError, ResultsError, StudyError

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
    "Coverage": "book",
    "CurveFuture": "instruments",
    "DataError": "types",
    "Future": "instruments",
    "MarginModel": "model",
    "Market": "market",
    "Mix": "account",
    "Option": "instruments",
    "Parts": "model",
    "Perpetual": "instruments",
    "ResultsError": "types",
    "Spot": "instruments",
    "StationaryBootstrap": "simulate",
    "Study": "replay.study",
    "StudyError": "types",
    "Swap": "instruments",
    "TBill": "instruments",
    "Treasury": "instruments",
    "check_causal": "model",
    "haircut_adequacy": "account",
    "load_market": "data.load",
    "monte_carlo": "replay.monte_carlo",
    "run": "replay.run",
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
