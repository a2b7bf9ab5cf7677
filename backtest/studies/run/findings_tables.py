"""Tables of the findings: margin swings, tests of many books, pairs of models, disclosures."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pandas as pd

from backtest.present.numbers import MISSING, millions, percent, pvalue, ratio
from backtest.present.table import Cell, Columns, TextTable, of_column, of_interval, records
from backtest.replay.findings import Findings
from backtest.replay.findings.family import disagreement_sentence

Show = Callable[[Any], str]
TOO_SHORT = " n/a: the scored days are too few for a change over so many days."


def swings_table(findings: Findings) -> TextTable:
    """Procyclicality and liquidity, a row a model: medians over the books."""
    swings = findings.swings
    medians = swings.groupby(level="model", sort=False).median()
    heads: dict[str, tuple[str, Show]] = {
        "peak_to_trough": ("peak to trough", ratio),
        "rise_1": ("largest 1-day rise", percent),
        "rise_5": ("5-day", percent),
        "rise_within_5": ("within 5 days", percent),
        "rise_30": ("30-day", percent),
        "rise_within_30": ("within 30 days", percent),
        "rise_p95_30": ("95 % of 30-day changes below", percent),
        "calls_5d_10": ("days up 10 % in 5", percent),
        "calls_5d_25": ("up 25 % in 5", percent),
        "above_mean": ("time above mean", percent),
        "margin": ("mean margin, scaled, median book", millions),
        "liquidity_at_risk": ("liquidity at risk", millions),
        "funding_per_point": ("funding a year, per point", millions),
    }
    return TextTable.of(
        f"Procyclicality and liquidity, margins scaled to pooled equal coverage, medians of "
        f"{len(swings.index.unique('portfolio'))} books, USD m",
        "model",
        records(medians),
        {head: of_column(name, show) for name, (head, show) in heads.items()},
        note="Ratios do not change with the scale; USD are margins times the pooled scale. "
        "Medians over books: a mean over books, as in the table of all books pooled and in the "
        "verdict, is that of the large ones, and may put the models in another order. "
        "Liquidity at risk: 99 % of margin change plus variation margin over the MPOR. Funding: "
        "USD m a year at a spread of one percentage point. All columns, all books: "
        "procyclicality.csv." + (TOO_SHORT if swings.isna().all().any() else ""),
    )


def family_table(findings: Findings) -> TextTable:
    """Books tested and rejected, before and after allowing for their number."""
    counts = {
        "coverage_p": "coverage p alone",
        "holm": "Holm",
        "benjamini_hochberg": "Benjamini-Hochberg",
        "benjamini_yekutieli": "Benjamini-Yekutieli",
        "romano_wolf": "Romano-Wolf",
    }
    columns: Columns = {
        "books tested": lambda row: f"{row['tested']:.0f}",
        "expected by chance, of right models": lambda row: f"{row['by_chance']:.1f}",
        **{head: of_column(column, _count) for column, head in counts.items()},
        "all books pooled, p": of_column("pooled_p", pvalue),
    }
    books = len(findings.family.index.unique("portfolio"))
    return TextTable.of(
        f"{books} books tested at once: rejected at 5 %",
        "model",
        records(findings.family_summary),
        columns,
        note="One-sided, the rate above the standard. Holm and both Benjamini corrections start "
        "from coverage p, Romano-Wolf from days drawn in blocks, all books of a day together. Holm "
        "and Romano-Wolf hold the probability of any false rejection at 5 %, the others the share "
        "of false ones. The pooled p adds the books up by date. A book and its mirror image, where "
        "both are held, count as two. By book: family.csv."
        + _after(disagreement_sentence(findings.family_summary)),
    )


TESTED = {
    "coverage": "coverage p, the verdict",
    "binomial": "binomial",
    "kupiec": "Kupiec",
    "christoffersen": "Christoffersen",
    "conditional_coverage": "conditional coverage",
    "dynamic_quantile": "dynamic quantile",
    "tuff": "first exceedance",
    "tbfi": "waiting times",
    "tbf": "rate and waiting times",
    "weibull": "Weibull durations",
    "gmm": "GMM durations",
    "squared_spells": "squared spells",
}


def outcomes_table(
    findings: Findings, shown: pd.MultiIndex, *, books: str = "the named books"
) -> TextTable:
    """Every test of exceedances of the rows `shown`, in their order: rejected or not."""

    def of_outcome(outcome: str) -> Callable[[Any], Cell]:
        def tests_of(row: Any) -> Cell:
            heads = [head for test, head in TESTED.items() if row[test] == outcome]
            return Cell(", ".join(heads) or "none", words=True)

        return tests_of

    return TextTable.of(
        f"All tests of exceedances in {books}, at 5 %, the worst first",
        "model, book",
        [(f"{model}, {book}", row) for (model, book), row in records(findings.tests.loc[shown])],
        {
            "exceedances": lambda row: f"{row['exceedances']:.0f}",
            "zone": lambda row: str(row["zone"]),
            "rejected": lambda row: f"{sum(row[t] == 'rejected' for t in TESTED)} of {len(TESTED)}",
            "rejected by": of_outcome("rejected"),
            "the record cannot answer": of_outcome("not identified"),
        },
        note=f"The tests: {', '.join(TESTED.values())}. The first uses all days. The others take "
        "days as independent, run on every H-th day for an MPOR of H days, and show the median "
        "over starting days; small-sample p-values. Kupiec, conditional coverage, first "
        "exceedance, waiting times and GMM reject too few exceedances too. Twelve tests are twelve "
        "chances to err. P-values, and all other books: tests.csv.",
    )


def pairs_table(pairs: pd.DataFrame) -> TextTable:
    """Pairs of models: which has fewer exceedances or a lower margin, with intervals.

    pairs : of `dominance_table`.
    """
    return TextTable.of(
        "Pairs of models on the same days: first less second, all books",
        "models",
        [(f"{model} - {against}", row) for (model, against), row in records(pairs)],
        {
            "exceedance rate [95 %]": of_interval("rate", partial(percent, digits=2, sign=True)),
            "mean margin, USD m [95 %]": of_interval("margin", millions),
            "jointly": lambda row: "alike" if row["alike"] else "differ",
            "first dominates": of_column("dominates", partial(percent, digits=0)),
            "second dominates": of_column("dominated", partial(percent, digits=0)),
        },
        note="Dominates: probability of no more exceedances and no more margin in the long run, by "
        "Student's law of both differences; the rest is that of a trade-off. Jointly: whether the "
        "95 % region of both differences holds zero. Of pairs that do not differ it misses one in "
        "twenty if margins remember up to a third of the record, one in ten at half of it "
        "(docs/intervals.md).",
    )


def disclosures_table(findings: Findings) -> TextTable:
    """The study in the layout of a clearing house's public quantitative disclosures."""
    formats: dict[str, Show] = {
        "USD": millions,
        "count": lambda n: f"{n:,.0f}",
        "share": lambda share: percent(share, digits=3),
        "text": lambda model: str(model).split("(")[0],
    }
    table = findings.disclosures

    def cell(row: Any, model: str) -> str:
        return formats[row["unit"]](row[model])

    models = table.columns.drop(["title", "unit"])
    return TextTable.of(
        "In the layout of the CPMI-IOSCO public quantitative disclosures, USD m",
        "item",
        [(f"{item} {row['title']}", row) for item, row in records(table)],
        {str(model): partial(cell, model=model) for model in models},
        note="Margins as they were set, unscaled; books stand for accounts, models for clearing "
        "services, the scored window for the period; variation margin is that of the MPOR. CPMI "
        "Papers 125 (2015); the parts of item 6.5 have numbers of their own there.",
    )


def _after(sentence: str) -> str:
    return f" {sentence}" if sentence else ""


def _count(value: float) -> str:
    return MISSING if pd.isna(value) else f"{value:.0f}"
