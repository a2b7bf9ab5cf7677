"""`run`: replay every model on one market and one book, in blocks of portfolios, and score it."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import pandas as pd

from backtest.account.account import AccountTerms
from backtest.account.mix import collateral_marks
from backtest.book.book import Book
from backtest.book.closeout import Closeout
from backtest.book.coverage import Coverage
from backtest.market.market import Market
from backtest.model.arguments import check_arguments
from backtest.model.opened_files import OpenedFile, placed, recording
from backtest.model.protocol import MarginModel
from backtest.model.window import ScoredWindow
from backtest.parameters.in_force import in_force
from backtest.replay.audit import audit_models, check_audited
from backtest.replay.daily import QUANTITIES
from backtest.replay.margins import Replayed, replay_margins
from backtest.replay.provenance import Provenance
from backtest.replay.room import check_study_fits
from backtest.replay.rules import models_under_rules, rule_day
from backtest.replay.scorecard import BLOCK, score_models
from backtest.replay.study import Study
from backtest.scores import pooled_equal_coverage
from backtest.scores.resample import RESAMPLES
from backtest.types import Progress, StudyError, counted, unheard
from strategies.as_replayed import unwrapped
from strategies.siloed import Siloed


def run(
    market: Market,
    book: Book,
    models: Mapping[str, MarginModel],
    *,
    coverage: Coverage | None = None,
    account: AccountTerms | None = None,
    score_from: str | None = None,
    as_of: str | None = None,
    as_replayed: bool = False,
    seed: int = 0,
    n_jobs: int = 1,
    block: int = BLOCK,
    audit: bool | Sequence[str] = True,
    progress: Progress | None = None,
) -> Study:
    """Replay history day by day through every model and score what came of it.

    Parameters
    ----------
    market : the history, or a simulated path.
    models : margin models by the name they carry in tables. All are scored on the same days: from
        the first day on which each has a requirement (or `score_from`, ISO, if later) to the last
        day whose loss is known.
    coverage : the standard; 99 % over 2 margin days unless given.
    account : terms of the collateral account.
    as_of : ISO day whose rules the models take; the last scored day unless given. as_replayed :
        every day has the rules of that day instead.
    seed : of the bootstrap behind the p-values of Romano and Wolf.
    n_jobs, block : workers, and portfolios a task; neither changes a number. Where a model looks
        across portfolios (`across_books = True`) all are one task.
    audit : check that no margin knows its future, and write that into the manifest: on the
        portfolios named here, if any, and on some spread over the book.

    Raises
    ------
    StudyError : no model, or a history too short to score; CausalityError from the audit.

    Examples
    --------
    >>> import backtest as bt, strategies as st
    >>> market = bt.load_market("sample", end="2018-12-31")
    >>> frame = pd.DataFrame({"UST10Y": [1e8], "BTC": [5e6]}, index=["long both"])
    >>> study = bt.run(market, bt.Book.from_frame(frame, market), {"var": st.HistoricalVaR()})
    >>> study.summary().index.tolist()
    [('var', 'long both')]
    """
    check_arguments(market, book, models)
    coverage, account = coverage or Coverage(), account or AccountTerms()
    if not models:
        raise StudyError("the study names no model; give at least one.")
    closeout = Closeout(book, coverage)
    closeout.check()
    day = rule_day(as_of, market, closeout.longest)
    models = models_under_rules(models, day, replayed=as_replayed)
    account = in_force(account, day)
    check_study_fits(len(market.dates), len(book.portfolios), len(models))
    report = progress or unheard
    began = time.perf_counter()
    named = () if isinstance(audit, bool) else tuple(audit)
    opened: set[OpenedFile] = set()
    with recording(opened):
        audits, audited = (
            audit_models(models, market, book, coverage, named=named, progress=report)
            if audit
            else ({}, {})
        )
        seconds = {"audit": time.perf_counter() - began}
        replayed = replay_margins(
            models, market, book, coverage, n_jobs=n_jobs, block=block, report=report
        )
    daily = replayed.daily
    check_audited(audited, lambda name: daily.array("required", name), book.portfolios)
    seconds |= replayed.seconds
    # One window for all models: a model that warms up longer must not be compared on other days.
    window = ScoredWindow.of(
        market, replayed.known, replayed.loss, score_from, models=models
    ).checked()

    began = time.perf_counter()
    yardstick = yardstick_of(models)
    scores, pooled = _scores(
        replayed, market, book, coverage, account, window.rows, yardstick=yardstick, report=report
    )
    seconds["account and scores"] = time.perf_counter() - began

    provenance = Provenance.of(
        market,
        book,
        models,
        coverage=coverage,
        seed=seed,
        window=window,
        account=account,
        as_of=str(day),
        as_replayed=as_replayed,
        fits=replayed.fits,
        causality=audits,
        opened=placed(opened, Path.cwd()),
        siloed_model=yardstick,
        resamples=RESAMPLES,
        seconds={name: round(value, 3) for name, value in seconds.items()},
    )
    return Study(
        **{name: daily.frames(name) for name in QUANTITIES},
        loss=pd.DataFrame(replayed.loss, index=daily.days, columns=daily.portfolios, copy=False),
        scores=scores,
        pooled=pooled,
        exposure=book.largest(market),
        provenance=provenance,
    )


def _scores(
    replayed: Replayed,
    market: Market,
    book: Book,
    coverage: Coverage,
    account: AccountTerms,
    rows: slice,
    *,
    yardstick: str | None,
    report: Progress,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Scores of every (model, portfolio), and of every model over all books; keeps the accounts."""
    daily, closeout = replayed.daily, Closeout(book, coverage)
    tables: dict[str, list[pd.DataFrame]] = {name: [] for name in daily.models}
    blocks = counted(report, "account and scores", daily.blocks, len(daily.blocks))
    for number, columns in enumerate(blocks):
        horizons = Closeout(book.select(columns), coverage).by_portfolio
        for scored in score_models(
            replayed.loss[:, columns],
            {name: daily.block("required", name, number) for name in daily.models},
            rows=rows,
            confidence=coverage.confidence,
            horizon=closeout.rows(market),
            account=account,
            marks=collateral_marks(account.collateral, market, horizon=horizons),
            yardstick=yardstick,
            dates=market.dates,
        ):
            daily.put("held", scored.model, number, scored.account.held_value)
            daily.put("call", scored.model, number, scored.account.call)
            daily.put("shortfall", scored.model, number, scored.account.shortfall)
            labels = daily.portfolios[columns]
            tables[scored.model].append(pd.DataFrame(scored.table, index=labels))
    pooled = {
        name: asdict(
            pooled_equal_coverage(
                replayed.loss[rows],
                daily.array("required", name)[rows],
                confidence=coverage.confidence,
            )
        )
        for name in daily.models
    }
    return (
        pd.concat(
            {name: pd.concat(parts) for name, parts in tables.items()}, names=["model", "portfolio"]
        ),
        pd.DataFrame.from_dict(pooled, orient="index").rename_axis("model"),
    )


def yardstick_of(models: Mapping[str, MarginModel]) -> str | None:
    """Name of the model that savings are measured from: 'siloed', or the first Siloed."""
    if "siloed" in models:
        return "siloed"
    return next((name for name, m in models.items() if isinstance(unwrapped(m), Siloed)), None)
