"""Monte Carlo backtesting of margin models that pool Treasuries and crypto.

Names are imported when they are first used, so that the command line starts quickly. A noun of the
README's first example stands here; a family (contracts, simulators, scores, figures) is reached
through its module. The decorator of models is `backtest.model.model`: `bt.model` is the room.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from backtest import charts, instruments, scores, simulate
    from backtest.account import AccountTerms, Mix, haircut_adequacy
    from backtest.book import Book, Coverage
    from backtest.data.load import load_market
    from backtest.market import Market
    from backtest.model import Forecast, MarginModel, Parts, check_causal
    from backtest.offset import OffsetLadder, supportable_offset
    from backtest.replay.distribution import Distribution
    from backtest.replay.monte_carlo import monte_carlo
    from backtest.replay.run import run
    from backtest.replay.study import Study
    from backtest.simulate import StationaryBootstrap
    from backtest.types import BacktestError, DataError, ResultsError, StudyError

__version__ = "0.1.0"

__all__ = [
    "AccountTerms",
    "BacktestError",
    "Book",
    "Coverage",
    "DataError",
    "Distribution",
    "Forecast",
    "MarginModel",
    "Market",
    "Mix",
    "OffsetLadder",
    "Parts",
    "ResultsError",
    "StationaryBootstrap",
    "Study",
    "StudyError",
    "__version__",
    "charts",
    "check_causal",
    "haircut_adequacy",
    "instruments",
    "load_market",
    "monte_carlo",
    "run",
    "scores",
    "simulate",
    "supportable_offset",
]

_MODULES = ("charts", "instruments", "scores", "simulate")
_HOME = {
    "AccountTerms": "account",
    "BacktestError": "types",
    "Book": "book",
    "Coverage": "book",
    "DataError": "types",
    "Distribution": "replay.distribution",
    "Forecast": "model",
    "MarginModel": "model",
    "Market": "market",
    "Mix": "account",
    "OffsetLadder": "offset",
    "Parts": "model",
    "ResultsError": "types",
    "StationaryBootstrap": "simulate",
    "Study": "replay.study",
    "StudyError": "types",
    "check_causal": "model",
    "haircut_adequacy": "account",
    "load_market": "data.load",
    "monte_carlo": "replay.monte_carlo",
    "run": "replay.run",
    "supportable_offset": "offset",
}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f".{name}", __name__)
    if name in _HOME:
        return getattr(import_module(f".{_HOME[name]}", __name__), name)
    if name[:1].isupper():  # a contract or a simulator by its bare name, as studies have it
        for family in ("instruments", "simulate"):
            found = getattr(import_module(f".{family}", __name__), name, None)
            if found is not None:
                return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
