"""Findings of what happened on the scored days: coverage, other tests, grants, bounds."""

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from backtest.present.numbers import percent, pvalue
from backtest.present.table import records
from backtest.replay.worst import MOST_SHOWN
from backtest.scores.models.multiple import holm
from backtest.studies.dossier.finding import HIGH, LOW, MEDIUM, MOST_NAMED, Finding, named
from backtest.studies.dossier.folders import Scored
from backtest.studies.run.findings_tables import TESTED
from backtest.studies.run.verdict import SIGNIFICANT, named_family, with_holding
from backtest.studies.sentences import estimate_words, joined

UNSAFE = 0.08  # share of unsafe bounds from which docs/offset-calibration.md calls one an estimate
CORRECTIONS = ("holm", "romano_wolf")  # that hold the chance of any false rejection at 5 %


def coverage_findings(each: Scored, model: str) -> Iterator[Finding]:
    """Books of which coverage is rejected: one by one, and as a family."""
    pvalues = each.scores(model)["coverage_p"].astype(float)
    of_named = pvalues.loc[list(each.books)]
    corrected = pd.Series(holm(of_named.to_numpy()), index=of_named.index)
    rejected = of_named[of_named <= SIGNIFICANT].sort_values(kind="stable").index
    for book in rejected[:MOST_SHOWN]:
        with_all: Any = each.findings.family.loc[(model, book)]
        kept = corrected[book] <= SIGNIFICANT or with_all["romano_wolf"] <= SIGNIFICANT
        row: Any = each.scores(model).loc[book]
        yield Finding(
            f"coverage/{each.label}/{book}",
            HIGH if kept else MEDIUM,
            f"{each.label}: coverage of '{book}' is rejected (p {pvalue(of_named[book])}, "
            f"{int(row['exceedances']):,} exceedances where {int(row['allowed']):,} are allowed); "
            f"after Holm's correction for {len(of_named):,} {each.noun}s p is "
            f"{pvalue(corrected[book])}, by Romano-Wolf's for all {len(pvalues):,} "
            f"{pvalue(float(with_all['romano_wolf']))}{_of_the_base(each, model, str(book))}.",
            7,
        )
    if len(rejected) > MOST_SHOWN:
        more = corrected[rejected[MOST_SHOWN:]]
        by_resampling = each.findings.family.loc[model]["romano_wolf"].loc[more.index]
        of_holm, of_resampling = (int((p <= SIGNIFICANT).sum()) for p in (more, by_resampling))
        yield Finding(
            f"coverage/{each.label} (others)",
            HIGH if of_holm or of_resampling else MEDIUM,
            f"{each.label}: coverage of {len(more):,} more {each.noun}s is rejected, "
            f"{of_holm:,} of them after Holm's correction, {of_resampling:,} "
            f"by Romano-Wolf's; the {MOST_SHOWN} with the smallest p have findings of their own.",
            7,
        )
    summary: Any = each.findings.family_summary.loc[model]
    rejected = pvalues.index[pvalues <= SIGNIFICANT]
    others = [str(book) for book in rejected if book not in set(each.books)]
    if others:
        worst = pvalues[others].sort_values(kind="stable").index
        words = named_family(summary, noun=each.noun)
        held = joined(with_holding(each.study, str(book)) for book in worst[:MOST_NAMED])
        yield Finding(
            f"family/{each.label}",
            HIGH if any(summary[name] > 0 for name in CORRECTIONS) else MEDIUM,
            f"{each.label}: of all {each.noun}s, not only those that the study names, {words}; the "
            f"most evidence is against {held}.",
            7,
        )
    if summary["pooled_p"] <= SIGNIFICANT:
        yield Finding(
            f"pooled/{each.label}",
            HIGH,
            f"{each.label}: coverage of all {len(pvalues):,} {each.noun}s pooled by day is "
            f"rejected (p {pvalue(float(summary['pooled_p']))}).",
            7,
        )


