"""Limits of accounts and of firms: what they are about, what holds on a day, and how often."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np
import pandas as pd

from backtest.stress.backing import Backing
from backtest.stress.measures import (
    Measures,
    account_measures,
    firm_measures,
    firm_stress_by_day,
    stress_by_day,
    worst_stress_by_day,
)
from backtest.stress.positions import Held
from backtest.stress.scenario import Scenario
from backtest.types import DaysByPortfolios, FloatArray, StudyError

ACCOUNT, FIRM = "account", "firm"
COLUMNS = (
    *("level", "name", "limit", "model", "value", "allowed", "over", "because"),
    *("days", "days_over"),
)


@dataclass(frozen=True)
class Limits:
    """The most that accounts, or firms, may reach; None for no limit.

    Parameters
    ----------
    stress_loss : of an account, its largest loss in any scenario over its margin and stated
        resources: above 1 it lacks something. Of a firm, the largest sum in any scenario of what
        its accounts lack, over its capital and contributions.
    concentration : share of the largest instrument in the sum of stand-alone margins, at most 1.
    volume : days of average volume that the largest position is; of a firm, its net position.
    leverage : gross positions over margin and stated resources.

    Raises
    ------
    StudyError : a limit that is not above zero, or a share above 1.
    """

    stress_loss: float | None = None
    concentration: float | None = None
    volume: float | None = None
    leverage: float | None = None

    def __post_init__(self) -> None:
        for name, allowed in self.stated.items():
            if not allowed > 0.0 or (name == "concentration" and allowed > 1.0):
                raise StudyError(
                    f"a limit on {name} is {allowed}; give a number above zero"
                    f"{', at most 1' if name == 'concentration' else ''}."
                )

    @property
    def stated(self) -> dict[str, float]:
        """The limits that there are, by name."""
        pairs = ((f.name, getattr(self, f.name)) for f in fields(self))
        return {name: allowed for name, allowed in pairs if allowed is not None}


@dataclass(frozen=True, eq=False)
class Worst:
    """The largest loss of each account, or shortfall of each firm, on the day, and its scenario."""

    amount: FloatArray
    scenario: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class LimitCheck:
    """Everything that limits are checked on.

    Parameters
    ----------
    held : positions on the day. required : by model, margins (days, portfolios).
    scenarios : of which those with stated moves are taken on every day.
    alone : (days, 2, instruments) stand-alone margins of one USD; see `measures.one_usd`.
    backing : firms and resources. account, firm : the limits.
    """

    held: Held
    required: Mapping[str, DaysByPortfolios]
    scenarios: Sequence[Scenario]
    alone: FloatArray
    backing: Backing
    account: Limits
    firm: Limits

    def table(self, worst: Worst, firm_worst: Mapping[str, Worst]) -> pd.DataFrame:
        """A row a limit, name and model: its value on the day, and days on which it was above.

        worst : of the accounts. firm_worst : of the firms, by model.
        """
        rows: list[tuple[object, ...]] = []
        if self.account.stated:
            rows += self._accounts(worst)
        if self.firm.stated and self.backing.firms:
            rows += self._firms(firm_worst)
        return pd.DataFrame(rows, columns=list(COLUMNS))

    def _accounts(self, worst: Worst) -> Iterator[tuple[object, ...]]:
        market, book, limits = self.held.market, self.held.book, self.account.stated
        own = self.backing.own(book.portfolios)
        measures = account_measures(market, book, self.alone)
        names = book.portfolios
        yield from self._positions(ACCOUNT, names, measures, limits)
        stress = (
            worst_stress_by_day(market, book, self._by_day()) if "stress_loss" in limits else None
        )
        for model, required in self.required.items():
            stands = required + own
            if stress is not None:
                ratios = over(stress, stands)
                today = over(np.maximum(worst.amount, 0.0), stands[self.held.row])
                yield from self._rows(
                    ACCOUNT, names, "stress_loss", model, ratios,
                    allowed=limits["stress_loss"], today=today, because=worst.scenario,
                )  # fmt: skip
            if "leverage" in limits:
                yield from self._rows(
                    ACCOUNT, names, "leverage", model, over(measures.gross, stands),
                    allowed=limits["leverage"],
                )  # fmt: skip

    def _firms(self, worst: Mapping[str, Worst]) -> Iterator[tuple[object, ...]]:
        market, book, limits = self.held.market, self.held.book, self.firm.stated
        backing, firms = self.backing, self.backing.firms
        measures = firm_measures(market, book, self.alone, backing)
        yield from self._positions(FIRM, firms, measures, limits)
        resources = np.array([backing.firm_resources(firm) for firm in firms])
        lacked = {}
        if "stress_loss" in limits:
            lacked = firm_stress_by_day(market, book, self._by_day(), self.required, backing)
        for model, required in self.required.items():
            if model in lacked:
                yield from self._rows(
                    FIRM, firms, "stress_loss", model, over(lacked[model], resources),
                    allowed=limits["stress_loss"], today=over(worst[model].amount, resources),
                    because=worst[model].scenario,
                )  # fmt: skip
            if "leverage" in limits:
                own = np.nan_to_num(resources)
                margins = np.column_stack(
                    [required[:, backing.members(f, book.portfolios)].sum(axis=1) for f in firms]
                )
                yield from self._rows(
                    FIRM, firms, "leverage", model, over(measures.gross, margins + own),
                    allowed=limits["leverage"],
                )  # fmt: skip

    def _positions(
        self, level: str, names: Sequence[str], measures: Measures, limits: Mapping[str, float]
    ) -> Iterator[tuple[object, ...]]:
        """The limits on positions alone, which no model changes."""
        instruments = [i.name for i in self.held.book.instruments]
        for limit, values, places in (
            ("concentration", measures.concentration, measures.largest),
            ("volume", measures.volume, measures.most_traded),
        ):
            if limit in limits:
                because = [instruments[int(i)] for i in places[self.held.row]]
                yield from self._rows(
                    level, names, limit, "", values, allowed=limits[limit], because=because
                )

    def _rows(
        self,
        level: str,
        names: Sequence[str],
        limit: str,
        model: str,
        values: DaysByPortfolios,
        *,
        allowed: float,
        today: FloatArray | None = None,
        because: Sequence[str] = (),
    ) -> Iterator[tuple[object, ...]]:
        """A row a name. today : values on the day, where they are not those of `values`."""
        until = values[: self.held.row + 1]
        now = until[-1] if today is None else today
        known = (~np.isnan(until)).sum(axis=0)
        above = (until > allowed).sum(axis=0)
        for i, name in enumerate(names):
            value = float(now[i])
            reason = because[i] if because and not np.isnan(value) else ""
            yield (
                level, name, limit, model, value, allowed, bool(value > allowed), reason,
                int(known[i]), int(above[i]),
            )  # fmt: skip

    def _by_day(self) -> FloatArray:
        stated = [scenario for scenario in self.scenarios if scenario.start is None]
        spans = self.held.repricer.elapsed
        return stress_by_day(self.held.market, self.held.book, stated, spans)


def over(amount: FloatArray, stands: FloatArray) -> FloatArray:
    """Amount over what stands against it: infinite where nothing does, 0 where nothing is lost.

    Examples
    --------
    >>> over(np.array([2.0, 1.0, 0.0, 1.0]), np.array([4.0, 0.0, 0.0, np.nan])).tolist()
    [0.5, inf, 0.0, nan]
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = amount / stands
    return np.where((amount == 0.0) & (stands == 0.0), 0.0, ratio)
