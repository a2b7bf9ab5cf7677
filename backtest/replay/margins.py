"""Losses and requirements of a whole book, in blocks of portfolios that workers compute."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

import joblib
import numpy as np
import pandas as pd

from backtest.book.book import Book
from backtest.book.coverage import Coverage
from backtest.book.losses import total_loss
from backtest.estimators.fits import Certificates, counting_fits, total_fits
from backtest.market.market import Market
from backtest.model.asking import required_margin
from backtest.model.opened_files import OpenedFile, note_opened, recording
from backtest.model.protocol import MarginModel
from backtest.model.sharing import sharing
from backtest.replay.daily import Daily
from backtest.replay.scorecard import BLOCK, blocks
from backtest.types import FloatArray, Progress, counted, unheard
from backtest.workers import capped, in_parallel

WORTH_SAYING = 2.0  # minutes of work
FEW_BLOCKS = 10


@dataclass(frozen=True, eq=False)
class Margined:
    """Loss and requirements of some portfolios; seconds, fits and opened files of the models.

    What several models ask alike is computed once, and counts in the seconds of the first.
    """

    loss: FloatArray
    required: dict[str, FloatArray]
    seconds: dict[str, float]
    fits: dict[str, Certificates]
    opened: set[OpenedFile]


def margin_block(
    market: Market,
    book: Book,
    models: Mapping[str, MarginModel],
    coverage: Coverage,
    stage: str = "margins",
    progress: Progress = unheard,
) -> Margined:
    """Loss and requirements of a book; a failure inside a model is given its place.

    progress : told of the models that are done, under the name `stage`.
    """
    required, seconds, fits = {}, {}, {}
    opened: set[OpenedFile] = set()
    with sharing(market):
        for name, model in counted(progress, stage, models.items(), len(models)):
            began = time.perf_counter()
            try:
                with counting_fits() as fits[name], recording(opened):
                    required[name] = required_margin(model, market, book, coverage)
            except Exception as error:
                error.add_note(f"model {name!r}, portfolios {book.portfolios[0]!r} and after")
                raise
            seconds[name] = time.perf_counter() - began
    return Margined(total_loss(book, market, coverage), required, seconds, fits, opened)


def margin_book(
    market: Market, book: Book, models: Mapping[str, MarginModel], coverage: Coverage
) -> Margined:
    """`margin_block` of a book of any size, by blocks of portfolios as `replay_margins` does it.

    What a block needs besides its requirements fits into cache, and the same memory serves all.
    """
    portfolios, days = len(book.portfolios), len(market.dates)
    width = _width(models, portfolios, BLOCK)
    if portfolios <= width:
        return margin_block(market, book, models, coverage)
    whole = Margined(
        np.empty((days, portfolios)),
        {name: np.empty((days, portfolios)) for name in models},
        dict.fromkeys(models, 0.0),
        {},
        set(),
    )
    fits = []
    for columns in blocks(portfolios, width):
        part = margin_block(market, book.select(columns), models, coverage)
        whole.loss[:, columns] = part.loss
        for name, values in part.required.items():
            whole.required[name][:, columns] = values
            whole.seconds[name] += part.seconds[name]
        whole.opened.update(part.opened)
        fits.append(part.fits)
    return replace(whole, fits=total_fits(fits))


def _width(models: Mapping[str, MarginModel], portfolios: int, block: int) -> int:
    """Portfolios a block: all where a model looks across them.

    No other model's margin of a portfolio depends on the others (a law), so blocks bound the memory
    and change no number.
    """
    across = any(getattr(model, "across_books", False) for model in models.values())
    return portfolios if across else block


@dataclass(frozen=True, eq=False)
class Replayed:
    """What all blocks left: daily numbers, loss, and by model: seconds, fits, the known days.

    known : (days, 1) by model; NaN on days on which a portfolio has no requirement yet.
    """

    daily: Daily
    loss: FloatArray
    known: dict[str, FloatArray]
    seconds: dict[str, float]
    fits: dict[str, Certificates]


def replay_margins(
    models: Mapping[str, MarginModel],
    market: Market,
    book: Book,
    coverage: Coverage,
    *,
    n_jobs: int,
    block: int,
    report: Progress,
) -> Replayed:
    """Loss and requirements of the whole book, computed in blocks of portfolios by workers."""
    width = _width(models, len(book.portfolios), block)
    daily = Daily(pd.DatetimeIndex(market.dates), book.portfolios, list(models), width=width)
    # Of few blocks each model is a task of its own: a bar of two steps would stand still.
    few = len(daily.blocks) < FEW_BLOCKS
    groups = [{name: model} for name, model in models.items()] if few else [models]
    tasks = (
        joblib.delayed(margin_block)(book.select(columns), group, coverage)
        for columns in daily.blocks
        for group in groups
    )
    loss = np.empty((len(market.dates), len(book.portfolios)))
    known = {name: np.zeros((len(market.dates), 1)) for name in models}
    seconds, fits = dict.fromkeys(models, 0.0), []
    began = time.perf_counter()
    steps = len(daily.blocks) * len(groups)
    parts = in_parallel(tasks, n_jobs=n_jobs, shared=(market,))
    for step, part in enumerate(counted(report, "margins", parts, steps)):
        number = step // len(groups)
        note_opened(part.opened)  # by a worker, whose files no one else sees
        loss[:, daily.blocks[number]] = part.loss
        for name, values in part.required.items():
            daily.put("required", name, number, values)
            known[name][np.isnan(values).any(axis=1)] = np.nan
            seconds[name] += part.seconds[name]
        fits.append(part.fits)
        if step == 0:
            minutes = (time.perf_counter() - began) * steps / 60.0
            minutes /= joblib.effective_n_jobs(capped(n_jobs))
            if minutes > WORTH_SAYING:
                report(f"margins: about {minutes:.0f} min", 1.0)
    return Replayed(daily, loss, known, seconds, total_fits(fits))
