"""Findings that follow from the evidence alone, each with a severity that is proposed by rule."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from backtest.present.numbers import percent, pvalue
from backtest.present.table import records
from backtest.replay.worst import MOST_SHOWN
from backtest.scores.models.multiple import holm
from backtest.studies.dossier.folders import Folder, Scored
from backtest.studies.dossier.register import Assumption
from backtest.studies.run.facts import fits_words
from backtest.studies.run.findings_tables import TESTED
from backtest.studies.run.verdict import SIGNIFICANT, named_family, with_holding
from backtest.studies.sentences import estimate_words, joined

HIGH, MEDIUM, LOW = "high", "medium", "low"
UNSAFE = 0.08  # share of unsafe bounds from which docs/offset-calibration.md calls one an estimate
DOUBTFUL = "DOUBTFUL PRICES:"  # how an alarm about prices begins
MOST_NAMED = 5  # books in a sentence
RULES = (
    "Severities are proposed by rule and not judged: high where coverage is rejected after "
    "allowing for the number of books, or where numbers cannot stand for the model (a failed gate "
    "or model, simulated prices, doubtful prices on scored days); medium where one test rejects, "
    "where the model grants more than a bound supports, or where something that others rely on was "
    "not verified or not measured; low for the rest."
)


@dataclass(frozen=True)
class Finding:
    """One finding: its key in the file of fields, its severity, and a sentence with its numbers.

    where : the section of this file that shows them.
    """

    key: str
    severity: str
    sentence: str
    where: int


def automatic_findings(
    folders: Sequence[Folder], model: str, register: Sequence[Assumption]
) -> tuple[Finding, ...]:
    """Every finding, the most severe first, otherwise in the order of the folders."""
    found: list[Finding] = []
    for folder in folders:
        if folder.scored is not None and model in folder.scored.study.models:
            for rule in RULES_OF_A_STUDY:
                found += rule(folder.scored, model)
    found += _of_folders(folders)
    found += _of_register(register)
    order = {HIGH: 0, MEDIUM: 1, LOW: 2}
    return tuple(sorted(found, key=lambda finding: order[finding.severity]))


def _coverage(each: Scored, model: str) -> Iterator[Finding]:
    """Books of which coverage is rejected: one by one, and as a family."""
    pvalues = each.scores(model)["coverage_p"].astype(float)
    named = pvalues.loc[list(each.books)]
    corrected = pd.Series(holm(named.to_numpy()), index=named.index)
    rejected = named[named <= SIGNIFICANT].sort_values(kind="stable").index
    for book in rejected[:MOST_SHOWN]:
        kept = corrected[book] <= SIGNIFICANT
        row: Any = each.scores(model).loc[book]
        yield Finding(
            f"coverage/{each.label}/{book}",
            HIGH if kept else MEDIUM,
            f"{each.label}: coverage of {book} is rejected (p {pvalue(named[book])}, "
            f"{int(row['exceedances']):,} exceedances where {int(row['allowed']):,} are allowed); "
            f"after Holm's correction for {len(named):,} {each.noun}s p is "
            f"{pvalue(corrected[book])}.",
            7,
        )
    if len(rejected) > MOST_SHOWN:
        more = corrected[rejected[MOST_SHOWN:]]
        yield Finding(
            f"coverage/{each.label} (others)",
            HIGH if (more <= SIGNIFICANT).any() else MEDIUM,
            f"{each.label}: coverage of {len(more):,} more {each.noun}s is rejected, "
            f"{int((more <= SIGNIFICANT).sum()):,} of them after Holm's correction; the "
            f"{MOST_SHOWN} with the smallest p have findings of their own.",
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
            HIGH if summary["holm"] else MEDIUM,
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


def _other_tests(each: Scored, model: str) -> Iterator[Finding]:
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
                f"{pvalue(float(shortfall[rejected].max()))}): {_named(rejected)}.",
                7,
            )


def _grants(each: Scored, model: str) -> Iterator[Finding]:
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
            f"{book} {percent(saving[book])} less, reduction "
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
        yield Finding(
            f"no-offset/{each.label}",
            MEDIUM,
            f"{each.label}: in {len(unsupported):,} of {len(rows):,} pools the data support no "
            f"offset (95 % lower bound at or below zero) while the model asks less than "
            f"{yardstick}; what it grants there beyond diversification is not supported: "
            f"{_named(unsupported)}.",
            9,
        )


def unsupported_pools(each: Scored, model: str) -> tuple[list[str], int]:
    """Pools in which the model asks less than the silos though no offset is supported.

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
    return [str(book) for book in bare if saving.get(book, 0.0) > 0.0], len(rows)


def _largest(beyond: Sequence[str]) -> str:
    return f", the {MOST_NAMED} largest gaps being" if len(beyond) > MOST_NAMED else ""