def overlapping_findings(studies: Sequence[Scored], model: str) -> Iterator[Finding]:
    """Books that two studies reject on days that both have: one record, and not two."""
    for one, two in combinations(studies, 2):
        both = one.study.scored.intersection(two.study.scored)
        pvalues = [each.scores(model)["coverage_p"].astype(float) for each in (one, two)]
        rejected = [set(each.index[each <= SIGNIFICANT]) for each in pvalues]
        shared = rejected[0] & rejected[1] & set(two.books)
        books = [book for book in one.books if book in shared]
        if len(both) and books:
            yield Finding(
                f"overlapping/{one.label}/{two.label}",
                LOW,
                f"coverage of {named(books)} is rejected in {one.label} and in {two.label}, which "
                f"share {len(both):,} of their {len(one.study.scored):,} and "
                f"{len(two.study.scored):,} days: these overlap and are no two pieces of "
                "evidence.",
                7,
            )


def _of_the_base(each: Scored, model: str, book: str) -> str:
    """That a rejection is none of the offset, where the model asks what the silos ask every day."""
    yardstick, study = each.origin.siloed_model, each.study
    if yardstick is None or model == yardstick:
        return ""
    own, base = (study.required[name].loc[study.scored, book] for name in (model, yardstick))
    if not np.allclose(own, base, rtol=1e-9, atol=0.0, equal_nan=True):
        return ""
    return (
        f"; its margin is that of {yardstick} on every day, so that what is rejected is no offset"
    )


def other_test_findings(each: Scored, model: str) -> Iterator[Finding]:
    """Tests of order and of forecasts that reject in named books."""
    tests = pd.DataFrame(each.findings.tests.xs(model, level="model").loc[list(each.books)])
    rows = [row for _, row in records(tests)]
    counts = {
        words: sum(row[name] == "rejected" for row in rows)
        for name, words in TESTED.items()
        if name != "coverage"
    }
    if any(counts.values()):
        words = ", ".join(f"{name} in {count:,}" for name, count in counts.items() if count)
        books = sum(
            any(row[name] == "rejected" for name in TESTED if name != "coverage") for row in rows
        )
        yield Finding(
            f"tests/{each.label}",
            MEDIUM,
            f"{each.label}: in {books:,} of {len(tests):,} {each.noun}s a test other than the "
            f"verdict rejects at 5 %, each for itself: {words}. Some of them reject too few "
            "exceedances as well.",
            7,
        )
    forecasts = each.findings.forecasts
    if forecasts is not None and model in forecasts.index.get_level_values("model"):
        shortfall = forecasts.xs(model, level="model")["shortfall_p"].dropna()
        rejected = [str(book) for book in shortfall.index[shortfall <= SIGNIFICANT]]
        if rejected:
            yield Finding(
                f"shortfall/{each.label}",
                MEDIUM,
                f"{each.label}: losses beyond the VaR exceed the expected shortfall that the model "
                f"forecasts in {len(rejected):,} of {len(shortfall):,} {each.noun}s (p at most "
                f"{pvalue(float(shortfall[rejected].max()))}): {named(rejected)}.",
                7,
            )


def monitor_findings(each: Scored, watched: pd.DataFrame) -> Iterator[Finding]:
    """Books whose bets against the coverage have been won: a trigger that is crossed already."""
    pvalues = watched["pvalue"].astype(float)
    crossed = pvalues[pvalues <= SIGNIFICANT].sort_values(kind="stable").index
    if not len(crossed):
        return
    corrected = holm(pvalues.to_numpy(dtype=np.float64))
    books = [str(book) for book in crossed]
    yield Finding(
        f"monitor/{each.label}",
        HIGH if (corrected <= SIGNIFICANT).any() else MEDIUM,
        f"{each.label}: watched day by day, the evidence was enough at 5 % in {len(crossed):,} of "
        f"{len(pvalues):,} {each.noun}s, first on {watched['rejected_on'].min():%Y-%m-%d}. The "
        "wealth of the bets against the coverage of the day, given the days "
        f"before, has reached 20 in {len(crossed):,} of {len(pvalues):,} {each.noun}s (smallest p, "
        f"valid on any day, {pvalue(float(pvalues.min()))}; {pvalue(float(corrected.min()))} after "
        f"Holm's correction): {named(books)}. They test the coverage of each day given the days "
        "before; coverage p tests that of all days together and allows for clusters, so that the "
        "two may differ.",
        12,
    )


