"""Section 3: what the data are worth, file by file and day by day."""

from collections.abc import Callable, Sequence
from typing import Any

from backtest.present.exhibit import Section
from backtest.present.numbers import percent
from backtest.present.table import Cell, TextTable
from backtest.replay.given_table import NOT_SEEN
from backtest.studies.dossier.fields import DataSource, stated
from backtest.studies.dossier.folders import Scored
from backtest.studies.dossier.knowledge import known
from backtest.studies.dossier.study import Dossier, files_of
from backtest.studies.run.facts import facts_of_data

DATA_TEXT = (
    "What the examination of the prices found, and how they got here: every file with its sha256, "
    "the days that were dropped, and what is doubtful. Whether the source is good enough is a "
    "judgement."
)

GIVEN_TEXT = (
    "So nothing was examined but the table: its days, signs and repeats. Whether the source is "
    "good enough is a judgement."
)


def data_quality(dossier: Dossier) -> Section:
    """Section 3: lineage, dropped days and findings of every study's prices."""
    tables = [_lineage(each) for each in dossier.studies]
    tables += [_doubts(each) for each in dossier.studies if _has_doubts(each)]
    files = files_of(dossier.studies)
    tables += [_publishers(dossier, files)] if files else []
    priced = any(each.origin.given is None for each in dossier.studies)
    judged = [
        *([("what such an examination finds", _examination_finds())] if priced else []),
        ("data fit for this use", stated(dossier.fields.judgement.data)),
    ]
    return Section(
        "data",
        "3. Data quality",
        DATA_TEXT if priced else f"{NOT_SEEN[0].upper()}{NOT_SEEN[1:]}. {GIVEN_TEXT}",
        tables=(*tables, TextTable.of_facts("Judgement on the data", judged)),
        on_screen=False,
    )


def _lineage(each: Scored) -> TextTable:
    given = each.origin.given
    facts: Sequence[tuple[str, str]] = (
        given.facts()
        if given is not None
        else [fact for fact in facts_of_data(each.study) if not fact[0].startswith("found of")]
    )
    return TextTable.of_facts(f"Where the numbers of {each.label} come from", facts)


def _examination_finds() -> str:
    measured = known("measured")["examination"]
    return (
        f"measured on faults planted in real prices: {measured['found']:,} of "
        f"{measured['planted']:,} found; at the sizes of public bug reports "
        f"{measured['reported_found']:,} of {measured['reported']:,} ({measured['document']})"
    )


def _publishers(dossier: Dossier, files: Sequence[str]) -> TextTable:
    """Who published each file, as a person states it."""
    said = {name: dossier.fields.sources.get(name, DataSource()) for name in files}

    def of_field(name: str) -> Callable[[Any], Cell]:
        return lambda row: Cell(stated(getattr(row, name)), words=True)

    return TextTable.of(
        "Where the files come from",
        "file",
        list(said.items()),
        {name: of_field(name) for name in DataSource.model_fields},
        note="The name of a file proves nothing: its sha256 above says which content was read.",
    )


def _has_doubts(each: Scored) -> bool:
    return each.origin.given is None and bool(each.origin.prices.findings)


def _doubts(each: Scored) -> TextTable:
    """What the examination found doubtful, and whether somebody accepted it."""
    return TextTable.of(
        f"What the examination of the prices of {each.label} found doubtful",
        "factor, kind",
        [(f"{doubt.factor}, {doubt.kind}", doubt) for doubt in each.origin.prices.findings],
        {
            "days": lambda doubt: f"{len(doubt.days):,}",
            "scored days touched": lambda doubt: percent(doubt.scored_share),
            "what": lambda doubt: Cell(doubt.sentence, words=True),
            "accepted, because": lambda doubt: Cell(doubt.accepted or "not accepted", words=True),
        },
    )
