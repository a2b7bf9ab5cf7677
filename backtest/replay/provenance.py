"""Where numbers come from: everything it takes to get the same ones, kept in manifest.json."""

import hashlib
import json
from collections.abc import Container, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, TypeVar

from pydantic import TypeAdapter

from backtest.account.account import AccountTerms
from backtest.book.book import Book
from backtest.book.closeout import Closeout
from backtest.book.coverage import Coverage
from backtest.estimators.fits import Certificates
from backtest.market.market import Market
from backtest.model.causality import CausalityAudit
from backtest.model.omissions import omissions
from backtest.model.opened_files import OpenedFile
from backtest.model.protocol import MarginModel, in_words
from backtest.model.window import ScoredWindow
from backtest.parameters.files import ParameterSource, parameter_sources
from backtest.replay.origin import FileHash, Prices, Software

FORMAT = 3  # of manifest.json; 1 differed by command, 2 counted fits without saying how they end
COUNTED_IN = {"margin_days": "margin", "cash": "Fedwire", "stablecoin": "calendar"}
Part = TypeVar("Part")


@dataclass(frozen=True)
class Window:
    """First and last scored day, ISO, and how many there are."""

    first_scored: str
    last_scored: str
    observations: int

    @classmethod
    def of(cls, window: ScoredWindow) -> "Window":
        """Describe the days that are scored."""
        return cls(str(window.dates[0]), str(window.dates[-1]), len(window.dates))

    def sentence(self) -> str:
        """Scored days and how many there are."""
        return f"scored {self.first_scored} to {self.last_scored}, n = {self.observations:,} days"


@dataclass(frozen=True)
class Standard:
    """The standard that all models are held to, and how positions are kept.

    Parameters
    ----------
    mpor : margin days by silo, or by silo and asset class.
    overlap : rows of the market that the longest close-out spans.
    liquidation : the table of costs that losses include, and its date; None for prices alone.
    """

    confidence: float
    mpor: dict[str, int]
    overlap: int
    rebalance: str
    liquidation: dict[str, str] | None = None

    @classmethod
    def of(cls, market: Market, book: Book, coverage: Coverage) -> "Standard":
        """Describe the standard of a book."""
        closeout = Closeout(book, coverage)
        cost = None if book.liquidation is None else book.liquidation.to_dict()
        return cls(
            coverage.confidence, closeout.by_silo, closeout.rows(market), book.rebalance, cost
        )

    @property
    def daily(self) -> bool:
        """Whether positions are rebalanced to constant USD every day."""
        return self.rebalance == "daily"

    def sentence(self) -> str:
        """Confidence, MPOR and how positions are kept, in words.

        Examples
        --------
        >>> Standard(0.99, {"FICC": 2, "CME": 2}, 2, "daily").sentence()
        '99 % coverage over an MPOR of 2 margin days; constant USD, rebalanced daily'
        """
        days = set(self.mpor.values())
        each = (f"{silo} {d}" for silo, d in self.mpor.items())
        mpor = f"{days.pop()}" if len(days) == 1 else ", ".join(each)
        positions = (
            "constant USD, rebalanced daily"
            if self.daily
            else "units bought on the first day and held"
        )
        if self.liquidation is not None:
            positions += "; losses include liquidation cost (approximate)"
        return (
            f"{100 * self.confidence:g} % coverage over an MPOR of {mpor} margin days; {positions}"
        )


@dataclass(frozen=True)
class Account:
    """Terms of the collateral account; `collateral` is 'cash', or the fields of a mix."""

    call_lag: int
    minimum_transfer: float
    collateral: str | dict[str, Any]
    excess: str
    settlement: str = "margin_days"

    def lag_words(self) -> str:
        """How long calls take, in the days they are counted in.

        Examples
        --------
        >>> Account(1, 0.0, "cash", "returned", "cash").lag_words()
        'call lag 1 Fedwire days'
        """
        return f"call lag {self.call_lag} {COUNTED_IN[self.settlement]} days"


