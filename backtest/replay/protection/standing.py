"""Accounts, firms and houses as they stand at a close, carried through any losses.

A day that happened is closed out with the losses that followed it. A stress test asks the same of
losses that did not: the accounts, what they have posted and what the houses hold are those of the
day, and the close-out and the waterfall are the kernel of every other day.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np

from backtest.clearing.ledger import BEARERS, check_balanced
from backtest.clearing.setting import Setting
from backtest.kernels.default_draws import Several
from backtest.kernels.parties import APART, COMMINGLED, Accounts, Classes, Firms, Houses
from backtest.kernels.protection import replay_protection
from backtest.replay.protection.outcome import no_outcomes, where_held
from backtest.replay.protection.protect import Protection
from backtest.types import BoolArray, FloatArray, StudyError

CELLS = 2_000_000  # (scenarios, accounts, houses) at a time: bounds memory, changes no number


class Borne(NamedTuple):
    """Who bears the losses of scenarios; USD, expected over joint and separate close-outs.

    paid : (scenarios, houses, bearers). touched : (scenarios, 4) probability that fellow customers
    lose, the mutual fund pays, a firm fails, something is uncovered.
    """

    paid: FloatArray
    touched: FloatArray


@dataclass(frozen=True, eq=False)
class Standing:
    """One model under one arrangement at a close; USD. Nobody is drawn to default.

    Parameters
    ----------
    setting : the structure under the arrangement.
    collateral, required : (accounts, houses) value after haircut of what has settled, and what the
        houses require.
    at_house : (firms, classes, houses) share of customers' collateral that is at the house.
    advanced : (firms, houses) that a firm has posted for its customers.
    coordination : probability that houses close out a pooled account jointly.
    """

    setting: Setting
    collateral: FloatArray
    required: FloatArray
    at_house: FloatArray
    advanced: FloatArray
    coordination: float

    @classmethod
    def of(cls, done: Protection, model: str, arrangement: str, row: int) -> "Standing":
        """A model under an arrangement at the close of a row of the market.

        Raises
        ------
        StudyError : the model has no margin on that day.
        """
        margined = done.margined
        if np.isnan(margined.margins[model].known[row, 0]):
            raise StudyError(
                f"model {model!r} has no margin on {margined.market.dates[row]}, the day of the "
                "stress test; choose a later day."
            )
        setting = done.settings[arrangement]
        day = replace(done.outcomes[model, arrangement].accounts, rows=slice(row, row + 1))
        required, held = day.required(), day.held()
        holdings = where_held(day, required, held, margined.nets(model, setting))
        return cls(
            setting, held[0], np.array(required[0]), holdings.at_house[0], holdings.advanced[0],
            done.coordination,
        )  # fmt: skip

    @cached_property
    def parties(self) -> tuple[Accounts, Classes, Firms, Houses]:
        """Accounts, classes, firms and houses as the kernels take them."""
        setting = self.setting
        return (
            setting.kernel_accounts(), setting.kernel_classes(), setting.kernel_firms(),
            setting.kernel_houses(),
        )  # fmt: skip

    @cached_property
    def nets(self) -> BoolArray:
        """(accounts,) whether legs are surely closed out together.

        Those of a pooled account are not where houses may also close out apart: what then is
        lacking first is lacking at one of them.
        """
        nets = self.parties[0].nets
        surely: BoolArray = nets != APART if self.coordination == 1.0 else nets == COMMINGLED
        return surely

    def beyond(self, loss: FloatArray, value: FloatArray) -> FloatArray:
        """(scenarios, accounts, houses) USD lost beyond collateral, < 0 what is left.

        loss : (scenarios, accounts, houses). value : (scenarios, accounts) of 1 USD of collateral.
        """
        return loss - self.collateral * value[:, :, None]

    def lacks(self, loss: FloatArray, value: FloatArray) -> FloatArray:
        """(scenarios, accounts) USD that accounts lack before they pay; as `beyond`."""
        beyond = self.beyond(loss, value)
        apart = np.maximum(beyond, 0.0).sum(axis=2)
        return np.where(self.nets, np.maximum(beyond.sum(axis=2), 0.0), apart)

    def unpaid(self, loss: FloatArray, value: FloatArray) -> FloatArray:
        """(scenarios, accounts, houses) what they leave to their firm of it, as the kernel has it.

        Resources, gains elsewhere and what a customer is allowed to set off have paid. Of a firm's
        own account too, whose resources are the firm's capital and come later.
        """
        accounts, _, firms, _ = self.parties
        beyond, lacks = self.beyond(loss, value), self.lacks(loss, value)
        gains = np.where(self.nets, 0.0, np.maximum(-loss, 0.0).sum(axis=2))
        spent = np.minimum(np.maximum(lacks - accounts.resources, 0.0), gains)
        over = np.where(self.nets, 0.0, np.maximum(-beyond, 0.0).sum(axis=2)) - spent
        set_off = np.where(accounts.own, 0.0, firms.set_off * over)
        left = np.maximum(lacks - accounts.resources - spent - set_off, 0.0)
        share = np.divide(left, lacks, out=np.zeros_like(lacks), where=lacks > 0.0)
        nets = self.nets[:, None]
        by_house = np.where(nets, lacks[..., None] * self._parts, np.maximum(beyond, 0.0))
        return np.asarray(by_house * share[..., None])

    @cached_property
    def _parts(self) -> FloatArray:
        """(accounts, houses) in which houses share what legs lack that are closed out together."""
        asked = self.required.sum(axis=1, keepdims=True)
        equal = np.full_like(self.required, 1.0 / self.required.shape[1])
        return np.divide(self.required, asked, out=equal, where=asked > 0.0)

    def firms_lack(self, unpaid: FloatArray) -> FloatArray:
        """(firms,) USD beyond what each advanced and its capital; above a cent it fails.

        What it advanced at a house pays there for its customers alone. unpaid : (accounts, houses).
        """
        accounts, _, firms, _ = self.parties
        owed = np.zeros((2, *self.advanced.shape))
        np.add.at(owed, (accounts.own.astype(np.int64), accounts.firm), unpaid)
        rest = np.maximum(owed[0] - self.advanced, 0.0) + owed[1]
        return np.asarray(rest.sum(axis=1) - firms.capital)

    def close_out(self, loss: FloatArray, value: FloatArray) -> Borne:
        """Close out every scenario; arguments as of `beyond`.

        Raises
        ------
        StudyError : money is lost or made, which is a fault of this package.
        """
        scenarios, accounts, houses = loss.shape
        paid = np.empty((scenarios, houses, len(BEARERS)))
        touched = np.empty((scenarios, 4))
        size = max(1, CELLS // (accounts * houses))
        for start in range(0, scenarios, size):
            rows = slice(start, start + size)
            paid[rows], touched[rows] = self._close_out(loss[rows], value[rows])
        return Borne(paid, touched)

    def _close_out(self, loss: FloatArray, value: FloatArray) -> Borne:
        count, accounts, _ = loss.shape
        firms = len(self.setting.structure.firm_names)
        out = no_outcomes(*loss.shape)
        loss = np.ascontiguousarray(loss)
        replay_protection(
            loss,
            np.ascontiguousarray(self.collateral * value[:, :, None]),
            _each(self.required, count),
            _each(self.at_house, count),
            _each(self.advanced, count),
            np.zeros((count, accounts)),
            *self.parties,
            self.coordination,
            np.zeros((count, accounts + firms)),
            Several(1, np.zeros(count + 1, np.int64), np.empty(0, np.int64)),
            out,
        )
        check_balanced(out.base, loss=loss)
        return Borne(out.base, out.base_touched)


def _each(amounts: FloatArray, count: int) -> FloatArray:
    """The same amounts in each of so many scenarios."""
    return np.repeat(amounts[None], count, axis=0)
