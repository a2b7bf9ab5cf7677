"""The tables of the page on procyclicality, liquidity, many books at once and disclosure."""

from collections.abc import Callable
from typing import Any

import pandas as pd

from backtest.present.numbers import millions, percent, pvalue, ratio
from backtest.replay.disclosures import disclosure_table, swing_table
from backtest.replay.family import dominance_table, family_summary, family_tests
from backtest.replay.study import Study
from backtest.studies.run.content import Cell, TableOf

Show = Callable[[Any], str]


def swings_table(study: Study) -> TableOf:
    """Median over books, by model."""
    medians = swing_table(study).groupby(level="model", sort=False).median()
    shown: dict[str, Show] = {
        "peak_to_trough": ratio,
        "rise_1": percent, "rise_5": percent, "rise_within_5": percent,
        "rise_30": percent, "rise_within_30": percent, "rise_p95_30": percent,
        "calls_5d_10": percent, "calls_5d_25": percent, "above_mean": percent,
        "margin": millions, "liquidity_at_risk": millions,
        "funding_per_point": millions,
    }  # fmt: skip
    return TableOf(
        f"Procyclicality and liquidity at pooled equal coverage, medians of "
        f"{len(study.exposure)} books, USD m",
        [
            "model", "peak to trough", "largest 1-day rise", "5-day", "within 5 days", "30-day",
            "within 30 days", "95 % of 30-day changes below", "days up 10 % in 5", "up 25 % in 5",
            "time above mean", "mean margin", "liquidity at risk", "funding a year, per point",
        ],
        [
            (model, [[Cell(show(float(medians[column].loc[model])))
                      for column, show in shown.items()]])
            for model in study.models
        ],
        "Ratios do not change with the scale; USD are margins times the pooled scale. Liquidity "
        "at risk: 99 % of margin change plus variation margin over the MPOR. Funding: USD m a "
        "year at a spread of one percentage point. All columns, all books: procyclicality.csv.",
    )  # fmt: skip


def family_table(study: Study) -> TableOf:
    """Books tested and rejected, before and after allowing for their number."""
    summary = family_summary(study, family_tests(study))
    columns = [c for c in summary.columns if c not in ("tested", "by_chance", "pooled_p")]
    groups = [
        (
            model,
            [
                [
                    Cell(f"{summary['tested'].loc[model]:.0f}"),
                    Cell(f"{summary['by_chance'].loc[model]:.1f}"),
                    *(Cell(_count(float(summary[c].loc[model]))) for c in columns),
                    Cell(pvalue(float(summary["pooled_p"].loc[model]))),
                ]
            ],
        )
        for model in study.models
    ]
    return TableOf(
        f"{len(study.exposure)} books tested at once: rejected at 5 %",
        [
            "model", "books tested", "expected by chance, of right models", "coverage p alone",
            "HAC p alone", "Holm", "Benjamini-Hochberg", "Benjamini-Yekutieli", "Romano-Wolf",
            "all books pooled, p",
        ],
        groups,
        "One-sided, the rate above the standard. HAC and the pooled p: allowing for clusters over "
        "60 days; the adjusted counts start from HAC, Romano-Wolf's apart. Holm and Romano-Wolf "
        "hold the probability of any false rejection at 5 %, the others the share of false ones. "
        "Romano-Wolf draws the days in blocks, all books of a day together; the pooled p adds them "
        "up by date. A book and its mirror image, where both are held, count as two. By book: "
        "family.csv.",
    )  # fmt: skip


def dominance_rows(study: Study) -> TableOf | None:
    """Pairs of models: which has fewer exceedances, which asks for less, and how surely."""
    found = dominance_table(study)
    if found is None:
        return None
    return TableOf(
        "Pairs of models on the same days: first less second, all books",
        [
            "models", "exceedance rate [95 %]", "mean margin, USD m [95 %]", "jointly",
            "first dominates", "second dominates",
        ],
        [(f"{pair[0]} - {pair[1]}", [_pair(row)]) for pair, row in _rows(found)],
        "Dominates: share of resampled histories with no more exceedances and no more margin, and "
        "less of one; the rest are trade-offs. Jointly: whether the 95 % region of both "
        "differences holds zero.",
    )  # fmt: skip


def disclosures_table(study: Study) -> TableOf:
    """The study in the layout of a clearing house's public quantitative disclosures."""
    table = disclosure_table(study)
    show: dict[str, Show] = {
        "USD": millions,
        "count": lambda n: f"{n:,.0f}",
        "share": lambda share: percent(share, digits=3),
        "text": lambda model: str(model).split("(")[0],
    }
    return TableOf(
        "In the layout of the CPMI-IOSCO public quantitative disclosures, USD m",
        ["item", *study.models],
        [
            (
                f"{item}{'' if row['verified'] else '*'} {row['title']}",
                [[Cell(show[row["unit"]](row[model])) for model in study.models]],
            )
            for item, row in _rows(table)
        ],
        "Margins as they were set, unscaled; books stand for accounts, models for clearing "
        "services, the scored window for the period; variation margin is that of the MPOR. CPMI "
        "Papers 125 (2015); * the number of the item was not checked against it.",
    )


def _pair(row: dict[str, float]) -> list[Cell]:
    rate, low, high = (
        percent(row[f"rate{end}"], digits=2, sign=True) for end in ("", "_low", "_high")
    )
    usd = [millions(row[f"margin{end}"]) for end in ("", "_low", "_high")]
    return [
        Cell(f"{rate} [{low.removesuffix(' %')}, {high.removesuffix(' %')}]"),
        Cell(f"{usd[0]} [{usd[1]}, {usd[2]}]"),
        Cell("alike" if row["alike"] else "differ"),
        Cell(percent(row["dominates"], digits=0)),
        Cell(percent(row["dominated"], digits=0)),
    ]


def _rows(table: pd.DataFrame) -> list[tuple[Any, dict[str, Any]]]:
    records: list[dict[Any, Any]] = table.to_dict("records")
    return list(zip(table.index, records, strict=True))


def _count(value: float) -> str:
    return "n/a" if pd.isna(value) else f"{value:.0f}"
