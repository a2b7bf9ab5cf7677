"""The results folder of a validation, with the table that it was made of."""

import shutil
from dataclasses import replace
from pathlib import Path

from backtest.present.csv_table import write_csv
from backtest.present.exhibit import Exhibit
from backtest.present.folder import results_folder
from backtest.present.store import write_page
from backtest.studies.validate.study import Validation
from backtest.types import Progress, unheard


def write_results(result: Validation, exhibit: Exhibit, out: Path, *, command: str) -> Path:
    """The results folder of a validation: `<UTC>_<file>_<hash8>/`, complete or not there at all.

    Raises
    ------
    ResultsError : the folder cannot be written; no half-written folder is left behind.
    """
    origin = result.study.provenance
    with results_folder(out, f"{origin.name}_{origin.sha256[:8]}") as folder:
        origin = replace(origin, command=command, written=folder.stamp)
        result = replace(result, study=replace(result.study, provenance=origin))
        shutil.copyfile(result.table, folder.partial / input_name(result.table))
        write_numbers(result, folder.partial, progress=exhibit.progress)
        write_page(exhibit, folder.partial, command=command)
    return folder.final


def input_name(table: Path) -> str:
    """Name of the copy of a table in a results folder."""
    return f"input{table.suffix.lower()}"


def write_numbers(result: Validation, folder: Path, *, progress: Progress = unheard) -> None:
    """Every number of a validation; the manifest has the hash of each file, the table's too."""
    if len(result.ladder):
        write_csv(result.ladder, folder / "ladder.csv")
    write_csv(result.monitors, folder / "monitors.csv")
    if len(result.groups):
        write_csv(result.groups, folder / "groups.csv")
    if len(result.forecasts):
        result.forecasts.to_parquet(folder / "forecasts.parquet", index=False, compression="zstd")
    for name, table in result.findings.by_file().items():
        write_csv(table, folder / f"{name}.csv")
    files = sorted(file.name for file in folder.iterdir() if file.is_file())
    result.study.save(folder, beside=files, progress=progress)
