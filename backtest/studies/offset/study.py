"""`backtest offset`: everything about the supportable offset of a study's named books."""

from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

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
from backtest.types import Progress, StudyError
from strategies.historical import HistoricalVaR

CURVE_BOOKS = 2  # books in the specification curve: usually one long and one short pool


@dataclass(frozen=True, eq=False)
class OffsetStudy:
    """Ladder with bounds; the same under stress; the curve of specifications; credit through time.

    `just_covering` holds the haircut scale and the correlation floor that just keep coverage;
    `steps` and `steps_by_day` hold the steps from gross to required of each model that grants an
    offset, by regime and by day. `rolling` counts the scored days behind each
    estimate of the supportable offset.
    """

    market: Market
    ladder: pd.DataFrame
    stressed: pd.DataFrame
    specifications: pd.DataFrame
    granted: pd.DataFrame
    just_covering: pd.DataFrame
    text: str
    provenance: Provenance
    steps: pd.DataFrame = field(default_factory=pd.DataFrame)
    steps_by_day: StepsByDay = field(default_factory=dict)
    rolling: int = WINDOW


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
    named = inputs.named_book
    audits = inputs.audits(progress)
    progress("offset ladder", 0.0)
    ladder = supportable_offset(
        market, named, base=base, coverage=coverage, seed=seed, n_jobs=n_jobs
    ).to_frame()
    if ladder.empty:
        raise StudyError("no book of the study is held in two silos; name one that is.")
    book = named.select([named.portfolios.index(name) for name in ladder.index])
    progress("stressed ladders", 0.0)
    stressed = stressed_ladder(market, book, base=base, coverage=coverage, seed=seed, n_jobs=n_jobs)
    progress("specification curve", 0.0)
    risk_matched = [n for n, b in inputs.config.books.items() if b.risk and n in ladder.index]
    drawn = (risk_matched or list(ladder.index))[:CURVE_BOOKS]
    curve = specification_curve(
        market,
        book.select([book.portfolios.index(name) for name in drawn]),
        base=lambda lookback: HistoricalVaR(lookback=lookback),
        coverage=coverage,
        seed=seed,
    )
    progress("granted against supported", 0.0)
    models = inputs.models
    granted = granted_and_supported(market, book, models, base=base, coverage=coverage)
    progress("steps by regime", 0.0)
    granting = {name: models[name] for name in models if (granted["series"] == name).any()}
    by_day = steps_by_day(market, book, granting, coverage=coverage) if granting else {}
    steps = steps_by_regime(by_day, market, book) if by_day else pd.DataFrame()
    progress("haircut and floor that just cover", 0.0)
    lookback = base.lookback if isinstance(base, HistoricalVaR) else 500
    solved = just_covering(market, book, base=base, coverage=coverage, lookback=lookback)
    origin = Provenance.of(
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
        market, ladder, stressed, curve, granted, solved, inputs.text, inputs.described(origin),
        steps, by_day,
    )  # fmt: skip
