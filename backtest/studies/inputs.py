"""A study file, its prices and its book, which every command reads first."""

from dataclasses import dataclass
from pathlib import Path

from backtest.book.book import Book
from backtest.config.load import build_book, load_study
from backtest.config.models import build_model
from backtest.config.schema import StudyFile
from backtest.data.csv_folder import SourceFile
from backtest.data.load import load_with_sources
from backtest.market.calendars import Clock
from backtest.market.market import Market
from backtest.model.protocol import MarginModel
from backtest.replay.origin import FileHash
from backtest.types import Progress


@dataclass(frozen=True, eq=False)
class Inputs:
    """A study file turned into what `run` takes; `base` margins the silos of the ladder."""

    config: StudyFile
    text: str
    market: Market
    files: list[SourceFile]
    book: Book
    base: MarginModel

    @property
    def named_book(self) -> Book:
        """The book without its random portfolios, which come after those of the study file."""
        return self.book.select(list(range(len(self.config.books))))

    @property
    def hashes(self) -> tuple[FileHash, ...]:
        """Name and sha256 of each file that prices were read from."""
        return tuple(FileHash(file.name, file.sha256) for file in self.files)


def read_inputs(
    study_file: Path | None,
    *,
    data: str | None,
    seed: int | None,
    progress: Progress,
    clock: Clock | None = None,
) -> Inputs:
    """Study file, prices and book; data, seed and clock override what the file says."""
    config, text = load_study(study_file)
    if data is not None:
        config = config.model_copy(update={"data": config.data.model_copy(update={"source": data})})
    if seed is not None:
        config = config.model_copy(update={"seed": seed})
    if clock is not None:
        kept = config.clock.model_copy(update={"kind": clock})
        config = config.model_copy(update={"clock": kept})
    progress("prices", 0.0)
    market, files = load_with_sources(
        config.data.source,
        factors=config.data.factors or None,
        start=config.data.start,
        end=config.data.end,
        clock=config.clock.kind,
        calendar=config.clock.calendar,
    )
    book = build_book(config, market)
    progress("prices", 1.0)
    return Inputs(config, text, market, files, book, build_model(config.sizing))
