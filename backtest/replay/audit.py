"""The causality audit of a study: of which portfolios, and that its margins are those in use."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from backtest.book.book import Book
from backtest.book.coverage import Coverage
from backtest.market.market import Market
from backtest.model.asking import takes_days
from backtest.model.causality import RTOL, CausalityError, audited_margins
from backtest.model.certificate import CausalityAudit
from backtest.model.episodes import Episodes
from backtest.model.protocol import MarginModel
from backtest.types import DaysByPortfolios, FloatArray, Progress, RowNumbers, within

AUDITED = 8  # portfolios spread over the book that are audited beside those that are named
EPISODES = 16  # of accounts that trade, spread over all of theirs


@dataclass(frozen=True, eq=False)
class Audited:
    """Margins that an audit saw, and the cells of the study in which they must be used.

    days, portfolios : (cells,) of the study. margins : (cells,) what the audit saw there.
    """

    days: RowNumbers
    portfolios: RowNumbers
    margins: FloatArray


@dataclass(frozen=True, eq=False)
class _Sample:
    """A book to audit: rows of the study's own, or constant ones that stand for its episodes.

    days, portfolios, place : (cells,) where the study holds the positions of a row of `book`, and
        which row that is.
    """

    book: Book
    days: RowNumbers
    portfolios: RowNumbers
    place: RowNumbers

    @classmethod
    def rows(cls, book: Book, rows: list[int], days: int) -> "_Sample":
        """Portfolios of the book as they are."""
        day, place = np.divmod(np.arange(days * len(rows)), len(rows))
        return cls(book.select(rows), day, np.array(rows)[place], place)

    @classmethod
    def episodes(cls, book: Book, rows: list[int]) -> "_Sample":
        """Some positions that the portfolios have held, each as a constant one."""
        episodes = Episodes.of(book.select(rows))
        spread = np.unique(np.linspace(0, len(episodes.last) - 1, EPISODES).astype(int))
        some = episodes.some(spread)
        days, accounts = np.nonzero(some.number >= 0)
        return cls(some.book, days, np.array(rows)[accounts], some.number[days, accounts])


def audit_models(
    models: Mapping[str, MarginModel],
    market: Market,
    book: Book,
    coverage: Coverage,
    *,
    named: Sequence[str],
    progress: Progress,
    stage: str = "causality audit",
) -> tuple[dict[str, CausalityAudit], dict[str, Audited]]:
    """Audit every model on the named portfolios and on some spread over the book.

    A model that is asked about positions by day episode by episode never sees a trade, so it is
    audited on some of the episodes.

    stage : the name under which `progress` is told.

    Returns
    -------
    The audits, and the margins that were audited with the cells that they are of.
    """
    # A study lists its named books first, then random ones: a spread over all takes some of both.
    spread = np.linspace(0, len(book.portfolios) - 1, AUDITED).astype(int)
    rows = sorted({*spread.tolist(), *(book.portfolios.index(name) for name in named)})
    book = book.on(market.dates)
    audits, audited = {}, {}
    progress(stage, 0.0)
    for number, (name, model) in enumerate(models.items()):
        of_model = within(progress, stage, number / len(models), (number + 1) / len(models))
        by_episode = book.dates is not None and not takes_days(model, market, book)
        sample = (
            _Sample.episodes(book, rows)
            if by_episode
            else _Sample.rows(book, rows, len(market.dates))
        )
        audits[name], margins = audited_margins(
            model, market, sample.book, coverage=coverage, progress=of_model
        )
        if margins is not None and not getattr(model, "across_books", False):
            audited[name] = Audited(
                sample.days, sample.portfolios, margins[sample.days, sample.place]
            )
        of_model(name, 1.0)
    return audits, audited


def check_audited(
    audited: Mapping[str, Audited],
    required: Callable[[str], DaysByPortfolios],
    portfolios: Sequence[str],
) -> None:
    """Margins in use must be those that were audited: a model could tell an audit from a study.

    required : the margins in use, by the name of a model.

    Raises
    ------
    CausalityError : they are not.
    """
    for name, seen in audited.items():
        used = required(name)[seen.days, seen.portfolios]
        wrong = np.flatnonzero(~np.isclose(seen.margins, used, rtol=RTOL, atol=0, equal_nan=True))
        if len(wrong):
            cell = wrong[0]
            raise CausalityError(
                f"model {name!r} gave {seen.margins[cell]:.10g} to the audit and {used[cell]:.10g} "
                f"to the study, of {portfolios[seen.portfolios[cell]]!r} on its row "
                f"{seen.days[cell]}: a margin must depend on the market and on its own portfolio "
                "alone, or its class says `across_books = True`."
            )
