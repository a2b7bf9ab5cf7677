"""The sentences that the page of `backtest run` opens with, from bounds and verdicts."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from backtest.instruments import Instrument, parse_instrument
from backtest.present.numbers import percent, pvalue
from backtest.replay.findings.family import POWER, detectable_rates
from backtest.replay.study import Study
from backtest.replay.worst import worst_rows
from backtest.studies.headline import Headline, pooling_sentence
from backtest.studies.run.study import Run
from backtest.studies.run.verdict import SIGNIFICANT
from backtest.studies.sentences import holding_words, joined, not_shown, sentence
from backtest.studies.unshown import TOGETHER, bound_clauses, spot_clauses

MOST_MODELS = 3  # models whose rejections one sentence tells


def run_answer(run: Run) -> tuple[str, ...]:
    """Three sentences: what pooling gives, the evidence against, what the run does not show."""
    study = run.study
    headline = headline_of(run)
    return (
        pooling_sentence(headline, run.ladder, simulated=study.simulated)
        if headline.books
        else _single_silo(run, headline),
        against_sentence(study, run.findings.family_summary, _worst_days(run, headline)),
        _not_shown(run, headline),
    )


def headline_of(run: Run) -> Headline:
    """The books that the title of a run is about, of those held in several silos."""
    named = run.named_books
    pools = [name for name in named if name in run.ladder.index]
    return Headline.of(pools, holdings_of(run.study, named), chosen=run.config.headline)


def holdings_of(study: Study, books: list[str]) -> dict[str, dict[str, float]]:
    """Positions of some portfolios in USD, without those that are zero."""
    return {
        str(book): {str(name): float(usd) for name, usd in row.items() if usd}
        for book, row in study.exposure.loc[books].iterrows()
    }


def instruments_of(study: Study, books: list[str]) -> list[Instrument]:
    """What any of some portfolios holds."""
    held = study.exposure.columns[(study.exposure.loc[books] != 0).any(axis=0)]
    return [parse_instrument(str(name)) for name in held]


def _single_silo(run: Run, headline: Headline) -> str:
    """The answer of a study that pools nothing: in how many books coverage is rejected."""
    study, books = run.study, run.named_books
    if headline.single:
        books = list(headline.single)
    confidence = f"{100 * study.provenance.confidence:g} %"
    scores = study.scores
    counts = {
        model: int((scores.loc[model].loc[books, "coverage_p"] <= SIGNIFICANT).sum())
        for model in study.models
    }
    which = f"'{books[0]}'" if len(books) == 1 else f"{len(books):,} named books"
    pools = "no book is held in several silos, so that nothing is pooled and no saving is split"
    if headline.single:
        pools = f"{which} lies in one silo, so that nothing is pooled and no saving is split"
    tested = scores.loc[(slice(None), books), "coverage_p"].notna().any()
    if not tested:
        return sentence(f"{pools}; coverage of {confidence} was not tested")
    rejected = [
        f"{model} ({count:,} of {len(books):,})" for model, count in counts.items() if count
    ]
    others = [model for model, count in counts.items() if not count]
    text = f"coverage of {confidence}, book by book at 5 %, is "
    parts = [f"rejected under {joined(rejected)}"] if rejected else []
    parts += [f"not rejected in any of {which} under {joined(others)}"] if others else []
    return sentence(f"{pools}; {text}{' and '.join(parts)}")


def against_sentence(study: Study, summary: pd.DataFrame, more: str = "") -> str:
    """The strongest evidence against the margins: rejections of the family, and the worst book.

    summary : of `family_summary`. more : evidence against the answer itself.
    """
    parts = [rejections_words(study, summary)]
    if study.scores["coverage_p"].notna().any():
        parts.append(f"the worst is {worst_words(study)}")
    return sentence("; ".join([*parts, *filter(None, [more])]))


def _worst_days(run: Run, headline: Headline) -> str:
    """The least reduction of the headline's books over 500 days in a row; empty where unknown."""
    rows = run.ladder.reindex(list(headline.books))
    least = rows["worst_500"].dropna() if "worst_500" in rows else pd.Series(dtype=float)
    if least.empty:
        return ""
    return (
        f"over its worst 500 days in a row the reduction of '{least.idxmin()}' is estimated "
        f"{percent(least.min())}"
    )


