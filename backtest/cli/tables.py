"""Results as tables for a terminal: one function a table, numbers printed as in the report."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from rich import box
from rich.table import Table
from rich.text import Text

from backtest.data.cache import Entry
from backtest.present.exhibit import Section
from backtest.present.numbers import counts, interval, millions, percent, pvalue
from backtest.present.words import COST_WORDS
from backtest.replay.distribution import Distribution
from backtest.replay.study import Study
from backtest.replay.unverified import marked_name
from backtest.studies.offset.study import OffsetStudy
from backtest.studies.run.content import TableOf

LADDER_NOTE = (
    "Only the part that needs the days to be the same days is offset; the rest, diversification, "
    "independence alone gives. Bounds: one-sided 95 %, stationary bootstrap of days, mean block "
    "20; resampling adds nothing to the exceedances observed. What the data support is the bound, "
    "or nothing where it is below zero. Where volatility persists for years the bounds err "
    "unsafely more often than they should (docs/offset-calibration.md)."
)


def scores_table(study: Study, portfolios: list[str]) -> Table:
    """Counts, verdict and cost of every named portfolio under every model."""
    table = _table(study.simulated, "Coverage and cost, USD m", standard(study))
    _columns(
        table,
        "portfolio, model",
        "exceedances",
        "coverage p",
        "breaches",
        "mean margin",
        "vs siloed",
        "equal coverage [95 %]",
        "max excess",
    )
    summary = study.summary()
    for portfolio in portfolios:
        table.add_row(Text(portfolio, style="bold"))
        for i, model in enumerate(study.models):
            row: Any = summary.loc[(model, portfolio)]
            table.add_row(
                Text(f"  {marked_name(study, model)}"),
                counts(row["exceedances"], row["allowed"]),
                pvalue(row["coverage_p"]),
                f"{row['breaches']:.0f}",
                millions(row["mean_margin"]),
                percent(row["saving_vs_siloed"]),
                interval(row, "equal_coverage", millions),
                millions(row["max_excess"]),
                end_section=i == len(study.models) - 1,
            )
    return table


def forecasts_table(shown: TableOf, study: Study) -> Table:
    """Tests of density and expected shortfall, where models forecast them."""
    table = _table(study.simulated, "What models forecast behind their margins", standard(study))
    _columns(table, "portfolio, model", *shown.heads[2:])
    for portfolio, rows in shown.groups:
        table.add_row(Text(portfolio, style="bold"))
        for i, row in enumerate(rows):
            cells = (cell.text for cell in row[1:])
            table.add_row(Text(f"  {row[0].text}"), *cells, end_section=i == len(rows) - 1)
    return table


def pooled_table(study: Study) -> Table:
    """One scale a model over all books together."""
    table = _table(study.simulated, "All books pooled, one scale a model, USD m", standard(study))
    _columns(
        table,
        "model",
        "scale [95 %]",
        "mean margin",
        "equal coverage [95 %]",
        "10th-percentile book",
        "worst book",
    )
    for model in study.models:
        row: Any = study.pooled.loc[model]
        table.add_row(
            Text(marked_name(study, model)),
            f"{row['scale']:.2f} [{row['scale_low']:.2f}, {row['scale_high']:.2f}]",
            millions(row["mean_margin"]),
            interval(row, "equal_coverage", millions),
            percent(row["tenth_percentile_rate"], digits=2),
            percent(row["worst_rate"], digits=2),
        )
    return table


def ladder_table(ladder: pd.DataFrame, *, simulated: bool, note: str) -> Table:
    """Total reduction and its two parts, for books held in several silos."""
    table = _table(
        simulated, "Offset ladder: shares of the margin at equal coverage; held in USD m", note
    )
    _columns(
        table,
        "portfolio",
        "total [bound]",
        "diversification",
        "offset [bound]",
        "raw",
        "worst 500",
        "exceedances",
        "held by silo",
    )
    silos = [str(c).removeprefix("usd_") for c in ladder.columns if str(c).startswith("usd_")]
    for portfolio in ladder.index:
        row: Any = ladder.loc[portfolio]
        if row["reason"]:
            table.add_row(Text(str(portfolio)), Text(f"n/a: {row['reason']}"))
            continue
        usd = {silo: row[f"usd_{silo}"] for silo in silos}
        table.add_row(
            Text(str(portfolio)),
            _bounded(row, "total"),
            percent(row["diversification"]),
            _bounded(row, "dependence"),
            percent(row["raw"]),
            percent(row["worst_500"]),
            f"{row['exceedances']:.0f} ({row['effective']:.1f} eff.)",
            ", ".join(f"{s} {millions(v)}" for s, v in usd.items() if pd.notna(v)),
        )
    return table


def distribution_table(found: Distribution) -> Table:
    """Spread of the scores over simulated histories."""
    manifest = found.manifest
    table = _table(
        True,
        f"{manifest['paths']:,} histories drawn by {manifest['simulator']}",
        f"seed {manifest['seed']}; {manifest['coverage']['confidence']:.1%}",
    )
    _columns(
        table,
        "portfolio, model",
        "exceedance rate [95 % of paths]",
        "more than allowed",
        "mean margin [95 % of paths]",
        "vs siloed",
    )
    summary = found.summary()
    for portfolio in found.portfolios:
        table.add_row(Text(portfolio, style="bold"))
        for i, model in enumerate(found.models):
            row: Any = summary.loc[(model, portfolio)]
            rate = [percent(row[f"exceedance_rate{end}"], digits=2) for end in ("", *ENDS)]
            margin = [millions(row[f"mean_margin{end}"]) for end in ("", *ENDS)]
            table.add_row(
                Text(f"  {model}"),
                f"{rate[0]} [{rate[1]}, {rate[2]}]",
                percent(row["missed"]),
                f"{margin[0]} [{margin[1]}, {margin[2]}]",
                percent(row["saving_vs_siloed"]),
                end_section=i == len(found.models) - 1,
            )
    return table


ENDS = ("_low", "_high")


def stressed_table(found: OffsetStudy, note: str) -> Table:
    """Offset and its bound under every stress, a column a book."""
    title = "Offset [bound] under stress, percentage points"
    table = _table(found.market.simulated, title, note)
    portfolios = list(found.ladder.index)
    _columns(table, "stress", *portfolios, no_wrap=False)
    for stress in found.stressed.index.unique("stress"):
        rows: list[Any] = [found.stressed.loc[(stress, portfolio)] for portfolio in portfolios]
        points = [
            f"{100 * row['dependence']:+.1f} [{100 * row['dependence_bound']:+.1f}]" for row in rows
        ]
        table.add_row(Text(str(stress)), *(Text(p) for p in points))
    return table


def just_covering_table(found: OffsetStudy, note: str) -> Table:
    """The haircut scale and the correlation floor that just keep coverage."""
    title = "Settings that just hold coverage, in hindsight, USD m"
    table = _table(found.market.simulated, title, note)
    _columns(
        table, "portfolio", "haircuts times", "mean margin", "correlation floor", "mean margin"
    )
    for portfolio in found.just_covering.index:
        row: Any = found.just_covering.loc[portfolio]
        table.add_row(
            Text(str(portfolio)),
            f"{row['haircut_scale']:.3f}",
            millions(row["haircut_mean_margin"]),
            "n/a" if pd.isna(row["correlation_floor"]) else f"{row['correlation_floor']:.3f}",
            millions(row["floor_mean_margin"]),
        )
    return table


def cache_table(entries: Mapping[str, Entry]) -> Table:
    """Fetched files: what they become, where they come from, what they cover."""
    table = _table(False, "Fetched prices", "times in UTC; the manifest holds whole sha256s")
    for header in ("file", "factors", "source", "window", "fetched", "sha256"):
        table.add_column(Text(header), no_wrap=header != "factors")
    for header in ("rows", "warnings"):
        table.add_column(Text(header), justify="right")
    for name, entry in entries.items():
        table.add_row(
            Text(name),
            Text(" ".join(entry.factors)),
            Text(entry.source.split()[0]),
            Text(f"{entry.first} .. {entry.last}"),
            Text(entry.fetched_at[:16].replace("T", " ")),
            Text(entry.sha256[:12]),
            f"{entry.rows:,}",
            str(len(entry.warnings) + len(entry.rewrites)),
        )
    return table


def section_table(section: Section, *, simulated: bool) -> Table:
    """The table of one section of an exhibit."""
    shown = section.shown()
    table = _table(simulated, section.heading)
    _columns(table, *map(str, shown.columns), no_wrap=False)
    for row in shown.itertuples(index=False, name=None):
        table.add_row(*(Text(cell) for cell in row))
    return table


def standard(study: Study) -> str:
    """The standard all models of a study are held to, in words."""
    mpor = study.manifest["coverage"]["mpor"]
    same = set(mpor.values())
    days = (
        f"{same.pop()} margin days"
        if len(same) == 1
        else ", ".join(f"{silo} {d} days" for silo, d in mpor.items())
    )
    constant = study.manifest["rebalance"] == "daily"
    held = "constant USD, rebalanced daily" if constant else "units held"
    if "liquidation" in study.manifest:
        held += COST_WORDS
    return f"{study.manifest['coverage']['confidence']:.1%} over {days}; {held}"


def _bounded(row: Any, name: str) -> str:
    """Estimate and its lower bound, 'n/a' where there is none."""
    return f"{percent(row[name])} [{percent(row[f'{name}_bound'])}]"


def _columns(table: Table, first: str, *others: str, no_wrap: bool = True) -> None:
    table.add_column(Text(first), no_wrap=True)
    for header in others:
        table.add_column(Text(header), justify="right", no_wrap=no_wrap)


def _table(simulated: bool, title: str, note: str = "") -> Table:
    label = "SIMULATED. " if simulated else ""
    return Table(
        title=Text(f"{label}{title} ({note})" if note else f"{label}{title}"),
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        padding=(0, 1),
    )
