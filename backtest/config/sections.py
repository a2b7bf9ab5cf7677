"""The tables of a study file one by one: every key, its type, its bounds, its default."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from backtest.account.account import Settlement
from backtest.account.mix import SCHEDULES, AtCloseout, Mix, Rule
from backtest.book.liquidation import LiquidationCost
from backtest.market.calendars import Clock, MarginCalendar
from backtest.stress import DIRECTIONS, Limits, Way

MOST_USD = 1e15  # more than the wealth of the world: a larger number is a typing error

# Strict, because otherwise pydantic takes `true` as the number 1.
Number = Annotated[float, Field(strict=True)]
Whole = Annotated[int, Field(strict=True)]
Count = Annotated[int, Field(strict=True, ge=0)]
Amount = Annotated[float, Field(strict=True, ge=-MOST_USD, le=MOST_USD)]
Positive = Annotated[float, Field(strict=True, gt=0, le=MOST_USD)]


class Table(BaseModel):
    """A table of a study file: no key but those below, and no endless number."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class FileTable(Table):
    """How a file of prices is read, in place of what would be recognised: docs/data.md."""

    date: str = ""
    date_format: str = ""
    decimal: str = ""
    thousands: str = ""
    separator: str = ""
    skip: Count = 0
    columns: dict[str, str] = Field(default_factory=dict)
    unit: str = ""
    time_zone: str = ""
    close: str = ""
    sheet: str = ""


class AcceptTable(Table):
    """A finding of the examination of prices that is true, and why: docs/data.md."""

    factor: str
    kind: str
    reason: Annotated[str, Field(min_length=1)]


class DataTable(Table):
    """Source of the prices, the factors and the window.

    `contracts` names, by future, the file or folder with the settlements of its contracts, which
    then replace the front-month file: docs/rolls.md. `files` says how files are read,
    `accept` which findings about them are true. `earlier` keeps what single factors have before the
    window, for margins to look back to: docs/earlier.md.
    """

    source: str = "sample"
    factors: tuple[str, ...] = ()
    start: str | None = None
    end: str | None = None
    contracts: dict[str, str] = Field(default_factory=dict)
    files: dict[str, FileTable] = Field(default_factory=dict)
    accept: tuple[AcceptTable, ...] = ()
    earlier: bool = False


class ClockTable(Table):
    """Which days are margin days: business days or all days, from the data or from a calendar."""

    kind: Clock = "business"
    calendar: MarginCalendar = "data"


class CoverageTable(Table):
    """The coverage standard that all models have to meet."""

    confidence: Number = 0.99
    mpor: Whole | dict[str, Whole] = 2


class CloseoutTable(Table):
    """How the book of a defaulter is closed out.

    `liquidation_cost` adds bid-offer and market impact to every loss (approximate); `coordination`
    is the assumed probability that the silos close out jointly, used by `backtest closeout`.
    """

    liquidation_cost: bool = False
    coordination: Annotated[float, Field(strict=True, ge=0, le=1)] = 1.0

    def liquidation(self) -> LiquidationCost | None:
        """Cost of closing out; None if losses contain price moves only."""
        return LiquidationCost() if self.liquidation_cost else None


class AccountTable(Table):
    """Terms of the collateral account."""

    call_lag: Whole = 1
    minimum_transfer: Number = 0.0
    collateral: Literal["cash"] = "cash"
    excess: Literal["returned", "kept"] = "returned"
    settlement: Settlement = "margin_days"


class CollateralTable(Table):
    """The collateral posted, in shares of the account's value after haircut; see `Mix`."""

    mix: dict[str, Number]
    haircuts: tuple[str, ...] = SCHEDULES
    rule: Rule = "more conservative"
    own: dict[str, Number] = Field(default_factory=dict)
    caps: dict[str, Number] = Field(default_factory=dict)
    at_closeout: AtCloseout = "after haircut"

    def build(self) -> Mix:
        """Build the mix with its haircuts."""
        fields = self.model_dump()
        return Mix(fields.pop("mix"), **fields)


class BookTable(Table):
    """One portfolio: signed USD, or signed risk weights that are sized to `gross` USD."""

    explain: str = ""
    usd: dict[str, Amount] | None = None
    risk: dict[str, Amount] | None = None
    gross: Positive = 100e6
    short: str = ""  # name in figures


class AccountsTable(Table):
    """Positions of many accounts from a file beside the study; see `accounts.py`.

    `by` makes a portfolio of each account or of each group. `valued` is the day of the history at
    whose prices contracts, coins and face become USD: its first or its last. `sheet` is of a
    workbook, the first unless said.
    """

    file: str
    sheet: str = ""
    by: Literal["account", "group"] = "account"
    valued: Literal["first", "last"] = "last"


class PositionsTable(Table):
    """Positions of accounts by day, from a file beside the study: see `Book.from_positions`.

    `gaps` says what days without a row mean: the last row goes on, or nothing is held. `sheet` is
    of a workbook, the first unless said.
    """

    file: str
    sheet: str = ""
    gaps: Literal["unchanged", "flat"]


class RandomTable(Table):
    """Random books: risk weights drawn from a seed."""

    portfolios: Count = 0
    instruments: tuple[str, ...] = ()
    gross: Positive = 100e6
    seed: Count = 0


class MonteCarloTable(Table):
    """Simulated histories: the number of paths, and the simulator."""

    paths: Count = 0
    simulator: dict[str, Any] = Field(
        default_factory=lambda: {"kind": "stationary_bootstrap", "block_size": 20}
    )


class SweepTable(Table):
    """Books of two legs, long and short: the share of the first leg runs from 0 to 100 %."""

    treasury: str = "UST10Y"
    crypto: str = "BTC"
    steps: Annotated[int, Field(strict=True, ge=2, le=200)] = 20
    gross: Positive = 100e6


class StressTable(Table):
    """A stress test of the positions held on one day: docs/stress.md.

    `day` is the last one of the prices unless said. `scenarios` are names of packaged ones or of
    those in `own`, all of them unless said; `days` are those from which historic moves began.
    """

    day: str = ""
    scenarios: tuple[str, ...] = ()
    days: tuple[str, ...] = ()
    worst_days: Annotated[int, Field(strict=True, ge=1, le=50)] = 5
    directions: tuple[Way, ...] = DIRECTIONS
    own: dict[str, dict[str, Number]] = Field(default_factory=dict)
    parameters: str = "stress_scenarios"


class LimitTable(Table):
    """The most that accounts, or firms, may reach; see `backtest.stress.Limits`."""

    stress_loss: Positive | None = None
    concentration: Annotated[float, Field(strict=True, gt=0, le=1)] | None = None
    volume: Positive | None = None
    leverage: Positive | None = None

    def build(self) -> Limits:
        """Build the limits."""
        return Limits(**self.model_dump())


class LimitsTable(Table):
    """Limits of each account, and of each firm of a [structure]."""

    account: LimitTable = LimitTable()
    firm: LimitTable = LimitTable()


class MandateTable(Table):
    """The clearing mandate, as `backtest protect` asks about it.

    `model` names the model of margin once cleared, `silo` the house of what is financed without
    clearing today.
    """

    model: str
    silo: str = "FICC"


class GateTable(Table):
    """A condition on the summary; if it fails the command exits with 1."""

    model: str
    column: str
    at_least: Number | None = None
    at_most: Number | None = None
    portfolio: str | None = None
