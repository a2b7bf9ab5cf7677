"""`protect`: every model under every arrangement, and who bears what margin does not cover."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from backtest.account.account import AccountTerms
from backtest.book.book import Book
from backtest.book.coverage import Coverage
from backtest.clearing.arrangement import ARRANGEMENTS, SILOS, Arrangement
from backtest.clearing.rules import Rules
from backtest.clearing.setting import DRAWS, Setting
from backtest.clearing.structure import Structure
from backtest.kernels.default_draws import Several, several_defaults
from backtest.market.market import Market
from backtest.model.protocol import MarginModel
from backtest.model.window import ScoredWindow
from backtest.replay.protection.collateral import Collateral
from backtest.replay.protection.margined import Margined
from backtest.replay.protection.outcome import Draws, Outcome, replay_outcome
from backtest.types import FloatArray, Progress, StudyError, counted, unheard


@dataclass(frozen=True, eq=False)
class Protection:
    """Outcomes by (model, arrangement), on the same days and under the same draws.

    Parameters
    ----------
    margined : the accounts, which can be closed out again behind other firms and houses.
    outcomes : by (name of the model, name of the arrangement).
    settings : the structure as numbers, by arrangement.
    coordination : probability that houses close out a pooled account jointly.
    """

    margined: Margined
    structure: Structure
    outcomes: Mapping[tuple[str, str], Outcome]
    settings: Mapping[str, Setting]
    stated: bool
    coordination: float
    draws: int
    seed: int
    path: int = 0

    @property
    def book(self) -> Book:
        """Positions of the accounts."""
        return self.margined.book

    @property
    def window(self) -> ScoredWindow:
        """The scored days, as rows of the market."""
        return self.margined.window

    @property
    def days(self) -> pd.DatetimeIndex:
        """The scored days."""
        return pd.DatetimeIndex(self.window.dates)

    @property
    def loss(self) -> FloatArray:
        """(days, accounts, houses) USD over the MPOR, on the scored days."""
        return self.margined.loss[self.window.rows]

    @property
    def next_day(self) -> FloatArray:
        """The same over one day."""
        return self.margined.next_day

    @property
    def horizon(self) -> int:
        """Rows of the market that a close-out spans."""
        return self.margined.horizon

    @property
    def spans(self) -> FloatArray:
        """(houses,) close-outs that one move of prices is in, where a year has `margin_days`.

        The MPOR of the slowest position of each house. On the 24/7 clock a year has more closes
        than margin days, and prices of a house stand still on some of them.
        """
        assumed = next(iter(self.settings.values())).rules.assumptions.margin_days
        return self.margined.spans(assumed)

    @property
    def models(self) -> tuple[str, ...]:
        """Names of the models, in the order of the study."""
        return tuple(dict.fromkeys(model for model, _ in self.outcomes))

    def summary(self) -> pd.DataFrame:
        """One row a (model, arrangement): margin, who loses, how often, how much, how surely.

        Columns: `backtest.replay.protection.summary.summary`.
        """
        from backtest.replay.protection.summary import summary

        return summary(self)

    def differences(self, *, against: str = SILOS) -> pd.DataFrame:
        """Each arrangement less another of the same model, paired by day.

        Columns: `backtest.replay.protection.summary.differences`.
        """
        from backtest.replay.protection.summary import differences

        return differences(self, against=against)


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
    rules : what is assumed, and what regimes and waterfalls say; the versions in force on
        `as_of` unless given.
    coordination : probability that houses close out a pooled account jointly.
    draws : of each day on which two names or more fail; nobody, and each name alone, are counted
        with their probabilities. seed, path : of the generator; equal for all models.

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
    margined = Margined.of(
        market, book, models, structure, coverage=coverage, account=account,
        score_from=score_from, as_of=as_of, as_replayed=as_replayed, progress=progress,
    )  # fmt: skip
    return close_out(
        margined, structure, stated=stated, arrangements=arrangements, rules=rules,
        coordination=coordination, draws=draws, seed=seed, path=path, progress=progress,
    )  # fmt: skip


def close_out(
    margined: Margined,
    structure: Structure,
    *,
    stated: bool = False,
    arrangements: Sequence[Arrangement] = tuple(ARRANGEMENTS.values()),
    models: Sequence[str] | None = None,
    rules: Rules | None = None,
    coordination: float = 1.0,
    draws: int = DRAWS,
    seed: int = 0,
    path: int = 0,
    scale: FloatArray | None = None,
    progress: Progress | None = None,
) -> Protection:
    """Close out accounts that are margined already; arguments as of `protect`.

    structure : with the same accounts, each of the same kind. models : names; None takes all.
    scale : (accounts, houses) USD, the margin that capital, resources and contributions are assumed
        as multiples of; None takes `margined.scale`.

    Raises
    ------
    StudyError : other accounts or kinds, no arrangement or draw, or no probability.
    """
    rules, report = rules or Rules.of(margined.day), progress or unheard
    if not arrangements:
        raise StudyError("no arrangement is named; give at least one.")
    if draws < 1:
        raise StudyError(f"draws is {draws}; give 1 or more.")
    if not 0 <= coordination <= 1:
        raise StudyError(f"coordination is {coordination}; give a probability, 0 .. 1.")
    structure = structure.of(margined.book)
    for member, kind in zip(structure.members, margined.kinds, strict=True):
        if member.kind != kind:
            raise StudyError(f"account {member.account!r} was margined as of kind {kind!r}.")
    rows, silos = margined.window.rows, margined.book.silos
    scale = margined.scale if scale is None else scale
    settings = {
        one.name: Setting(structure, silos, one, rules, scale, margined.legs)
        for one in arrangements
    }
    first = settings[arrangements[0].name]
    daily = np.ascontiguousarray(first.daily_defaults(margined.loss[rows]))
    drawn = Draws(coordination, daily, _several(first, daily, seed, path, draws))
    outcomes = {}
    asked = [(name, one) for one in arrangements for name in models or margined.models]
    for name, one in counted(report, "close-outs", asked, len(asked)):
        setting = settings[one.name]
        accounts = Collateral(
            setting, margined.margins[name], rows, margined.account, stated, margined.marks,
            margined.market.dates,
        )  # fmt: skip
        outcomes[name, one.name] = replay_outcome(
            accounts, margined.nets(name, setting), margined.loss[rows], margined.cost, drawn
        )
    return Protection(
        margined, structure, outcomes, settings, stated, coordination, draws, seed, path
    )


def _several(setting: Setting, daily: FloatArray, seed: int, path: int, draws: int) -> Several:
    """Draws of days on which two names or more fail, the same in whatever order they are listed."""
    order = setting.by_name
    order = order[(daily[:, order] > 0.0).any(axis=0)]  # who never fails moves no draw either
    drawn = several_defaults(seed, path, daily[:, order], draws)
    return drawn._replace(names=order[drawn.names])
