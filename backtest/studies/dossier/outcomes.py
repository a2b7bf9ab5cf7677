"""Sections 7 and 8: what happened on the scored days, and what other models did."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from backtest.market.episodes import remembered_windows
from backtest.present.exhibit import Section
from backtest.present.figure import Figure
from backtest.present.numbers import percent, ratio
from backtest.present.table import Cell, TextTable, of_column, records
from backtest.replay.figures.margin_against_loss import margin_against_loss
from backtest.replay.findings.disclosures import scored_values
from backtest.replay.worst import selection, worst_rows
from backtest.studies.dossier.fields import stated
from backtest.studies.dossier.folders import Folder, Scored
from backtest.studies.dossier.knowledge import known
from backtest.studies.dossier.one_model import a_row_a_book, findings_of, of_folder, of_study, only
from backtest.studies.dossier.study import Dossier
from backtest.studies.run.findings_tables import family_table, outcomes_table, pairs_table
from backtest.studies.run.tables import cost_table, coverage_table, forecasts_table, pooled_table

OUTCOMES_TEXT = (
    "Losses against margins on the scored days, study by study: every test of every book shown, "
    "all books as one family, forecasts, and the same days by year and stress window. Losses are "
    "over the MPOR of the standard in section 4; those of neighbouring days overlap."
)
INTERVALS_NOTE = (
    "Measured on simulated histories whose truth is known, by how long a shock to volatility takes "
    "to halve. Both ends are the least and the most over lengths of history and worlds."
)
YEARS_NOTE = (
    "Books and days counted together: days of one book overlap, and books of one day share its "
    "news, so no test is made of a row. Years and windows were chosen in hindsight."
)
CHALLENGERS_TEXT = (
    "The other models of the same studies on the same days, and comparisons of folders. A "
    "challenger that does better on these days was chosen among several."
)
NO_CHALLENGER = (
    "No folder here has another model: score one beside it ([models.NAME] in the study file), or "
    "give a folder of `backtest compare`."
)


def outcomes(dossier: Dossier) -> Section:
    """Section 7: every test of the model, by study."""
    tables: list[TextTable] = []
    for each in dossier.studies:
        tables += _of_study(each, dossier.model)
    tables += [_intervals(dossier)] if _measured(dossier) else []
    judged = [("outcomes acceptable for this use", stated(dossier.fields.judgement.outcomes))]
    tables.append(TextTable.of_facts("Judgement on the outcomes", judged))
    return Section(
        "outcomes",
        "7. Outcomes analysis",
        OUTCOMES_TEXT,
        tables=tuple(tables),
        figure=_figure(dossier),
        sentences=() if _measured(dossier) else (NOT_MEASURED.format(levels=_levels(dossier)),),
        on_screen=False,
    )


NOT_MEASURED = (
    "How often the intervals hold was measured at 95 and 99 % (docs/intervals.md) and not at "
    "{levels}: read them as approximate."
)


def _figure(dossier: Dossier) -> Figure:
    """Margin and loss of the book with the most evidence against the model."""
    each = dossier.studies[0]
    study = only(each.study, dossier.model)
    _, book = worst_rows(study.scores.loc[_rows(each, dossier.model)], 1)[0]
    return margin_against_loss(study, str(book))


def _rows(each: Scored, model: str) -> pd.MultiIndex:
    return pd.MultiIndex.from_product([[model], list(each.books)], names=["model", "portfolio"])


def _of_study(each: Scored, model: str) -> list[TextTable]:
    """All tables of one study."""
    study, findings = only(each.study, model), findings_of(each.findings, model)
    shown = worst_rows(study.scores.loc[_rows(each, model)])
    books = [str(book) for _, book in shown]
    words = f"the {selection(len(books), len(each.books), 'named books')}"
    if len(books) == len(each.books):
        books, words = list(each.books), "the named books"
    tables = [
        coverage_table(study, books, books=words),
        cost_table(study, books, books=words),
        outcomes_table(findings, shown, books=words),
        family_table(findings),
        pooled_table(study),
        _by_time(each, model),
    ]
    if findings.forecasts is not None:
        known_books = set(findings.forecasts.index.get_level_values("portfolio"))
        with_forecasts = [book for book in books if book in known_books]
        if with_forecasts:
            tables.append(forecasts_table(findings.forecasts, with_forecasts))
    return [of_study(a_row_a_book(table), each.label, each.study) for table in tables]


def by_time(each: Scored, model: str) -> pd.DataFrame:
    """Exceedances of the named books by calendar year, then by stress window.

    Returns
    -------
    Index `period`. `days` of the record in it, `observations` over all books, `exceedances`,
    `rate` (NaN without observations), `largest`, the largest excess over its margin.
    """
    study, books = each.study, list(each.books)
    places = study.loss.columns.get_indexer(pd.Index(books))
    loss = scored_values(study, study.loss)[:, places]
    required = scored_values(study, study.required[model])[:, places]
    known_days = ~(np.isnan(loss) | np.isnan(required))
    exceeded = loss > required
    with np.errstate(divide="ignore", invalid="ignore"):
        excess = np.where(exceeded, loss / required - 1.0, np.nan)
    years = study.scored.year
    periods = {str(year): np.asarray(years == year) for year in dict.fromkeys(years)}
    for name, (first, last) in remembered_windows().items():
        inside = np.asarray(
            (study.scored >= pd.Timestamp(first)) & (study.scored <= pd.Timestamp(last))
        )
        if inside.any():
            periods[name] = inside
    rows = {}
    for name, inside in periods.items():
        observations, count = int(known_days[inside].sum()), int(exceeded[inside].sum())
        rows[name] = {
            "days": int(inside.sum()),
            "observations": observations,
            "exceedances": count,
            "rate": count / observations if observations else np.nan,
            "largest": float(np.nanmax(excess[inside])) if count else np.nan,
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("period")


def _by_time(each: Scored, model: str) -> TextTable:
    frame = by_time(each, model)
    return TextTable.of(
        f"Exceedances of {model} by year and stress window, named {each.noun}s together",
        "period",
        [(str(name), row) for name, row in records(frame)],
        {
            "days": lambda row: f"{int(row['days']):,}",
            "books and days": lambda row: f"{int(row['observations']):,}",
            "exceedances": lambda row: f"{int(row['exceedances']):,}",
            "rate": of_column("rate", lambda rate: percent(rate, digits=2)),
            "largest excess, in margins": of_column("largest", ratio),
        },
        note=YEARS_NOTE,
    )


def _levels(dossier: Dossier) -> str:
    levels = dict.fromkeys(f"{100 * each.origin.confidence:g} %" for each in dossier.studies)
    return ", ".join(levels)


def _measured(dossier: Dossier) -> list[dict[str, Any]]:
    """Measured coverage of the intervals at the confidence of the studies."""
    levels = {round(each.origin.confidence, 9) for each in dossier.studies}
    return [row for row in known("measured")["intervals"] if row["confidence"] in levels]


def _intervals(dossier: Dossier) -> TextTable:
    """How often the printed intervals hold."""

    def held(name: str) -> Callable[[Any], str]:
        return lambda row: f"{row[name][0]} to {row[name][1]} %"

    verdict = known("measured")["verdict"]
    return TextTable.of(
        "How often the 95 % intervals above hold",
        "interval",
        [
            (f"{row['what']}, standard {100 * row['confidence']:g} %", row)
            for row in _measured(dossier)
        ],
        {
            "shocks halve within 35 days": held("half_life_35_days"),
            "shocks halve in a year": held("half_life_year"),
            "measured in": lambda row: Cell(str(row["document"]), words=True),
        },
        note=f"{INTERVALS_NOTE} Coverage p at 5 % rejects at most {verdict['most']} % of right "
        f"records in any cell measured ({verdict['document']}).",
    )


def challengers(dossier: Dossier) -> Section:
    """Section 8: pairs of models, all models pooled, and comparisons that were given."""
    tables: list[TextTable] = []
    for each in dossier.studies:
        if len(each.study.models) < 2:
            continue
        pairs = findings_of(each.findings, dossier.model).pairs
        own = [] if pairs is None else [pairs_table(pairs)]
        own.append(pooled_table(each.study))
        tables += [of_study(table, each.label, each.study) for table in own]
    comparisons = [f for f in dossier.folders if f.record.stable_kind == "compare"]
    for folder in comparisons:
        tables += _quoted(folder)
    found = bool(tables)
    judged = [("challengers considered", stated(dossier.fields.judgement.challengers))]
    tables.append(TextTable.of_facts("Judgement on the challengers", judged))
    return Section(
        "challengers",
        "8. Challengers",
        CHALLENGERS_TEXT if found or comparisons else NO_CHALLENGER,
        tables=tuple(tables),
        sentences=tuple(
            f"{f.label}: {' '.join(f.record.answer) or f.record.title}" for f in comparisons
        ),
        on_screen=False,
    )


def _quoted(folder: Folder) -> list[TextTable]:
    """Every table of scores of a comparison's page, as it was shown."""
    return [
        of_folder(table, folder)
        for section in folder.record.sections
        if section.name not in ("inputs", "unmatched")
        for table in section.tables
    ]
