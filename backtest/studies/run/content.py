"""The tables of the page, as plain strings."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from backtest.present.numbers import (
    MILLION,
    MISSING,
    counts,
    interval,
    millions,
    percent,
    pvalue,
    pvalue_pair,
    ratio,
)
from backtest.replay.study import Study
from backtest.replay.unverified import marked_name, unverified_sentence
from backtest.studies.run.verdict import SIGNIFICANT

UNBROKEN = "\N{NO-BREAK SPACE}"

Rows = list[list["Cell"]]


@dataclass(frozen=True)
class Cell:
    """One cell: its text, whether it is to be noticed, and whether it may be broken into lines."""

    text: str
    noticed: bool = False
    words: bool = False


@dataclass(frozen=True)
class TableOf:
    """A table: caption, column heads, and groups of rows under one row head each."""

    caption: str
    heads: list[str]
    groups: list[tuple[str, Rows]] = field(default_factory=list)
    notes: str = ""


def coverage_table(study: Study, portfolios: list[str]) -> TableOf:
    """Counts and tests of every named book under every model."""
    groups = []
    for portfolio, scored in _by_portfolio(study, portfolios):
        rows = [
            [
                Cell(marked_name(study, model)),
                Cell(counts(row["exceedances"], row["allowed"])),
                Cell(interval(row, "exceedance_rate", lambda x: percent(x, digits=2))),
                Cell(pvalue(row["coverage_p"]), noticed=row["coverage_p"] <= SIGNIFICANT),
                Cell(f"{int(row['breaches']):,}"),
                Cell(pvalue_pair(row["kupiec_p"], row["kupiec_p_min"])),
                Cell(pvalue_pair(row["christoffersen_p"], row["christoffersen_p_min"])),
            ]
            for model, row in scored
        ]
        groups.append((portfolio, rows))
    return TableOf(
        "Coverage of the named books",
        [
            "book", "model", "exceedances", "exceedance rate [95 %]", "coverage p", "breaches",
            "Kupiec p, median / minimum over phases",
            "Christoffersen p, median / minimum over phases",
        ],
        groups,
        "Coverage p is one-sided (a rate above the standard) and respects overlapping losses: it "
        "is the verdict; up to 0.05 it is set in bold. Kupiec and Christoffersen run on every "
        "H-th day, once for each phase of an MPOR of H days; Kupiec is two-sided and rejects too "
        f"few exceedances as well. {unverified_sentence(study)}",
    )  # fmt: skip


def cost_table(study: Study, portfolios: list[str]) -> TableOf:
    """Cost and severity of every named book under every model."""
    groups = []
    for portfolio, scored in _by_portfolio(study, portfolios):
        rows = [
            [
                Cell(marked_name(study, model)),
                Cell(millions(row["mean_margin"])),
                Cell(percent(row["saving_vs_siloed"])),
                Cell(interval(row, "equal_coverage", millions)),
                Cell(millions(row["mean_excess"])),
                Cell(millions(row["max_excess"])),
                Cell(ratio(row["peak_to_trough"])),
            ]
            for model, row in scored
        ]
        groups.append((portfolio, rows))
    return TableOf(
        "Cost and severity in the named books, USD m",
        [
            "book", "model", "mean margin", "saving vs siloed",
            "equal-coverage margin [95 %]", "mean excess", "largest excess", "peak to trough",
        ],
        groups,
        "Excess: loss above the requirement, over exceedance days. Equal coverage scales each book "
        "in hindsight to its allowed exceedances; it rests on one day in a hundred. "
        f"{unverified_sentence(study)}",
    )  # fmt: skip


def forecasts_table(tested: pd.DataFrame, portfolios: list[str]) -> TableOf:
    """Tests of expected shortfall, and of the density where any model forecasts one."""
    heads = {
        "shortfall_p": "expected shortfall p",
        "berkowitz_p": "density p (Berkowitz)",
        "berkowitz_tail_p": "its worst 5 % p",
        "histogram_p": "PIT histogram p",
    }
    ps = ["shortfall_p", *(p for p in list(heads)[1:] if tested[p].notna().any())]
    models = list(dict.fromkeys(tested.index.get_level_values("model")))
    groups = []
    for portfolio in portfolios:
        rows = []
        for model in models:
            of_model = tested.xs(model, level="model")
            assert isinstance(of_model, pd.DataFrame)
            row = _row(of_model, portfolio)
            cells = [Cell(model), Cell(_number_or_none(row["fz0"], digits=3))]
            cells += [Cell(pvalue(row[p]), noticed=row[p] <= SIGNIFICANT) for p in ps]
            rows.append(cells)
        groups.append((portfolio, rows))
    return TableOf(
        "What models forecast behind their margins",
        ["book", "model", "FZ loss", *(heads[p] for p in ps)],
        groups,
        FORECAST_NOTE + (DENSITY_NOTE if len(ps) > 1 else ""),
    )


FORECAST_NOTE = (
    "P-values are medians over the phases of the MPOR. Expected shortfall: losses beyond the VaR "
    "exceed it (McNeil-Frey). FZ loss scores VaR and ES together; lower is better, within a book. "
    "Daily values: forecasts.parquet."
)
DENSITY_NOTE = (
    " Density: its probabilities of what came (PIT) are uniform without memory (Berkowitz), in the "
    "worst 5 % alone, and in ten bins; two-sided, so a density that is too wide is rejected too; "
    "n/a where a model has none."
)


def _by_portfolio(
    study: Study, portfolios: list[str]
) -> Iterator[tuple[str, list[tuple[str, dict[str, Any]]]]]:
    for portfolio in portfolios:
        yield (
            portfolio,
            [(m, _row(_scores(study, m), portfolio)) for m in study.models],
        )


def _scores(study: Study, model: str) -> pd.DataFrame:
    """Scores of one model by portfolio."""
    scores = study.scores.xs(model, level="model")
    assert isinstance(scores, pd.DataFrame)
    return scores


def _row(table: pd.DataFrame, name: str) -> dict[str, Any]:
    row: Any = table.loc[name]
    return {str(column): value for column, value in row.items()}


def ladder_tables(study: Study, ladder: pd.DataFrame, portfolios: list[str]) -> list[TableOf]:
    """Reductions of the named books held in several silos, and what stands behind them."""
    silos = [c.removeprefix("usd_") for c in ladder.columns if c.startswith("usd_")]
    reductions, behind = [], []
    for portfolio in [p for p in portfolios if p in ladder.index]:
        row = dict.fromkeys(BOUND_COLUMNS, float("nan")) | _row(ladder, portfolio)
        reason = row["reason"] if isinstance(row["reason"], str) else ""
        estimates = [
            Cell(f"n/a: {reason}", words=True) if reason else Cell(percent(row["total"])),
            Cell(percent(row["total_bound"], sign=True)),
            Cell(percent(row["diversification"])),
            Cell(percent(row["dependence"], sign=True)),
            Cell(percent(row["dependence_bound"], sign=True)),
            Cell(percent(_supported(row["dependence_bound"]))),
        ]
        reductions.append((portfolio, [estimates]))
        evidence = [
            Cell(percent(row["raw"])),
            Cell(percent(row["worst_500"], sign=True)),
            Cell(f"{int(row['exceedances']):,} ({_number_or_none(row['effective'])})"),
            Cell(f"{percent(row['passes'], digits=0)} / {percent(row['passes_bound'], digits=0)}"),
            Cell(_by_silo(row, silos, "usd_", millions), words=True),
            Cell(_by_silo(row, silos, "kappa_", ratio), words=True),
        ]
        behind.append((portfolio, [evidence]))
    return [
        TableOf(
            "Reduction from pooling silos, as a share of their equal-coverage margins",
            [
                "book", "total reduction", "its 95 % lower bound", "diversification",
                "offset (dependence)", "its 95 % lower bound", "supportable offset",
            ],
            reductions,
            "Diversification is what independence alone gives: the reduction left when the silos "
            "are shifted against each other in time. Offset is the rest. Bounds are one-sided, for "
            "each book on its own; supportable is the bound of the offset, or 0.",
        ),
        TableOf(
            "What stands behind the reductions",
            [
                "book", "raw (silos unscaled)", "worst 500 days",
                "exceedances (effective)", "histories that pass, at the total / at its bound",
                "USD m by silo", "scale by silo",
            ],
            behind,
            "Effective: exceedances divided by the inflation that their clustering makes. A "
            "history passes where the reduced margin keeps the standard in a resample of the days.",
        ),
    ]  # fmt: skip


BOUND_COLUMNS = (
    "total_bound", "dependence_bound", "effective", "worst_500", "passes", "passes_bound",
)  # fmt: skip


def _supported(bound: float) -> float:
    return bound if pd.isna(bound) else max(0.0, bound)


def _number_or_none(value: float, *, digits: int = 1) -> str:
    return MISSING if pd.isna(value) else f"{value:.{digits}f}"


def _by_silo(row: dict[str, Any], silos: list[str], prefix: str, show: Any) -> str:
    values = {silo: row.get(f"{prefix}{silo}") for silo in silos}
    return ", ".join(f"{silo}{UNBROKEN}{show(v)}" for silo, v in values.items() if pd.notna(v))


def pooled_table(study: Study) -> TableOf:
    """One scale a model over all books, named and drawn."""
    groups = [
        (
            marked_name(study, model),
            [
                [
                    Cell(f"{ratio(row['scale'])} [{ratio(row['scale_low'])}, "
                         f"{ratio(row['scale_high'])}]"),
                    Cell(millions(row["mean_margin"])),
                    Cell(interval(row, "equal_coverage", millions)),
                    Cell(percent(row["tenth_percentile_rate"], digits=2)),
                    Cell(percent(row["worst_rate"], digits=2)),
                    Cell(str(study.exposure.index[int(row["worst_book"])]), words=True),
                ]
            ],
        )
        for model, row in ((m, _row(study.pooled, m)) for m in study.models)
    ]  # fmt: skip
    return TableOf(
        f"All {len(study.exposure)} books pooled: one scale a model, USD m",
        [
            "model", "scale [95 %]", "mean margin", "equal-coverage margin [95 %]",
            "rate of the book one in ten is worse than", "rate of the worst book", "worst book",
        ],
        groups,
        "One factor per model, in hindsight, at which all books together keep the standard; the "
        "rates are at that factor. A scale a book would hide what a model gets wrong across books. "
        f"{unverified_sentence(study)}",
    )  # fmt: skip


def books_table(study: Study, explains: dict[str, str], portfolios: list[str]) -> TableOf:
    """What each named book holds, and why it is there."""
    groups = []
    for portfolio in portfolios:
        position = _row(study.exposure, portfolio)
        holding = ", ".join(
            f"{name}{UNBROKEN}{usd / MILLION:+,.2f}" for name, usd in position.items() if usd
        )
        explained = Cell(explains.get(portfolio, ""), words=True)
        groups.append((portfolio, [[Cell(holding, words=True), explained]]))
    drawn = len(study.exposure) - len(portfolios)
    return TableOf(
        "The named books",
        ["book", "holding, USD m", "what it is"],
        groups,
        f"{drawn} drawn books, seeded, enter the pooled table and the first figure."
        if drawn
        else "",
    )
