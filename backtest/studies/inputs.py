"""A study file, its prices, its book and its models, which every command reads first."""

from collections.abc import Callable, Container
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from backtest.book.book import Book
from backtest.config.load import DEFAULT, build_book, load_study
from backtest.config.schema import StudyFile
from backtest.data.raw_columns import SourceFile
from backtest.market.calendars import Clock
from backtest.market.market import Market
from backtest.model.asking import asked_of
from backtest.model.certificate import CausalityAudit
from backtest.model.isolation import Isolated, isolated
from backtest.model.opened_files import OpenedFile, placed, recording
from backtest.model.protocol import MarginModel, in_words
from backtest.model.user_models import user_files, user_kinds
from backtest.replay.audit import audit_models
from backtest.replay.origin import FileHash
from backtest.replay.provenance import Provenance
from backtest.replay.rules import rule_day
from backtest.studies.failures import failure
from backtest.studies.prices import load_prices
from backtest.types import Progress

MOST_BOUNDED = 50  # accounts whose offset gets bounds, some seconds each
GRID_ASIDE = "the file has a grid, which `backtest grid` runs; here its own values are used"
Result = TypeVar("Result")


def sizing_name(models: Container[str]) -> str:
    """The audit's name of the model that sizes books: that of its table, unless a model has it."""
    return "sizing" if "sizing" not in models else "[sizing]"


@dataclass(frozen=True, eq=False)
class Inputs:
    """A study file, its prices, its book and its models.

    Parameters
    ----------
    config, text : the study file, as tables and verbatim.
    market, files : prices, and the files they were read from.
    book : named portfolios first, in the order of the file, then random ones.
    models : by name.
    base : model whose margins size the books and are the silos' own in the offset ladder.
    folder : of the study file; None for a packaged study.
    file_record : files that models have opened by themselves.
    failures : why models with `on_error = "skip"` are not among `models`, by name.
    """

    config: StudyFile
    text: str
    market: Market
    files: list[SourceFile]
    book: Book
    models: dict[str, MarginModel]
    base: MarginModel
    folder: Path | None = None
    file_record: set[OpenedFile] = field(default_factory=set)
    failures: dict[str, str] = field(default_factory=dict)

    @property
    def named_book(self) -> Book:
        """The portfolios that the study file names, without random ones; its accounts where none.

        Accounts beside named books are only replayed and scored, as random books are. Of random
        books alone all count as named.
        """
        named = len(self.config.books)
        if not named and (self.config.accounts or self.config.positions) is not None:
            named = len(self.book.portfolios) - self.config.random.portfolios
        return self.book.select(slice(named or None))

    @property
    def bounded(self) -> list[str]:
        """The named portfolios whose offset gets bounds: none where there are many accounts."""
        names = list(self.named_book.portfolios)
        return names if self.config.books or len(names) <= MOST_BOUNDED else []

    @property
    def hashes(self) -> tuple[FileHash, ...]:
        """Name and sha256 of each file that prices were read from."""
        return tuple(FileHash(file.name, file.sha256, file.read_as) for file in self.files)

    @property
    def opened_files(self) -> tuple[OpenedFile, ...]:
        """Files that models have opened, relative to the study file or the working directory.

        Without the modules that the study names: those are part of the study.
        """
        folders = [Path.cwd()] if self.folder is None else [self.folder, Path.cwd()]
        modules = user_files([self.config.models, self.config.sizing])
        module_paths = {str(path.resolve()) for path in modules}
        return placed(
            {file for file in self.file_record if file.name not in module_paths}, *folders
        )

    def described(self, provenance: Provenance, *hashed: Any) -> Provenance:
        """The provenance of a result, with the study, its prices and the files models opened."""
        provenance = replace(
            provenance,
            opened=self.opened_files,
            failed_models=dict(sorted(self.failures.items())),
            as_of=self.config.as_of,
            as_replayed=self.config.as_replayed,
        )
        return provenance.of_study(self.config.resolved(), self.hashes, *hashed)

    def audits(
        self,
        progress: Progress,
        market: Market | None = None,
        *,
        only_sizing: bool = False,
        stage: str = "causality audit",
    ) -> dict[str, CausalityAudit]:
        """The causality audit of every model and of the sizing model, by name.

        stage : the name under which `progress` is told.
        """
        audits, _ = audit_models(
            ({} if only_sizing else self.models) | {sizing_name(self.models): self.base},
            self.market if market is None else market,
            self.named_book if self.config.books else self.book,
            self.config.standard(),
            named=list(self.config.books),
            progress=progress,
            stage=stage,
        )
        return audits

    def of_study(self, config: StudyFile) -> "Inputs":
        """The same prices under another study, with its own book and models.

        Raises
        ------
        StudyError, ModelFailure : its positions cannot be sized on these prices.
        """
        file_record: set[OpenedFile] = set()
        with recording(file_record):
            models, base = config.margin_models(), config.sizing_model()
            book = _book_of(config, self.market)
        return replace(
            self, config=config, book=book, models=models, base=base, file_record=file_record,
            failures={},
        )  # fmt: skip

    def without(self, error: Exception) -> "Inputs":
        """The inputs without the model that raised `error`, where the study allows it.

        Raises
        ------
        ModelFailure : the study does not, or no other model is left. Any other `error` as it is.
        """
        words = asked_of(error)
        if words is None:
            raise error
        names = [name for name, model in self.models.items() if in_words(model) == words]
        model_failure = failure(error, names)
        others = {name: model for name, model in self.models.items() if name not in names}
        if not names or not others or any(not self.config.skips(name) for name in names):
            raise model_failure from error
        reason = " ".join(str(model_failure).split())
        return replace(self, models=others, failures=self.failures | dict.fromkeys(names, reason))


