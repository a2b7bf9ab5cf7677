"""The page of `backtest validate`: its sections, in the order in which they are read."""

from pathlib import Path

from backtest.present.exhibit import Exhibit, Section
from backtest.present.table import TextTable
from backtest.present.wording import reworded
from backtest.replay.figures.margin_against_loss import margin_against_loss
from backtest.replay.findings.family import detectable_sentence
from backtest.studies.ladder import ladder_tables
from backtest.studies.run.facts import (
    BOUNDS,
    EQUAL_COVERAGE,
    FEW_TAIL_DAYS,
    NO_BOUNDS,
    NO_PAIRS,
    OVERLAP,
    facts_of_run,
    standard_note,
)
from backtest.studies.run.figures import run_figures
from backtest.studies.run.figures.ladder import has_bounds
from backtest.studies.run.findings_tables import (
    disclosures_table,
    family_table,
    pairs_table,
    swings_table,
)
from backtest.studies.run.page import LADDER_TEXT
from backtest.studies.run.tables import cost_table, forecasts_table, pooled_table
from backtest.studies.run.verdict import cost_words, coverage_words
from backtest.studies.validate.answer import validation_answer
from backtest.studies.validate.study import Validation
from backtest.studies.validate.tables import groups_table, monitors_table, tests_table
from backtest.studies.validate.words import in_currency, of_accounts

NOT_AUDITED = (
    "Margins were given and not computed here: whether each was known on its day, and from what, "
    "this page cannot say."
)
MOVED = (
    "Daily P&L summed over the MPOR is that of the positions of those days; where an account "
    "traded, it is not the loss of the positions that were margined."
)


def validation_exhibit(result: Validation) -> Exhibit:
    """Everything a validation shows, from its numbers, in the words of its table."""
    study = result.study
    names = [Path(result.table).name, *study.models, *map(str, study.loss.columns)]
    table = study.provenance.given
    names += [] if table is None else [table.name]
    exhibit = reworded(_exhibit(result), of_accounts(names))
    return reworded(exhibit, in_currency(study.provenance.currency, names))


def _exhibit(result: Validation) -> Exhibit:
    study, table = result.study, result.study.provenance.given
    if table is None:
        raise ValueError("a validation is of a given table.")
    name = study.provenance.name
    figures = {figure.name: figure for figure in run_figures(study, result.ladder, None)}
    terms = tuple((model, _verdict(result, model)) for model in study.models)
    return Exhibit(
        kind="validate",
        title=f"Validation of {name}",
        caption="",
        answer=validation_answer(result),
        simulated=False,
        source_line=standard_note(study),
        sections=(
            Section(
                "verdict",
                "Verdict",
                terms=terms,
                figure=figures["coverage_against_cost"],
                sentences=tuple(table.findings()),
            ),
            Section(
                "tests",
                "Tests, a row an account and model",
                detectable_sentence(study),
                tables=(tests_table(result),),
                figure=figures["exceedance_timeline"],
            ),
            *_forecasts(result),
            *_ladder(result, figures),
            *_pooled(result),
            *_background(result),
        ),
        provenance=study.provenance,
        text="",
        prices=table.sentence(),
        facts=tuple(facts_of_run(study)),
    )


def _verdict(result: Validation, model: str) -> str:
    accounts = [str(name) for name in result.study.loss.columns]
    coverage = coverage_words(result.study, model, accounts, noun="account")
    text = f"{coverage}; {cost_words(result.study, model)}."
    return text[0].upper() + text[1:]


def _forecasts(result: Validation) -> list[Section]:
    tests = result.findings.forecasts
    if tests is None:
        return []
    known = set(tests.index.get_level_values("portfolio"))
    shown = [account for account in result.accounts if account in known]
    return [Section("forecasts", "Forecasts", tables=(forecasts_table(tests, shown),))]


def _ladder(result: Validation, figures: dict) -> list[Section]:  # type: ignore[type-arg]
    if not len(result.ladder):
        return []
    shown = result.ladder.loc[result.ladder.index.isin(result.accounts)]
    tables = ladder_tables(shown) if len(shown) else ()
    figure = figures["offset_ladder"]
    return [Section("offset-ladder", "Offset ladder", LADDER_TEXT, tables=tables, figure=figure)]


def _pooled(result: Validation) -> list[Section]:
    findings = result.findings
    tables = [pooled_table(result.study), family_table(findings)]
    tables += [] if findings.pairs is None else [pairs_table(findings.pairs)]
    tables += [groups_table(result.groups)] if len(result.groups) else []
    cost = (cost_table(result.study, result.accounts, books="the accounts shown"),)
    swings = (swings_table(findings), disclosures_table(findings))
    return [
        Section("pooled", "All accounts pooled", tables=tuple(tables)),
        Section(
            "monitors",
            "Monitors",
            tables=(monitors_table(result),),
            figure=margin_against_loss(result.study, result.accounts[0]),
            on_screen=False,
        ),
        Section("cost", "Cost and severity", tables=cost, on_screen=False),
        Section("swings", "Procyclicality and disclosure", tables=swings, on_screen=False),
    ]


def _background(result: Validation) -> list[Section]:
    study, table = result.study, result.study.provenance.given
    bounds = has_bounds(result.ladder)
    conditions = {
        NOT_AUDITED: True,
        MOVED: table is not None and table.span == "daily" and table.mpor > 1,
        EQUAL_COVERAGE: True,
        BOUNDS: bounds,
        NO_BOUNDS: len(result.ladder) and not bounds,
        OVERLAP: study.overlap > 1,
        FEW_TAIL_DAYS: True,
        NO_PAIRS: len(study.models) > 1 and result.findings.pairs is None,
    }
    limits = tuple(words for words, holds in conditions.items() if holds)
    facts = [] if table is None else table.facts()
    source = (TextTable.of_facts("Where the numbers come from", facts),)
    return [
        Section("limits", "Limits", sentences=limits, on_screen=False),
        Section("data", "Data", tables=source, on_screen=False),
    ]
