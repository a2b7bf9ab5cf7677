"""`protect_paths`: the same accounts, firms and houses on simulated histories."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import joblib
import numpy as np
import pandas as pd

from backtest.account.account import AccountTerms
from backtest.book.book import Book
from backtest.book.closeout import Closeout
from backtest.book.coverage import Coverage
from backtest.clearing.arrangement import ARRANGEMENTS, Arrangement
from backtest.clearing.ledger import BEARERS, FELLOW, FUND, OTHERS, UNCOVERED
from backtest.clearing.rules import Rules
from backtest.clearing.setting import DRAWS
from backtest.clearing.structure import Structure
from backtest.market.market import Market
from backtest.memory import keep_freed
from backtest.model.protocol import MarginModel
from backtest.replay.protection.margined import Margined
from backtest.replay.protection.posted import Posted
from backtest.replay.protection.protect import Protection, close_out
from backtest.replay.protection.summary import Losses
from backtest.replay.protection.tabled import tabled
from backtest.replay.protection.yearly import by_year
from backtest.replay.rules import rule_day
from backtest.scores.money.over_paths import mean_over_paths, student_mean
from backtest.scores.money.rare import RareMean
from backtest.simulate.paths import Paths, Simulator
from backtest.types import FloatArray, Progress, StudyError, unheard
from backtest.workers import in_parallel

TOUCHED = ("fellow customers lose", "mutual fund pays", "a firm fails", "something is uncovered")
BEHIND = ((FELLOW,), (FUND,), OTHERS, (UNCOVERED,))  # whose payments each of them is about
COLUMNS = (
    "margin",
    *(BEARERS[place] for place in OTHERS),
    "close-out of accounts not ported",
    "frozen",
    *TOUCHED,
    "largest fellow-customer loss",
    "largest imbalance",
)


@dataclass(frozen=True, eq=False)
class Terms:
    """What is asked of every path; the fields as the arguments of `protect`.

    Parameters
    ----------
    scale : (accounts, houses) USD, mean margins on the history: what is assumed as a multiple of
        margin is the same USD on every path.
    """

    book: Book
    models: Mapping[str, MarginModel]
    structure: Structure
    coverage: Coverage
    account: AccountTerms
    stated: bool
    arrangements: tuple[Arrangement, ...]
    rules: Rules
    coordination: float
    draws: int
    score_from: str | None
    day: str
    scale: FloatArray

    def on(self, market: Market, *, seed: int, path: int) -> Protection:
        """The outcomes on one path."""
        margined = Margined.of(
            market, self.book, self.models, self.structure, coverage=self.coverage,
            account=self.account, score_from=self.score_from, as_of=self.day,
        )  # fmt: skip
        return close_out(
            margined, self.structure, stated=self.stated, arrangements=self.arrangements,
            rules=self.rules, coordination=self.coordination, draws=self.draws, seed=seed,
            path=path, scale=self.scale,
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class ProtectedPaths:
    """What paths left: sums of each, never their days.

    Parameters
    ----------
    keys : (model, arrangement) of each outcome.
    amounts, base : (paths, outcomes, COLUMNS), with and without defaults that come whatever prices
        do: mean margin in USD; USD a year by bearer, and of closing out accounts that are not
        ported; USD x days a year of collateral that is frozen; times a year that something
        happens; the largest of a day, USD.
    """

    keys: tuple[tuple[str, str], ...]
    amounts: FloatArray
    base: FloatArray

    def summary(self) -> pd.DataFrame:
        """Mean over paths of every column, with its 95 % interval; a row an outcome and column.

        Margins have Student's interval, all else that of `mean_over_paths`; `low` and `high` are
        NaN where fewer than five paths have an event without drawn defaults. `paths_with` counts
        these. The largest is that of all paths.
        """
        rows = {}
        for o, key in enumerate(self.keys):
            for c, column in enumerate(COLUMNS):
                values, base = self.amounts[:, o, c], self.base[:, o, c]
                if column == "margin":
                    found = student_mean(values)
                elif column.startswith("largest"):
                    found = _largest(values)
                else:
                    found = mean_over_paths(values, base)
                rows[*key, column] = {
                    "mean": found.mean, "low": found.low, "high": found.high,
                    "paths_with": found.events,
                }  # fmt: skip
        return tabled(rows, "model", "arrangement", "what")


def _largest(values: FloatArray) -> RareMean:
    return RareMean(float(values.max()), np.nan, np.nan, int((values > 0.0).sum()))


def protect_paths(
    simulator: Simulator,
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
    paths: int = 100,
    seed: int = 0,
    score_from: str | None = None,
    as_of: str | None = None,
    n_jobs: int = 1,
    progress: Progress | None = None,
) -> ProtectedPaths:
    """Replay `protect` on simulated histories; each path is one, under defaults of its own.

    Path i depends on (seed, i) alone: workers change no number, and memory holds one path a worker.
    Capital, resources and contributions that are assumed as multiples of margin are those of the
    history, in USD, on every path. Arguments as of `protect` and `monte_carlo`.

    Raises
    ------
    StudyError : as `protect`; no path. A failure carries the path it happened on.

    Examples
    --------
    >>> import backtest as bt, strategies as st
    >>> from backtest.clearing import Member
    >>> market = bt.load_market("sample", end="2018-12-31")
    >>> book = bt.Book.from_frame(pd.DataFrame({"BTC": [1e6]}, index=["coin"]), market)
    >>> done = protect_paths(bt.StationaryBootstrap(block_size=20), market, book,
    ...                      {"var": st.HistoricalVaR()}, Structure((Member("coin", "A"),)),
    ...                      arrangements=[ARRANGEMENTS["silos"]], paths=2, seed=7)
    >>> done.amounts.shape[:2], bool((done.amounts[:, 0, 0] > 0).all())
    ((2, 1), True)
    """
    if isinstance(paths, bool) or not isinstance(paths, int | np.integer) or paths < 1:
        raise StudyError(f"paths is {paths!r}; give a whole number, 1 or more.")
    if n_jobs == 0:
        raise StudyError("n_jobs is 0; give 1 or more workers, or -1 for one a core.")
    coverage, account = coverage or Coverage(), account or AccountTerms()
    day, report = rule_day(as_of, market, Closeout(book, coverage).longest), progress or unheard
    history = Margined.of(
        market, book, models, structure, coverage=coverage, account=account,
        score_from=score_from, as_of=as_of,
    )  # fmt: skip
    terms = Terms(
        book, models, structure, coverage, account, stated, tuple(arrangements),
        rules or Rules.of(day), coordination, draws, score_from, str(day), history.scale,
    )  # fmt: skip
    del history
    alternatives = Paths.of(simulator, market, seed=seed)
    tasks = (joblib.delayed(_sums_of_path)(number) for number in range(paths))
    values, base = [], []
    for number, sums in enumerate(in_parallel(tasks, n_jobs=n_jobs, shared=(alternatives, terms))):
        values.append(sums[0])
        base.append(sums[1])
        report("paths", (number + 1) / paths)
    keys = tuple((model, one.name) for one in terms.arrangements for model in models)
    return ProtectedPaths(keys, np.stack(values), np.stack(base))


def _sums_of_path(alternatives: Paths, terms: Terms, number: int) -> FloatArray:
    """(2, outcomes, COLUMNS) of one path, with and without drawn defaults."""
    keep_freed()
    try:
        done = terms.on(alternatives.path(number), seed=alternatives.seed, path=number)
    except Exception as error:
        error.add_note(f"path {number}, seed {alternatives.seed}, {alternatives.label}")
        raise
    return np.stack([_sums(done, *key) for key in done.outcomes], axis=1)


def _sums(done: Protection, model: str, arrangement: str) -> FloatArray:
    """(2, COLUMNS) of one outcome; a day becomes a year as in `summary`, house by house."""
    outcome, spans = done.outcomes[model, arrangement], done.spans
    days = done.settings[arrangement].rules.assumptions.margin_days
    margin = float(Posted.of(done, model, arrangement).total.mean())
    happens = [Losses.of(done, model, arrangement, *who) for who in BEHIND]
    rows = []
    for drawn in (True, False):
        paid = outcome.paid if drawn else outcome.base
        stuck = outcome.stuck if drawn else outcome.base_stuck
        touched = outcome.touched if drawn else outcome.base_touched
        yearly = by_year(paid, outcome.base, horizon=spans[:, None], margin_days=days)
        by_bearer = yearly.mean(axis=0).sum(axis=0)[OTHERS]
        fails = happens[TOUCHED.index("a firm fails")].horizon
        waits = by_year(stuck, outcome.base_stuck, horizon=fails, margin_days=days)
        times = [
            losses.times(touched[:, c], outcome.base_touched[:, c])
            for c, losses in enumerate(happens)
        ]
        fellow = paid[:, :, FELLOW].sum(axis=1).max()
        rows.append(
            np.concatenate(
                [[margin], by_bearer, waits.mean(axis=0), times, [fellow, outcome.unbalanced]]
            )
        )
    return np.stack(rows)
