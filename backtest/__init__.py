"""Monte Carlo backtesting of margin models that pool Treasuries and crypto.

Names are imported when they are first used, so that the command line starts quickly. A noun of the
README's first example stands here; a family (contracts, simulators, scores, figures) is reached
through its module, and a contract also by its bare name (`bt.Treasury`). The decorator of models is
`backtest.model.model`, because `bt.model` is that package.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from backtest import charts, instruments, scores, simulate
    from backtest.account import AccountTerms, Mix, haircut_adequacy
    from backtest.book import Book, Coverage
    from backtest.clearing import Arrangement, Firm, House, Member, Structure
    from backtest.cluster import on_cluster
    from backtest.data.load import load_market
    from backtest.instruments import CurveFuture as CurveFuture
    from backtest.instruments import Future as Future
    from backtest.instruments import Option as Option
    from backtest.instruments import Perpetual as Perpetual
    from backtest.instruments import Spot as Spot
    from backtest.instruments import Swap as Swap
    from backtest.instruments import TBill as TBill
    from backtest.instruments import Treasury as Treasury
    from backtest.market import Market
    from backtest.model import Forecast, MarginModel, Parts, check_causal
    from backtest.offset import OffsetLadder, supportable_offset
    from backtest.replay.distribution import Distribution
    from backtest.replay.monte_carlo import monte_carlo
    from backtest.replay.protection import Protection, protect, protect_paths
    from backtest.replay.run import run
    from backtest.replay.study import Study
    from backtest.replay.validation import validate
    from backtest.simulate import StationaryBootstrap
    from backtest.types import BacktestError, DataError, ResultsError, StudyError

__version__ = "0.1.0"

__all__ = [
    "AccountTerms",
    "Arrangement",
    "BacktestError",
    "Book",
    "Coverage",
    "DataError",
    "Distribution",
    "Firm",
    "Forecast",
    "House",
    "MarginModel",
    "Market",
    "Member",
    "Mix",
    "OffsetLadder",
    "Parts",
    "Protection",
    "ResultsError",
    "StationaryBootstrap",
    "Structure",
    "Study",
    "StudyError",
    "__version__",
    "charts",
    "check_causal",
    "haircut_adequacy",
    "instruments",
    "load_market",
    "monte_carlo",
    "on_cluster",
    "protect",
    "protect_paths",
    "run",
    "scores",
    "simulate",
    "supportable_offset",
    "validate",
]

_MODULES = ("charts", "instruments", "scores", "simulate")
_CONTRACTS = ("CurveFuture", "Future", "Option", "Perpetual", "Spot", "Swap", "TBill", "Treasury")
_HOME = {
    "AccountTerms": "account",
    "Arrangement": "clearing",
    "BacktestError": "types",
    "Book": "book",
    "Coverage": "book",
    "DataError": "types",
    "Distribution": "replay.distribution",
    "Firm": "clearing",
    "Forecast": "model",
    "House": "clearing",
    "MarginModel": "model",
    "Market": "market",
    "Member": "clearing",
    "Mix": "account",
    "OffsetLadder": "offset",
    "Parts": "model",
    "Protection": "replay.protection",
    "ResultsError": "types",
    "StationaryBootstrap": "simulate",
    "Structure": "clearing",
    "Study": "replay.study",
    "StudyError": "types",
    "check_causal": "model",
    "haircut_adequacy": "account",
    "load_market": "data.load",
    "monte_carlo": "replay.monte_carlo",
    "on_cluster": "cluster",
    "protect": "replay.protection",
    "protect_paths": "replay.protection",
    "run": "replay.run",
    "supportable_offset": "offset",
    "validate": "replay.validation",
} | dict.fromkeys(_CONTRACTS, "instruments")


if not TYPE_CHECKING:  # a type checker would take every misspelt name for Any

    def __getattr__(name: str) -> Any:
        if name in _MODULES:
            return import_module(f".{name}", __name__)
        if name in _HOME:
            return getattr(import_module(f".{_HOME[name]}", __name__), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
