"""From a study file with a [grid] to the scores of all its cells, kept one by one."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd

from backtest.config.cells import AS_OF, Cell, cells_of
from backtest.config.grid import Axis
from backtest.config.load import load_study
from backtest.config.schema import StudyFile
from backtest.estimators.fits import total_fits
from backtest.model.opened_files import recording
from backtest.model.protocol import MarginModel
from backtest.parameters.sources import ParameterSource, versions_named
from backtest.replay.kept import kept_blocks
from backtest.replay.origin import Prices
from backtest.replay.provenance import Provenance, digest
from backtest.studies.basis import basis_of
from backtest.studies.grid.cell import Facts, audited_names, compute_cell
from backtest.studies.grid.kept import KeptCells
from backtest.studies.inputs import Inputs, read_inputs
from backtest.types import Dates, Progress, StudyError
from backtest.workers import in_parallel


@dataclass(frozen=True, eq=False)
class Grid:
    """A finished grid.

    Parameters
    ----------
    table : a row a cell x model x book: the values of the axes, then the columns of
        `Study.summary`, then `failed`, the reason of a row without numbers.
    axes : in the order of the file. config, text : the study file, as tables and verbatim.
    provenance : of all cells. kept : the finished cells, which a results folder replaces; None
        where it was read from one.
    """

    table: pd.DataFrame
    axes: tuple[Axis, ...]
    config: StudyFile
    text: str
    provenance: Provenance
    kept: KeptCells | None = None

    @property
    def cells(self) -> list[dict[str, Any]]:
        """Of each cell its values, its confidence, its scored days, and why it failed."""
        return list(self.provenance.details["cells"])


def study_grid(
    study_file: Path | None,
    *,
    data: str | None = None,
    seed: int | None = None,
    n_jobs: int = 1,
    resume: Path | None = None,
    out: Path,
    progress: Progress,
) -> Grid:
    """Every cell of a study's [grid], each as `backtest run` scores its study.

    Cells are kept in a folder in `out` as they are finished.

    resume : such a folder; what it holds is not computed again.

    Raises
    ------
    StudyError : an axis or a value that cannot be, before any cell is computed; or no cell that
        could be scored. ResultsError : cells to go on with are of other inputs.
    """
    cells_of(load_study(study_file)[0])  # before the prices are read, which takes seconds
    inputs = read_inputs(study_file, data=data, seed=seed, grid=True, progress=progress)
    with recording(inputs.file_record):
        cells = cells_of(inputs.config)
        basis = basis_of(inputs)
    name = f"{inputs.config.name}-grid_{digest(basis)[:8]}"
    keeping = kept_blocks(
        out, name, basis, unit="cells", total=len(cells), resume=resume, progress=progress
    )
    with keeping as blocks:
        kept = KeptCells(blocks)
        for batch in (_first_of_their_models, _remaining):
            _compute(batch(cells, kept), inputs, kept, n_jobs=n_jobs, progress=progress)
        table = kept.table()
        if all(facts.failed for facts in kept.facts.values()):
            kept.remove()
            raise StudyError(f"no cell of the grid has scores; the first: {kept.facts[1].failed}")
        provenance = _provenance(inputs, cells, kept.facts)
    return Grid(table, tuple(cells[0].at), inputs.config, inputs.text, provenance, kept)


Batch = list[tuple[Cell, list[str]]]  # cells, and whose causality is audited in each


def _first_of_their_models(cells: Sequence[Cell], kept: KeptCells) -> Batch:
    """The cells in which a model, or its positions, are met for the first time."""
    known = _audited(kept)
    batch: Batch = []
    for cell in cells:
        labels = {name: cell.audit_label(name) for name in audited_names(cell)}
        new = [name for name, label in labels.items() if label not in known]
        if new and cell.number not in kept.facts:
            batch.append((cell, new))
            known |= set(labels.values())
    return batch


def _remaining(cells: Sequence[Cell], kept: KeptCells) -> Batch:
    """All other cells; where the first of a model failed, each audits it for itself."""
    known = _audited(kept)
    return [
        (cell, [name for name in audited_names(cell) if cell.audit_label(name) not in known])
        for cell in cells
        if cell.number not in kept.facts
    ]


def _audited(kept: KeptCells) -> set[str]:
    return {label for facts in kept.facts.values() for label in facts.audits}


def _compute(
    batch: Batch, inputs: Inputs, kept: KeptCells, *, n_jobs: int, progress: Progress
) -> None:
    """Compute cells and keep each as soon as it and those before it are finished."""
    tasks = (joblib.delayed(compute_cell)(cell, names) for cell, names in batch)
    progress("cells", len(kept.facts) / kept.blocks.total)
    results = in_parallel(tasks, n_jobs=n_jobs, shared=(inputs,))
    for (cell, _), result in zip(batch, results, strict=True):
        kept.add(cell.number, result)
        progress("cells", len(kept.facts) / kept.blocks.total)


def _provenance(inputs: Inputs, cells: Sequence[Cell], facts: Mapping[int, Facts]) -> Provenance:
    """Where the numbers of all cells come from; models and audits are named with their axes."""
    inputs.file_record.update(file for each in facts.values() for file in each.opened)
    config, market = inputs.config, inputs.market
    origin = Provenance.of(
        market,
        inputs.book,
        _models(cells),
        coverage=config.standard(),
        account=config.terms(),
        seed=config.seed,
        fits=total_fits([each.fits for each in facts.values()]),
        causality={k: audit for each in facts.values() for k, audit in each.audits.items()},
        seconds={"cells": round(sum(each.seconds for each in facts.values()), 3)},
        details={"cells": [_details(cell, facts[cell.number]) for cell in cells]},
    )
    varied = {axis.target[0] for axis in cells[0].at}
    if AS_OF in varied:  # each cell has the rules of its own day
        origin = replace(origin, parameters=_of_own_days(cells, origin.parameters))
    origin = inputs.described(
        replace(
            origin,
            data=Prices.of(market, _scored(market.dates, facts)),
            standard=None if varied & {"coverage", "closeout", "rebalance"} else origin.standard,
            account=None if varied & {"account", "collateral"} else origin.account,
        )
    )
    return replace(origin, failed_models=dict(_left_out(cells, facts)))


def _models(cells: Sequence[Cell]) -> dict[str, MarginModel]:
    """Every model with every set of its parameters, once each."""
    models: dict[str, MarginModel] = {}
    for cell in cells:
        labels = {cell.model_label(name): name for name in cell.study.models}
        if not labels.keys() <= models.keys():
            built = cell.study.margin_models()
            models = {label: built[name] for label, name in labels.items()} | models
    return models


def _of_own_days(
    cells: Sequence[Cell], used: Mapping[str, tuple[ParameterSource, ...]]
) -> dict[str, tuple[ParameterSource, ...]]:
    """The files behind each model, marked as the rule of a cell's day unless named outright."""
    outright = {
        cell.model_label(name): {source.name for source in versions_named(model)}
        for cell in cells
        for name, model in cell.study.stated_models().items()
    }
    return {
        label: tuple(replace(s, replayed=s.name not in outright[label]) for s in sources)
        for label, sources in used.items()
    }


def _details(cell: Cell, facts: Facts) -> dict[str, Any]:
    window = {} if facts.window is None else vars(facts.window)
    values = {"values": cell.row, "confidence": cell.study.coverage.confidence}
    return {**values, **window, "failed": facts.failed, "seconds": facts.seconds}


def _scored(dates: Dates, facts: Mapping[int, Facts]) -> Dates:
    """Days of the market that some cell scores."""
    windows = [each.window for each in facts.values() if each.window is not None]
    first = np.datetime64(min(window.first_scored for window in windows))
    last = np.datetime64(max(window.last_scored for window in windows))
    return dates[(dates >= first) & (dates <= last)]


def _left_out(cells: Sequence[Cell], facts: Mapping[int, Facts]) -> Iterator[tuple[str, str]]:
    """What failed, each reason once with the cells that it is the reason of."""
    places: dict[str, list[Cell]] = {}
    for cell in cells:
        each = facts[cell.number]
        for reason in filter(None, (each.failed, *each.failures.values())):
            places.setdefault(reason, []).append(cell)
    for reason, some in places.items():
        which = f"{len(some)} of {len(cells)} cells, the first with {some[0].words}"
        yield which, f"{which}: {reason}"