def rejections_words(study: Study, summary: pd.DataFrame) -> str:
    """In how many of all books each model's coverage is rejected, beside what chance gives.

    summary : of `family_summary`.
    """
    confidence = f"coverage of {100 * study.provenance.confidence:g} %"
    tested = float(summary["tested"].max())
    if study.scores["coverage_p"].isna().all():
        return f"whether margins keep a {confidence} was not tested"
    if tested == 1:
        rejected = [str(m) for m in summary.index if summary["coverage_p"][m] > 0]
        book = study.scores.index[0][1]
        under = f"rejected at 5 % under {joined(rejected)}" if rejected else "not rejected at 5 %"
        return f"{confidence} of the one book {book} is {under}"
    if not summary[["coverage_p", "holm", "romano_wolf"]].any(axis=None):
        return (
            f"{confidence} is rejected at {percent(SIGNIFICANT, digits=0)} in none of "
            f"{tested:,.0f} books, one by one or after a correction, under any model"
        )
    ways = {"coverage_p": "one by one", "holm": "after Holm", "romano_wolf": "after Romano-Wolf"}
    parts = [
        f"{how} in {_by_model(summary[name])}"
        for name, how in ways.items()
        if summary[name].notna().any()
    ]
    return (
        f"of {tested:,.0f} books, of which chance alone rejects {summary['by_chance'].max():.1f} "
        f"one by one under a right model, {confidence} is rejected at "
        f"{percent(SIGNIFICANT, digits=0)} {', '.join(parts)}"
    )


def _by_model(counts: "pd.Series[float]") -> str:
    """Rejections by model, without those that have none; of many models the most."""
    rejected = counts[counts > 0]
    if rejected.empty:
        return "none"
    if len(rejected) > MOST_MODELS:
        first = rejected.sort_values(ascending=False, kind="stable").index[: MOST_MODELS - 1]
        least, most = rejected.drop(first).min(), rejected.drop(first).max()
        span = f"{least:.0f}" if least == most else f"{least:.0f} to {most:.0f}"
        more = f"{span} under each of {len(rejected) - len(first)} more models"
        return joined([*(f"{rejected[m]:,.0f} under {m}" for m in first), more])
    return joined(f"{count:,.0f} under {model}" for model, count in rejected.items())


def worst_words(study: Study) -> str:
    """The row with most evidence against a margin: what it holds, its rate and p-value."""
    model, book = map(str, worst_rows(study.scores, 1)[0])
    row: Any = study.scores.loc[(model, book)]
    holding = holding_words(holdings_of(study, [book])[book]) if len(study.exposure.columns) else ""
    return (
        f"{book}{f' ({holding})' if holding else ''} under {model}, which exceeds on "
        f"{percent(row['exceedance_rate'], digits=2)} of days (p {pvalue(row['coverage_p'])})"
    )


def _not_shown(run: Run, headline: Headline) -> str:
    study = run.study
    books = [*headline.books, *headline.single] or run.named_books
    clauses = [
        *bound_clauses(run.ladder.reindex(list(headline.books))),
        *([TOGETHER] if headline.books else []),
        *spot_clauses(instruments_of(study, books)),
        detectable_clause(study),
    ]
    failed = run.study.provenance.failed_models
    clauses += [f"anything of {joined(failed)}, which failed"] if failed else []
    return not_shown(clauses, simulated=study.simulated)


def detectable_clause(study: Study) -> str:
    """The smallest miscoverage that the record of one book could have shown."""
    rates: Mapping[str, float] = detectable_rates(study)
    days, allowed = len(study.scored), percent(1.0 - study.provenance.confidence, digits=2)
    known = [rate for rate in rates.values() if not np.isnan(rate)]
    if not known:
        return f"any miscoverage of one book, for which {days:,} days are too few"
    return (
        f"a true exceedance rate of one book below {percent(max(known), digits=2)} where {allowed} "
        f"is the standard: {days:,} days may miss it more often than one time in "
        f"{1.0 / (1.0 - POWER):.0f}"
    )
