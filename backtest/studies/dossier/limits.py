"""Sections 9 to 11: sensitivities with bounds, what the record could show, limits and controls."""

from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any

from backtest.config.grid import Axis
from backtest.present.exhibit import Section
from backtest.present.numbers import millions, percent
from backtest.present.table import Cell, TextTable, of_column, records
from backtest.replay.findings.family import detectable_sentence
from backtest.studies.dossier.fields import stated
from backtest.studies.dossier.folders import RUN, Folder
from backtest.studies.dossier.knowledge import known
from backtest.studies.dossier.one_model import of_folder, of_study
from backtest.studies.dossier.sensitivity import Varied, axis_effects, days_words, effect_sentence
from backtest.studies.dossier.study import Dossier
from backtest.studies.ladder import ladder_tables

OFFSET, POWER = "offset", "power"
LADDER, GRANTED = "ladder", "granted by '{model}'"
QUOTED = (LADDER, "stressed_ladder", "specification_curve", "granted_against_supported")
# Kinds whose evidence has a section of its own; folders of any other are listed in section 9.
PLACED = (RUN, "validate", "grid", OFFSET, POWER)
SENSITIVITIES_TEXT = (
    "How much rests on a choice. Bounds of the offset are one-sided 95 %; their measured share of "
    "unsafe bounds stands beside them. Cells of a grid are not independent, and the best of many "
    "looks better than it is."
)
NO_GRID = (
    "No grid folder varies this model: add the lines of section 4 to the study file and run "
    "`backtest grid`."
)
NO_OFFSET = (
    "No offset folder was given: `backtest offset` on the same study gives the offset under "
    "stressed correlations, over specifications, and the credit granted against that supported."
)
NO_POWER = (
    "No power folder was given: `backtest power --days {days} --confidence {confidence:g}` says "
    "how often each test rejects at this length."
)

POWER_IS_LESS = (
    "Where the two differ, the larger rate is that of the record: tables of a power folder are of "
    "independent days, or of half as many, and where large losses come together for months a "
    "record shows less than either."
)


def sensitivities(dossier: Dossier) -> Section:
    """Section 9: grids axis by axis, the offset with its bounds, and other folders."""
    tables: list[TextTable] = []
    sentences: list[str] = []
    for grid in dossier.grids:
        for axis in grid.axes:
            if len(grid.alike(axis).cells):
                tables.append(_axis_table(dossier, grid, axis))
            else:
                sentences.append(effect_sentence(grid, axis))
        if grid.failed:
            sentences.append(f"{grid.folder.label}: {grid.failed:,} cells have no scores.")
    if not dossier.grids:
        sentences.append(NO_GRID)
    for each in dossier.studies:
        if len(each.ladder):
            shown = each.ladder.loc[each.ladder.index.isin(each.books)]
            own = ladder_tables(shown) if len(shown) else ()
            tables += [of_study(table, each.label, each.study) for table in own]
    for folder in dossier.of_kind(OFFSET):
        tables += _quoted(folder, dossier)
    if not dossier.of_kind(OFFSET) and any(len(each.ladder) for each in dossier.studies):
        sentences.append(NO_OFFSET)
    measured = known("measured")["bounds"]
    if any("unsafe" in each.ladder for each in dossier.studies):
        sentences.append(
            "Bounds of the offset were too high in more than 8 % of simulated histories in "
            f"{measured['unsafe']} of {measured['cells']} cells, all in {measured['worlds']} "
            f"worlds ({measured['document']})."
        )
    sentences += sentences_of_other_kinds(dossier)
    judged = [("sensitivities acceptable", stated(dossier.fields.judgement.sensitivities))]
    tables.append(TextTable.of_facts("Judgement on the sensitivities", judged))
    return Section(
        "sensitivities",
        "9. Sensitivities with bounds",
        SENSITIVITIES_TEXT,
        tables=tuple(tables),
        sentences=tuple(sentences),
        on_screen=False,
    )


def sentences_of_other_kinds(dossier: Dossier) -> list[str]:
    """What folders say that no section is made for, a sentence or two each."""
    return [
        f"{folder.label}: {_says(folder)}"
        for folder in dossier.folders
        if folder.record.kind not in PLACED and folder.record.stable_kind != "compare"
    ]


