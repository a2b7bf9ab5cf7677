"""The results folder of a grid: its table, its page, and what it takes to get it again."""

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pandas as pd

from backtest.config.grid import axes_of
from backtest.config.load import read_study
from backtest.present.csv_table import write_csv
from backtest.present.exhibit import Exhibit
from backtest.present.folder import results_folder
from backtest.present.store import write_page
from backtest.replay.coherence import as_written
from backtest.replay.seal import change_message, changed_files, read_manifest, write_manifest
from backtest.studies.grid.study import Grid
from backtest.studies.run.reopen import GRID
from backtest.studies.run.store import write_sources
from backtest.types import ResultsError

MOST_IN_CSV = 20_000  # rows: a larger table is opened by programs, which read parquet


def write_results(grid: Grid, exhibit: Exhibit, out: Path, *, command: str) -> Path:
    """The results folder of a grid: `<UTC>_<study>-grid_<hash8>/`, complete or not there at all.

    The finished cells are removed once it is complete.

    Raises
    ------
    ResultsError : the folder cannot be written; the finished cells are still there.
    """
    origin = grid.provenance
    name = f"{origin.name}-{exhibit.kind}_{origin.sha256[:8]}"
    stored = nullcontext() if grid.kept is None else grid.kept.blocks.until_stored()
    with stored, results_folder(out, name) as folder:
        place = folder.partial
        write_sources(grid.config, grid.text, origin, place)
        grid.table.to_parquet(place / GRID, index=False, compression="zstd")
        if len(grid.table) <= MOST_IN_CSV:
            write_csv(grid.table, place / "grid.csv", index=False)
        files = sorted(file for file in place.rglob("*.*") if file.is_file())
        names = [file.relative_to(place).as_posix() for file in files]
        written = replace(origin, command=command, written=folder.stamp)
        write_manifest(place, written, names=names)
        write_page(exhibit, place, command=command)
    return folder.final


def stored_grid(folder: Path) -> Grid:
    """The grid of a results folder, every file as it was written; no model is built.

    Raises
    ------
    ResultsError : a file of it was changed.
    """
    origin, files = read_manifest(folder)
    for name in changed_files(folder, files):
        raise ResultsError(change_message(folder, name))
    with as_written(folder):
        text = (folder / "study.toml").read_text(encoding="utf-8")
        config = read_study(text, where=f"{folder.name}/study.toml", folder=folder)
        table = pd.read_parquet(folder / GRID)
        return Grid(table, axes_of(config), config, text, origin)
