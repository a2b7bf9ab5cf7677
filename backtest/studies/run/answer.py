"""The sentences that the page of `backtest run` opens with, from bounds and verdicts."""

import pandas as pd

from backtest.present.lettering import MINUS
from backtest.present.numbers import percent
from backtest.replay.study import Study
from backtest.studies.headline import Headline, pooling_sentence
from backtest.studies.run.figures.mitigation import mitigation_against_cost, mitigation_finding
from backtest.studies.run.rejections import (
    detectable_clause,
    holdings_of,
    instruments_of,
    rejections_words,
    worst_words,
)
from backtest.studies.run.study import Run
from backtest.studies.run.tools import Tools
from backtest.studies.run.verdict import SIGNIFICANT
from backtest.studies.sentences import joined, not_shown, sentence
from backtest.studies.unshown import TOGETHER, bound_clauses, spot_clauses


def run_answer(run: Run) -> tuple[str, ...]:
    """Three sentences: what pooling gives, the evidence against, what the run does not show."""
    study, headline, tools = run.study, headline_of(run), tools_of(run)
    if tools is not None:
        first = _tools_sentence(run, tools)
    elif headline.books:
        first = pooling_sentence(headline, run.ladder, simulated=study.simulated)
    else:
        first = _single_silo(run, headline)
    against = [] if tools else [_granted(run, headline), _worst_days(run, headline)]
    return (
        first,
        against_sentence(study, run.findings.family_summary, *against),
        _not_shown(run, headline, tools),
    )


def tools_of(run: Run) -> Tools | None:
    """The tools that a run is about: it names no headline, and all its models but one are tools.

    Of a study that lays one tool over one of several models the question is another.
    """
    tools = None if run.config.headline else Tools.of(run.config.models)
    tools = None if tools is None else tools.present(run.study)
    if tools is None:
        return None
    others = set(run.study.models) - {tools.base, *tools.names, run.study.provenance.siloed_model}
    return None if others else tools


def _tools_sentence(run: Run, tools: Tools) -> str:
    """What the tools cost and what they calm, in the median book."""
    figure = mitigation_against_cost(run.study, tools.base, tools.names, run.findings.swings)
    books = figure.data["portfolio"].nunique() - 1
    words = mitigation_finding(figure.data, tools.base).replace(MINUS, "-")
    return sentence(
        f"{words}, in the median of {books:,} named books and against '{tools.base}' alone; of "
        "these ratios no intervals are known"
    )


def headline_of(run: Run) -> Headline:
    """The books that the title of a run is about, of those held in several silos."""
    named = run.named_books
    pools = [name for name in named if name in run.ladder.index]
    return Headline.of(pools, holdings_of(run.study, named), chosen=run.config.headline)


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
    pools = (
        "no named book is held in several silos, so that nothing is pooled and no saving is split"
    )
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


def against_sentence(study: Study, summary: pd.DataFrame, *more: str) -> str:
    """The strongest evidence against the margins: rejections of the family, and the worst book.

    summary : of `family_summary`. more : evidence against the answer itself.
    """
    parts = [rejections_words(study, summary)]
    if study.scores["coverage_p"].notna().any():
        parts.append(f"the worst is {worst_words(study)}")
    return sentence("; ".join([*parts, *filter(None, more)]))


def _granted(run: Run, headline: Headline) -> str:
    """In how many of the headline's books models save more than its bound supports."""
    study, yardstick = run.study, run.study.provenance.siloed_model
    rows = run.ladder.reindex(list(headline.books))
    bounds = rows["total_bound"].dropna() if "total_bound" in rows else pd.Series(dtype=float)
    if yardstick is None or bounds.empty:
        return ""
    counts = {}
    for model in study.models:
        savings = study.scores.loc[model].loc[bounds.index, "saving_vs_siloed"]
        if model != yardstick and (savings > 0).any():
            counts[model] = int((savings > bounds.clip(lower=0.0)).sum())
    if not counts:
        return ""
    text = f"as set, more than the reduction's lower bound is saved against {yardstick}"
    if len(bounds) == 1:
        above = [model for model, count in counts.items() if count]
        return f"{text} by {joined(above)}" if above else f"{text} by no model"
    told = joined(f"by {model} in {count or 'none'}" for model, count in counts.items())
    return f"{text} {told} of the {len(bounds):,} books"


def _worst_days(run: Run, headline: Headline) -> str:
    """The least reduction of the headline's books over 500 days in a row; empty where unknown."""
    rows = run.ladder.reindex(list(headline.books))
    least = rows["worst_500"].dropna() if "worst_500" in rows else pd.Series(dtype=float)
    if least.empty:
        return ""
    return (
        f"over its worst 500 days in a row the reduction of '{least.idxmin()}' is estimated "
        f"{percent(least.min())}, without a bound"
    )


def _not_shown(run: Run, headline: Headline, tools: Tools | None) -> str:
    study = run.study
    books = [*headline.books, *headline.single] or run.named_books
    clauses = [
        *([] if tools else bound_clauses(run.ladder.reindex(list(headline.books)))),
        *([TOGETHER] if headline.books and not tools else []),
        *spot_clauses(instruments_of(study, books)),
        detectable_clause(study),
    ]
    failed = run.study.provenance.failed_models
    clauses += [f"anything of {joined(failed)}, which failed"] if failed else []
    return not_shown(clauses, simulated=study.simulated)
