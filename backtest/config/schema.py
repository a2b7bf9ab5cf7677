"""A whole study file: its tables, and the models and terms that they describe."""

from collections.abc import Mapping
from datetime import date
from hashlib import sha256
from typing import Any, Literal

from pydantic import Field, PrivateAttr

from backtest.account.account import AccountTerms
from backtest.book.coverage import Coverage
from backtest.config.models import build_model, model_table
from backtest.config.sections import (
    AccountsTable,
    AccountTable,
    BookTable,
    ClockTable,
    CloseoutTable,
    CollateralTable,
    Count,
    CoverageTable,
    DataTable,
    GateTable,
    LimitsTable,
    MandateTable,
    MonteCarloTable,
    PositionsTable,
    RandomTable,
    StressTable,
    SweepTable,
    Table,
)
from backtest.config.structure import StructureTable
from backtest.instruments import Declaration
from backtest.model.protocol import MarginModel
from backtest.model.user_models import user_file_hashes
from backtest.parameters.files import rules, version_of
from backtest.parameters.in_force import check_names, in_force, version_on
from backtest.parameters.registry import build, to_table
from backtest.simulate import SIMULATORS, Simulator
from backtest.types import StudyError, parse_day
from strategies.as_replayed import under_rules

ON_ERROR, STOP, SKIP = "on_error", "stop", "skip"  # key of a model's table, and its values


class StudyFile(Table):
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
    structure: StructureTable | None = None
    random: RandomTable = RandomTable()
    monte_carlo: MonteCarloTable = MonteCarloTable()
    sweep: SweepTable | None = None
    stress: StressTable | None = None
    limits: LimitsTable | None = None
    mandate: MandateTable | None = None
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

    def stated_models(self) -> dict[str, MarginModel]:
        """The models, built from their tables, with rules as the file names them."""
        models = {}
        for name, table in self.models.items():
            try:
                models[name] = build_model({k: v for k, v in table.items() if k != ON_ERROR})
                check_names(models[name])
            except StudyError as error:
                raise StudyError(f"[models.{name}] {error}") from error
        return models

    def margin_models(self) -> dict[str, MarginModel]:
        """The models under the rules of `as_of`, or of each day."""
        day, replayed = self.rule_day, self.as_replayed
        return {
            name: under_rules(model, day, replayed=replayed)
            for name, model in self.stated_models().items()
        }

    def sizing_model(self) -> MarginModel:
        """The model whose margins size the books, under the rules of `as_of`."""
        sizing = build_model(self.sizing)
        check_names(sizing)
        return under_rules(sizing, self.rule_day, replayed=self.as_replayed)

    def stress_terms(self) -> StressTable | None:
        """The stress test asked for, its scenarios those of `as_of`; None where none is.

        Limits alone ask for one with its usual scenarios.
        """
        if self.stress is None and self.limits is None:
            return None
        table, day = self.stress or StressTable(), self.rule_day
        rule = table.parameters
        version = version_on(rule, day) if rule in rules() and day else version_of(rule)
        return table.model_copy(update={"parameters": version})

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
        stress = self.stress_terms()
        table["stress"] = None if stress is None else stress.model_dump(mode="json")
        sources = user_file_hashes([table["models"], table["sizing"]])
        beside = {name: sha256(content).hexdigest() for name, content in self._beside.items()}
        # A study without these keeps the hash that it had before they were known.
        for entries, key in (
            (table, "instruments"),
            (table, "accounts"),
            (table, "positions"),
            (table, "structure"),
            (table, "stress"),
            (table, "limits"),
            (table, "grid"),
            (table, "headline"),
            (table, "as_replayed"),
            (table, "mandate"),
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
