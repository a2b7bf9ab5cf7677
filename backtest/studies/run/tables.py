"""The tables of scores: named books, all books pooled, simulated histories, positions."""

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import Any

import pandas as pd

from backtest.present.numbers import (
    MILLION,
    MISSING,
    UNBROKEN,
    counts,
    millions,
    percent,
    pvalue,
    pvalue_pair,
    ratio,
)
from backtest.present.table import Cell, Columns, TextTable, of_column, of_interval, records
from backtest.replay.distribution import Distribution
from backtest.replay.findings.unverified import marked_name, unverified_sentence
from backtest.replay.study import Study
from backtest.studies.run.verdict import SIGNIFICANT, with_holding

BOOK_AND_MODEL = ("book", "model")
rate = partial(percent, digits=2)
Groups = list[tuple[str, list[tuple[str, Any]]]]


def coverage_table(
    study: Study, portfolios: list[str], *, books: str = "the named books"
) -> TextTable:
    """Counts and tests of `portfolios` under every model; `books` says which they are."""
    return TextTable.nest(
        f"Coverage of {books}",
        BOOK_AND_MODEL,
        _by_book(study, portfolios),
        {
            "exceedances": lambda row: counts(row["exceedances"], row["allowed"]),
            "exceedance rate [95 %]": of_interval("exceedance_rate", rate),
            "coverage p": of_column("coverage_p", _pvalue),
            "its test": lambda row: Cell(row["coverage_test"], words=True),
            "breaches": lambda row: f"{int(row['breaches']):,}",
            "Kupiec p, median / minimum over phases": partial(_phases, test="kupiec_p"),
            "Christoffersen p, median / minimum over phases": partial(
                _phases, test="christoffersen_p"
            ),
        },
        note="Coverage p is one-sided (a rate above the standard) and is the verdict; up to 0.05 "
        "it is set in bold. Its test is the most powerful that holds its size for the row: "
        "effective counts allow for overlapping losses, groups of days also for large losses that "
        "come together for months. Kupiec and Christoffersen run on every "
        "H-th day, once for each phase of an MPOR of H days, and their p is that of the chi-square "
        "law, which few exceedances make approximate; tests.csv has exact p-values of the same two "
        "tests, counted at the rate that the model claims, and medians over phases alone. "
        "Kupiec is two-sided and rejects too few exceedances as well." + _unverified(study),
    )


def cost_table(study: Study, portfolios: list[str], *, books: str = "the named books") -> TextTable:
    """Cost and severity of `portfolios` under every model; `books` says which they are."""
    return TextTable.nest(
        f"Cost and severity in {books}, USD m",
        BOOK_AND_MODEL,
        _by_book(study, portfolios),
        {
            "mean margin, unscaled": of_column("mean_margin", millions),
            "saving vs siloed": of_column("saving_vs_siloed", percent),
            "equal-coverage margin [95 %]": of_interval("equal_coverage", millions),
            "mean excess": of_column("mean_excess", millions),
            "largest excess": of_column("max_excess", millions),
            "peak to trough": of_column("peak_to_trough", ratio),
        },
        note="Excess: loss above the requirement, over exceedance days. Equal coverage scales each "
        "book in hindsight to its allowed exceedances, one day in a hundred. Its "
        "interval held 92 to 100 % of truths in simulated worlds, 82 to 95 % where shocks to "
        "volatility halve in a year (docs/intervals.md); unbounded: the record excludes no higher "
        "margin. " + _unverified(study),
    )


FORECAST_HEADS = {
    "shortfall_p": "expected shortfall p",
    "berkowitz_p": "density p (Berkowitz)",
    "berkowitz_tail_p": "its worst 5 % p",
    "histogram_p": "PIT histogram p",
}
FORECAST_NOTE = (
    "P-values combine the phases of the MPOR by Cauchy's law (Liu-Xie). Expected shortfall: losses "
    "beyond the VaR exceed it (McNeil-Frey). FZ loss scores VaR and ES together; lower is "
    "better, within a book. Daily values: forecasts.parquet."
)
DENSITY_NOTE = (
    " Density: its probabilities of what came (PIT) are uniform without memory (Berkowitz), in the "
    "worst 5 % alone, and in ten bins; two-sided, so a density that is too wide is rejected too; "
    "n/a where a model has none."
)


def forecasts_table(tests: pd.DataFrame, portfolios: list[str]) -> TextTable:
    """Tests of expected shortfall, and of the density where any model forecasts one.

    tests : of `forecast_table`.
    """
    rows = dict(records(tests))
    models = list(tests.index.unique("model"))
    density = bool(tests["berkowitz_p"].notna().any())
    columns: Columns = {
        "FZ loss": lambda row: MISSING if pd.isna(row["fz0"]) else f"{row['fz0']:.3f}"
    } | {
        head: of_column(column, _pvalue)
        for column, head in FORECAST_HEADS.items()
        if column == "shortfall_p" or tests[column].notna().any()
    }
    return TextTable.nest(
        "What models forecast behind their margins",
        BOOK_AND_MODEL,
        [(book, [(model, rows[model, book]) for model in models]) for book in portfolios],
        columns,
        note=FORECAST_NOTE + (DENSITY_NOTE if density else ""),
    )


