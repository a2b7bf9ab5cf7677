"""Stress scenarios carried through close-out and waterfall, by margin model and arrangement."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from backtest.clearing.ledger import BEARERS, OTHERS
from backtest.replay.protection.cover import EVERYWHERE
from backtest.replay.protection.protect import Protection
from backtest.replay.protection.standing import Borne, Standing
from backtest.replay.protection.tabled import tabled
from backtest.stress import Scenario, StressPlan, historic_name
from backtest.stress.pledged import Pledged
from backtest.stress.positions import Held
from backtest.types import FloatArray, Progress, counted, unheard

Key = tuple[str, str]  # model and arrangement
BLOCK = 256  # historic days closed out at a time


@dataclass(frozen=True, eq=False)
class Stressed:
    """A structure on the day of a stress test, under every model and arrangement.

    Parameters
    ----------
    pledged : positions and collateral on the day. standing : by (model, arrangement).
    """

    pledged: Pledged
    standing: Mapping[Key, Standing]

    @classmethod
    def of(cls, done: Protection, row: int) -> "Stressed":
        """The accounts of a protection at the close of a row of its market.

        Raises
        ------
        StudyError : a model without margin on that day.
        """
        margined = done.margined
        held = Held(margined.market, margined.book, margined.coverage, row)
        return cls(
            Pledged(held, margined.account.collateral),
            {key: Standing.of(done, *key, row) for key in done.outcomes},
        )

    def scenarios(self, plan: StressPlan, *, progress: Progress = unheard) -> pd.DataFrame:
        """A row a (model, arrangement, scenario, house), the last house all of them; USD.

        Scenarios are those of the plan, and the days of the history whose moves would make accounts
        leave most to others under any model and arrangement. Columns: `kind`, `start` of a historic
        one; `loss`, the sum of what all accounts lose, gains below zero; a column a bearer, whose
        sum is the loss; for all houses together `lacking`, how many accounts lack something beyond
        their collateral, and the probabilities `fellow_lose`, `fund_pays` and `firm_fails` (where
        houses close out jointly with some probability; else 0 or 1).

        Raises
        ------
        StudyError : a historic scenario that was not over by the day.
        """
        chosen = (*plan.scenarios, *self._worst_days(plan, progress))
        if not chosen:
            return pd.DataFrame()
        pnl = self.pledged.pnl(chosen)
        loss, value = self.pledged.losses(pnl), self.pledged.values(pnl)
        rows = {}
        for (model, arrangement), standing in self.standing.items():
            borne = standing.close_out(loss, value)
            lacking = (standing.lacks(loss, value) > 0.0).sum(axis=1)
            for s, scenario in enumerate(chosen):
                by_house = self._rows(scenario, loss[s], borne, s, int(lacking[s]))
                for house, row in by_house.items():
                    rows[model, arrangement, scenario.name, house] = row
        return tabled(rows, "model", "arrangement", "scenario", "house")

    def _rows(
        self, scenario: Scenario, loss: FloatArray, borne: Borne, s: int, lacking: int
    ) -> dict[str, dict[str, object]]:
        """Rows of one scenario by house. loss : (accounts, houses)."""
        start = "" if scenario.start is None else str(scenario.start)
        out: dict[str, dict[str, object]] = {}
        silos = self.pledged.held.book.silos
        for h, house in enumerate(silos):
            out[house] = {
                "kind": scenario.kind, "start": start, "loss": float(loss[:, h].sum()),
                **dict(zip(BEARERS, map(float, borne.paid[s, h]), strict=True)),
            }  # fmt: skip
        fellow, fund, fails, _ = map(float, borne.touched[s])
        out[EVERYWHERE] = {
            "kind": scenario.kind, "start": start, "loss": float(loss.sum()),
            **dict(zip(BEARERS, map(float, borne.paid[s].sum(axis=0)), strict=True)),
            "lacking": lacking, "fellow_lose": fellow, "fund_pays": fund, "firm_fails": fails,
        }  # fmt: skip
        return out

    def _worst_days(self, plan: StressPlan, progress: Progress) -> list[Scenario]:
        """The historic days on which accounts leave most to others, none that the plan names."""
        named = {scenario.start for scenario in plan.scenarios}
        starts = self.pledged.held.historic_starts
        if not plan.worst_days or not len(starts):
            return []
        left = np.zeros(len(starts))
        blocks = [slice(i, i + BLOCK) for i in range(0, len(starts), BLOCK)]
        for rows in counted(progress, "historic days through the waterfall", blocks, len(blocks)):
            pnl = self.pledged.historic(starts[rows])
            loss, value = self.pledged.losses(pnl), self.pledged.values(pnl)
            for standing in self.standing.values():
                paid = standing.close_out(loss, value).paid
                others = paid[:, :, OTHERS].sum(axis=(1, 2))
                left[rows] = np.maximum(left[rows], others)
        worst = [starts[i] for i in np.argsort(-left, kind="stable") if left[i] > 0.0]
        chosen: Sequence[np.datetime64] = [day for day in worst if day not in named]
        return [Scenario(historic_name(str(day)), start=day) for day in chosen[: plan.worst_days]]
