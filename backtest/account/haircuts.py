"""Published haircuts and margin rates: dated, cited tables of `strategies/parameters/`."""

from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict

from backtest.instruments import Instrument, bucket_of, rate_in, treasury_maturity
from backtest.parameters.buckets import ByMaturity, Rate
from backtest.parameters.files import known_parameters, read_as, rules
from backtest.parameters.in_force import version_on

FOLDER = "haircuts/"
LINEAR = ("spot", "perpetual", "future")  # contracts whose P&L is the relative change of a price


class Schedule(BaseModel):
    """A dated, cited table of haircuts (decimals of market value, or of notional).

    kind : what the source publishes; a capital charge or a margin rate is no collateral haircut.
    treasury, swap : rates by maturity. bill : rate of bills; without it bills take the Treasury
    rows. price : rate by the factor of an instrument; of a bond future by its contract code.
    """

    model_config = ConfigDict(extra="forbid")
    kind: Literal["haircut", "capital charge", "margin rate"] = "haircut"
    treasury: ByMaturity = ByMaturity()
    bill: Rate | None = None
    swap: ByMaturity = ByMaturity()
    price: dict[str, Rate] = {}

    def haircut(self, instrument: Instrument) -> float | None:
        """Haircut of one instrument; None where the schedule does not list it.

        A declared instrument takes that of its bucket, whatever its form.
        """
        if bucket_of(instrument, "haircut") is not None:
            return rate_in(instrument, "haircut", self.price)
        years = treasury_maturity(instrument)
        if years is not None:
            flat = self.bill if instrument.contract == "bill" else None
            return self.treasury.at(years) if flat is None else flat
        if instrument.contract == "swap":
            return self.swap.at(instrument.maturity)
        if instrument.contract not in LINEAR:
            # A share of the underlying's price says nothing of an option, which may lose all its
            # value, or many times that, when the price moves by as much.
            return None
        bond_future = instrument.maturity is not None
        return self.price.get(instrument.underlying if bond_future else instrument.factor)


def known_schedules() -> list[str]:
    """Every version of a haircut schedule in `strategies/parameters/`."""
    return [name for name in known_parameters() if name.startswith(FOLDER)]


def schedules_on(day: date) -> list[str]:
    """The version of every haircut schedule on a day.

    Examples
    --------
    >>> [name for name in schedules_on(date(2018, 1, 2)) if "/cme/" in name]
    ['haircuts/cme/2014']
    """
    return [version_on(rule, day) for rule in rules() if rule.startswith(FOLDER)]


def load_schedule(name: str) -> Schedule:
    """A version of a schedule, or the latest of a rule.

    Raises
    ------
    StudyError : no such schedule, or a file of another kind.

    Examples
    --------
    >>> load_schedule("haircuts/cftc_pilot").price["BTC"]
    0.2
    """
    return read_as(Schedule, name)
