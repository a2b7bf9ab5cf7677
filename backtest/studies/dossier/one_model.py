"""What a study shows of one model: the study as if it had no other, and tables that name it."""

from dataclasses import replace

import pandas as pd

from backtest.present.table import TextTable
from backtest.replay.findings import Findings
from backtest.replay.study import Study
from backtest.studies.dossier.folders import Folder


def of_study(table: TextTable, label: str, study: Study) -> TextTable:
    """A table of one study: its caption names the study, its line the study's days and source."""
    source = f"{study.provenance.sentence()}."
    return replace(table, caption=f"{label}: {table.caption}", source_line=source)


def of_folder(table: TextTable, folder: Folder) -> TextTable:
    """A table that the page of a folder showed, as it was shown, with its line."""
    source = table.source_line or folder.record.source_line
    return replace(table, caption=f"{folder.label}: {table.caption}", source_line=source)


def a_row_a_book(table: TextTable) -> TextTable:
    """A table of models within books, of which there is one: its name in every row tells nothing.

    Examples
    --------
    >>> from backtest.present.table import Cell
    >>> nested = TextTable("T", ("book", "model", "rate"), (("a", ((Cell("m"), Cell("1 %")),)),),
    ...                    nested=True)
    >>> flat = a_row_a_book(nested)
    >>> flat.heads, [cell.text for cell in flat.groups[0][1][0]]
    (('book', 'rate'), ['1 %'])
    """
    if not table.nested or any(len(rows) != 1 for _, rows in table.groups):
        return table
    groups = tuple((name, (tuple(rows[0][1:]),)) for name, rows in table.groups)
    heads = (table.heads[0], *table.heads[2:])
    return replace(table, heads=heads, groups=groups, nested=False)


def only(study: Study, model: str) -> Study:
    """The study with one of its models; every number stays as it is stored."""
    return replace(
        study,
        required={model: study.required[model]},
        held={model: study.held[model]},
        call={model: study.call[model]},
        shortfall={model: study.shortfall[model]},
        scores=study.scores.loc[[model]],
        pooled=study.pooled.loc[[model]],
    )


def findings_of(findings: Findings, model: str) -> Findings:
    """The tables of one model; pairs are those in which it is one of the two."""

    def rows(table: pd.DataFrame) -> pd.DataFrame:
        return table[table.index.get_level_values("model") == model]

    pairs, forecasts = findings.pairs, findings.forecasts
    if pairs is not None:
        sides = [pairs.index.get_level_values(level) == model for level in ("model", "against")]
        pairs = pairs[sides[0] | sides[1]]
    if forecasts is not None:
        forecasts = rows(forecasts)
    return replace(
        findings,
        disclosures=findings.disclosures[["title", "unit", model]],
        swings=rows(findings.swings),
        money=rows(findings.money),
        tests=rows(findings.tests),
        family=rows(findings.family),
        family_summary=rows(findings.family_summary),
        pairs=pairs if pairs is not None and len(pairs) else None,
        forecasts=forecasts if forecasts is not None and len(forecasts) else None,
    )