def result_of(inputs: Inputs, compute: Callable[[Inputs], Result]) -> Result:
    """The result of a command, with a record of the files that its models open.

    Where a model fails that the study may do without, everything is computed again without it: no
    number then depends on how far the model came.
    """
    with recording(inputs.file_record):
        while True:
            try:
                return compute(inputs)
            except Exception as error:
                inputs = inputs.without(error)


def read_prices(
    study_file: Path | None,
    *,
    data: str | None,
    seed: int | None,
    progress: Progress,
    clock: Clock | None = None,
    grid: bool = False,
    default: str = DEFAULT,
) -> tuple[StudyFile, str, Market, list[SourceFile]]:
    """A study file, its text and its prices; data, seed and clock override what the file says.

    grid : the command has a use for the study's [grid]; any other says that it has none.
    default : packaged study where no file is given.
    """
    config, text = load_study(study_file, default=default)
    if data is not None:
        config = config.model_copy(update={"data": config.data.model_copy(update={"source": data})})
    if seed is not None:
        config = config.model_copy(update={"seed": seed})
    if clock is not None:
        table = config.clock.model_copy(update={"kind": clock})
        config = config.model_copy(update={"clock": table})
    if config.grid and not grid:
        progress(GRID_ASIDE, 1.0)
    progress("prices", 0.0)
    market, files = load_prices(config, clock=config.clock.kind)
    if not config.as_of:
        last_scored = rule_day(None, market, config.standard().longest)
        config = config.model_copy(update={"as_of": str(last_scored)})
    progress("prices", 1.0)
    for file in files:
        if file.read_as:
            progress(file.read_as, 1.0)
    return config, text, market, files


def read_inputs(
    study_file: Path | None,
    *,
    data: str | None,
    seed: int | None,
    progress: Progress,
    clock: Clock | None = None,
    isolate: bool = False,
    grid: bool = False,
    default: str = DEFAULT,
    simulated: bool = False,
) -> Inputs:
    """Study file, prices, book and models; data, seed and clock override what the file says.

    isolate : run models of the user's own each in a process that holds only the past.
    grid, default : as in `read_prices`.
    simulated : days will not be dates, so that the rules of each day cannot be replayed.
    """
    config, text, market, files = read_prices(
        study_file, data=data, seed=seed, progress=progress, clock=clock, grid=grid,
        default=default,
    )  # fmt: skip
    if simulated and config.as_replayed:
        progress(f"rules are those of {config.as_of}: days of a path are no dates", 1.0)
        config = config.model_copy(update={"as_replayed": False})
    file_record: set[OpenedFile] = set()
    progress("books and models", 0.0)
    with recording(file_record):
        models, base = config.margin_models(), config.sizing_model()
        if isolate:
            own = {name for name, table in config.models.items() if any(user_kinds(table))}
            models = {n: isolated(m) if n in own else m for n, m in models.items()}
            base = isolated(base) if any(user_kinds(config.sizing)) else base
        book = _book_of(config, market)
        for name, model in models.items():
            if isinstance(model, Isolated):
                minutes = model.seconds(market, book, config.standard()) / 60
                progress(f"{name} day by day: about {minutes:.1f} min each time", 1.0)
    progress("books and models", 1.0)
    folder = None if study_file is None or not study_file.exists() else study_file.resolve().parent
    return Inputs(config, text, market, files, book, models, base, folder, file_record)


def _book_of(config: StudyFile, market: Market) -> Book:
    """The book of a study; what its sizing model raises is told as that model's failure."""
    try:
        return build_book(config, market)
    except Exception as error:
        raise (error if asked_of(error) is None else failure(error, [])) from error
