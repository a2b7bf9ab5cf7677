"""The verdict: one sentence a model, from the scores and nothing else."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from backtest.present.numbers import money, percent, pvalue
from backtest.replay.study import Study
from backtest.scores.models.multiple import holm
from backtest.studies.headline import Headline, is_mixed
from backtest.studies.run.figures.footnote import is_random
from backtest.studies.sentences import (
    estimates_words,
    family_words,
    holding_words,
    span_words,
)

SIGNIFICANT = 0.05
UNSEEN = 0.0005  # of a margin: a saving below it prints as 0.0 %
DOUBT = 0.5  # no book is named where even the smallest p-value is above it


def named_portfolios(study: Study, explains: dict[str, str]) -> list[str]:
    """The study's portfolios that its file names, in the study's order; all where it names none.

    explains : a line on each portfolio that the file names.
    """
    portfolios = [str(p) for p in study.exposure.index]
    return [p for p in portfolios if p in explains] or portfolios


def mixed_pools(study: Study, portfolios: list[str]) -> list[str]:
    """Portfolios that hold both Treasuries and something else."""
    holdings: Any = study.exposure.loc[portfolios].T.to_dict()
    return [name for name in portfolios if is_mixed(holdings[name])]


def holm_rejections(pvalues: "pd.Series[float]", *, level: float = SIGNIFICANT) -> int:
    """Rejections after Holm's correction for the number of tests.

    Examples
    --------
    >>> holm_rejections(pd.Series([0.01, 0.03, 0.9]))
    1
    """
    return int(np.count_nonzero(holm(pvalues.to_numpy(np.float64)) <= level))


def verdicts(
    study: Study,
    ladder: pd.DataFrame,
    portfolios: list[str],
    *,
    family: pd.DataFrame | None = None,
    headline: Headline | None = None,
) -> list[tuple[str, str]]:
    """Each model's sentence: coverage over `portfolios`, cost at equal coverage, the saving.

    ladder : from `OffsetLadder.to_frame`; without rows nothing is said of what the data support.
    family : of `family_summary`; where it has more books, their rejections stand beside those of
        `portfolios`, which must not read as a pass. headline : the books that savings are told of;
        None takes the pools of Treasuries with other assets.

    Examples
    --------
    >>> import backtest as bt, strategies as st
    >>> market = bt.load_market("sample", end="2018-12-31")
    >>> frame = pd.DataFrame({"UST10Y": [1e8]}, index=["long"])
    >>> study = bt.run(market, bt.Book.from_frame(frame, market), {"siloed": st.Siloed()})
    >>> verdicts(study, pd.DataFrame(), ["long"])[0][0]
    'siloed'
    """
    sentences = []
    for model in study.models:
        coverage = coverage_words(study, model, portfolios)
        if family is not None and family["tested"].max() > len(portfolios):
            coverage += f"; of all books, random ones too, {named_family(family.loc[model])}"
        saving = _saving(study, model, ladder, portfolios, headline)
        text = f"{coverage}; {cost_words(study, model)}; {saving}."
        sentences.append((model, text[0].upper() + text[1:]))
    failures = study.provenance.failed_models.items()
    return sentences + [(model, f"Failed, and left out: {reason}") for model, reason in failures]


def named_family(row: Any, *, noun: str = "book") -> str:
    """How many books of a family are rejected under one model.

    row : of `family_summary`.
    """
    return family_words(
        row["tested"],
        row["coverage_p"],
        by_chance=row["by_chance"],
        corrected={"Holm": row["holm"], "Romano-Wolf": row["romano_wolf"]},
        noun=noun,
    )


def coverage_words(
    study: Study, model: str, portfolios: list[str], *, noun: str = "named book"
) -> str:
    """In how many portfolios the coverage of a model is rejected; `noun` says what they are."""
    scores = study.scores.loc[model].loc[portfolios]
    pvalues = scores["coverage_p"]
    confidence = f"{100 * study.provenance.confidence:g} %"
    books = f"{len(portfolios):,} {noun}{'s' if len(portfolios) > 1 else ''}"
    if pvalues.isna().all():
        return f"coverage of {confidence} was not tested"
    least = float(pvalues.min())
    smallest = f"smallest p {pvalue(least)}"
    if least < DOUBT:
        smallest += f", {pvalues.idxmin()}"
    rejections = int((pvalues <= SIGNIFICANT).sum())
    if not rejections:
        return f"coverage of {confidence} is not rejected in any of {books} ({smallest})"
    # Of many books tested at 5 %, some are rejected by chance: Holm's count allows for that.
    return (
        f"coverage of {confidence} is rejected at 5 % in {rejections:,} of {books} ({smallest}), "
        f"in {holm_rejections(pvalues):,} of them after Holm's correction for the number of "
        f"{noun.split()[-1]}s"
    )


def cost_words(study: Study, model: str) -> str:
    """What a model costs at equal coverage over all books, and how its worst book then fares."""
    pool: Any = study.pooled.loc[model]
    margin = float(pool["equal_coverage_margin"])
    if not np.isfinite(margin):
        return "no single scale over all books reaches the coverage"
    ends = (pool["equal_coverage_low"], pool["equal_coverage_high"])
    spread = " to ".join(money(end, like=margin).removesuffix("m") for end in ends)
    text = (
        f"scaled to equal coverage over all books it asks {money(margin)} USD on average "
        f"over days and books ({spread})"
    )
    yardstick = study.provenance.siloed_model
    if yardstick is not None and model != yardstick:
        base = float(study.pooled["equal_coverage_margin"][yardstick])
        if 0.0 < base < np.inf:
            change = margin / base - 1.0
            side = "more" if change > 0 else "less"
            other = money(base, like=margin)
            text += f", {percent(abs(change))} {side} than {yardstick} does ({other}"
            text += ", and the intervals overlap)" if _overlap(study, model, yardstick) else ")"
    book = str(study.exposure.index[int(pool["worst_book"])])
    return (
        f"{text}, and its worst book, {with_holding(study, book)}, then exceeds on "
        f"{percent(pool['worst_rate'])} of days"
    )


def _overlap(study: Study, model: str, other: str) -> bool:
    """Whether two intervals share a value, so that they do not tell the models apart."""
    rows: Any = study.pooled.loc[[model, other]]
    return bool(rows["equal_coverage_low"].max() <= rows["equal_coverage_high"].min())


def with_holding(study: Study, book: str) -> str:
    """Name of a book, and what it holds where its name does not say it.

    Of random books the name says nothing; of a given table the positions are not known.
    """
    holding = holding_of(study, book)
    return f"{book} ({holding})" if holding and is_random(book) else book


def holding_of(study: Study, book: str) -> str:
    """What a book holds, and when, where positions change; empty where they are not known."""
    positions: Any = study.exposure.loc[book].to_dict()
    if not positions:
        return ""
    kept = study.provenance.held_to.rebalance
    # What a study stores of positions that change is the largest of each on any day.
    when = {"daily": "", "never": "on the first day "}.get(kept, "each at its largest, ")
    return f"{when}{holding_words(positions)}"


def _saving(
    study: Study,
    model: str,
    ladder: pd.DataFrame,
    portfolios: list[str],
    headline: Headline | None,
) -> str:
    yardstick = study.provenance.siloed_model
    if yardstick is None:
        return "the study has no siloed model to measure a saving from"
    if model == yardstick:
        return "savings are measured from it"
    if headline is None:
        named = [p for p in portfolios if p in ladder.index]
        holdings: Any = study.exposure.loc[named].T.to_dict()
        headline = Headline.of(named, holdings, chosen=())
    pools = [p for p in headline.books if pd.notna(ladder["total"][p])]
    if not pools:
        return "no named book is pooled over silos, so there is no saving to split"
    savings = study.scores.loc[model].loc[pools, "saving_vs_siloed"]
    where = replace(headline, books=tuple(pools)).where(len(pools))
    if savings.abs().max() < UNSEEN:
        reasons = " ".join(study.provenance.omissions.get(model, ()))
        words = f"unscaled it asks what {yardstick} asks {where}"
        return f"{words}: {reasons.removesuffix('.')}" if reasons else words
    if savings.max() <= 0:
        least, most = percent(-savings.max()), percent(-savings.min())
        more = least if least == most else f"{least} to {most}"
        return f"unscaled it asks {more} more than {yardstick} {where}: there is no saving to split"
    rows = ladder.loc[pools]
    bounds = {name: _bounds(rows, name) for name in ("total", "dependence")}
    return (
        f"unscaled it saves {span_words(savings)} against {yardstick} {where}; the reduction at "
        f"equal coverage there is {estimates_words(rows['total'], bounds['total'])}, of the silos' "
        f"margins, its diversification estimated {span_words(rows['diversification'])} and its "
        f"offset {estimates_words(rows['dependence'], bounds['dependence'])}"
    )


def _bounds(rows: pd.DataFrame, name: str) -> "pd.Series[float]":
    return rows.get(f"{name}_bound", pd.Series(np.nan, rows.index))
