"""A study file: TOML, validated, every key known, every mistake one line."""

import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from strategies.tables import build_model, model_table

from .account import AccountTerms, Settlement
from .book import Book
from .calendars import Clock, MarginCalendar
from .collateral import SCHEDULES, AtCloseout, Mix, Rule
from .liquidation import LiquidationCost
from .market import Market
from .model import MarginModel
from .mpor import check_mpor
from .simulate import SIMULATORS, Simulator
from .tables import build, to_table
from .types import Coverage, StudyError

Positive = Annotated[float, Field(gt=0)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


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

    confidence: float = 0.99
    mpor: int | dict[str, int] = 2


class CloseoutTable(_Table):
    """How a defaulter's book is closed out.

    `liquidation_cost` adds bid-offer and impact to every loss (approximate); `coordination` is the
    assumed probability that the silos close out as one, shown by `backtest closeout`.
    """

    liquidation_cost: bool = False
    coordination: Annotated[float, Field(ge=0, le=1)] = 1.0

    def liquidation(self) -> LiquidationCost | None:
        """What closing out costs; None where losses are those of prices alone."""
        return LiquidationCost() if self.liquidation_cost else None


class AccountTable(_Table):
    """Terms of the collateral account."""

    call_lag: int = 1
    minimum_transfer: float = 0.0
    collateral: Literal["cash"] = "cash"
    excess: Literal["returned", "kept"] = "returned"
    settlement: Settlement = "margin_days"


class CollateralTable(_Table):
    """What is posted, in shares of the account's value after haircut; see `Mix`."""

    mix: dict[str, float]
    haircuts: tuple[str, ...] = SCHEDULES
    rule: Rule = "more conservative"
    own: dict[str, float] = Field(default_factory=dict)
    caps: dict[str, float] = Field(default_factory=dict)
    at_closeout: AtCloseout = "after haircut"

    def build(self) -> Mix:
        """The mix, its haircuts resolved."""
        fields = self.model_dump()
        return Mix(fields.pop("mix"), **fields)


class BookTable(_Table):
    """One portfolio: signed USD, or signed risk weights sized to `gross` USD."""

    explain: str = ""
    usd: dict[str, float] | None = None
    risk: dict[str, float] | None = None
    gross: Positive = 100e6
    short: str = ""  # name in figures


class RandomTable(_Table):
    """Seeded books drawn in risk weights."""

    portfolios: Annotated[int, Field(ge=0)] = 0
    instruments: tuple[str, ...] = ()
    gross: Positive = 100e6
    seed: int = 0


class MonteCarloTable(_Table):
    """Alternative histories: how many, and what draws them."""

    paths: Annotated[int, Field(ge=0)] = 0
    simulator: dict[str, Any] = Field(
        default_factory=lambda: {"kind": "stationary_bootstrap", "block_size": 20}
    )


class SweepTable(_Table):
    """One leg's share of the gross from 0 to 100 %, the other leg the rest, long and short."""

    treasury: str = "UST10Y"
    crypto: str = "BTC"
    steps: Annotated[int, Field(ge=2, le=200)] = 20
    gross: Positive = 100e6


class GateTable(_Table):
    """A condition on the summary; where it fails the command exits with 1."""

    model: str
    column: str
    at_least: float | None = None
    at_most: float | None = None
    portfolio: str | None = None


class StudyFile(_Table):
    """A whole study. `models` stay tables until `build`."""

    name: str = "study"
    title: str = ""
    caption: str = ""
    seed: int = 0
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
        return table


def build_simulator(table: Mapping[str, Any]) -> Simulator:
    """Simulator of a table; nested ones are built first."""
    made: Simulator = build(table, SIMULATORS, what="simulator")
    return made


def default_study() -> str:
    """Text of the packaged default study."""
    return (files("backtest") / "default_study.toml").read_text(encoding="utf-8")


def packaged_studies() -> list[str]:
    """Names of the studies that come with the package, beside the default one."""
    folder = files("backtest") / "studies"
    return sorted(f.name.removesuffix(".toml") for f in folder.iterdir() if ".toml" in f.name)


def read_study(text: str, *, where: str) -> StudyFile:
    """Study of a TOML text; `where` names the file in messages.

    Raises
    ------
    StudyError : one line: which key or value, what is known.

    Examples
    --------
    >>> read_study("seeed = 1", where="my.toml")
    Traceback (most recent call last):
    ...
    backtest.types.StudyError: my.toml: unknown key 'seeed'. Did you mean 'seed'?
    """
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise StudyError(f"{where} is not TOML: {error}") from error
    _check_keys(raw, where)
    try:
        study = StudyFile(**raw)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        if first["type"] == "missing":
            raise StudyError(f"{where}: {key!r} is missing; add it.") from error
        raise StudyError(f"{where}: {key} is {first['input']!r}: {first['msg']}.") from error
    for name, book in study.books.items():
        if (book.usd is None) == (book.risk is None):
            raise StudyError(f"{where}: book {name!r} needs either `usd` or `risk`, not both.")
    for gate in study.gates:
        if gate.model not in study.models:
            raise StudyError(f"{where}: a gate names model {gate.model!r}, which is not in it.")
    return study


def _check_keys(raw: Mapping[str, Any], where: str) -> None:
    """Misspelt keys, with the nearest known one; deeper than pydantic's own message."""
    tables: list[tuple[str, Mapping[str, Any], type[BaseModel]]] = [("", raw, StudyFile)]
    kinds: dict[str, type[BaseModel]] = {
        "data": DataTable,
        "clock": ClockTable,
        "coverage": CoverageTable,
        "closeout": CloseoutTable,
        "account": AccountTable,
        "collateral": CollateralTable,
        "random": RandomTable,
        "monte_carlo": MonteCarloTable,
        "sweep": SweepTable,
    }
    for key, kind in kinds.items():
        if isinstance(raw.get(key), Mapping):
            tables.append((f"{key}.", raw[key], kind))
    for name, table in (raw.get("books") or {}).items():
        if isinstance(table, Mapping):
            tables.append((f"books.{name}.", table, BookTable))
    for table in raw.get("gates") or []:
        tables.append(("gates.", table, GateTable))
    for prefix, table, kind in tables:
        known = list(kind.model_fields)
        for key in table:
            if key not in known:
                close = get_close_matches(key, known, n=1)
                hint = f"Did you mean {close[0]!r}?" if close else f"Known: {', '.join(known)}."
                raise StudyError(f"{where}: unknown key {prefix + key!r}. {hint}")


def build_book(study: StudyFile, market: Market) -> Book:
    """The study's portfolios on one set of columns, risk-weighted ones sized in USD.

    Books are sized on the first day on which the sizing model knows a margin, so nothing later
    enters them.
    """
    base, coverage = build_model(study.sizing), study.standard()
    rows: dict[str, dict[str, float]] = {}
    for name, table in study.books.items():
        if table.usd is not None:
            rows[name] = table.usd
            continue
        weights = pd.DataFrame([table.risk], index=[name])
        sized = Book.risk_matched(weights, market, base=base, coverage=coverage, gross=table.gross)
        rows[name] = dict(zip(table.risk or {}, map(float, sized.exposure[0]), strict=True))
    if study.random.portfolios:
        drawn = Book.random(
            study.random.instruments,
            market,
            base=base,
            coverage=coverage,
            gross=study.random.gross,
            portfolios=study.random.portfolios,
            seed=study.random.seed,
        )
        for name, usd in zip(drawn.portfolios, drawn.exposure, strict=True):
            rows[name] = dict(zip(study.random.instruments, map(float, usd), strict=True))
    frame = pd.DataFrame.from_dict(rows, orient="index").fillna(0.0)
    liquidation = study.closeout.liquidation()
    book = Book.from_frame(frame, market, rebalance=study.rebalance, liquidation=liquidation)
    check_mpor(book, coverage)
    return book


def load_study(path: Path | None) -> tuple[StudyFile, str]:
    """The study of a file, of a packaged name, or the packaged default; with its verbatim text."""
    if path is None:
        text = default_study()
        return read_study(text, where="the default study"), text
    packaged = files("backtest") / "studies" / f"{path.name}.toml"
    if path == Path(path.name) and not path.exists() and packaged.is_file():
        text = packaged.read_text(encoding="utf-8")
        return read_study(text, where=f"the packaged study {path.name!r}"), text
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        known = ", ".join(packaged_studies())
        raise StudyError(
            f"cannot read study {str(path)!r}: {error}. Packaged studies: {known}."
        ) from error
    return read_study(text, where=path.name), text