def _bounds(each: Scored, model: str) -> Iterator[Finding]:
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
            f"world like {len(unknown):,} of {len(rows):,} pools: {_named(unknown)}.",
            9,
        )
    worst = rows["unsafe_worst"].dropna()
    unsafe = [str(book) for book in worst.index[worst > UNSAFE]]
    if unsafe:
        yield Finding(
            f"bounds-unsafe/{each.label}",
            LOW,
            f"{each.label}: in the worst world tried the bounds of the offset are too high in up "
            f"to {percent(float(worst.max()))} of histories, more than "
            f"{percent(UNSAFE, digits=0)}, for {len(unsafe):,} of {len(rows):,} pools.",
            9,
        )


def _data(each: Scored, model: str) -> Iterator[Finding]:
    """Doubtful prices, simulated ones, and what of a given table could not be seen."""
    origin = each.origin
    if origin.given is not None:
        yield Finding(
            f"not-audited/{each.label}",
            MEDIUM,
            f"{each.label}: margins were given and not computed here; whether each was known on "
            "its day is the table's word.",
            6,
        )
        for number, sentence in enumerate(origin.given.findings(), start=1):
            yield Finding(f"table/{each.label}/{number}", MEDIUM, f"{each.label}: {sentence}", 3)
        return
    if each.study.simulated:
        yield Finding(
            f"simulated/{each.label}",
            HIGH,
            f"{each.label}: prices are SIMULATED; nothing in it is evidence about a market.",
            3,
        )
    for number, doubt in enumerate(origin.prices.findings, start=1):
        if not doubt.accepted:
            yield Finding(
                f"prices/{each.label}/{doubt.factor} {doubt.kind} {number}",
                HIGH if doubt.scored_share > 0 else LOW,
                f"{each.label}: {doubt.words}",
                3,
            )


def _computation(each: Scored, model: str) -> Iterator[Finding]:
    """What failed, what was left out, and what was not pinned down in the computation."""
    origin = each.origin
    for number, failure in enumerate(origin.failed_gates, start=1):
        yield Finding(f"gate/{each.label}/{number}", HIGH, f"{each.label}: {failure}", 7)
    for name, reason in origin.failed_models.items():
        yield Finding(
            f"failed/{each.label}/{name}", HIGH, f"{each.label}: {name} is left out: {reason}", 8
        )
    for law, fits in origin.fits.get(model, {}).items():
        if fits.failed:
            yield Finding(
                f"fits/{each.label}/{law}",
                MEDIUM,
                f"{each.label}: {fits_words({law: fits})}.",
                6,
            )
    for number, sentence in enumerate(origin.omissions.get(model, ()), start=1):
        yield Finding(f"omitted/{each.label}/{number}", MEDIUM, f"{each.label}: {sentence}", 5)
    if origin.given is None and model not in origin.causality:
        yield Finding(
            f"causality/{each.label}",
            HIGH,
            f"{each.label}: the causality of {model} was not audited.",
            6,
        )
    if origin.software.dirty:
        yield Finding(
            f"software/{each.label}",
            MEDIUM,
            f"{each.label}: computed by a checkout with uncommitted changes (commit "
            f"{str(origin.software.commit)[:8]}), which nobody can look up.",
            16,
        )


def _of_folders(folders: Sequence[Folder]) -> Iterator[Finding]:
    """Folders of other prices than the studies they stand beside, and what is red on their pages.

    Doubtful prices of the same levels are told of the study already.
    """
    levels = {f.levels for f in folders if f.scored is not None and f.levels}
    for folder in folders:
        alarms = () if folder.scored is not None else folder.record.alarms
        for number, alarm in enumerate(alarms, start=1):
            if not (folder.levels in levels and alarm.startswith(DOUBTFUL)):
                key = f"alarm/{folder.label}/{number}"
                yield Finding(key, MEDIUM, f"{folder.label}: {alarm}", 9)
        if folder.scored is None and folder.levels and levels and folder.levels not in levels:
            yield Finding(
                f"other-prices/{folder.label}",
                MEDIUM,
                f"{folder.label}: its prices are those of none of the studies here (sha256 of the "
                f"levels {folder.levels[:8]}).",
                16,
            )


def _of_register(register: Sequence[Assumption]) -> Iterator[Finding]:
    """Parameters whose numbers nobody verified, and those whose influence nobody measured."""
    for row in register:
        if "NOT VERIFIED" in row.mark:
            yield Finding(
                f"unverified/{row.key}",
                MEDIUM,
                f"{row.key} rests on numbers that are not verified ({row.source}).",
                4,
            )
    unmeasured = [row.key for row in register if not row.measured]
    if unmeasured:
        yield Finding(
            "sensitivity",
            MEDIUM,
            f"what {len(unmeasured):,} of {len(register):,} parameters move was not measured: "
            f"{', '.join(unmeasured)}.",
            4,
        )


Rule = Callable[[Scored, str], Iterator[Finding]]
RULES_OF_A_STUDY: tuple[Rule, ...] = (
    *(_coverage, _other_tests, _grants, _bounds),
    *(_data, _computation),
)


def _named(books: Sequence[str]) -> str:
    more = f" and {len(books) - MOST_NAMED:,} more" if len(books) > MOST_NAMED else ""
    return ", ".join(books[:MOST_NAMED]) + more
