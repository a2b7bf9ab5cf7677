"""A stress test of a book: losses by scenario, reverse stress and limits, as tables."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np
import pandas as pd

from backtest.book.book import Book
from backtest.book.coverage import Coverage
from backtest.market.market import Market
from backtest.stress.backing import Backing
from backtest.stress.limits import LimitCheck, Limits, Worst
from backtest.stress.measures import blocks
from backtest.stress.positions import Held
from backtest.stress.reverse import DIRECTIONS, ReverseStress
from backtest.stress.scenario import HISTORIC, HYPOTHETICAL, Scenario, historic_name
from backtest.types import (
    DaysByPortfolios,
    FloatArray,
    Progress,
    RowNumbers,
    StudyError,
    unheard,
)

MOST_REVERSED = 50  # accounts that reverse stress is made for: those nearest to their margins


@dataclass(frozen=True)
class StressPlan:
    """What a study asks of a stress test.

    Parameters
    ----------
    row : of the day in the market; positions, margins and levels are those of its close.
    scenarios : each for every account.
    worst_days : historic days with the largest losses of each account that are listed besides.
    directions : of reverse stress, some of 'each factor', 'all yields' and 'joint'.
    account, firm : limits.
    """

    row: int
    scenarios: tuple[Scenario, ...] = ()
    worst_days: int = 5
    directions: tuple[str, ...] = DIRECTIONS
    account: Limits = Limits()
    firm: Limits = Limits()


@dataclass(frozen=True, eq=False)
class StressResult:
    """The tables of a stress test. Money is USD, a loss is above zero.

    Parameters
    ----------
    losses : a row a (portfolio, scenario): kind, first day of a historic one, loss, by silo.
    margins : a row a (portfolio, model): the day of the test, the margin on it, the worst scenario
        and its loss, and on how many of the days of the history the same positions lost more.
    reverse, moves : see `ReverseStress.tables`.
    limits : see `LimitCheck.table`.
    """

    losses: pd.DataFrame
    margins: pd.DataFrame
    reverse: pd.DataFrame
    moves: pd.DataFrame
    limits: pd.DataFrame

    @property
    def day(self) -> str:
        """The day of the test (ISO)."""
        return str(self.margins["day"].iloc[0])

    def by_file(self) -> dict[str, pd.DataFrame]:
        """The tables by the stem of their files; empty ones are left out."""
        tables = {f"stress_{f.name}": getattr(self, f.name) for f in fields(self)}
        return {name: table for name, table in tables.items() if len(table)}

    @classmethod
    def of_files(cls, tables: Mapping[str, pd.DataFrame]) -> "StressResult | None":
        """The result again from tables by the stem of their files; None where there is none."""
        if "stress_margins" not in tables:
            return None
        return cls(**{f.name: tables.get(f"stress_{f.name}", pd.DataFrame()) for f in fields(cls)})


def stress_test(
    market: Market,
    book: Book,
    required: Mapping[str, DaysByPortfolios],
    plan: StressPlan,
    *,
    coverage: Coverage,
    backing: Backing | None = None,
    alone: FloatArray | None = None,
    progress: Progress = unheard,
) -> StressResult:
    """Stress losses, reverse stress and limits of the positions held on one day.

    Every instrument is repriced in full, over its MPOR.

    Parameters
    ----------
    required : by model, margins (days, portfolios), which are taken to be there as collateral.
    backing : firms of the accounts and what stands behind their margins; None for no firms.
    alone : (days, 2, instruments) stand-alone margins of one USD (`measures.one_usd`), for limits.

    Raises
    ------
    StudyError : a model without margin on the day, a scenario that does not fit the market, limits
        without stand-alone margins.
    """
    held = Held(market, book, coverage, plan.row)
    backing = Backing() if backing is None else backing
    day = market.dates[plan.row]
    margins = {model: margin[plan.row] for model, margin in required.items()}
    for model, margin in margins.items():
        if np.isnan(margin).any():
            raise StudyError(
                f"model {model!r} has no margin on {day}, the day of the stress test; choose a "
                "later day."
            )
    progress("stress scenarios", 0.0)
    losses = _losses(held, plan)
    by_model = _margins(held, margins, losses)
    progress("stress scenarios", 1.0)
    nearest = _nearest(by_model, book)
    reverse = ReverseStress(held, margins, backing, plan.directions, nearest)
    rows, moves = reverse.tables(progress) if plan.directions else (pd.DataFrame(),) * 2
    return StressResult(
        losses, by_model, rows, moves, _limits(held, required, plan, backing, alone, losses)
    )


def _losses(held: Held, plan: StressPlan) -> pd.DataFrame:
    """The scenarios of the plan, then the worst days of each portfolio."""
    pieces = []
    if plan.scenarios:
        losses = held.losses_by_silo(held.pnl(plan.scenarios))
        count = losses.shape[1]
        for s, scenario in enumerate(plan.scenarios):
            start = "" if scenario.start is None else str(scenario.start)
            places = np.arange(count)
            pieces.append(_rows(held, places, [scenario.name] * count, [start] * count, losses[s]))
    starts = held.historic_starts
    if plan.worst_days and len(starts):
        pnl = held.historic(starts)
        for rows in blocks(len(held.book.portfolios)):
            losses = held.losses(pnl, rows)
            places = np.arange(len(held.book.portfolios))[rows]
            for worst in np.argsort(-losses, axis=0, kind="stable")[: plan.worst_days]:
                days = [str(start) for start in starts[worst]]
                by_silo = held.each_by_silo(pnl[worst], places)
                pieces.append(_rows(held, places, [historic_name(d) for d in days], days, by_silo))
    if not pieces:
        raise StudyError(
            f"no scenario is asked for, and no move was over by {held.market.dates[held.row]}; "
            "name scenarios, or a later day."
        )
    # Stable: within a portfolio the scenarios of the plan come first, then its days, worst first.
    table = pd.concat(pieces, ignore_index=True).sort_values("place", kind="stable")
    table = table.drop(columns="place").drop_duplicates(["portfolio", "scenario", "start"])
    return table.reset_index(drop=True)


def _rows(
    held: Held, places: RowNumbers, names: list[str], starts: list[str], by_silo: FloatArray
) -> pd.DataFrame:
    """A row of the table of losses for each of `places` of portfolios."""
    frame = pd.DataFrame(
        {
            "place": places,
            "portfolio": [held.book.portfolios[p] for p in places],
            "scenario": names,
            "kind": [HISTORIC if start else HYPOTHETICAL for start in starts],
            "start": starts,
            "loss": by_silo.sum(axis=1),
        }
    )
    for s, silo in enumerate(held.book.silos):
        frame[f"loss at {silo}"] = by_silo[:, s]
    return frame


def _worst(held: Held, losses: pd.DataFrame) -> pd.DataFrame:
    """The worst scenario of each portfolio, in the order of the book."""
    worst = losses.loc[losses.groupby("portfolio", sort=False)["loss"].idxmax()]
    return worst.set_index("portfolio").loc[list(held.book.portfolios)]


def _margins(held: Held, margins: Mapping[str, FloatArray], losses: pd.DataFrame) -> pd.DataFrame:
    """Each margin beside the largest loss, and the days whose moves would have lost more."""
    pnl, day = held.historic(held.historic_starts), str(held.market.dates[held.row])
    worst, frames = _worst(held, losses).reset_index(), []
    beyond = {model: np.zeros(len(worst), dtype=np.int64) for model in margins}
    for rows in blocks(len(worst)):
        lost = held.losses(pnl, rows)
        for model, margin in margins.items():
            beyond[model][rows] = (lost > margin[rows]).sum(axis=0)
    for model, margin in margins.items():
        frame = worst[["portfolio"]].assign(model=model, day=day, margin=margin)
        frame = frame.assign(**worst[["scenario", "kind", "loss"]])
        frames.append(frame.assign(days=len(pnl), days_beyond=beyond[model]))
    table = pd.concat(frames)
    return table.sort_index(kind="stable").reset_index(drop=True)


def _nearest(by_model: pd.DataFrame, book: Book) -> list[int]:
    """Places of the accounts nearest to their margins, in the order of the book."""
    cushion = (by_model["loss"] - by_model["margin"]).groupby(by_model["portfolio"]).max()
    ranked = sorted(range(len(book.portfolios)), key=lambda p: -cushion[book.portfolios[p]])
    return sorted(ranked[:MOST_REVERSED])


def _limits(
    held: Held,
    required: Mapping[str, DaysByPortfolios],
    plan: StressPlan,
    backing: Backing,
    alone: FloatArray | None,
    losses: pd.DataFrame,
) -> pd.DataFrame:
    if not plan.account.stated and not plan.firm.stated:
        return pd.DataFrame()
    if alone is None:
        raise StudyError("limits need the stand-alone margins of the instruments; give `alone`.")
    check = LimitCheck(held, required, plan.scenarios, alone, backing, plan.account, plan.firm)
    worst = _worst(held, losses)
    of_accounts = Worst(worst["loss"].to_numpy(), tuple(worst["scenario"]))
    return check.table(of_accounts, _firm_worst(held, required, plan, backing))


def _firm_worst(
    held: Held,
    required: Mapping[str, DaysByPortfolios],
    plan: StressPlan,
    backing: Backing,
) -> dict[str, Worst]:
    """By model, the largest sum of what each firm's accounts lack, over scenarios and days."""
    names, pnl = [s.name for s in plan.scenarios], held.pnl(plan.scenarios)
    if plan.worst_days:
        starts = held.historic_starts
        names += [historic_name(str(start)) for start in starts]
        pnl = np.vstack([pnl, held.historic(starts)])
    portfolios = held.book.portfolios
    own, firms = backing.own(portfolios), backing.firms
    sums = {model: np.zeros((len(pnl), len(firms))) for model in required}
    for rows in blocks(len(portfolios)):
        losses = held.losses(pnl, rows)
        members = [backing.members(firm, portfolios[rows]) for firm in firms]
        for model, margin in required.items():
            lacks = np.maximum(losses - margin[held.row, rows] - own[rows], 0.0)
            for f, places in enumerate(members):
                sums[model][:, f] += lacks[:, places].sum(axis=1)
    out = {}
    for model, lacked in sums.items():
        worst, amounts = lacked.argmax(axis=0), lacked.max(axis=0)
        named = [names[i] if usd > 0.0 else "" for i, usd in zip(worst, amounts, strict=True)]
        out[model] = Worst(amounts, tuple(named))
    return out
