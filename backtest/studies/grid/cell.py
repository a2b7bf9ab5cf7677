"""One cell of a grid: what `backtest run` gives of its study, or why there is nothing."""

import time
from collections.abc import Collection
from dataclasses import dataclass, field, replace

import pandas as pd

from backtest.config.cells import Cell
from backtest.estimators.fits import Certificates
from backtest.model.certificate import CausalityAudit
from backtest.model.opened_files import OpenedFile
from backtest.replay.audit import audit_models, check_audited
from backtest.replay.run import run
from backtest.replay.standard import Window
from backtest.replay.study import Study
from backtest.studies.inputs import Inputs, result_of, sizing_name
from backtest.types import BacktestError, unheard

FAILED = "failed"  # column with the reason where a row has no numbers


@dataclass(frozen=True)
class Facts:
    """What is known of a finished cell beside its scores.

    Parameters
    ----------
    failed : why the whole cell has no scores; empty where it has. failures : why models that the
        study may do without have none, by name.
    window : the scored days. audits : causality audits that were made in this cell, by what they
        are of; fits : by model. opened : files that its models opened.
    """

    failed: str = ""
    failures: dict[str, str] = field(default_factory=dict)
    window: Window | None = None
    audits: dict[str, CausalityAudit] = field(default_factory=dict)
    fits: dict[str, Certificates] = field(default_factory=dict)
    opened: tuple[OpenedFile, ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True, eq=False)
class CellResult:
    """A finished cell: a row a (model, portfolio) with the columns of `Study.summary`, and facts.

    A cell that failed has one row, without model, portfolio and scores.
    """

    table: pd.DataFrame
    facts: Facts


def audited_names(cell: Cell) -> list[str]:
    """The models of a cell that are audited: those that are scored, and the one that sizes."""
    return [*cell.study.models, sizing_name(cell.study.models)]


def compute_cell(inputs: Inputs, cell: Cell, unaudited: Collection[str]) -> CellResult:
    """The scores of a cell; what a user could mend in it is its reason and not the grid's end.

    unaudited : of `audited_names`, those whose causality no other cell has shown.
    """
    began = time.perf_counter()
    opened: set[OpenedFile] = set()
    failures: dict[str, str] = {}
    try:
        of_cell = inputs.of_study(cell.study)
        opened = of_cell.file_record
        audits: dict[str, CausalityAudit] = {}

        def compute(remaining: Inputs) -> Study:
            failures.update(remaining.failures)
            audits.clear()
            return _scored(remaining, cell, unaudited, audits)

        study = result_of(of_cell, compute)
    except BacktestError as error:
        reason = " ".join(str(error).split())
        facts = Facts(failed=reason, opened=tuple(sorted(opened)), seconds=_since(began))
        return CellResult(
            _rows(cell, pd.DataFrame([{"model": "", "portfolio": ""}]), reason), facts
        )
    origin = replace(study.provenance, failed_models=failures)
    facts = Facts(
        failures=failures,
        window=origin.window,
        audits=audits,
        fits={cell.model_label(name): fits for name, fits in origin.fits.items()},
        opened=tuple(sorted(opened)),
        seconds=_since(began),
    )
    summary = replace(study, provenance=origin).summary().reset_index().infer_objects()
    return CellResult(_rows(cell, summary, ""), facts)


def _scored(
    inputs: Inputs, cell: Cell, unaudited: Collection[str], audits: dict[str, CausalityAudit]
) -> Study:
    """The study of a cell as `backtest run` scores it; adds the audits that it takes."""
    config, coverage = inputs.config, inputs.config.standard()
    models = {sizing_name(config.models): inputs.base} | inputs.models
    made, audited = audit_models(
        {name: model for name, model in models.items() if name in unaudited},
        inputs.market,
        inputs.book,
        coverage,
        named=list(config.books),
        progress=unheard,
    )
    study = run(
        inputs.market,
        inputs.book,
        inputs.models,
        coverage=coverage,
        account=config.terms(),
        score_from=config.score_from,
        seed=config.seed,
        audit=False,
    )
    in_use = {name: seen for name, seen in audited.items() if name in inputs.models}
    check_audited(in_use, lambda name: study.required[name].to_numpy(), inputs.book.portfolios)
    audits.update({cell.audit_label(name): audit for name, audit in made.items()})
    return study


def _rows(cell: Cell, table: pd.DataFrame, reason: str) -> pd.DataFrame:
    """Rows of a cell with its values on the axes first, and the reason of those without numbers."""
    if FAILED not in table:
        table = table.assign(**{FAILED: reason})
    for place, (axis, value) in enumerate(cell.row.items()):
        table.insert(place, axis, value)
    return table


def _since(began: float) -> float:
    return round(time.perf_counter() - began, 3)
