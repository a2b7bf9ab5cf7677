"""Accounts with their margins and losses: what no capital, regime or default rate changes.

Margins are the slow part; whoever stands behind whom can be asked again and again over them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np

from backtest.account.account import AccountTerms
from backtest.account.mix import Marks, collateral_marks
from backtest.book.book import Book
from backtest.book.closeout import Closeout
from backtest.book.coverage import Coverage
from backtest.book.liquidation import LiquidationCost
from backtest.clearing.setting import Setting
from backtest.clearing.structure import Structure
from backtest.market.market import Market
from backtest.model.arguments import check_arguments
from backtest.model.protocol import MarginModel
from backtest.model.window import ScoredWindow
from backtest.parameters.in_force import in_force
from backtest.replay.protection.margins import ByHouse, margins_by_house, net_book
from backtest.replay.rules import models_under_rules, rule_day
from backtest.types import (
    BoolArray,
    DaysByPortfolios,
    DaysByPortfoliosBySilos,
    FloatArray,
    Progress,
    StudyError,
    unheard,
)

DAYS_OF_A_YEAR = 365.25
Groups = tuple[tuple[str, tuple[int, ...]], ...]


@dataclass(frozen=True, eq=False)
class Margined:
    """Accounts, what every model asks of them, and what they lose.

    Parameters
    ----------
    market, book, models, coverage, account : what was asked, under the rules of its day.
    kinds : (accounts,) 'customer' or 'house', of which a model may ask different margins.
    margins : of the accounts, by model, over all days.
    loss : (days, accounts, houses) USD over the MPOR, over all days.
    next_day : (scored days, accounts, houses) USD over one day, without costs of closing out.
    cost : (scored days, accounts) USD of closing an account out, NaN where no table has it.
    window : the scored days. marks : values of the collateral. horizon : rows of a close-out.
    day : whose rules all take.
    """

    market: Market
    book: Book
    models: Mapping[str, MarginModel]
    coverage: Coverage
    account: AccountTerms
    kinds: tuple[str, ...]
    margins: Mapping[str, ByHouse]
    loss: DaysByPortfoliosBySilos
    next_day: DaysByPortfoliosBySilos
    cost: DaysByPortfolios
    window: ScoredWindow
    marks: Marks
    horizon: int
    day: date
    _nets: dict[tuple[str, Groups], ByHouse] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        market: Market,
        book: Book,
        models: Mapping[str, MarginModel],
        structure: Structure,
        *,
        coverage: Coverage | None = None,
        account: AccountTerms | None = None,
        score_from: str | None = None,
        as_of: str | None = None,
        as_replayed: bool = False,
        progress: Progress | None = None,
    ) -> "Margined":
        """Margin every account, a customer as a customer is asked, firms' own as a house is.

        Raises
        ------
        StudyError : an account without a firm, or a history too short to score.
        """
        check_arguments(market, book, models)
        coverage, account = coverage or Coverage(), account or AccountTerms()
        closeout = Closeout(book, coverage)
        closeout.check()
        structure = structure.of(book)
        day = rule_day(as_of, market, closeout.longest)
        models = models_under_rules(models, day, replayed=as_replayed)
        account = in_force(account, day)
        kinds = tuple(member.kind for member in structure.members)
        margins = margins_by_house(
            models, market, book, coverage, kind=kinds, progress=progress or unheard
        )
        loss = book.loss(market, coverage)
        known = {name: margin.known for name, margin in margins.items()}
        window = ScoredWindow.of(market, known, loss, score_from, models=models).checked()
        return cls(
            market, book, models, coverage, account, kinds, margins, loss,
            # Variation margin is paid on positions that go on: nothing is closed out.
            replace(book, liquidation=None).loss(market, Coverage(coverage.confidence, 1))[
                window.rows
            ],
            closing_cost(book, market)[window.rows],
            window,
            collateral_marks(account.collateral, market, horizon=closeout.by_portfolio),
            closeout.rows(market),
            day,
        )  # fmt: skip

    @property
    def scale(self) -> FloatArray:
        """(accounts, houses) USD, mean margin of each house alone under the first model.

        What is assumed as a multiple of margin takes that one, the same for all models.
        """
        mean: FloatArray = next(iter(self.margins.values())).alone[self.window.rows].mean(axis=0)
        return mean

    @property
    def legs(self) -> BoolArray:
        """(accounts, houses) whether an account has positions at a house, on any day."""
        houses = np.array([i.silo for i in self.book.instruments])
        held = (self.book.exposure != 0.0).reshape(-1, *self.book.exposure.shape[-2:]).any(axis=0)
        return np.stack([held[:, houses == silo].any(axis=1) for silo in self.book.silos], axis=1)

    def spans(self, margin_days: float) -> FloatArray:
        """(houses,) close-outs that one move of prices is in; see `Protection.spans`.

        margin_days : of a year.
        """
        days = Closeout(self.book, self.coverage).by_instrument
        found = dict.fromkeys(self.book.silos, 0.0)
        for instrument, mpor in zip(self.book.instruments, days, strict=True):
            traded = self.closes(margin_days) * self.market.trades(instrument.factors).mean()
            found[instrument.silo] = max(found[instrument.silo], mpor * margin_days / traded)
        return np.array(list(found.values()))

    def closes(self, margin_days: float) -> float:
        """Closes of the market a year: every day on the 24/7 clock, else margin days."""
        return margin_days if self.market.traded is None else DAYS_OF_A_YEAR

    def nets(self, model: str, setting: Setting) -> DaysByPortfoliosBySilos | None:
        """(days, groups, houses) USD asked for net positions; None where nothing is netted.

        Computed once for all settings that net the same accounts.
        """
        groups = setting.net_groups()
        if not groups:
            return None
        key = model, tuple((name, tuple(rows)) for name, rows in groups.items())
        if key not in self._nets:
            nets = net_book(self.book, groups)
            margins = margins_by_house(
                {model: self.models[model]}, self.market, nets, self.coverage, kind="customer",
                progress=unheard,
            )  # fmt: skip
            self._nets[key] = margins[model]
        pooled = setting.is_pooled
        return self._nets[key].asked(np.array([pooled[rows[0]] for rows in groups.values()]))


def closing_cost(book: Book, market: Market) -> DaysByPortfolios:
    """(days, portfolios) USD that closing all positions out costs; NaN where no table has it.

    The table is that of the book, or the one in force; costs of a book are in its losses as well.

    Examples
    --------
    >>> import backtest as bt, pandas as pd
    >>> market = bt.load_market("sample", end="2018-12-31")
    >>> closing_cost(Book.from_frame(pd.DataFrame({"BTC": [1e6]})), market)[0].tolist()
    [307.5]
    """
    held = book.on(market.dates)
    try:
        return (book.liquidation or LiquidationCost()).cost(
            market,
            held.instruments,
            exposure=held.exposure,
            index=held.unit_index(market),
        )
    except StudyError:  # an instrument of the study's own, whose bid-offer nobody has stated
        return np.full((len(market.dates), len(book.portfolios)), np.nan)
