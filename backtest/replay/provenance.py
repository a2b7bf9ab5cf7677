"""Where numbers come from: what is needed to compute them again, as manifest.json holds it."""

import hashlib
import json
from collections.abc import Container, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, TypeVar

from pydantic import TypeAdapter

from backtest.account.account import AccountTerms
from backtest.book.book import Book
from backtest.book.coverage import Coverage
from backtest.estimators.fits import Certificates
from backtest.market.market import Market
from backtest.model.certificate import CausalityAudit, audit_facts, audit_paragraph
from backtest.model.histories import history_days
from backtest.model.omissions import omissions
from backtest.model.opened_files import OpenedFile, opened_facts
from backtest.model.protocol import MarginModel, in_words
from backtest.model.window import ScoredWindow
from backtest.parameters.sources import (
    ParameterSource,
    parameter_sources,
    standings,
    versions_named,
)
from backtest.replay.given_table import NOT_SEEN, GivenTable
from backtest.replay.origin import FileHash, Prices, Software
from backtest.replay.standard import Account, Standard, Window

FORMAT = 3  # of manifest.json; 1 differed by command, 2 counted fits without saying how they end
SUPERSEDED = "SUPERSEDED RULES:"  # how an alarm about rules begins
Part = TypeVar("Part")


@dataclass(frozen=True)
class Provenance:
    """Where the numbers of a command come from; a command leaves out the fields it has no use for.

    Parameters
    ----------
    data : the prices. given : the table of losses and margins that is there in place of prices.
    opened : files that models opened by themselves, as they were then.
    window : scored days. standard, account : what models are held to.
    models : each as Python writes it. parameters, fits, causality : by model.
    as_of : day (ISO) whose rules models and collateral take; empty where a manifest is older than
        that. as_replayed : of models, each day has its own.
    omissions : by model, what it leaves out because prices start too late, and where it can net
        nothing.
    histories : first day that margins may look back to, by the factors that positions need; empty
        where that is the first day of the prices for all.
    failed_models : the reason, by name, for each optional model that failed and is left out.
    siloed_model : the model that savings are measured from. base : model of the offset ladder.
    simulator, paths, path : of Monte Carlo: law, number of histories, or the one that is replayed.
    seconds : wall time by step. failed_gates : conditions of the study that do not hold.
    study : the study file with its defaults written out. details : fields of one command alone.
    sha256 : of study and levels; study_sha256 : of the study alone.
    command, written : the command line, and the time at which its folder was written (UTC).
    """

    software: Software
    data: Prices | None = None
    given: GivenTable | None = None
    opened: tuple[OpenedFile, ...] = ()
    window: Window | None = None
    standard: Standard | None = None
    account: Account | None = None
    models: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, tuple[ParameterSource, ...]] = field(default_factory=dict)
    as_of: str = ""
    as_replayed: bool = False
    fits: dict[str, Certificates] = field(default_factory=dict)
    causality: dict[str, CausalityAudit] = field(default_factory=dict)
    omissions: dict[str, tuple[str, ...]] = field(default_factory=dict)
    histories: dict[str, str] = field(default_factory=dict)
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
        """Fill in what every command that replays models has; `more` are other fields."""
        left_out = {name: omissions(model, market, book) for name, model in models.items()}
        return cls(
            software=Software.now(),
            data=Prices.of(market, None if window is None else window.dates),
            window=None if window is None else Window.of(window),
            standard=Standard.of(market, book, coverage),
            account=None if account is None else Account(**asdict(account)),
            models={name: in_words(model) for name, model in models.items()},
            parameters={name: tuple(parameter_sources(m)) for name, m in models.items()},
            omissions={name: sentences for name, sentences in left_out.items() if sentences},
            histories=history_days(market, book),
            seed=seed,
            **more,
        )

    def of_study(
        self, resolved: dict[str, Any], files: tuple[FileHash, ...], *hashed: Any
    ) -> "Provenance":
        """The same provenance with the study file and the files of its prices.

        resolved : the study file with its defaults written out. hashed : other tables that decide
            the numbers; sha256 is of both, the files that models opened, and the levels.
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
    def currency(self) -> str:
        """Currency of the amounts: USD, or what the user says of a given table."""
        return str(self.study.get("validate", {}).get("currency", "USD"))

    @property
    def confidence(self) -> float:
        """Share of days that a margin is to cover."""
        return self.held_to.confidence

    @property
    def prices(self) -> Prices:
        """The prices of a command that read some."""
        return _present(self.data)

    @property
    def held_to(self) -> Standard:
        """The standard of a command that has one."""
        return _present(self.standard)

    @property
    def scored(self) -> Window:
        """The scored days of a command that scores some."""
        return _present(self.window)

    @property
    def terms(self) -> Account:
        """The account of a command that replays one."""
        return _present(self.account)

    def sentence(self) -> str:
        """Source, scored days and standard; a command without one of them leaves it out."""
        parts: Iterable[Prices | GivenTable | Window | Standard | None] = (
            self.data, self.given, self.window, self.standard,
        )  # fmt: skip
        return "; ".join(part.sentence() for part in parts if part is not None)

    def footnote(self, *, models: bool = True) -> str:
        """The end of every figure's footnote: source, standard, models with kinds, version."""
        model_words = f" {self.models_sentence()}" if models else ""
        return f"Source: {self.sentence()}.{model_words} {self.software.sentence()}."

    def models_sentence(self, names: Container[str] | None = None) -> str:
        """Models with their kinds, all of them or those of `names`."""
        kinds = {name: words.split("(")[0] for name, words in self.models.items()}
        labels = (f"{n} ({kind})" for n, kind in kinds.items() if names is None or n in names)
        return f"Models: {', '.join(labels)}."

    def certificates(self) -> list[tuple[str, str]]:
        """What the causality audit of each model was, for a page's list."""
        if self.given is not None:
            return [("causality audit", f"does not apply: {NOT_SEEN}")]
        if not self.causality:
            return [("causality audit", "not run")] if self.models else []
        return audit_facts(self.causality)

    def certificate(self) -> str:
        """The audits of all models in one paragraph for the screen; empty where none was run."""
        if self.given is not None:
            return f"Causality: not audited; {NOT_SEEN}."
        return audit_paragraph(self.causality)

    def alarms(self) -> list[str]:
        """Models that failed; rules of other days; doubtful prices in use that nobody accepted."""
        doubts = () if self.data is None else self.data.findings
        return [
            *(f"{SUPERSEDED} {words}" for words in self._standings(only_superseded=True)),
            *(f"LEFT OUT: {reason}" for reason in self.failed_models.values()),
            *(
                f"DOUBTFUL PRICES: {doubt.words}"
                for doubt in doubts
                if doubt.used and not doubt.accepted
            ),
        ]

    def rule_facts(self) -> list[tuple[str, str]]:
        """The rules in force, for a page's list; empty where nothing takes any."""
        return [("rules in force", rules)] if (rules := self.rules()) else []

    def rules(self) -> str:
        """The day whose rules models take, and versions that are not in force on it, in words."""
        if not self.as_of or not any(self._rules().values()):
            return ""
        of_day = f"of {self.as_of}"
        if self.as_replayed:
            taken = f"of each day; for collateral those {of_day}"
        else:
            others = [
                name for name, used in self.parameters.items() if any(s.replayed for s in used)
            ]
            taken = f"{of_day}; of days of their own: {', '.join(others)}" if others else of_day
        return "; ".join([taken, *self._standings()])

    def _standings(self, *, only_superseded: bool = False) -> list[str]:
        """Who uses which version that is not in force on `as_of`."""
        if not self.as_of:
            return []
        since = self.as_of if self.data is None else self.data.first
        since = since if self.window is None else self.window.first_scored
        return standings(self._rules(), self.as_of, since=since, only_superseded=only_superseded)

    def _rules(self) -> dict[str, tuple[ParameterSource, ...]]:
        """Versions in use by model, and those that the collateral or the sizing names."""
        posted = () if self.account is None else versions_named(self.account.collateral)
        sizing = versions_named(self.study.get("sizing", {}))
        return {**self.parameters, "collateral": posted, "sizing": sizing}

    def facts(self) -> list[tuple[str, str]]:
        """Facts that a page lists beside the command line: prices, hashes, software."""
        versions = asdict(self.software)
        versions = versions.pop("versions") | versions
        facts = []
        if self.data is not None:
            facts = [
                ("source", self.data.source),
                ("days", self.data.span()),
                ("dropped days", str(self.data.dropped_count)),
                ("sha256 of the levels", self.data.levels_sha256),
                *self.data.doubts(),
            ]
        if self.given is not None:
            facts = self.given.facts()
        return [
            *facts,
            *self.rule_facts(),
            *opened_facts(self.opened),
            *self.certificates(),
            ("sha256 of study and levels" if facts else "sha256", self.sha256),
            ("software", ", ".join(f"{name} {value}" for name, value in versions.items())),
        ]

    def to_json(self) -> dict[str, Any]:
        """The table that manifest.json holds: lists, text, numbers and tables of them."""
        table = asdict(self)
        software = table["software"]
        table |= {"software": software.pop("versions") | software}
        # A round trip through JSON makes tuples lists, as a reader of the file finds them.
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


def _present(part: Part | None) -> Part:
    """A part that a page or figure of this command asks for, so it cannot be None."""
    if part is None:
        raise ValueError("this command's provenance has no such part.")
    return part


def digest(table: Any) -> str:
    """sha256 of a JSON-able table, whatever the order of its keys."""
    text = json.dumps(table, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()
