"""`protect`: every model under every arrangement, and who bears what margin does not cover."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from backtest.account.account import AccountTerms
from backtest.account.mix import collateral_marks
from backtest.book.book import Book
from backtest.book.closeout import Closeout
from backtest.book.coverage import Coverage
from backtest.clearing.arrangement import ARRANGEMENTS, Arrangement
from backtest.clearing.setting import Rules, Setting
from backtest.clearing.structure import Structure
from backtest.kernels.default_draws import count_defaults, list_defaults
from backtest.market.market import Market
from backtest.model.arguments import check_arguments
from backtest.model.protocol import MarginModel
from backtest.model.window import ScoredWindow
from backtest.parameters.in_force import in_force
from backtest.replay.protection.margins import ByHouse, margins_by_house, net_book
from backtest.replay.protection.outcome import Draws, Outcome, replay_outcome
from backtest.replay.rules import models_under_rules, rule_day
from backtest.types import FloatArray, Progress, StudyError, counted, unheard

DRAWS = 100


@dataclass(frozen=True, eq=False)
class Protection:
    """Outcomes by (model, arrangement), on the same days and under the same draws.

    Parameters
    ----------
    outcomes : by (name of the model, name of the arrangement).
    settings : the structure as numbers, by arrangement.
    loss : (days, accounts, houses) USD over the MPOR, on the scored days.
    next_day : the same over one day.
    horizon : rows of the market that a close-out spans.
    """

    book: Book
    structure: Structure
    window: ScoredWindow
    outcomes: Mapping[tuple[str, str], Outcome]
    settings: Mapping[str, Setting]
    loss: FloatArray
    next_day: FloatArray
    horizon: int
    draws: int
    seed: int

    @property
    def days(self) -> pd.DatetimeIndex:
        """The scored days."""
        return pd.DatetimeIndex(self.window.dates)


def protect(
    market: Market,
    book: Book,
    models: Mapping[str, MarginModel],
    structure: Structure,
    *,
    coverage: Coverage | None = None,
    account: AccountTerms | None = None,
    stated: bool = False,
    arrangements: Sequence[Arrangement] = tuple(ARRANGEMENTS.values()),
    rules: Rules | None = None,
    coordination: float = 1.0,
    draws: int = DRAWS,
    seed: int = 0,
    path: int = 0,
    score_from: str | None = None,
    as_of: str | None = None,
    as_replayed: bool = False,
    progress: Progress | None = None,
) -> Protection:
    """Replay every model under every arrangement and carry shortfalls to those who bear them.

    Parameters
    ----------
    structure : who carries which account, and who stands behind whom.
    coverage, account : the standard, and the terms of the collateral account; `stated` gives all
        accounts its payment days, in place of those of their regimes.
    arrangements : what is pooled, and how it is held.
    rules : what is assumed, and what regimes and waterfalls say; the versions in force unless
        given.
    coordination : probability that houses close out a pooled account jointly.
    draws : of defaults, a day. seed, path : of the generator; equal for all models.

    Raises
    ------
    StudyError : an account without a firm, or a history too short to score.

    Examples
    --------
    >>> import backtest as bt, strategies as st
    >>> from backtest.clearing import Member, Structure
    >>> market = bt.load_market("sample", end="2018-12-31")
    >>> frame = pd.DataFrame({"UST10Y": [1e8, -1e8], "BTC": [5e6, 0.0]}, index=["fund", "other"])
    >>> structure = Structure((Member("fund", "A"), Member("other", "A")))
    >>> done = protect(market, bt.Book.from_frame(frame), {"var": st.HistoricalVaR()}, structure)
    >>> sorted({arrangement for _, arrangement in done.outcomes})[-1], done.book.silos
    ('silos', ('FICC', 'CME'))
    """
    check_arguments(market, book, models)
    coverage, account = coverage or Coverage(), account or AccountTerms()
    rules, report = rules or Rules.of(), progress or unheard
    if not arrangements:
        raise StudyError("no arrangement is named; give at least one.")
    if draws < 1:
        raise StudyError(f"draws is {draws}; give 1 or more.")
    closeout = Closeout(book, coverage)
    closeout.check()
    structure = structure.of(book)
    day = rule_day(as_of, market, closeout.longest)
    models = models_under_rules(models, day, replayed=as_replayed)
    account = in_force(account, day)
    margins = _margins(market, book, models, structure, coverage, report)
    loss = book.loss(market, coverage)
    window = ScoredWindow.of(
        market, {n: m.known for n, m in margins.items()}, loss, score_from, models=models
    ).checked()
    rows = window.rows
    marks = collateral_marks(account.collateral, market, horizon=closeout.by_portfolio)
    # What is assumed as a multiple of margin takes that of the first model, the same for all.
    scale = next(iter(margins.values())).alone[rows].mean(axis=0)
    settings = {one.name: Setting(structure, book.silos, one, rules, scale) for one in arrangements}
    first = settings[arrangements[0].name]
    drawn = _draws(first.daily_default, len(window.dates), coordination, draws, seed, path)
    outcomes = {}
    asked = [(name, one) for one in arrangements for name in models]
    for name, one in counted(report, "close-outs", asked, len(asked)):
        setting = settings[one.name]
        nets = _nets(market, book, {name: models[name]}, setting, coverage)
        outcomes[name, one.name] = replay_outcome(
            setting, margins[name], nets, loss, rows, account=account, stated=stated, marks=marks,
            dates=market.dates, draws=drawn,
        )  # fmt: skip
    one_day = book.loss(market, Coverage(coverage.confidence, 1))[rows]
    return Protection(
        book, structure, window, outcomes, settings, loss[rows], one_day, closeout.rows(market),
        draws, seed,
    )  # fmt: skip


def _margins(
    market: Market,
    book: Book,
    models: Mapping[str, MarginModel],
    structure: Structure,
    coverage: Coverage,
    report: Progress,
) -> dict[str, ByHouse]:
    """Margins of all accounts: customers' as a customer is asked, firms' own as a house is."""
    kinds = np.array([member.kind for member in structure.members])
    shape = len(market.dates), len(kinds), len(book.silos)
    whole = {name: ByHouse(np.empty(shape), np.empty(shape)) for name in models}
    for kind in dict.fromkeys(kinds.tolist()):
        places = np.flatnonzero(kinds == kind)
        part = margins_by_house(
            models, market, book.select(places.tolist()), coverage, kind=kind, progress=report
        )
        for name, margins in part.items():
            whole[name].alone[:, places] = margins.alone
            whole[name].pooled[:, places] = margins.pooled
    return whole


def _nets(
    market: Market,
    book: Book,
    models: Mapping[str, MarginModel],
    setting: Setting,
    coverage: Coverage,
) -> ByHouse | None:
    """Margins of the net positions of a setting; None where nothing is netted."""
    groups = setting.net_groups()
    if not groups:
        return None
    nets = net_book(book, groups)
    margins = margins_by_house(models, market, nets, coverage, kind="customer", progress=unheard)
    return next(iter(margins.values()))


def _draws(
    daily: FloatArray, days: int, coordination: float, draws: int, seed: int, path: int
) -> Draws:
    """The defaults that are drawn, the same under every arrangement; daily : probability a day."""
    if not 0 <= coordination <= 1:
        raise StudyError(f"coordination is {coordination}; give a probability, 0 .. 1.")
    keys = (np.uint64(seed), np.uint64(path))
    count = count_defaults(*keys, days, draws, daily)
    listed = np.empty((count, 3), dtype=np.int64)
    list_defaults(*keys, daily, days, draws, listed)
    return Draws(seed, path, draws, coordination, listed)