@dataclass(frozen=True)
class Provenance:
    """Where the numbers of a command come from. What a command does not have is left out.

    Parameters
    ----------
    data : the prices. opened : files that models opened by themselves, as they were then.
    window : scored days. standard, account : what models are held to.
    models : each as Python writes it. parameters, fits, causality : by model.
    omissions : what a model leaves out because prices start too late, by model.
    failed_models : why, by name, models are left out that the study may do without.
    siloed_model : the model that savings are measured from. base : that of the offset ladder.
    simulator, paths, path : of Monte Carlo: its law, how many histories, or the one replayed.
    seconds : wall time by step. failed_gates : what the study demanded in vain.
    study : the study file with its defaults written out. details : what one command alone adds.
    sha256 : of study and levels; study_sha256 : of the study alone.
    command, written : what was typed, and when its folder was written (UTC).
    """

    software: Software
    data: Prices | None = None
    opened: tuple[OpenedFile, ...] = ()
    window: Window | None = None
    standard: Standard | None = None
    account: Account | None = None
    models: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, tuple[ParameterSource, ...]] = field(default_factory=dict)
    fits: dict[str, Certificates] = field(default_factory=dict)
    causality: dict[str, CausalityAudit] = field(default_factory=dict)
    omissions: dict[str, tuple[str, ...]] = field(default_factory=dict)
    failed_models: dict[str, str] = field(default_factory=dict)
    siloed_model: str | None = None
    base: str | None = None
    seed: int = 0
    resamples: int = 0
    simulator: str | None = None
    paths: int = 0
    path: int | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    failed_gates: tuple[str, ...] = ()
    study: dict[str, Any] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)
    study_sha256: str = ""
    sha256: str = ""
    command: str = ""
    written: str = ""

    @classmethod
    def of(
        cls,
        market: Market,
        book: Book,
        models: Mapping[str, MarginModel],
        *,
        coverage: Coverage,
        seed: int,
        window: ScoredWindow | None = None,
        account: AccountTerms | None = None,
        **more: Any,
    ) -> "Provenance":
        """Describe what every command that replays models has; `more` are other fields."""
        left_out = {name: omissions(model, market) for name, model in models.items()}
        return cls(
            software=Software.now(),
            data=Prices.of(market),
            window=None if window is None else Window.of(window),
            standard=Standard.of(market, book, coverage),
            account=None if account is None else Account(**asdict(account)),
            models={name: in_words(model) for name, model in models.items()},
            parameters={name: tuple(parameter_sources(m)) for name, m in models.items()},
            omissions={name: sentences for name, sentences in left_out.items() if sentences},
            seed=seed,
            **more,
        )

    def of_study(
        self, resolved: dict[str, Any], files: tuple[FileHash, ...], *hashed: Any
    ) -> "Provenance":
        """The same with its study file, defaults written out, and the files of its prices.

        sha256 is of the study file, what is `hashed` beside it, files that models opened, and the
        levels.
        """
        hashed = (*hashed, *(file.sha256 for file in self.opened))
        return replace(
            self,
            data=replace(self.prices, files=files),
            study=resolved,
            study_sha256=digest(resolved),
            sha256=digest([resolved, *hashed, self.prices.levels_sha256]),
        )

    @property
    def name(self) -> str:
        """Name of the study."""
        return str(self.study["name"])

    @property
    def books(self) -> dict[str, Any]:
        """Tables of the study file by named book."""
        return dict(self.study.get("books", {}))

    @property
    def confidence(self) -> float:
        """Share of days that a margin is to cover."""
        return self.held_to.confidence

    @property
    def prices(self) -> Prices:
        """The prices of a command that read some."""
        return _there(self.data)

    @property
    def held_to(self) -> Standard:
        """The standard of a command that has one."""
        return _there(self.standard)

    @property
    def scored(self) -> Window:
        """The scored days of a command that scores some."""
        return _there(self.window)

    @property
    def terms(self) -> Account:
        """The account of a command that replays one."""
        return _there(self.account)

    def sentence(self) -> str:
        """Source, scored days and standard, as far as there are any."""
        parts: Iterable[Prices | Window | Standard | None] = (self.data, self.window, self.standard)
        return "; ".join(part.sentence() for part in parts if part is not None)

    def footnote(self, *, models: bool = True) -> str:
        """What every figure's footnote ends with: source, standard, models with kinds, version."""
        named = f" {self.models_sentence()}" if models else ""
        return f"Source: {self.sentence()}.{named} {self.software.sentence()}."

    def models_sentence(self, names: Container[str] | None = None) -> str:
        """Models with their kinds, all of them or those of `names`."""
        kinds = {name: words.split("(")[0] for name, words in self.models.items()}
        shown = (f"{n} ({kind})" for n, kind in kinds.items() if names is None or n in names)
        return f"Models: {', '.join(shown)}."

    def certificates(self) -> list[tuple[str, str]]:
        """What the causality audit of each model was, for a page's list."""
        if not self.causality:
            return [("causality audit", "not run")] if self.models else []
        first = next(iter(self.causality.values()))
        return [
            *(
                (
                    f"causality of {name}",
                    f"{audit.sentence()} Largest relative change {audit.largest_change:.1e}.",
                )
                for name, audit in self.causality.items()
            ),
            ("the audit covers", f"{first.covers}."),
            ("the audit cannot see", f"{first.cannot_see} (docs/causality.md)."),
        ]

    def certificate(self) -> str:
        """The audits of all models in one paragraph for the screen; empty where none was run."""
        cut = [audit for audit in self.causality.values() if not audit.isolated]
        alone = len(self.causality) - len(cut)
        if not self.causality:
            return ""
        first, words = next(iter(self.causality.values())), []
        if cut:
            counts = (
                [len(a.cut_days) for a in cut],
                [a.before_losses for a in cut],
                [len(a.replaced_days) for a in cut],
            )
            days, before, replaced = (
                f"{min(n)}" if min(n) == max(n) else f"{min(n)} to {max(n)}" for n in counts
            )
            words.append(
                f"no margin of {len(cut)} models moved when the future was cut off after {days} "
                f"days, {before} of them before worst losses, and replaced after {replaced} "
                f"(largest relative change {max(a.largest_change for a in cut):.1e})"
            )
        if alone:
            words.append(f"{alone} models ran in processes that held no later day")
        return (
            f"Causality: {'; '.join(words)}. Covered: {first.covers}. Not covered: "
            f"{first.cannot_see} (docs/causality.md)."
        )

    def alarms(self) -> list[str]:
        """Models that failed and are left out."""
        return [f"LEFT OUT: {told}" for told in self.failed_models.values()]

    def opened_facts(self) -> list[tuple[str, str]]:
        """The files that models opened by themselves, for a page's list."""
        return [
            (f"a model opened {file.name}", f"{file.size:,} bytes, sha256 {file.sha256}")
            for file in self.opened
        ]

    def facts(self) -> list[tuple[str, str]]:
        """What a page lists of it beside the command."""
        versions = asdict(self.software)
        versions = versions.pop("versions") | versions
        facts = (
            []
            if self.data is None
            else [
                ("source", self.data.source),
                ("days", self.data.span()),
                ("dropped days", str(self.data.dropped_count)),
                ("sha256 of the levels", self.data.levels_sha256),
            ]
        )
        return [
            *facts,
            *self.opened_facts(),
            *self.certificates(),
            ("sha256 of study and levels" if facts else "sha256", self.sha256),
            ("software", ", ".join(f"{name} {value}" for name, value in versions.items())),
        ]  # fmt: skip

    def to_json(self) -> dict[str, Any]:
        """The table that manifest.json holds: lists, text, numbers and tables of them."""
        table = asdict(self)
        software = table["software"]
        table |= {"software": software.pop("versions") | software}
        plain: dict[str, Any] = json.loads(json.dumps(table, default=str))
        return {"format": FORMAT} | plain

    @classmethod
    def from_json(cls, table: Mapping[str, Any]) -> "Provenance":
        """The provenance that `to_json` wrote.

        Raises
        ------
        ValueError : a table of another shape.
        """
        versions = dict(table["software"])
        state = {name: versions.pop(name, None) for name in ("commit", "dirty", "kernels")}
        software = {"versions": versions} | state
        entries = {key: value for key, value in table.items() if key != "format"}
        return TypeAdapter(cls).validate_python(entries | {"software": software})


def _there(part: Part | None) -> Part:
    if part is None:
        raise ValueError("this command's provenance has no such part.")
    return part


def digest(table: Any) -> str:
    """sha256 of a JSON-able table, whatever the order of its keys."""
    text = json.dumps(table, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()
