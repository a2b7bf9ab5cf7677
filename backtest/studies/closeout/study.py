"""`backtest closeout`: coordination, unequal MPORs, liquidation cost of a study's pooled books."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from backtest.book.book import Book
from backtest.book.closeout import Closeout
from backtest.book.coverage import Coverage
from backtest.book.liquidation import LiquidationCost, load_costs
from backtest.market.market import Market
from backtest.model.mismatch import MISMATCH
from backtest.model.protocol import HasParts, MarginModel, Parts
from backtest.model.window import ScoredWindow
from backtest.replay.provenance import Provenance
from backtest.scores import break_even_coordination, separate_rate
from backtest.studies.inputs import Inputs, read_inputs, result_of, sizing_name
from backtest.studies.ranked import Ranked
from backtest.types import (
    DaysByPortfoliosBySilos,
    Progress,
    StudyError,
    counted,
    tail_count,
    within,
)
from strategies.as_replayed import unwrapped
from strategies.parts import parts_of
from strategies.siloed import Siloed

# FICC GSD closes out over 3 days (Federal Register 2018-04236).
LONGER_SILO, LONGER_DAYS = "FICC", 3
COUNTS = ["exceedances", "exceedances_without_mismatch"]  # columns of `steps`, by requirement


@dataclass(frozen=True, eq=False)
class CloseoutStudy:
    """Results on the close-out of those books of a study that are held in several silos.

    Parameters
    ----------
    coordination : row a (book, model): `scores.Coordination`, its `allowed` the rate at which some
        silo is short where each keeps its own standard alone; `independent`, that rate of silos
        that know nothing of each other; and `assumed`, the probability of a shortfall at the
        coordination that the study assumes.
    steps : row a (book, model, MPOR, step): mean USD over the scored days; the steps of one
        requirement add up to its last, 'required'.
    liquidation : row a (book, model): exceedances without and with the cost (approximate).
    costs : row a contract: the inputs of the cost.
    equal, unequal : names of the two MPORs that the figure compares, in `steps`.
    coordination_assumed : probability of a joint close-out, from the study file.
    exposure : USD (books, instruments), the largest that positions by day reach.
    """

    coordination: pd.DataFrame
    steps: pd.DataFrame
    liquidation: pd.DataFrame
    costs: pd.DataFrame
    equal: str
    unequal: str
    coordination_assumed: float
    exposure: pd.DataFrame
    text: str
    provenance: Provenance

    @property
    def ranked(self) -> Ranked:
        """The books whose silos would be short most often on their own come first."""
        short = self.coordination["any_short"].groupby(level="book", sort=False).max()
        return Ranked.of(short, by="the probability that some silo is short")


def estimate_closeout(
    study_file: Path | None,
    *,
    data: str | None,
    seed: int | None,
    isolate: bool = False,
    progress: Progress,
) -> CloseoutStudy:
    """Estimate coordination, margin steps and cost for the named books held in several silos.

    Raises
    ------
    StudyError : no such book, or no model that says how its requirement is shared out.
    """
    inputs = read_inputs(study_file, data=data, seed=seed, isolate=isolate, progress=progress)
    return result_of(inputs, lambda inputs: _closeout(inputs, progress))


def _closeout(inputs: Inputs, progress: Progress) -> CloseoutStudy:
    """Every table of the study of `inputs`."""
    market, config, coverage = inputs.market, inputs.config, inputs.config.standard()
    book = pooled_books(inputs.named_book)
    # Close-out by silo needs the share of each silo in the requirement: only some models say it.
    models = {n: m for n, m in inputs.models.items() if isinstance(unwrapped(m), HasParts)}
    if not models:
        raise StudyError("no model of the study has parts; add one that has, such as siloed.")
    each = counted(progress, "margins", models.items(), len(models))
    parts = {n: parts_of(m, market, book, coverage) for n, m in each}
    audits = inputs.audits(progress)
    progress("coordination", 0.0)
    required = {name: part.by_silo for name, part in parts.items()}
    loss = book.loss(market, coverage)
    # What each silo asks by itself: with it a silo can be held to its own standard.
    sizing, alone = sizing_name(models), Siloed(base=inputs.base)
    own = alone.parts(market, book, coverage).by_silo
    window = ScoredWindow.of(
        market, required | {sizing: own}, loss, config.score_from, models=models | {sizing: alone}
    ).checked()
    rows, assumed = window.rows, config.closeout.coordination
    coordination = coordination_table(
        loss[rows],
        {name: by_silo[rows] for name, by_silo in required.items()},
        own[rows],
        book.portfolios,
        confidence=coverage.confidence,
        assumed=assumed,
    )
    progress("coordination", 1.0)
    settings = mpor_settings(book, coverage)
    steps = steps_table(
        market, book, models, settings, score_from=config.score_from, progress=progress
    )
    progress("liquidation cost", 0.0)
    cost = book.liquidation or LiquidationCost()
    liquidation = liquidation_table(market, book, parts, rows, coverage=coverage, cost=cost)
    progress("liquidation cost", 1.0)
    origin = Provenance.of(
        market,
        book,
        models,
        coverage=coverage,
        seed=config.seed,
        window=window,
        causality=audits,
        resamples=0,
        details={"compared": {name: Closeout(book, c).by_silo for name, c in settings.items()}},
    )
    equal, *_, unequal = settings
    return CloseoutStudy(
        coordination, steps, liquidation, costs_table(book, cost), equal, unequal, assumed,
        book.largest(market), inputs.text, inputs.described(origin),
    )  # fmt: skip


def pooled_books(book: Book) -> Book:
    """Portfolios that hold something at two silos or more; StudyError where there is none."""
    in_silo = np.column_stack([book.in_silo(s).is_held.any(axis=1) for s in book.silos])
    pooled = [int(p) for p in np.flatnonzero(in_silo.sum(axis=1) >= 2)]
    if not pooled:
        raise StudyError("no book of the study is held in two silos; name one that is.")
    return book.select(pooled)


def mpor_settings(book: Book, coverage: Coverage) -> dict[str, Coverage]:
    """Standards to compare: equal MPORs (shortest, then longest), then unequal ones.

    Unequal are the study's own, or, where it has one MPOR for all, FICC's three days (one more
    than the study's where that is not longer) beside it.

    Examples
    --------
    >>> book = Book.from_frame(pd.DataFrame({"UST10Y": [1e6], "BTC": [1e6]}))
    >>> list(mpor_settings(book, Coverage()))
    ['2 days', '3 days', 'FICC 3, others 2 days']
    """
    # Where all MPORs are equal, nothing could be compared: one silo is then made slower.
    days = Closeout(book, coverage).by_instrument
    unequal = coverage
    if len(set(days)) == 1:
        silo = LONGER_SILO if LONGER_SILO in book.silos else book.silos[0]
        mpor: dict[str, int] = dict.fromkeys(book.silos, days[0])
        mpor[silo] = max(LONGER_DAYS, days[0] + 1)
        unequal = replace(coverage, mpor=mpor)
    closeout = Closeout(book, unequal)
    ends = (min(closeout.by_instrument), closeout.longest)
    settings = {f"{d} days": replace(coverage, mpor=d) for d in ends}
    longer = [f"{where} {d}" for where, d in closeout.by_silo.items() if d > ends[0]]
    return settings | {f"{', '.join(longer)}, others {ends[0]} days": unequal}


def coordination_table(
    loss: DaysByPortfoliosBySilos,
    required: Mapping[str, DaysByPortfoliosBySilos],
    own: DaysByPortfoliosBySilos,
    portfolios: Sequence[str],
    *,
    confidence: float,
    assumed: float,
) -> pd.DataFrame:
    """One row a (book, model): shortfall apart and pooled, break-even coordination, intervals.

    loss, required : USD on the scored days. own : what each silo asks by itself, zero where it
        holds nothing. assumed : probability of a joint close-out.
    """
    tables = {}
    separate = separate_rate(loss, own, confidence=confidence)
    silos = (loss != 0.0).any(axis=0).sum(axis=1)
    for name, by_silo in required.items():
        estimate = break_even_coordination(loss, by_silo, confidence=confidence, allowed=separate)
        table = pd.DataFrame(vars(estimate), index=pd.Index(portfolios))
        table["independent"] = 1.0 - confidence**silos
        table["assumed"] = (1.0 - assumed) * estimate.any_short + assumed * estimate.pooled_short
        tables[name] = table.assign(observations=len(loss))
    return _by_book(tables, portfolios)


def steps_table(
    market: Market,
    book: Book,
    models: Mapping[str, MarginModel],
    settings: Mapping[str, Coverage],
    *,
    score_from: str | None,
    progress: Progress,
) -> pd.DataFrame:
    """One row a (book, model, MPOR, step), gross first: mean USD over days that all MPORs score.

    Two more columns repeat over the steps of one requirement: its exceedances, and the number
    without the MPOR mismatch. Models whose only step is gross are left out.
    """
    # A longer MPOR is scored on fewer days: all settings are averaged over the days they share,
    # so that a difference of means comes from the MPOR and not from the sample.
    parts: dict[tuple[str, str], Parts] = {}
    losses, windows = {}, []
    for number, (setting, standard) in enumerate(settings.items()):
        stage = within(
            progress, "margin steps", number / len(settings), (number + 1) / len(settings)
        )
        each = counted(stage, setting, models.items(), len(models))
        by_model = {n: parts_of(model, market, book, standard) for n, model in each}
        required = {name: part.by_silo for name, part in by_model.items()}
        losses[setting] = loss = book.loss(market, standard).sum(axis=2)
        window = ScoredWindow.of(market, required, loss, score_from, models=models).checked()
        windows.append(window.dates)
        parts |= {(name, setting): part for name, part in by_model.items() if len(part.steps) > 1}
    common = ScoredWindow.shared(market, windows).checked()
    rows, days = common.rows, len(common.dates)
    tables = []
    for (model, setting), part in parts.items():
        steps = {step: values[rows] for step, values in part.steps.items()}
        margin = part.by_silo[rows].sum(axis=2)
        # Exceedances without the mismatch show whether its charge is what keeps the standard.
        without_mismatch = margin - steps.get(MISMATCH, 0.0)
        amounts = steps | {"required": margin}
        means = pd.DataFrame({step: usd.mean(axis=0) for step, usd in amounts.items()})
        table = means.assign(
            book=book.portfolios,
            exceedances=(losses[setting][rows] > margin).sum(axis=0),
            exceedances_without_mismatch=(losses[setting][rows] > without_mismatch).sum(axis=0),
        ).melt(["book", *COUNTS], var_name="step", value_name="usd")
        table["share_of_gross"] = table["usd"] / np.tile(means["gross"], len(means.columns))
        tables.append(table.assign(model=model, mpor=setting, observations=days))
    columns = ["book", "model", "mpor", "step", "usd", "share_of_gross", *COUNTS, "observations"]
    if not tables:
        return pd.DataFrame(columns=columns)
    table = pd.concat(tables)[columns]
    order = {portfolio: p for p, portfolio in enumerate(book.portfolios)}
    return table.sort_values("book", key=lambda b: b.map(order), kind="stable", ignore_index=True)


def liquidation_table(
    market: Market,
    book: Book,
    parts: Mapping[str, Parts],
    rows: slice,
    *,
    coverage: Coverage,
    cost: LiquidationCost,
) -> pd.DataFrame:
    """One row a (book, model): exceedances by prices alone and with the cost (approximate)."""
    # Requirements stay as they are: only the loss includes the cost, so the difference in
    # exceedances is what a margin without a liquidation add-on leaves uncovered.
    price_loss = replace(book, liquidation=None).loss(market, coverage).sum(axis=2)[rows]
    total_loss = replace(book, liquidation=cost).loss(market, coverage).sum(axis=2)[rows]
    amount = total_loss - price_loss
    tables = {}
    for name, part in parts.items():
        required = part.by_silo.sum(axis=2)[rows]
        tables[name] = pd.DataFrame(
            {
                "exceedances": (price_loss > required).sum(axis=0),
                "exceedances_with_cost": (total_loss > required).sum(axis=0),
                "allowed": tail_count(len(price_loss), coverage.confidence, "floor"),
                "mean_cost": amount.mean(axis=0),
                "max_cost": amount.max(axis=0),
                "cost_over_margin": amount.mean(axis=0) / required.mean(axis=0),
            },
            index=pd.Index(book.portfolios),
        )
    return _by_book(tables, book.portfolios)


def costs_table(book: Book, cost: LiquidationCost) -> pd.DataFrame:
    """One row a contract of the book: half-spread, volume, source, whether it was verified."""
    table = load_costs(cost.table)
    rows = {i.name: table.of(i).model_dump() for i in book.instruments}
    rows["impact coefficient"] = table.impact.model_dump()
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("contract")


def _by_book(tables: Mapping[str, pd.DataFrame], portfolios: Sequence[str]) -> pd.DataFrame:
    """Join one table a model into one table with rows (book, model), in the order of the study."""
    stacked = pd.concat(tables, names=["model", "book"]).swaplevel()
    return stacked.reindex(
        pd.MultiIndex.from_product([portfolios, tables], names=["book", "model"])
    )
