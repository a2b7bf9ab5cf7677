"""The tables of a study file: every key, its type, its bounds, its default."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from backtest.account.account import AccountTerms, Settlement
from backtest.account.mix import SCHEDULES, AtCloseout, Mix, Rule
from backtest.book.coverage import Coverage
from backtest.book.liquidation import LiquidationCost
from backtest.config.models import build_model, model_table
from backtest.market.calendars import Clock, MarginCalendar
from backtest.model.protocol import MarginModel
from backtest.model.user_models import user_file_hashes
from backtest.parameters.registry import build, to_table
from backtest.simulate import SIMULATORS, Simulator
from backtest.types import StudyError

MOST_USD = 1e15  # above it a number is a slip of the keyboard: more than the world's wealth

# Strict, or `true` would be the number 1.
Number = Annotated[float, Field(strict=True)]
Whole = Annotated[int, Field(strict=True)]
Count = Annotated[int, Field(strict=True, ge=0)]
Amount = Annotated[float, Field(strict=True, ge=-MOST_USD, le=MOST_USD)]
Positive = Annotated[float, Field(strict=True, gt=0, le=MOST_USD)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class DataTable(_Table):
    """Where prices come from, and which."""

    source: str = "sample"
    factors: tuple[str, ...] = ()
    start: str | None = None
    end: str | None = None


class ClockTable(_Table):
    """Margin days: business days or every calendar day, by the data or by a calendar."""

    kind: Clock = "business"
    calendar: MarginCalendar = "data"


class CoverageTable(_Table):
    """The standard all models are held to."""

    confidence: Number = 0.99
    mpor: Whole | dict[str, Whole] = 2


class CloseoutTable(_Table):
    """How a defaulter's book is closed out.

    `liquidation_cost` adds bid-offer and impact to every loss (approximate); `coordination` is the
    assumed probability that the silos close out as one, shown by `backtest closeout`.
    """

    liquidation_cost: bool = False
    coordination: Annotated[float, Field(strict=True, ge=0, le=1)] = 1.0

    def liquidation(self) -> LiquidationCost | None:
        """What closing out costs; None where losses are those of prices alone."""
        return LiquidationCost() if self.liquidation_cost else None


class AccountTable(_Table):
    """Terms of the collateral account."""

    call_lag: Whole = 1
    minimum_transfer: Number = 0.0
    collateral: Literal["cash"] = "cash"
    excess: Literal["returned", "kept"] = "returned"
    settlement: Settlement = "margin_days"


class CollateralTable(_Table):
    """What is posted, in shares of the account's value after haircut; see `Mix`."""

    mix: dict[str, Number]
    haircuts: tuple[str, ...] = SCHEDULES
    rule: Rule = "more conservative"
    own: dict[str, Number] = Field(default_factory=dict)
    caps: dict[str, Number] = Field(default_factory=dict)
    at_closeout: AtCloseout = "after haircut"

    def build(self) -> Mix:
        """The mix, its haircuts resolved."""
        fields = self.model_dump()
        return Mix(fields.pop("mix"), **fields)


class BookTable(_Table):
    """One portfolio: signed USD, or signed risk weights sized to `gross` USD."""

    explain: str = ""
    usd: dict[str, Amount] | None = None
    risk: dict[str, Amount] | None = None
    gross: Positive = 100e6
    short: str = ""  # name in figures


class RandomTable(_Table):
    """Seeded books drawn in risk weights."""

    portfolios: Count = 0
    instruments: tuple[str, ...] = ()
    gross: Positive = 100e6
    seed: Count = 0


class MonteCarloTable(_Table):
    """Alternative histories: how many, and what draws them."""

    paths: Count = 0
    simulator: dict[str, Any] = Field(
        default_factory=lambda: {"kind": "stationary_bootstrap", "block_size": 20}
    )


class SweepTable(_Table):
    """One leg's share of the gross from 0 to 100 %, the other leg the rest, long and short."""

    treasury: str = "UST10Y"
    crypto: str = "BTC"
    steps: Annotated[int, Field(strict=True, ge=2, le=200)] = 20
    gross: Positive = 100e6


class GateTable(_Table):
    """A condition on the summary; where it fails the command exits with 1."""

    model: str
    column: str
    at_least: Number | None = None
    at_most: Number | None = None
    portfolio: str | None = None


class StudyFile(_Table):
    """A whole study. `models` stay tables until `build`."""

    name: str = "study"
    title: str = ""
    caption: str = ""
    seed: Count = 0
    score_from: str | None = None
    rebalance: Literal["daily", "never"] = "daily"
    data: DataTable = DataTable()
    clock: ClockTable = ClockTable()
    coverage: CoverageTable = CoverageTable()
    closeout: CloseoutTable = CloseoutTable()
    account: AccountTable = AccountTable()
    collateral: CollateralTable | None = None
    models: dict[str, dict[str, Any]]
    sizing: dict[str, Any] = Field(default_factory=lambda: {"kind": "historical_var"})
    books: dict[str, BookTable]
    random: RandomTable = RandomTable()
    monte_carlo: MonteCarloTable = MonteCarloTable()
    sweep: SweepTable | None = None
    gates: tuple[GateTable, ...] = ()

    def standard(self) -> Coverage:
        """The coverage standard."""
        return Coverage(confidence=self.coverage.confidence, mpor=self.coverage.mpor)

    def terms(self) -> AccountTerms:
        """The account's terms."""
        terms = self.account.model_dump()
        if self.collateral is not None:
            terms["collateral"] = self.collateral.build()
        return AccountTerms(**terms)

    def margin_models(self) -> dict[str, MarginModel]:
        """The models, built from their tables."""
        built = {}
        for name, table in self.models.items():
            try:
                built[name] = build_model(table)
            except StudyError as error:
                raise StudyError(f"[models.{name}] {error}") from error
        return built

    def resolved(self) -> dict[str, Any]:
        """The study with every default written out; what the hash is taken of."""
        table = self.model_dump(mode="json")
        table["models"] = {n: model_table(m) for n, m in self.margin_models().items()}
        simulator = build_simulator(self.monte_carlo.simulator)
        table["monte_carlo"]["simulator"] = to_table(simulator, SIMULATORS)
        table["sizing"] = model_table(build_model(self.sizing))
        sources = user_file_hashes([table["models"], table["sizing"]])
        return table | ({"own_models": sources} if sources else {})


def build_simulator(table: Mapping[str, Any]) -> Simulator:
    """Simulator of a table; nested ones are built first."""
    made: Simulator = build(table, SIMULATORS, what="simulator")
    return made
