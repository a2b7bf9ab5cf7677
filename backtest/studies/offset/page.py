"""The page of `backtest offset`: every table of an offset study beside its figure."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from backtest.offset.credit_granted import ESTIMATED_OFFSET, ESTIMATED_TOTAL
from backtest.present.exhibit import Exhibit, Section
from backtest.present.figure import Figure
from backtest.present.numbers import MISSING, millions, percent
from backtest.present.table import TextTable, records
from backtest.studies.ladder import ladder_tables, with_bound
from backtest.studies.offset.answer import distinct, offset_answer
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
ESTIMATES = {ESTIMATED_TOTAL: "total", ESTIMATED_OFFSET: "dependence"}  # columns of the ladder
ESTIMATED = {"total": "total", "dependence": "offset"}  # in words
OVER_ALL_DAYS = "over all days [bound]"
SETTINGS = {"haircut_scale": "scale of haircuts", "correlation_floor": "correlation floor"}
MEANS = {
    "haircut_mean_margin": "mean margin of scaled haircuts, USD m",
    "floor_mean_margin": "mean margin of offset model, USD m",
}
CORRELATION = "correlation"  # how the names of such stresses begin
MOST_BESIDE = 10  # books whose columns stand beside each other
TEXTS = {
    "ladder": (
        "Offset ladder",
        "Shares of the silos' margins at equal coverage; resampling adds nothing to the "
        "exceedances observed.",
    ),
    "stressed_ladder": (
        "Under stress",
        "Offset [bound], % of the silos' margins, with correlations moved, a longer MPOR, and "
        "without each stress episode in turn. A correlation is moved by putting the shocks of "
        "each price into another order of days: every price keeps its law of one day and yields "
        "stay as they were, day by day. How a price's days follow each other, the clustering of "
        "its volatility and how prices move together are not kept. Books that no yield moves, or "
        "no price, have no such correlation: their rows are those as observed.",
    ),
    "specification_curve": (
        "Over specifications",
        "Lowest, median and highest estimate over lookback, MPOR, window and first day; the ends "
        "with the one-sided 95 % bound of the same choice. Choices with the same scored days count "
        "once. They share most of their days: how many bounds are above 0 is no test.",
    ),
    "granted_against_supported": (
        "Credit granted against credit estimated",
        "Reduction that each model grants, beside total and offset as estimated from the days "
        "then known (rolling windows, without bounds): mean, lowest and highest of the days' "
        "shares. The mean of what a model grants is over all days on which it has a margin, each "
        "day's share with the same weight; 1 less 'required' in the next table is over scored "
        "days, a share of mean margins, and differs a little. Last, the estimate over all days "
        "and what its bound supports of it.",
    ),
    STEPS: (
        "From the silos' margins to the requirement",
        "Mean of each step of the models that grant a reduction, as a share of the mean of the "
        "silos' own margins summed: over all scored days, and over the third of them on which "
        "the book was most volatile (standard deviation of its daily P&L over the 60 days "
        "before; thirds are taken in hindsight). The steps add up to 'required' exactly. Only "
        "'offset' and 'dependence' depend on silos moving together; the CSV file has every "
        "regime, and stress windows, in USD. The figure shows them day by day.",
    ),
    "just_covering": (
        "Settings that just hold coverage",
        "The scale of the haircuts, and the floor under the correlations of an offset model "
        "without a cap, at which the allowed exceedances are just met, in hindsight; mean margins "
        "are those of each book at these settings. A floor of -1 binds nowhere: the correlations "
        "as they were estimated hold the coverage; n/a: not even a floor of +1 does. The haircuts "
        "are those of the study's first haircut model, or the default schedules; n/a: these have "
        "none for an instrument of the book.",
    ),
}


def offset_exhibit(result: OffsetStudy) -> Exhibit:
    """Everything an offset study shows, in the order in which it is read."""
    figures = {figure.name: figure for figure in offset_figures(result)}
    section = partial(_section, result.ranked, figures, sample_lines(result))
    ladder = ladder_tables(result.ranked.rows(result.ladder, "portfolio"))
    sections = (
        section("ladder", result.ladder, tables=ladder),
        _with_side_effect(section("stressed_ladder", result.stresses, _by_book), result.stresses),
        section("specification_curve", result.specifications, _range),
        _explained(
            section("granted_against_supported", result.credit, partial(_averages, result.ladder)),
            result.provenance.omissions,
        ),
        *([section(STEPS, result.steps, _steps_in_brief)] if len(result.steps) else []),
        section("just_covering", result.covering_settings, _in_words),
    )
    origin = result.provenance
    return Exhibit(
        kind="offset",
        title=_title(origin.study),
        caption=CAPTION,
        answer=offset_answer(result),
        simulated=result.market.simulated,
        source_line=(
            f"{origin.prices.sentence()}, {origin.prices.span()}; base {origin.base}; "
            f"{origin.held_to.sentence()}."
        ),
        sections=sections,
        provenance=origin,
        text=result.text,
    )


def _title(study: Mapping[str, Any]) -> str:
    """The title of the page, with that of its study: an annex may hold the pages of two."""
    return ": ".join(
        filter(None, ["The supportable offset", study.get("title") or study.get("name")])
    )


def sample_lines(result: OffsetStudy) -> dict[str, str]:
    """Days of the tables whose sample is not all margin days, by section."""
    origin = result.provenance
    source, standard = origin.prices.sentence(), origin.held_to.sentence()
    lines = {}
    if len(result.ladder):
        days = _whole(result.ladder["observations"])
        lines["ladder"] = f"{source}; {days} scored days; base {origin.base}; {standard}."
    if len(result.specifications):
        mpor = ", ".join(map(str, sorted(set(result.specifications["mpor"]))))
        days = _whole(result.specifications["observations"])
        first = min(str(day)[:10] for day in result.specifications["start"])
        lines["specification_curve"] = (
            f"{source}; {days} scored days, the earliest from {first}; "
            f"{100 * origin.confidence:g} % coverage over an MPOR of {mpor} margin days."
        )
    if len(result.credit):
        dates = sorted(str(day)[:10] for day in result.credit["date"])
        lines["granted_against_supported"] = (
            f"{source}; rolling windows that end {dates[0]} .. {dates[-1]}; {standard}."
        )
    return lines


def _whole(numbers: Iterable[float]) -> str:
    """Lowest and highest of whole numbers."""
    ends = [f"{end:,.0f}" for end in (min(numbers), max(numbers))]
    return ends[0] if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}"


def _with_side_effect(section: Section, stresses: pd.DataFrame) -> Section:
    """The section with how far re-ordering the days of prices moved the diversification."""
    table = stresses["diversification"].astype(float).unstack("stress")  # noqa: PD010
    tied = [stress for stress in table if str(stress).startswith(CORRELATION)]
    moved = table[tied].sub(table["as observed"], axis=0).to_numpy()
    if not np.isfinite(moved).any():
        return section
    ends = " to ".join(percent(end, sign=True) for end in (np.nanmin(moved), np.nanmax(moved)))
    return replace(
        section,
        text=f"{section.text} In rows of a correlation the diversification differs from that as "
        f"observed by {ends} of the silos' margins.",
    )


def _explained(section: Section, omissions: Mapping[str, tuple[str, ...]]) -> Section:
    """The section with what models leave out: why one of them grants nothing."""
    words = " ".join(f"{model}: {' '.join(texts)}" for model, texts in omissions.items())
    return replace(section, text=f"{section.text} {words}") if words else section


def _section(
    ranked: Ranked,
    figures: Mapping[str, Figure],
    samples: Mapping[str, str],
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
        source_line=samples.get(name, ""),
    )


def _format(column: str) -> str:
    """Settings to three digits, shares in percent."""
    return ".3g" if column in SETTINGS.values() else ".1%"


def _by_book(stresses: pd.DataFrame) -> pd.DataFrame:
    """Stresses x books, of many books x stresses: 'offset [bound]' in per cent."""
    cells = stresses[["dependence", "dependence_bound"]].apply(
        lambda row: with_bound(row, "dependence").replace(" %", ""), axis=1
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
    """Lowest, median and highest estimate of each book; the ends with their own bounds."""
    rows = {}
    for book, table in distinct(specifications).groupby("portfolio", sort=False):
        cells: dict[str, object] = {}
        by_place = dict(records(table))
        for name, words in ESTIMATED.items():
            ends = {"lowest": table[name].idxmin(), "highest": table[name].idxmax()}
            for end, place in ends.items():
                cells[f"{end} {words} [bound]"] = with_bound(by_place[place], name)
            cells[f"median {words}"] = percent(table[name].median(), sign=name == "dependence")
        above = (f"{int((table[f'{name}_bound'] > 0).sum()):,}" for name in ESTIMATED)
        cells["bounds above 0, total / offset"] = f"{' / '.join(above)} of {len(table):,}"
        rows[book] = cells
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("portfolio")


def _steps_in_brief(steps: pd.DataFrame) -> pd.DataFrame:
    """Books and models down, steps across, over all days and in the volatile third."""
    rows = steps[steps["regime"].isin([EVERY, THIRDS[-1]])]
    table = rows.pivot_table(
        index=["portfolio", "model", "regime"], columns="step", values="share_of_gross", sort=False
    )
    # 'gross', the silos' own margins summed, is 100 % everywhere; 'required' comes last, as the
    # sum of the others.
    return table[[*table.columns.drop(["gross", REQUIRED]), REQUIRED]]


def _in_words(settings: pd.DataFrame) -> pd.DataFrame:
    """Each setting that just covers, and the mean margin at it."""
    cells = {}
    for (setting, head), (mean, mean_head) in zip(SETTINGS.items(), MEANS.items(), strict=True):
        cells[head] = settings[setting]
        cells[mean_head] = settings[mean].map(millions)
    return pd.DataFrame(cells)


def _averages(ladder: pd.DataFrame, credit: pd.DataFrame) -> pd.DataFrame:
    """Mean of each series over its rolling windows, its lowest and highest, and over all days.

    ladder : over all days, with bounds; models are not in it.
    """
    shares = credit.groupby(["portfolio", "series"], sort=False)["share"]
    table = shares.agg(["mean", "min", "max"]).rename(columns={"min": "lowest", "max": "highest"})
    rows = dict(records(ladder))
    table[OVER_ALL_DAYS] = [
        with_bound(rows[book], ESTIMATES[series]) if series in ESTIMATES else MISSING
        for book, series in table.index
    ]
    granted = {s: f"granted by '{s}'" for s in set(credit["series"]) - set(ESTIMATES)}
    return table.rename(index=granted, level="series")
