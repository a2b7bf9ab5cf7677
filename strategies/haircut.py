"""A published percentage of every position, long or short, and nothing else."""

import tomllib
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Annotated

import numpy as np
from annotated_types import Gt
from pydantic import BaseModel, ConfigDict, Field

from backtest.book import Book
from backtest.instruments import CurveFuture, Instrument, Revalued, Swap, TBill, Treasury
from backtest.market import Market
from backtest.model import Parts, model
from backtest.types import Coverage, FloatArray, StudyError

Rate = Annotated[float, Field(ge=0, le=1)]


class _Bucket(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    over: float
    up_to: float
    haircut: Rate


class Schedule(BaseModel):
    """A dated, cited table of haircuts (decimals of market value, or of notional).

    treasury, swap : rows by maturity. bill : of bills; they take the Treasury rows where it is not
    given. price : by the factor of an instrument; a curve-implied future takes its contract's.
    """

    model_config = ConfigDict(extra="forbid")
    title: str
    source: str
    dated: date
    verified: bool
    note: str = ""
    treasury: list[_Bucket] = []
    bill: Rate | None = None
    swap: list[_Bucket] = []
    price: dict[str, Rate] = {}

    def haircut(self, instrument: Instrument) -> float | None:
        """Haircut of one instrument; None where the schedule is silent."""
        if isinstance(instrument, TBill) and self.bill is not None:
            return self.bill
        if isinstance(instrument, (Treasury, TBill)):
            return _row(self.treasury, instrument.tenor)
        if isinstance(instrument, Swap):
            return _row(self.swap, instrument.tenor)
        if isinstance(instrument, CurveFuture):
            return self.price.get(instrument.code)
        if isinstance(instrument, Revalued):
            return None  # A share of the underlying's price is no margin of an option on it.
        return self.price.get(instrument.factor)


def _row(buckets: list[_Bucket], tenor: float) -> float | None:
    return next((b.haircut for b in buckets if b.over < tenor <= b.up_to), None)


def known_schedules() -> list[str]:
    """Names of the schedules in `strategies/parameters/`."""
    folder = files("strategies") / "parameters"
    return sorted(f.name.removesuffix(".toml") for f in folder.iterdir() if ".toml" in f.name)


@cache
def load_schedule(name: str) -> Schedule:
    """Schedule of `strategies/parameters/<name>.toml`.

    Raises
    ------
    StudyError : no such schedule.

    Examples
    --------
    >>> load_schedule("cftc_pilot_2025").price["BTC"]
    0.2
    """
    folder, known = files("strategies") / "parameters", known_schedules()
    if name not in known:
        raise StudyError(f"unknown haircut schedule {name!r}; known: {', '.join(known)}.")
    return Schedule(**tomllib.loads((folder / f"{name}.toml").read_text(encoding="utf-8")))


@model
class HaircutOnly:
    r"""Haircut times absolute exposure, summed over positions: no netting, no history.

    .. math:: M_t = s \sum_i h_i |x_i(t)|

    Margin at day t uses exposures of day t. USD. It does not move with confidence or MPOR: the
    published numbers hold for the horizon their source states.

    Parameters
    ----------
    schedules : names in `strategies/parameters/`; the first that lists an instrument decides.
    haircuts : haircut by instrument name, before any schedule.
    scale : s, multiplies every haircut.

    References
    ----------
    CME Clearing advisory 14-020 (2014); CFTC staff letter 26-05 (2026): see the schedule files.

    Examples
    --------
    >>> HaircutOnly(haircuts={"BTC": 0.35}).haircuts["BTC"]
    0.35
    """

    schedules: tuple[str, ...] = ("cme_2014", "cftc_pilot_2025")
    haircuts: dict[str, Rate] = Field(default_factory=dict)
    scale: Annotated[float, Gt(0)] = 1.0

    def margin(self, market: Market, book: Book, coverage: Coverage) -> FloatArray:
        """Margin required at each close, (days, portfolios), USD, >= 0; never NaN."""
        rates = np.array([self._haircut(i) for i in book.instruments]) * self.scale
        return book.unit_index(market) @ (np.abs(book.exposure) * rates).T

    def parts(self, market: Market, book: Book, coverage: Coverage) -> Parts:
        """Requirement of each silo's positions; the only step is 'gross', their sum."""
        by_silo = np.stack(
            [self.margin(market, book.in_silo(s), coverage) for s in book.silos], axis=2
        )
        return Parts(silos=book.silos, by_silo=by_silo, steps={"gross": by_silo.sum(axis=2)})

    def _haircut(self, instrument: Instrument) -> float:
        if instrument.name in self.haircuts:
            return self.haircuts[instrument.name]
        for name in self.schedules:
            rate = load_schedule(name).haircut(instrument)
            if rate is not None:
                return rate
        raise StudyError(
            f"no haircut for {instrument.name} in schedules {', '.join(self.schedules)}; "
            f"add one under `haircuts`{_elsewhere(instrument)}."
        )


def _elsewhere(instrument: Instrument) -> str:
    """The schedules that do list an instrument, as the end of a sentence."""
    having = [n for n in known_schedules() if load_schedule(n).haircut(instrument) is not None]
    return f", or a schedule that has one ({', '.join(having)})" if having else ""
