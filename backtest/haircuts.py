"""Published haircuts: dated, cited tables of `strategies/parameters/`."""

import tomllib
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from .instruments import Instrument, Treasury
from .types import StudyError

Rate = Annotated[float, Field(ge=0, le=1)]
BILL_TENOR = 0.25  # years: a bill takes this row where a schedule has none of its own for bills


class _Bucket(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    over: float
    up_to: float
    haircut: Rate


class Schedule(BaseModel):
    """A dated, cited table of haircuts (decimals of market value)."""

    model_config = ConfigDict(extra="forbid")
    title: str
    source: str
    dated: date
    verified: bool
    kind: Literal["haircut", "capital charge"] = "haircut"
    note: str = ""
    treasury: list[_Bucket] = []
    bill: Rate | None = None
    price: dict[str, Rate] = {}

    def haircut(self, instrument: Instrument) -> float | None:
        """Haircut of one instrument; None where the schedule is silent."""
        if isinstance(instrument, Treasury):
            return self._maturing_in(instrument.tenor)
        return self.price.get(instrument.factor)

    def bill_haircut(self) -> float | None:
        """Haircut of a three-month Treasury bill; None where the schedule is silent."""
        return self._maturing_in(BILL_TENOR) if self.bill is None else self.bill

    def _maturing_in(self, years: float) -> float | None:
        rows = [r.haircut for r in self.treasury if r.over < years <= r.up_to]
        return rows[0] if rows else None


def schedule_names() -> list[str]:
    """Names of the schedules in `strategies/parameters/`.

    Examples
    --------
    >>> schedule_names()[:2]
    ['bcbs_2020', 'cftc_pilot_2025']
    """
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
    known = schedule_names()
    if name not in known:
        raise StudyError(f"unknown haircut schedule {name!r}; known: {', '.join(known)}.")
    path = files("strategies") / "parameters" / f"{name}.toml"
    return Schedule(**tomllib.loads(path.read_text(encoding="utf-8")))
