"""What other numbers in a rule do to the margins of the packaged books."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np

from backtest.book.book import Book
from backtest.book.coverage import Coverage
from backtest.config.load import build_book, default_study, read_study
from backtest.market.market import Market
from backtest.model.asking import required_margin
from backtest.model.protocol import MarginModel
from backtest.parameters.files import rule_of
from backtest.parameters.in_force import named_rules, with_version
from backtest.studies.prices import load_prices
from backtest.types import FloatArray, StudyError
from strategies import MODELS
from strategies.as_replayed import AsReplayed


@dataclass(frozen=True, eq=False)
class PackagedBooks:
    """The named books of the packaged study on a history, and their margins on its last day.

    Every model that names a rule is asked with its defaults; a book that one cannot margin has no
    margin there.
    """

    market: Market
    book: Book
    coverage: Coverage

    @classmethod
    def of(cls, data: str | None) -> "PackagedBooks":
        """On the prices of the packaged study, or on others."""
        config = read_study(default_study(), where="the packaged study")
        if data is not None:
            source = config.data.model_copy(update={"source": data})
            config = config.model_copy(update={"data": source})
        market, _ = load_prices(config, clock=config.clock.kind)
        no_more = config.random.model_copy(update={"portfolios": 0})
        book = build_book(config.model_copy(update={"random": no_more}), market)
        return cls(market, book, config.standard())

    def margins(
        self, model: MarginModel, within: Callable[[], AbstractContextManager[Any]] = nullcontext
    ) -> dict[str, float]:
        """Margin of each book on the last day, USD; without those that the model refuses."""
        with within():
            return {
                name: float(margin[-1, 0])
                for name in self.book.portfolios
                if (margin := self._margin(model, name)) is not None
            }

    def _margin(self, model: MarginModel, name: str) -> FloatArray | None:
        row = self.book.portfolios.index(name)
        try:
            return required_margin(model, self.market, self.book.select([row]), self.coverage)
        except StudyError:
            return None


def models_of(rule: str) -> Iterator[tuple[str, MarginModel]]:
    """Packaged models, with defaults, that name a rule."""
    for kind, cls in MODELS.items():
        if cls is not AsReplayed and rule in named_rules(model := cls()):
            yield kind, model


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
