"""The tables of a study file: every key, its type, its bounds, its default."""

from collections.abc import Mapping
from datetime import date
from hashlib import sha256
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr

from backtest.account.account import AccountTerms, Settlement
from backtest.account.mix import SCHEDULES, AtCloseout, Mix, Rule
from backtest.book.coverage import Coverage
from backtest.book.liquidation import LiquidationCost
from backtest.config.models import build_model, model_table
from backtest.instruments import Declaration
from backtest.market.calendars import Clock, MarginCalendar
from backtest.model.protocol import MarginModel
from backtest.model.user_models import user_file_hashes
from backtest.parameters.in_force import in_force
from backtest.parameters.registry import build, to_table
from backtest.simulate import SIMULATORS, Simulator
from backtest.types import StudyError, parse_day
from strategies.as_replayed import under_rules

ON_ERROR, STOP, SKIP = "on_error", "stop", "skip"  # key of a model's table, and its values
MOST_USD = 1e15  # more than the wealth of the world: a larger number is a typing error

# Strict, because otherwise pydantic takes `true` as the number 1.
Number = Annotated[float, Field(strict=True)]
Whole = Annotated[int, Field(strict=True)]
Count = Annotated[int, Field(strict=True, ge=0)]
Amount = Annotated[float, Field(strict=True, ge=-MOST_USD, le=MOST_USD)]
Positive = Annotated[float, Field(strict=True, gt=0, le=MOST_USD)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class FileTable(_Table):
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


class AcceptTable(_Table):
    """A finding of the examination of prices that is true, and why: docs/data.md."""

    factor: str
    kind: str
    reason: Annotated[str, Field(min_length=1)]


class DataTable(_Table):
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


class ClockTable(_Table):
    """Which days are margin days: business days or all days, from the data or from a calendar."""

    kind: Clock = "business"
    calendar: MarginCalendar = "data"


class CoverageTable(_Table):
    """The coverage standard that all models have to meet."""

    confidence: Number = 0.99
    mpor: Whole | dict[str, Whole] = 2


class CloseoutTable(_Table):
    """How the book of a defaulter is closed out.

    `liquidation_cost` adds bid-offer and market impact to every loss (approximate); `coordination`
    is the assumed probability that the silos close out jointly, used by `backtest closeout`.
    """

    liquidation_cost: bool = False
    coordination: Annotated[float, Field(strict=True, ge=0, le=1)] = 1.0

    def liquidation(self) -> LiquidationCost | None:
        """Cost of closing out; None if losses contain price moves only."""
        return LiquidationCost() if self.liquidation_cost else None


class AccountTable(_Table):
    """Terms of the collateral account."""

    call_lag: Whole = 1
    minimum_transfer: Number = 0.0
    collateral: Literal["cash"] = "cash"
    excess: Literal["returned", "kept"] = "returned"
    settlement: Settlement = "margin_days"


class CollateralTable(_Table):
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


class BookTable(_Table):
    """One portfolio: signed USD, or signed risk weights that are sized to `gross` USD."""

    explain: str = ""
    usd: dict[str, Amount] | None = None
    risk: dict[str, Amount] | None = None
    gross: Positive = 100e6
    short: str = ""  # name in figures


class AccountsTable(_Table):
    """Positions of many accounts from a file beside the study; see `accounts.py`.

    `by` makes a portfolio of each account or of each group. `valued` is the day of the history at
    whose prices contracts, coins and face become USD: its first or its last. `sheet` is of a
    workbook, the first unless said.
    """

    file: str
    sheet: str = ""
    by: Literal["account", "group"] = "account"
    valued: Literal["first", "last"] = "last"


class PositionsTable(_Table):
    """Positions of accounts by day, from a file beside the study: see `Book.from_positions`.

    `gaps` says what days without a row mean: the last row goes on, or nothing is held. `sheet` is
    of a workbook, the first unless said.
    """

    file: str
    sheet: str = ""
    gaps: Literal["unchanged", "flat"]


class RandomTable(_Table):
    """Random books: risk weights drawn from a seed."""

    portfolios: Count = 0
    instruments: tuple[str, ...] = ()
    gross: Positive = 100e6
    seed: Count = 0


class MonteCarloTable(_Table):
    """Simulated histories: the number of paths, and the simulator."""

    paths: Count = 0
    simulator: dict[str, Any] = Field(
        default_factory=lambda: {"kind": "stationary_bootstrap", "block_size": 20}
    )


class SweepTable(_Table):
    """Books of two legs, long and short: the share of the first leg runs from 0 to 100 %."""

    treasury: str = "UST10Y"
    crypto: str = "BTC"
    steps: Annotated[int, Field(strict=True, ge=2, le=200)] = 20
    gross: Positive = 100e6


class GateTable(_Table):
    """A condition on the summary; if it fails the command exits with 1."""

    model: str
    column: str
    at_least: Number | None = None
    at_most: Number | None = None
    portfolio: str | None = None


class StudyFile(_Table):
    """A whole study. `models` are tables until `margin_models` builds them, `grid` has its axes.

    `headline` names the books that the title asks about: the page's first sentence is about them.
    `as_of` is the day (ISO) whose rules models take, the last scored day unless said; with
    `as_replayed` each day has the rules of that day.
    """

    name: str = "study"
    title: str = ""
    caption: str = ""
    headline: tuple[str, ...] = ()
    seed: Count = 0
    score_from: str | None = None
    as_of: str = ""
    as_replayed: bool = False
    rebalance: Literal["daily", "never"] = "daily"
    data: DataTable = DataTable()
    clock: ClockTable = ClockTable()
    coverage: CoverageTable = CoverageTable()
    closeout: CloseoutTable = CloseoutTable()
    account: AccountTable = AccountTable()
    collateral: CollateralTable | None = None
    models: dict[str, dict[str, Any]]
    sizing: dict[str, Any] = Field(default_factory=lambda: {"kind": "historical_var"})
    instruments: dict[str, Declaration] = Field(default_factory=dict)
    books: dict[str, BookTable] = Field(default_factory=dict)
    accounts: AccountsTable | None = None
    positions: PositionsTable | None = None
    random: RandomTable = RandomTable()
    monte_carlo: MonteCarloTable = MonteCarloTable()
    sweep: SweepTable | None = None
    gates: tuple[GateTable, ...] = ()
    grid: dict[str, Any] = Field(default_factory=dict)
    _beside: dict[str, bytes] = PrivateAttr(default_factory=dict)

    @property
    def beside(self) -> Mapping[str, bytes]:
        """Content of the files beside the study that are part of it, by name."""
        return self._beside

    def with_beside(self, files: Mapping[str, bytes]) -> "StudyFile":
        """The same study with the files beside it."""
        study = self.model_copy()
        study._beside = dict(files)
        return study

    def standard(self) -> Coverage:
        """The coverage standard."""
        return Coverage(confidence=self.coverage.confidence, mpor=self.coverage.mpor)

    def terms(self) -> AccountTerms:
        """The account's terms."""
        terms = self.account.model_dump()
        if self.collateral is not None:
            terms["collateral"] = self.collateral.build()
        account = AccountTerms(**terms)
        # Haircuts of posted assets are constant, also where margins follow the rules of each day.
        day = self.rule_day
        return account if day is None else in_force(account, day)

    @property
    def rule_day(self) -> date | None:
        """The day of `as_of`; None where it is the last scored day, which only prices know."""
        if not self.as_of:
            return None
        day: date = parse_day(self.as_of, "as_of").astype(date)
        return day

    def margin_models(self) -> dict[str, MarginModel]:
        """The models, built from their tables, under the rules of `as_of`."""
        models = {}
        for name, table in self.models.items():
            try:
                model = build_model({k: v for k, v in table.items() if k != ON_ERROR})
            except StudyError as error:
                raise StudyError(f"[models.{name}] {error}") from error
            models[name] = under_rules(model, self.rule_day, replayed=self.as_replayed)
        return models

    def sizing_model(self) -> MarginModel:
        """The model whose margins size the books, under the rules of `as_of`."""
        sizing = build_model(self.sizing)
        return under_rules(sizing, self.rule_day, replayed=self.as_replayed)

    def skips(self, model: str) -> bool:
        """Whether the study goes on without a model that fails: `on_error = "skip"`."""
        return self.models[model].get(ON_ERROR, STOP) == SKIP

    def resolved(self) -> dict[str, Any]:
        """The study with every default filled in; the hash of a study is that of this table."""
        table = self.model_dump(mode="json")
        table["models"] = {n: model_table(m) for n, m in self.margin_models().items()}
        simulator = build_simulator(self.monte_carlo.simulator)
        table["monte_carlo"]["simulator"] = to_table(simulator, SIMULATORS)
        table["sizing"] = model_table(self.sizing_model())
        sources = user_file_hashes([table["models"], table["sizing"]])
        beside = {name: sha256(content).hexdigest() for name, content in self._beside.items()}
        # A study without these keeps the hash that it had before they were known.
        for entries, key in (
            (table, "instruments"),
            (table, "accounts"),
            (table, "positions"),
            (table, "grid"),
            (table, "headline"),
            (table, "as_replayed"),
            (table["data"], "earlier"),
            (table["data"], "files"),
            (table["data"], "accept"),
        ):
            if not entries[key]:
                del entries[key]
        tables = [table.get("accounts"), table.get("positions")]
        for entries in (*filter(None, tables), *table["data"].get("files", {}).values()):
            if not entries["sheet"]:
                del entries["sheet"]
        more = {"own_models": sources, "beside": beside}
        return table | {key: files for key, files in more.items() if files}


def build_simulator(table: Mapping[str, Any]) -> Simulator:
    """Build the simulator of a table; nested ones are built first."""
    simulator: Simulator = build(table, SIMULATORS, what="simulator")
    return simulator
