"""The page of `backtest offset`: every table of an offset study beside its figure."""

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import pandas as pd

from backtest.present.exhibit import Exhibit, Section
from backtest.present.figure import Figure
from backtest.present.table import TextTable
from backtest.studies.ladder import ladder_tables
from backtest.studies.offset.figures import offset_figures
from backtest.studies.offset.steps_by_day import EVERY, REQUIRED, THIRDS
from backtest.studies.offset.study import OffsetStudy
from backtest.studies.ranked import Ranked

CAPTION = (
    "How much less margin do the data support for these books when their silos are pooled, and how "
    "much of that is truly offset? Margins are scaled so that each silo alone just holds its "
    "coverage; what pooling then saves is split into diversification, which independence alone "
    "gives, and dependence, which needs the days to be the same days and may be called offset. "
    "Bounds are one-sided 95 %, from a stationary bootstrap of days (mean block 20) and an "
    "allowance for drift: how much the years of the history differed beyond noise. Beside each "
    "bound stands how often such bounds were too high in simulated worlds whose truth is known "
    "(docs/offset-calibration.md); above 8 %, read the bound as an estimate."
)
STEPS = "steps_from_gross"
MOST_BESIDE = 10  # books whose columns stand beside each other
TEXTS = {
    "ladder": (
        "Offset ladder",
        "Shares of the silos' margins at equal coverage; resampling adds nothing to the "
        "exceedances observed.",
    ),
    "stressed_ladder": (
        "Under stress",
        "Offset [bound], percentage points, with correlations moved, with a longer MPOR, and "
        "without each stress episode in turn. A correlation is moved by putting the shocks of "
        "each price into another order of days: every price keeps its own law and yields stay as "
        "they were, so books of Treasuries alone do not move; pairs of prices and the clustering "
        "of their volatility change a little.",
    ),
    "specification_curve": (
        "Over specifications",
        "Lowest, median and highest estimate over lookback, MPOR, window and first day.",
    ),
    "granted_against_supported": (
        "Credit granted against credit supported",
        "Reduction that each model grants and that the days of the same rolling window support "
        "(point estimates of total and offset, no bounds): mean, lowest and highest window.",
    ),
    STEPS: (
        "From gross to required",
        "Mean of each step of the models that grant a reduction, as a share of gross: over all "
        "scored days, and over the third of them on which the book was most volatile (standard "
        "deviation of its daily P&L over the 60 days before; thirds are taken in hindsight). The "
        "steps add up to 'required' exactly. Only 'offset' and 'dependence' depend on silos moving "
        "together; the CSV file has every regime, and stress windows, in USD. The figure shows "
        "them day by day.",
    ),
    "just_covering": (
        "Settings that just hold coverage",
        "The scale of the haircuts and the correlation floor at which the allowed exceedances are "
        "just met, in hindsight; each floor tried means margining the book again.",
    ),
}


def offset_exhibit(result: OffsetStudy) -> Exhibit:
    """Everything an offset study shows, in the order in which it is read."""
    figures = {figure.name: figure for figure in offset_figures(result)}
    section = partial(_section, result.ranked, figures)
    ladder = ladder_tables(result.ranked.rows(result.ladder, "portfolio"))
    sections = (
        section("ladder", result.ladder, tables=ladder),
        section("stressed_ladder", result.stresses, _by_book),
        section("specification_curve", result.specifications, _range),
        section("granted_against_supported", result.credit, _averages),
        *([section(STEPS, result.steps, _steps_in_brief)] if len(result.steps) else []),
        section("just_covering", result.covering_settings),
    )
    origin = result.provenance
    return Exhibit(
        kind="offset",
        title="The supportable offset",
        caption=CAPTION,
        simulated=result.market.simulated,
        source_line=(
            f"{origin.prices.sentence()}, {origin.prices.span()}; base {origin.base}; "
            f"{origin.held_to.sentence()}."
        ),
        sections=sections,
        provenance=origin,
        text=result.text,
    )


def _section(
    ranked: Ranked,
    figures: Mapping[str, Figure],
    name: str,
    table: pd.DataFrame,
    in_brief: Callable[[pd.DataFrame], pd.DataFrame] | None = None,
    tables: tuple[TextTable, ...] = (),
) -> Section:
    """A section with its table; `in_brief` is shown of one too long to read, of the worst books."""
    heading, text = TEXTS[name]
    if table.empty:
        return Section(name, heading, f"{text} n/a: the history is too short.")
    rows = ranked.rows(table, "portfolio")
    text = (ranked.note(f"{name}.csv") if rows is not table else "") + text
    brief = rows if in_brief is None else in_brief(rows)
    formats = {str(c): _format(str(c)) for c in brief}
    return Section(
        name,
        heading,
        text,
        table=table,
        brief=brief,
        formats=formats,
        figure=figures.get(name),
        tables=tables,
    )


def _format(column: str) -> str:
    """Counts and money whole, settings and seconds to three digits, shares in percent."""
    if column in ("specifications", "marginings") or column.endswith("margin"):
        return ",.0f"
    return ".3g" if column in ("haircut_scale", "correlation_floor", "seconds") else ".1%"


def _by_book(stresses: pd.DataFrame) -> pd.DataFrame:
    """Stresses x books, of many books x stresses: 'offset [bound]' in percentage points."""
    cells = (100 * stresses[["dependence", "dependence_bound"]]).apply(
        lambda row: f"{row.iloc[0]:+.1f} [{np.floor(row.iloc[1]):+.0f}]", axis=1
    )
    rows, books = (stresses.index.unique(name) for name in ("stress", "portfolio"))
    table = pd.DataFrame({book: cells.xs(book, level="portfolio") for book in books}, index=rows)
    if len(books) <= MOST_BESIDE:
        return table
    # A screen has no room for a dozen heads of the whole word.
    return table.rename(lambda stress: stress.replace("correlation", "corr.")).T.rename_axis(
        "portfolio"
    )


def _range(specifications: pd.DataFrame) -> pd.DataFrame:
    """Lowest, median and highest estimates of each book."""
    grouped = specifications.groupby("portfolio", sort=False)[["total", "dependence"]]
    parts = (
        grouped.min().add_prefix("lowest "),
        grouped.median().add_prefix("median "),
        grouped.max().add_prefix("highest "),
    )
    return pd.concat(parts, axis=1).assign(specifications=grouped.size())


def _steps_in_brief(steps: pd.DataFrame) -> pd.DataFrame:
    """Books and models down, steps across, over all days and in the volatile third."""
    rows = steps[steps["regime"].isin([EVERY, THIRDS[-1]])]
    table = rows.pivot_table(
        index=["portfolio", "model", "regime"], columns="step", values="share_of_gross", sort=False
    )
    # 'gross' is 100 % everywhere; 'required' comes last, as the sum of the others.
    return table[[*table.columns.drop(["gross", REQUIRED]), REQUIRED]]


def _averages(credit: pd.DataFrame) -> pd.DataFrame:
    """Mean of each series over its rolling windows, and its lowest and highest window."""
    shares = credit.groupby(["portfolio", "series"], sort=False)["share"]
    return shares.agg(["mean", "min", "max"]).rename(columns={"min": "lowest", "max": "highest"})
