"""`backtest offset`: everything about the supportable offset of a study's named books."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from backtest.book.book import Book
from backtest.market.market import Market
from backtest.model.protocol import in_words
from backtest.offset import (
    granted_and_supported,
    just_covering,
    specification_curve,
    stressed_ladder,
    supportable_offset,
)
from backtest.offset.credit_granted import STEP, WINDOW
from backtest.replay.provenance import Provenance
from backtest.studies.inputs import Inputs, read_inputs, result_of
from backtest.studies.offset.steps_by_day import StepsByDay, steps_by_day, steps_by_regime
from backtest.studies.ranked import Ranked
from backtest.types import Progress, StudyError
from strategies.as_replayed import unwrapped
from strategies.haircut import HaircutOnly
from strategies.historical import HistoricalVaR

CURVE_BOOKS = 2  # books in the specification curve: usually one long and one short pool


@dataclass(frozen=True, eq=False)
class OffsetStudy:
    """All tables about the supportable offset of a study's books.

    Parameters
    ----------
    ladder : a row a book, with bounds. stresses : the same under each stress.
    specifications : a row a (book, choice of settings). credit : granted by each model, and
        supported by the data, by day and book.
    covering_settings : the haircut scale and the correlation floor that just keep coverage.
    text : the study file, verbatim.
    steps, steps_by_day : from gross to required, of each model that grants an offset, by regime
        and by day.
    rolling : scored days that each supportable offset in `credit` is estimated from.
    """

    market: Market
    ladder: pd.DataFrame
    stresses: pd.DataFrame
    specifications: pd.DataFrame
    credit: pd.DataFrame
    covering_settings: pd.DataFrame
    text: str
    provenance: Provenance
    steps: pd.DataFrame = field(default_factory=pd.DataFrame)
    steps_by_day: StepsByDay = field(default_factory=dict)
    rolling: int = WINDOW

    @property
    def ranked(self) -> Ranked:
        """The books of which the data support the smallest offset come first."""
        return _ranked(self.ladder)


def estimate_offsets(
    study_file: Path | None,
    *,
    data: str | None,
    seed: int | None,
    n_jobs: int,
    isolate: bool = False,
    progress: Progress,
) -> OffsetStudy:
    """Estimate everything about the offset of a study's named books held in several silos."""
    inputs = read_inputs(study_file, data=data, seed=seed, isolate=isolate, progress=progress)
    return result_of(inputs, lambda inputs: _offsets(inputs, n_jobs, progress))


def _offsets(inputs: Inputs, n_jobs: int, progress: Progress) -> OffsetStudy:
    """Every table of the study of `inputs`."""
    market, base, coverage = inputs.market, inputs.base, inputs.config.standard()
    seed = inputs.config.seed
    audits = inputs.audits(progress)
    ladder = supportable_offset(
        market, inputs.named_book, base=base, coverage=coverage, n_jobs=n_jobs, progress=progress
    ).to_frame()
    if ladder.empty:
        raise StudyError("no book of the study is held in two silos; name one that is.")
    book = _books(inputs.named_book, ladder.index)
    stresses = stressed_ladder(
        market, book, base=base, coverage=coverage, seed=seed, n_jobs=n_jobs, progress=progress
    )
    headline = [name for name in inputs.config.headline if name in ladder.index]
    risk_matched = [n for n, b in inputs.config.books.items() if b.risk and n in ladder.index]
    favoured = list(dict.fromkeys([*headline, *risk_matched]))
    curve = specification_curve(
        market,
        _books(book, (favoured or _ranked(ladder).panels({}, ladder.index))[:CURVE_BOOKS]),
        base=lambda lookback: HistoricalVaR(lookback=lookback),
        coverage=coverage,
        progress=progress,
    )
    models = inputs.models
    credit = granted_and_supported(
        market, book, models, base=base, coverage=coverage, progress=progress
    )
    # Only a model that grants a reduction has steps between gross and required.
    granting_models = {name: models[name] for name in models if name in set(credit["series"])}
    by_day = (
        steps_by_day(market, book, granting_models, coverage=coverage, progress=progress)
        if granting_models
        else {}
    )
    steps = steps_by_regime(by_day, market, book, progress=progress) if by_day else pd.DataFrame()
    lookback = base.lookback if isinstance(base, HistoricalVaR) else 500
    # The study's own haircuts know its instruments; those of the default schedules may not.
    haircuts = next(
        (model for model in models.values() if isinstance(unwrapped(model), HaircutOnly)), None
    )
    settings = just_covering(
        market, book, base=base, coverage=coverage, lookback=lookback, haircuts=haircuts,
        day=inputs.config.rule_day,
        progress=progress,
    )  # fmt: skip
    provenance = Provenance.of(
        market,
        book,
        models,
        coverage=coverage,
        seed=seed,
        base=in_words(base),
        causality=audits,
        details={"rolling": {"window": WINDOW, "step": STEP}},
    )
    return OffsetStudy(
        market=market,
        ladder=ladder,
        stresses=stresses,
        specifications=curve,
        credit=credit,
        covering_settings=settings,
        text=inputs.text,
        provenance=inputs.described(provenance),
        steps=steps,
        steps_by_day=by_day,
    )


def _ranked(ladder: pd.DataFrame) -> Ranked:
    return Ranked.of(-ladder["dependence"], by="the smallest offset")


def _books(book: Book, names: Iterable[str]) -> Book:
    """The portfolios of these names alone, in this order."""
    return book.select([book.portfolios.index(name) for name in names])
