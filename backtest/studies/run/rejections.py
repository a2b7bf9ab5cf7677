"""How often coverage is rejected over all books, the worst of them, and what tests cannot see."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from backtest.instruments import Instrument, parse_instrument
from backtest.present.numbers import percent, pvalue
from backtest.replay.findings.family import POWER, detectable_rates
from backtest.replay.study import Study
from backtest.replay.worst import worst_rows
from backtest.studies.run.verdict import SIGNIFICANT, holding_of
from backtest.studies.sentences import OWN_TEST, joined

MOST_MODELS = 4  # models whose rejections one sentence tells


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
    chance = f" (chance: {summary['by_chance'].max():.1f} under a right model)"
    parts = [
        f"{how} in {_by_model(summary[name])}{chance if name == 'coverage_p' else ''}"
        f"{f' ({OWN_TEST})' if (summary[name] > summary['coverage_p']).any() else ''}"
        for name, how in ways.items()
        if summary[name].notna().any()
    ]
    return (
        f"of {tested:,.0f} books {confidence} is rejected at {percent(SIGNIFICANT, digits=0)} "
        f"{', '.join(parts)}"
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
    holding = holding_of(study, book)
    return (
        f"{book}{f' ({holding})' if holding else ''} under {model}, which exceeds on "
        f"{percent(row['exceedance_rate'], digits=2)} of days (p {pvalue(row['coverage_p'])})"
    )


def detectable_clause(study: Study) -> str:
    """The smallest miscoverage that the record of one book could have shown."""
    rates: Mapping[str, float] = detectable_rates(study)
    days, allowed = len(study.scored), percent(1.0 - study.provenance.confidence, digits=2)
    known = [rate for rate in rates.values() if not np.isnan(rate)]
    if not known:
        return f"any miscoverage of one book, for which {days:,} days are too few"
    # The rate is that of the longest record; an account with days of its own has fewer.
    shorter = "" if study.own is None else ", and shorter records more often still"
    return (
        f"a true exceedance rate of one book below {percent(max(known), digits=2)} where {allowed} "
        f"is the standard: {days:,} days may miss it more often than one time in "
        f"{1.0 / (1.0 - POWER):.0f}{shorter}"
    )


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