def _says(folder: Folder) -> str:
    """What the page of another command says first, and which sections it has."""
    words = " ".join(folder.record.answer) or folder.record.title
    headings = ", ".join(section.heading for section in folder.record.sections)
    return f"{words} Its page ({folder.path.resolve().name}) has: {headings}."


def _axis_table(dossier: Dossier, grid: Varied, axis: Axis) -> TextTable:
    def number(name: str) -> Callable[[Any], str]:
        return lambda row: f"{int(row[name]):,}"

    words = grid.alike(axis).words
    rows = [(f"{value}", row) for value, row in records(axis_effects(grid, axis)) if row["rows"]]
    table = TextTable.of(
        f"{dossier.model} by {axis.name}, over all other axes and books",
        axis.name,
        rows,
        {
            "rows": number("rows"),
            "scored days": days_words,
            "exceedances": number("exceedances"),
            "rate": of_column("exceedance_rate", lambda rate: percent(rate, digits=2)),
            "rejected at 5 %": number("rejected"),
            f"mean margin, {dossier.currency} m": of_column("mean_margin", millions),
            f"equal coverage, {dossier.currency} m": of_column("equal_coverage_margin", millions),
        },
        note="Rejected: coverage p at or below 5 %, each row for itself. Means over the rows"
        f"{', ' if words else ''}{words}.",
    )
    return of_folder(table, grid.folder)


def _quoted(folder: Folder, dossier: Dossier) -> list[TextTable]:
    """Tables of an offset folder's page, as they were shown, without rows of other models.

    The ladder of a run on the same prices is the same as that of the folder, and is not repeated.
    """
    levels = {f.levels for f in dossier.folders if f.scored is not None and len(f.scored.ladder)}
    others = {model for each in dossier.studies for model in each.study.models} - {dossier.model}
    series = others | {GRANTED.format(model=model) for model in others}
    return [
        of_folder(_without(table, series), folder)
        for name in QUOTED
        if (section := folder.record.section(name)) is not None
        if name != LADDER or folder.levels not in levels
        for table in section.tables
    ]


def _without(table: TextTable, series: Collection[str]) -> TextTable:
    """A table without the rows whose second cell names one of these series."""
    if len(table.heads) < len(("book", "series")) or table.heads[1] != "series":
        return table
    kept = tuple(
        (name, rows)
        for name, rows in table.groups
        if not all(row and row[0].text in series for row in rows)
    )
    return replace(table, groups=kept)


def power(dossier: Dossier) -> Section:
    """Section 10: the smallest miscoverage that each record could have shown."""
    sentences = [f"{each.label}: {detectable_sentence(each.study)}" for each in dossier.studies]
    tables: list[TextTable] = []
    for folder in dossier.of_kind(POWER):
        section = folder.record.section("smallest_detectable")
        tables += [] if section is None else [of_folder(t, folder) for t in section.tables]
        sentences += [] if section is None else [f"{folder.label}: {section.text}"]
    if tables:
        sentences.append(POWER_IS_LESS)
    if not tables:
        longest = max(dossier.studies, key=lambda each: len(each.study.scored))
        sentences.append(
            NO_POWER.format(days=len(longest.study.scored), confidence=longest.origin.confidence)
        )
    return Section(
        "power",
        "10. Power: what this record could not show",
        "A model that is not rejected has not been shown to be right: a record shows only "
        "miscoverage that is large enough.",
        tables=tuple(tables),
        sentences=tuple(sentences),
        on_screen=False,
    )


def limitation_section(dossier: Dossier) -> Section:
    """Section 11: each limitation beside what answers it."""
    table = TextTable.of(
        "Limitations and controls",
        "limitation",
        [(row.key, row) for row in dossier.limitations],
        {
            "what it is": lambda row: Cell(row.words, words=True),
            "what the tool offers": lambda row: Cell(row.control, words=True),
            "control in use": lambda row: Cell(row.stated, words=True),
            "owner": lambda row: Cell(row.owner, words=True),
        },
    )
    judged = [("limitations acceptable", stated(dossier.fields.judgement.limitations))]
    return Section(
        "limitations",
        "11. Limitations and controls",
        "The limitations that the studies state of themselves. A control that the tool offers is "
        "no control in use: that is for a person to state.",
        tables=(table, TextTable.of_facts("Judgement on the limitations", judged)),
        on_screen=False,
    )