def grant_findings(each: Scored, model: str) -> Iterator[Finding]:
    """Books in which the model asks less than a bound supports, against the siloed margin."""
    yardstick = each.origin.siloed_model
    if yardstick is None or model == yardstick or "total_bound" not in each.ladder:
        return
    saving = each.scores(model)["saving_vs_siloed"].astype(float)
    rows = each.ladder[each.ladder["total_bound"].notna()]
    gaps = (saving.reindex(rows.index) - rows["total_bound"]).sort_values(
        ascending=False, kind="stable"
    )
    beyond = [str(book) for book in gaps.index[gaps > 0.0]]
    if beyond:
        words = "; ".join(
            f"'{book}' {percent(saving[book])} less, reduction "
            f"{estimate_words(rows['total'][book], rows['total_bound'][book])}"
            for book in beyond[:MOST_NAMED]
        )
        yield Finding(
            f"granted/{each.label}",
            MEDIUM,
            f"{each.label}: as it stands the model asks less than {yardstick} by more than the "
            f"95 % lower bound of what pooling saves at equal coverage in {len(beyond):,} of "
            f"{len(rows):,} pools{_largest(beyond)}: {words}.",
            9,
        )
    unsupported, _ = unsupported_pools(each, model)
    if unsupported:
        words = "; ".join(
            f"'{book}' {percent(saving[book])} less, diversification estimated "
            f"{percent(rows['diversification'][book])}"
            for book in unsupported[:MOST_NAMED]
        )
        yield Finding(
            f"no-offset/{each.label}",
            MEDIUM,
            f"{each.label}: in {len(unsupported):,} of {len(rows):,} pools the data support no "
            f"offset (95 % lower bound at or below zero) while the model as it stands saves more "
            f"against {yardstick} than diversification is estimated to save at equal coverage: "
            f"{words}{_more(unsupported)}.",
            9,
        )


def unsupported_pools(each: Scored, model: str) -> tuple[list[str], int]:
    """Pools in which the model grants more than diversification though no offset is supported.

    What it saves against the silos, as it stands, is more than the estimate of what diversification
    saves at equal coverage: a saving below it may be diversification alone.

    Returns
    -------
    Their names, and how many pools have bounds; none where nothing is measured from silos.
    """
    yardstick = each.origin.siloed_model
    if yardstick is None or model == yardstick or "total_bound" not in each.ladder:
        return [], 0
    rows = each.ladder[each.ladder["total_bound"].notna()]
    saving = each.scores(model)["saving_vs_siloed"].astype(float)
    bare = rows.index[rows["dependence_bound"] <= 0.0]
    justified = rows["diversification"].clip(lower=0.0)
    return [str(book) for book in bare if saving.get(book, 0.0) > justified[book]], len(rows)


def _more(books: Sequence[str]) -> str:
    return f"; and {len(books) - MOST_NAMED:,} more" if len(books) > MOST_NAMED else ""


def _largest(beyond: Sequence[str]) -> str:
    return f", the {MOST_NAMED} largest gaps being" if len(beyond) > MOST_NAMED else ""


def bound_findings(each: Scored, model: str) -> Iterator[Finding]:
    """Bounds whose error was not measured, or was measured to be large."""
    if "unsafe" not in each.ladder or "total_bound" not in each.ladder:
        return
    rows = each.ladder[each.ladder["total_bound"].notna()]
    unknown = [str(book) for book in rows.index[rows["unsafe"].isna()]]
    if unknown:
        yield Finding(
            f"bounds-unmeasured/{each.label}",
            MEDIUM,
            f"{each.label}: how often the bounds of the offset are too high was measured in no "
            f"world like {len(unknown):,} of {len(rows):,} pools: {named(unknown)}.",
            9,
        )
    measured = rows[rows["unsafe"].notna()]
    worst = measured["unsafe_worst"].dropna()
    unsafe = [str(book) for book in worst.index[worst > UNSAFE]]
    if unsafe:
        yield Finding(
            f"bounds-unsafe/{each.label}",
            LOW,
            f"{each.label}: in the worst world tried the bounds of the offset are too high in up "
            f"to {percent(float(worst.max()))} of histories, more than "
            f"{percent(UNSAFE, digits=0)}, for {len(unsafe):,} of {len(measured):,} pools that "
            "some world is like.",
            9,
        )
