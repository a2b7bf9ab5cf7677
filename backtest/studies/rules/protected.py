"""What rules of customers, firms and houses are asked for: who bears what in a packaged study."""

from collections.abc import Collection
from dataclasses import replace
from datetime import date
from functools import cached_property

from backtest.clearing.ledger import FELLOW, FUND, UNCOVERED
from backtest.clearing.rules import RULES, Rules
from backtest.clearing.structure import Structure
from backtest.config.load import build_book, default_study, read_study
from backtest.config.structure import build_structure
from backtest.market.market import Market
from backtest.parameters.in_force import version_on
from backtest.replay.protection.margined import Margined
from backtest.replay.protection.posted import Posted
from backtest.replay.protection.protect import close_out
from backtest.replay.protection.summary import Losses
from strategies import HistoricalVaR

STUDY = "customers-and-houses"
BEARERS = {"fellow customers": FELLOW, "mutual fund": FUND, "uncovered": UNCOVERED}
MODEL = "historical_var"


class ProtectedAccounts:
    """The accounts of `customers-and-houses` on a market, margined once by historical simulation.

    Houses have the layers of the rules, not those that the study states.
    """

    def __init__(self, market: Market, day: date) -> None:
        self.market, self.day = market, day

    @property
    def reads(self) -> frozenset[str]:
        """Versions of the day that the numbers rest on."""
        return frozenset(version_on(rule, self.day) for rule in RULES)

    @cached_property
    def _margined(self) -> tuple[Margined, Structure]:
        config = read_study(default_study(STUDY), where=f"the packaged study {STUDY}")
        assert config.structure is not None
        book = build_book(config, self.market)
        structure = replace(build_structure(config.structure, {}).of(book), houses={})
        margined = Margined.of(
            self.market, book, {MODEL: HistoricalVaR()}, structure, coverage=config.standard()
        )
        return margined, structure

    def amounts(self, only: Collection[str] | None) -> dict[str, float]:
        """USD by arrangement and what: mean margin, and a year's losses of who did nothing."""
        margined, structure = self._margined
        done = close_out(margined, structure, rules=Rules.of(self.day))
        found = {}
        for name in done.settings:
            found[f"{name}: margin"] = float(Posted.of(done, MODEL, name).total.mean())
            for bearer, place in BEARERS.items():
                year = Losses.of(done, MODEL, name, place).yearly
                found[f"{name}: {bearer}, a year"] = float(year.mean())
        return found if only is None else {name: found[name] for name in only}
