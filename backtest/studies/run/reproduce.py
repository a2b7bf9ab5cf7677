"""The study of a results folder run again, in a copy of what was sealed and nothing else."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from backtest.data.load import SOURCES
from backtest.model.opened_files import OpenedFile
from backtest.present.record import page_kind
from backtest.replay.provenance import Provenance
from backtest.replay.seal import read_manifest, verified_copy
from backtest.studies.run.agreement import differences, ties
from backtest.studies.run.reopen import GRID, STUDY_FILE, require, table_pieces
from backtest.studies.run.store import write_numbers
from backtest.studies.run.study import execute
from backtest.studies.run.tolerance import Tolerances
from backtest.types import ResultsError

PROTECT = "protect"  # the kind of a page whose study `protect` runs again
TABLES = (".csv", ".parquet")  # what is compared number by number


def compare_rerun(
    folder: Path, *, data: str | None, progress: Callable[[str, float], None]
) -> list[str]:
    """One line for each column of each stored table that a rerun does not give again.

    Every file is verified before any code of the folder runs, and what runs is a copy of what was
    verified: no other file of the folder, and none of the present folder, stands in for it.

    data : folder or source of the prices; the one in the study file unless given.

    Raises
    ------
    ResultsError : a file is missing or not as the run wrote it, of the folder or of those that a
        model of the run opened by itself; or the folder is that of a grid.
    """
    if page_kind(folder) == PROTECT:
        from backtest.studies.protect.reopen import protected_again

        return protected_again(folder, data=data, progress=progress)
    origin, files = read_manifest(folder)
    if origin.given is not None:
        from backtest.studies.validate.reopen import revalidated

        return revalidated(folder, progress=progress)
    if GRID in files:
        raise ResultsError(
            f"{str(folder)!r} is a grid, which `reproduce` does not run again; run `backtest grid` "
            f"on its {STUDY_FILE} and compare {GRID}, or `reproduce` a run of one cell's study."
        )
    require(folder, files)
    tables = [name for name in files if name.endswith(TABLES)]
    source = from_anywhere(data or origin.study["data"]["source"])
    with sealed_copy(folder, origin, files) as copy:
        with chdir(copy):  # a model may open files beside its study, or where the command runs
            rerun = execute(
                copy / STUDY_FILE,
                data=source,
                seed=origin.study["seed"],
                paths=origin.paths,
                path=origin.path,
                progress=progress,
            )
            # Written and read back too, so that both sides went through the same files.
            (copy / "rerun").mkdir()
            write_numbers(rerun, copy / "rerun")
        current, tolerances = rerun.study.provenance, Tolerances.of(origin)
        lines = []
        if current.sha256 != origin.sha256:
            same_prices = current.prices.levels_sha256 == origin.prices.levels_sha256
            lines.append("the study differs" if same_prices else "the prices differ")
        for name in tables:
            lines += table_differences(name, copy, copy / "rerun", tolerances)
        if lines:
            for piece in table_pieces(copy / "daily.parquet"):
                lines += ties(piece, tolerances)
    return lines


def table_differences(name: str, before: Path, after: Path, tolerances: Tolerances) -> list[str]:
    """One line a column of a table that differs, from its first piece that does."""
    lines: dict[str, str] = {}
    for old, new in _side_by_side(table_pieces(before / name), table_pieces(after / name)):
        for line in differences(name, old, new, tolerances):
            lines.setdefault(line.partition(" of ")[0], line)  # by table and column
    return list(lines.values())


def _side_by_side(
    one: Iterator[pd.DataFrame], other: Iterator[pd.DataFrame]
) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
    """The same rows of two tables, piece by piece, wherever each was cut."""
    first, second = next(one), next(other)
    while True:
        count = min(len(first), len(second)) or max(len(first), len(second))
        yield first.iloc[:count].reset_index(drop=True), second.iloc[:count].reset_index(drop=True)
        first, second = first.iloc[count:], second.iloc[count:]
        first = next(one, first) if first.empty else first
        second = next(other, second) if second.empty else second
        if first.empty and second.empty:
            return


def promise(folder: Path) -> str:
    """To within what a reproduction of a results folder gives its numbers again, in words."""
    if page_kind(folder) == PROTECT:
        from backtest.studies.protect.reopen import protection_tolerances

        return protection_tolerances(folder).sentence()
    return Tolerances.of(read_manifest(folder)[0]).sentence()


@contextmanager
def sealed_copy(folder: Path, origin: Provenance, files: dict[str, str]) -> Iterator[Path]:
    """A temporary folder with the verified files of a run and those that its models opened."""
    with TemporaryDirectory(prefix="backtest-") as place:
        copy = Path(place).resolve()
        verified_copy(folder, files, copy)
        for file in origin.opened:
            found = _unchanged(file, folder)
            if not Path(file.name).is_absolute() and file.name not in files:
                (copy / file.name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(found, copy / file.name)
        yield copy


def _unchanged(file: OpenedFile, folder: Path) -> Path:
    """Where a file that a model opened lies, unchanged: in the folder or the working directory.

    Raises
    ------
    ResultsError : it is in neither, or its sha256 is another.
    """
    places = (folder / file.name, Path.cwd() / file.name)  # an absolute name stays itself
    present = [place for place in places if place.is_file()]
    if not present:
        raise ResultsError(
            f"a model of {str(folder)!r} opened {file.name!r}, which is not there; put the file "
            f"with sha256 {file.sha256} into the folder."
        )
    now = OpenedFile.of(str(present[0])).sha256
    if now != file.sha256:
        raise ResultsError(
            f"a model of {str(folder)!r} opened {file.name!r}, which has changed: sha256 "
            f"{file.sha256} then, {now} now; put the file back or run the study again."
        )
    return present[0]


def from_anywhere(source: str) -> str:
    """The source of prices, whatever the working directory becomes."""
    is_folder = source not in SOURCES and Path(source).is_dir()
    return os.path.abspath(source) if is_folder else source
