"""A stress test by arrangement: tables of who pays in a scenario, and of how far each layer is."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from backtest.clearing.arrangement import ARRANGEMENTS, SILOS
from backtest.clearing.ledger import BEARERS, CENT, OTHERS
from backtest.replay.protection import Protection
from backtest.replay.protection.cover import EVERYWHERE
from backtest.replay.protection.ladder import EVENTS
from backtest.replay.protection.reverse import ReverseWaterfall
from backtest.replay.protection.reverse_accounts import ReverseAccounts
from backtest.replay.protection.stressed import Stressed
from backtest.stress import StressPlan
from backtest.types import Progress

LEFT_TO = tuple(BEARERS[place] for place in OTHERS)


@dataclass(frozen=True, eq=False)
class ArrangedStress:
    """Tables of the stress test of a structure, by model and arrangement.

    Parameters
    ----------
    day : of the test (ISO). model : the one that the page shows.
    scenarios : of `Stressed.scenarios`. reverse : of `ReverseWaterfall.table`, and accounts : of
        `ReverseAccounts.table`; both empty where no direction is asked for.
    """

    day: str
    model: str
    scenarios: pd.DataFrame
    reverse: pd.DataFrame
    accounts: pd.DataFrame

    @classmethod
    def of(cls, done: Protection, plan: StressPlan, progress: Progress) -> "ArrangedStress":
        """Scenarios and reverse stress of the accounts of a protection.

        The page shows the last model of the study, as a sweep does.
        """
        stressed, model = Stressed.of(done, plan.row), done.models[-1]
        scenarios = stressed.scenarios(plan, progress=progress)
        reverse = accounts = pd.DataFrame()
        if plan.directions:
            waterfall = ReverseWaterfall(stressed, plan.directions, model)
            reverse = waterfall.table(progress)
            accounts = ReverseAccounts(waterfall).table(progress)
        day = str(done.margined.market.dates[plan.row])
        return cls(day, model, scenarios, reverse, accounts)

    @property
    def shown(self) -> pd.DataFrame:
        """Scenarios of the model that is shown, all houses: a row a (arrangement, scenario)."""
        return pd.DataFrame(self.scenarios.xs((self.model, EVERYWHERE), level=("model", "house")))

    @property
    def arrangements(self) -> list[str]:
        """Names of the arrangements, in the order of the study."""
        return [str(name) for name in self.scenarios.index.unique("arrangement")]

    def worst(self, most: int) -> list[str]:
        """Scenarios in which others than accounts pay, by what they pay at most."""
        paid = self.shown[list(LEFT_TO)].sum(axis=1).groupby("scenario", sort=False).max()
        return [str(name) for name in paid[paid > CENT].nlargest(most).index]

    def nearest(self) -> pd.DataFrame:
        """Distance of the nearest move found: a row an arrangement, a column an event.

        Of the model that is shown; NaN where no move reaches the event. Columns are in the order
        of the waterfall.
        """
        rows = self._distances(self.reverse, ["arrangement", "event"]).unstack("event")  # noqa: PD010
        return rows.reindex(index=self.arrangements, columns=list(EVENTS))

    def of_accounts(self) -> pd.DataFrame:
        """The same of accounts: a row each, columns (arrangement, layer)."""
        rows = self._distances(self.accounts, ["account", "arrangement", "layer"])
        names = list(rows.index.unique("account"))
        return rows.unstack(["arrangement", "layer"]).reindex(names)  # noqa: PD010

    def _distances(self, table: pd.DataFrame, levels: Sequence[str]) -> "pd.Series[float]":
        of_model = table.xs(self.model, level="model")["distance"]
        smallest = of_model.groupby(level=list(levels), sort=False).min()
        assert isinstance(smallest, pd.Series)
        return smallest

    @property
    def compared(self) -> tuple[str, ...]:
        """Two arrangements of which single accounts are shown: separate houses, and pooled."""
        silos = [name for name in self.arrangements if name == SILOS]
        pooled = [name for name in self.arrangements if ARRANGEMENTS[name].pools("customer")]
        return tuple([*silos, *pooled[:1]] or self.arrangements[:1])
