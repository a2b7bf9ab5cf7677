"""Published rates: dated, cited tables of `strategies/parameters/`."""

import tomllib
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from backtest.instruments import CurveFuture, Instrument, Revalued, Swap, TBill, Treasury
from backtest.types import StudyError

Rate = Annotated[float, Field(ge=0, le=1)]


class _Bucket(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    over: float
    up_to: float
    haircut: Rate


class Schedule(BaseModel):
    """A dated, cited table of haircuts (decimals of market value, or of notional).

    kind : what its source publishes; a capital charge or a margin rate is no collateral haircut.
    treasury, swap : rows by maturity. bill : of bills; they take the Treasury rows where it is not
    given. price : by the factor of an instrument; a curve-implied future takes its contract's.
    """

    model_config = ConfigDict(extra="forbid")
    title: str
    source: str
    dated: date
    verified: bool
    kind: Literal["haircut", "capital charge", "margin rate"] = "haircut"
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