def pooled_table(study: Study) -> TextTable:
    """One scale a model over all books, named and random."""
    rows = dict(records(study.pooled))

    def worst_book(row: Any) -> Cell:
        book = str(study.exposure.index[int(row["worst_book"])])
        return Cell(with_holding(study, book), words=True)

    return TextTable.of(
        f"All {len(study.exposure)} books pooled: one scale a model, USD m",
        "model",
        [(marked_name(study, model), rows[model]) for model in study.models],
        {
            "scale [95 %]": of_interval("scale", ratio),
            "mean margin, unscaled, mean of books": of_column("mean_margin", millions),
            "equal-coverage margin, mean of books [95 %]": of_interval("equal_coverage", millions),
            "rate of the book one in ten is worse than": of_column("tenth_percentile_rate", rate),
            "rate of the worst book": of_column("worst_rate", rate),
            "worst book": worst_book,
        },
        note="One factor per model, in hindsight, at which all books together keep the standard; "
        "the rates are at that factor. A scale a book would hide what a model gets wrong across "
        "books. Intervals count books of the same day, and days that follow each other, as less "
        "evidence: they held 87 to 100 % of truths in simulated worlds, 62 to 80 % where shocks to "
        "volatility halve in a year (docs/intervals.md)." + _unverified(study),
    )


def histories_table(distribution: Distribution, portfolios: list[str]) -> TextTable:
    """Spread of exceedance rate and margin over simulated histories, of `portfolios` by model."""
    origin, rows = distribution.provenance, dict(records(distribution.summary()))
    scored = distribution.score("observations")
    table = TextTable.nest(
        f"{origin.paths:,} histories simulated by {origin.simulator}, seed {origin.seed}; "
        f"{origin.confidence:.1%}",
        BOOK_AND_MODEL,
        [
            (book, [(model, rows[model, book]) for model in distribution.models])
            for book in portfolios
        ],
        {
            "exceedance rate [95 % of paths]": of_interval("exceedance_rate", rate),
            "paths with more than allowed": of_column("missed", percent),
            "mean margin, USD m [95 % of paths]": of_interval("mean_margin", millions),
            "saving vs siloed": of_column("saving_vs_siloed", partial(percent, sign=True)),
        },
        note="The same paths for every model. They say what else could have happened under the "
        "fitted law, and add no information beyond the exceedances that history holds: the offset "
        "tables count those, with their effective number. Yields were stopped at the edge of "
        f"their range on {float(distribution.range_acted.mean()):.2%} of days.",
    )
    days = " to ".join(f"{end:,.0f}" for end in dict.fromkeys((scored.min(), scored.max())))
    return replace(
        table,
        source_line=f"{origin.held_to.sentence()}; fitted to {origin.prices.span()} of "
        f"{origin.prices.sentence()}; {days} scored days a history.",
    )


def books_table(
    study: Study,
    explains: dict[str, str],
    portfolios: list[str],
    *,
    random: int,
    books: str = "the named books",
) -> TextTable:
    """What each of `portfolios` holds, and why it is there; `random`: how many others there are."""
    positions = dict(records(study.exposure))

    def holding(book: str) -> Cell:
        words = (
            f"{name}{UNBROKEN}{usd / MILLION:+,.2f}" for name, usd in positions[book].items() if usd
        )
        return Cell(", ".join(words), words=True)

    return TextTable.of(
        books[0].upper() + books[1:],
        "book",
        zip(portfolios, portfolios, strict=True),
        {
            "holding, USD m": holding,
            "what it is": lambda book: Cell(explains.get(book, ""), words=True),
        },
        note=f"{random} random books, seeded, enter the pooled table and the first figure."
        if random
        else "",
    )


def _pvalue(p: float) -> Cell:
    """A p-value as a table cell, in bold where the test rejects."""
    return Cell(pvalue(p), bold=p <= SIGNIFICANT)


def _phases(row: Any, test: str) -> str:
    """Median and smallest p-value of a test over the phases of the MPOR."""
    return pvalue_pair(row[test], row[f"{test}_min"])


def _unverified(study: Study) -> str:
    """What follows a note where some model uses parameters that nobody has verified."""
    sentence = unverified_sentence(study)
    return f" {sentence}" if sentence else ""


def _by_book(study: Study, portfolios: Iterable[str]) -> Groups:
    """The scores of each model, by portfolio."""
    rows = dict(records(study.scores))
    return [
        (book, [(marked_name(study, model), rows[model, book]) for model in study.models])
        for book in portfolios
    ]
