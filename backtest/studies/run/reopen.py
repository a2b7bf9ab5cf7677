"""Results folders read back, and the report written again."""

import os
from collections.abc import Container, Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd

from backtest.config.load import CONTRACTS_FILE, read_study
from backtest.interrupts import held
from backtest.present.csv_table import read_csv
from backtest.present.exhibit import Exhibit
from backtest.present.figure import DRAWING
from backtest.present.folder import partial_folder, remove_abandoned
from backtest.present.store import write_page
from backtest.replay.coherence import as_written, refusal
from backtest.replay.distribution import Distribution
from backtest.replay.findings import Findings
from backtest.replay.provenance import Provenance
from backtest.replay.seal import change_message, read_manifest
from backtest.replay.study import Study
from backtest.studies.run.page import run_exhibit
from backtest.studies.run.study import Run
from backtest.studies.stress.store import STRESS_FILES, stored_stress
from backtest.types import Progress, ResultsError, unheard

STUDY_FILE, LADDER, GRID = "study.toml", "ladder.csv", "grid.parquet"


def finished_run(folder: Path) -> Study:
    """The study of a folder that `backtest run` wrote, every file as it was written.

    Raises
    ------
    ResultsError : the folder holds no finished run, or a file of it was changed.
    """
    study = Study.load(folder)
    require(folder, read_manifest(folder)[1])
    return study


def stored_run(folder: Path) -> Run:
    """The run that a results folder holds; derived tables are computed again from its study.

    Raises
    ------
    ResultsError : the folder holds no finished run, or a file of it was changed.
    """
    with as_written(folder):
        return _stored_run(folder)


def _stored_run(folder: Path) -> Run:
    study = finished_run(folder)
    ladder = read_table(folder / LADDER).set_index("portfolio")
    if len(ladder):  # an empty reason is an empty cell of the CSV, which is read as NaN
        ladder["reason"] = ladder["reason"].astype(object).fillna("")
    forecasts = _read_if_there(folder / "forecasts.parquet")
    text = (folder / STUDY_FILE).read_text(encoding="utf-8")
    config = read_study(text, where=f"{folder.name}/{STUDY_FILE}", folder=folder)
    if set(config.beside) != set(study.provenance.study.get("beside", ())):
        raise ResultsError(change_message(folder, CONTRACTS_FILE))
    return Run(
        study=study,
        findings=Findings.of(study, forecasts),
        ladder=ladder,
        forecasts=pd.DataFrame() if forecasts is None else forecasts,
        sweep=_read_if_there(folder / "sweep.csv"),
        distribution=Distribution.load(folder),
        config=config,
        text=text,
        stress=stored_stress(
            {path.stem: read_table(path) for path in sorted(folder.glob(STRESS_FILES))}
        ),
    )


def rewrite_report(folder: Path, *, progress: Progress = unheard) -> Path:
    """Figures and report.html of a results folder, from its stored numbers.

    They are written to a temporary folder first: a failed report leaves the old one unchanged.

    Raises
    ------
    ResultsError : the folder holds no finished study, or a file of it was changed.
    """
    origin, names = read_manifest(folder)
    progress(DRAWING, 0.0)
    exhibit = _stored_exhibit(folder, origin, names)
    if (folder / "figures").is_symlink():
        raise refusal(folder, "figures that lie elsewhere")
    try:
        remove_abandoned(folder)
        with partial_folder(folder, "report") as aside:
            write_page(replace(exhibit, progress=progress), aside.partial, command=origin.command)
            files = sorted(p for p in aside.partial.rglob("*") if p.is_file())
            with held():
                (folder / "figures").mkdir(exist_ok=True)
                for file in files:
                    os.replace(file, folder / file.relative_to(aside.partial))
    except OSError as error:
        raise ResultsError(
            f"cannot write the report to {str(folder)!r}: {error.strerror}."
        ) from error
    progress(DRAWING, 1.0)
    return folder / "report.html"


def _stored_exhibit(folder: Path, origin: Provenance, names: Container[str]) -> Exhibit:
    """What a folder of `backtest run`, `backtest grid` or `backtest validate` shows."""
    if GRID in names:
        from backtest.studies.grid.page import grid_exhibit
        from backtest.studies.grid.store import stored_grid

        grid = stored_grid(folder)
        with as_written(folder):
            return grid_exhibit(grid)
    if origin.given is None:
        run = stored_run(folder)
        with as_written(folder):
            return run_exhibit(run)
    from backtest.studies.validate.page import validation_exhibit
    from backtest.studies.validate.reopen import stored_validation

    result = stored_validation(folder)
    with as_written(folder):
        return validation_exhibit(result)


def require(folder: Path, files: dict[str, str]) -> None:
    """A folder that `Study.save` wrote alone holds neither study file nor ladder."""
    for name in (STUDY_FILE, LADDER):
        if name not in files:
            raise ResultsError(
                f"{str(folder)!r} was not written by `backtest run`: it has no {name}."
            )


def _read_if_there(path: Path) -> pd.DataFrame | None:
    return read_table(path) if path.exists() else None


def read_table(path: Path) -> pd.DataFrame:
    """One stored table, its index among its columns."""
    return pd.concat(table_pieces(path), ignore_index=True)


def table_pieces(path: Path) -> Iterator[pd.DataFrame]:
    """A stored table in the pieces in which it was written, which bound the memory.

    Raises
    ------
    ResultsError : the file is not a table.
    """
    import pyarrow.parquet as pq

    try:
        if path.suffix == ".parquet":
            with pq.ParquetFile(path) as stored:
                for number in range(stored.num_row_groups):
                    yield stored.read_row_group(number).to_pandas()
        else:
            yield read_csv(path)
    except (OSError, ValueError) as error:
        raise ResultsError(
            f"{path.name} of {str(path.parent)!r} is not a table any more; put the file back or "
            "run the study again."
        ) from error
