"""What other numbers in a rule do to the margins of the packaged books."""

from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from backtest.book.book import Book
from backtest.book.coverage import Coverage
from backtest.config.load import (
    PACKAGED,
    build_book,
    default_study,
    packaged_studies,
    read_study,
)
from backtest.market.market import Market
from backtest.model.asking import required_margin
from backtest.model.protocol import MarginModel
from backtest.parameters.files import rule_of
from backtest.parameters.in_force import named_rules, with_version
from backtest.studies.prices import load_prices
from backtest.types import DataError, StudyError
from strategies import MODELS
from strategies.as_replayed import AsReplayed


@dataclass(frozen=True, eq=False)
class PackagedBooks:
    """The named books of the packaged study on a history, and their margins on its last day.

    Every model that names a rule is asked with its defaults; a book that one cannot margin has no
    margin there.

    study : name of another packaged study whose books these are; empty for the default one.
    """

    market: Market
    book: Book
    coverage: Coverage
    study: str = ""

    @classmethod
    def of(cls, data: str | None, study: str = "") -> "PackagedBooks":
        """On the prices of the packaged study, or on others; or of another packaged study."""
        text = (PACKAGED / f"{study}.toml").read_text("utf-8") if study else default_study()
        config = read_study(text, where=f"the packaged study {study}".rstrip())
        if data is not None:
            source = config.data.model_copy(update={"source": data})
            config = config.model_copy(update={"data": source})
        market, _ = load_prices(config, clock=config.clock.kind)
        no_more = config.random.model_copy(update={"portfolios": 0})
        book = build_book(config.model_copy(update={"random": no_more}), market)
        return cls(market, book, config.standard(), study)

    def others(self, data: str | None) -> Iterator["PackagedBooks"]:
        """Books of other packaged studies that hold what these do not, where prices allow."""
        known = {instrument.name for instrument in self.book.instruments}
        for study in packaged_studies():
            with suppress(DataError, StudyError):  # for want of a file of prices, as in the sample
                books = PackagedBooks.of(data, study)
                if not {instrument.name for instrument in books.book.instruments} <= known:
                    yield books

    def margins(
        self, model: MarginModel, *, only: Collection[str] | None = None
    ) -> dict[str, float]:
        """Margin of each book on the last day, USD; without those that the model refuses.

        only : ask about these books, and let a refusal be an error.
        """
        names = self.book.portfolios if only is None else tuple(only)
        if len(names) == len(self.book.portfolios):
            with suppress(StudyError):  # of one question for all, which is sooner answered
                return self._last(model, self.book)
        margins: dict[str, float] = {}
        for name in names:  # a book that a model cannot margin must not hide the others
            alone = self.book.select([self.book.portfolios.index(name)])
            held = alone.holding(np.flatnonzero(alone.exposure.any(axis=0)).tolist())
            try:
                margins |= self._last(model, held)
            except StudyError:
                if only is not None:
                    raise
        return margins

    def _last(self, model: MarginModel, book: Book) -> dict[str, float]:
        margin = required_margin(model, self.market, book, self.coverage)[-1]
        return dict(zip(book.portfolios, map(float, margin), strict=True))


def packaged_models() -> Iterator[tuple[str, MarginModel]]:
    """Every packaged model with its defaults, and with the settings of its `also_asked`."""
    for kind, cls in MODELS.items():
        if cls is not AsReplayed:
            yield kind, cls()
            for words, settings in getattr(cls, "also_asked", {}).items():
                yield f"{kind} ({words})", cls(**settings)


def models_of(rule: str) -> Iterator[tuple[str, MarginModel]]:
    """Packaged models that name a rule."""
    return ((name, model) for name, model in packaged_models() if rule in named_rules(model))


def version_effects(
    books: PackagedBooks, before: str, after: str
) -> Iterator[tuple[str, dict[str, tuple[float, float]]]]:
    """By model, each book's margins under two versions of a rule, USD."""
    for kind, model in models_of(rule_of(before)):
        old, new = (books.margins(with_version(model, version)) for version in (before, after))
        pairs = {name: (old[name], new[name]) for name in old if name in new}
        if pairs:
            yield kind, pairs


def relative(before: float, after: float) -> float:
    """After / before - 1; NaN from zero to something, 0 from zero to zero."""
    if before == after:
        return 0.0
    return after / before - 1.0 if before else np.nan
