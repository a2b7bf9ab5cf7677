"""Results folders read back: the report written again, the study rerun and compared."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from pandas.api.types import is_numeric_dtype

from backtest.config.load import read_study
from backtest.model.opened_files import OpenedFile
from backtest.present.csv_table import read_csv
from backtest.present.store import write_page
from backtest.replay.distribution import Distribution
from backtest.replay.findings import Findings
from backtest.replay.seal import change_message, changed_files, read_manifest
from backtest.replay.study import Study
from backtest.studies.run.page import run_exhibit
from backtest.studies.run.store import write_numbers
from backtest.studies.run.study import Run, execute
from backtest.types import ResultsError

EQUAL_TO = 1e-9  # relative: other versions of BLAS may differ in the last digits
STUDY_FILE, LADDER = "study.toml", "ladder.csv"
TABLES = (".csv", ".parquet")  # what is compared number by number
KEYS = ("date", "path", "model", "portfolio", "side", "share")  # columns that identify a row


def finished_run(folder: Path) -> Study:
    """The study of a folder that `backtest run` wrote, every file as it was written.

    Raises
    ------
    ResultsError : the folder holds no finished run, or a file of it was changed.
    """
    study = Study.load(folder)
    _require(folder, read_manifest(folder)[1])
    return study


def unequal(before: ArrayLike, after: ArrayLike) -> NDArray[np.bool_]:
    """True where two numbers differ by more than a BLAS version explains; NaN equals NaN.

    Examples
    --------
    >>> unequal([1.0, 2e9, np.nan], [1.5, 2e9, np.nan]).tolist()  # 0.5 is nothing beside 2e9
    [False, False, False]
    >>> unequal([1.0, 2.0], [1.5, 2.0]).tolist()
    [True, False]
    """
    x, y = np.asarray(before, dtype=np.float64), np.asarray(after, dtype=np.float64)
    size = np.abs(y[np.isfinite(y)]).max(initial=0.0)  # a small difference of large sums
    return ~np.isclose(x, y, rtol=EQUAL_TO, atol=EQUAL_TO * size, equal_nan=True)


def stored_run(folder: Path) -> Run:
    """The run that a results folder holds; derived tables are computed again from its study.

    Raises
    ------
    ResultsError : the folder holds no finished run, or a file of it was changed.
    """
    study = finished_run(folder)
    ladder = _read_table(folder / LADDER).set_index("portfolio")
    if len(ladder):  # an empty reason is an empty cell of the CSV, which is read as NaN
        ladder["reason"] = ladder["reason"].astype(object).fillna("")
    forecasts = _read_if_there(folder / "forecasts.parquet")
    text = (folder / STUDY_FILE).read_text(encoding="utf-8")
    return Run(
        study=study,
        findings=Findings.of(study, forecasts),
        ladder=ladder,
        forecasts=pd.DataFrame() if forecasts is None else forecasts,
        sweep=_read_if_there(folder / "sweep.csv"),
        distribution=Distribution.load(folder),
        config=read_study(text, where=f"{folder.name}/{STUDY_FILE}"),
        text=text,
    )


def rewrite_report(folder: Path) -> Path:
    """Figures and report.html of a results folder, from its stored numbers.

    They are written to a temporary folder first: a failed report leaves the old one unchanged.

    Raises
    ------
    ResultsError : the folder holds no finished study, or a file of it was changed.
    """
    run = stored_run(folder)
    try:
        aside = Path(mkdtemp(prefix="report.", suffix=".partial", dir=folder))
    except OSError as error:
        raise ResultsError(f"cannot write to {str(folder)!r}: {error.strerror}.") from error
    try:
        write_page(run_exhibit(run), aside, command=run.study.provenance.command)
        (folder / "figures").mkdir(exist_ok=True)
        for file in sorted(p for p in aside.rglob("*") if p.is_file()):
            os.replace(file, folder / file.relative_to(aside))
    except OSError as error:
        raise ResultsError(
            f"cannot write the report to {str(folder)!r}: {error.strerror}."
        ) from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return folder / "report.html"


def compare_rerun(
    folder: Path, *, data: str | None, progress: Callable[[str, float], None]
) -> list[str]:
    """One line for each column of each stored table that a rerun does not give again.

    data : folder or source of the prices; the one in the study file unless given.

    Raises
    ------
    ResultsError : a file is missing or not as the run wrote it, of the folder or of those that a
        model of the run opened by itself.
    """
    origin, files = read_manifest(folder)
    _require(folder, files)
    for file in origin.opened:
        _require_same(file, folder)
    # Before the study is read: a model beside it is code, and runs as it is read.
    for name in changed_files(folder, files):
        raise ResultsError(change_message(folder, name))
    tables = [name for name in files if name.endswith(TABLES)]
    before = {name: _read_table(folder / name) for name in tables}
    rerun = execute(
        folder / STUDY_FILE,
        data=data or origin.study["data"]["source"],
        seed=origin.study["seed"],
        paths=origin.paths,
        path=origin.path,
        progress=progress,
    )
    current = rerun.study.provenance
    lines = []
    if current.sha256 != origin.sha256:
        same_prices = current.prices.levels_sha256 == origin.prices.levels_sha256
        lines.append("the study differs" if same_prices else "the prices differ")
    # The rerun is written and read back too, so that both sides went through the same files.
    with TemporaryDirectory() as aside:
        write_numbers(rerun, Path(aside))
        after = {name: _read_table(Path(aside) / name) for name in tables}
    for name in tables:
        lines += _differences(name, before[name], after[name])
    return lines


def _differences(name: str, before: pd.DataFrame, after: pd.DataFrame) -> list[str]:
    """One line a column that differs, with its first row that does."""
    keys = [key for key in KEYS if key in before.columns]
    same_shape = before.columns.equals(after.columns) and len(before) == len(after)
    if not same_shape or not before[keys].equals(after[keys]):
        return [f"{name}: other rows or columns"]
    lines = []
    for column in before.columns.difference(keys, sort=False):
        old, new = before[column], after[column]
        if is_numeric_dtype(new) and is_numeric_dtype(old):
            differs = unequal(old, new)
        elif is_numeric_dtype(new) and not new.isna().all():
            return [f"{name}: other rows or columns"]  # text where there were numbers
        else:
            differs = _unequal_cells(old, new)
        if differs.any():
            row = int(np.argmax(differs))
            place = ", ".join(_text(before[key].iloc[row]) for key in keys) or f"row {row + 1}"
            lines.append(
                f"{name}: {column} of {place}: {_text(old.iloc[row])} stored, "
                f"{_text(new.iloc[row])} now ({int(differs.sum())} rows)"
            )
    return lines


def _unequal_cells(old: pd.Series, new: pd.Series) -> NDArray[np.bool_]:
    """True where two cells differ, as numbers where both are numbers, else as text."""
    before, after = (pd.to_numeric(c, errors="coerce").to_numpy(np.float64) for c in (old, new))
    # Each cell has its own size here: a column may list amounts beside rates.
    equal_numbers = np.isclose(before, after, rtol=EQUAL_TO, atol=0.0)
    return np.asarray((_words(old) != _words(new)).to_numpy() & ~equal_numbers)


def _words(column: pd.Series) -> pd.Series:
    return column.astype(object).where(column.notna(), "").astype(str)


def _text(value: object) -> str:
    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%d}"
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def _require(folder: Path, files: dict[str, str]) -> None:
    """A folder that `Study.save` wrote alone holds neither study file nor ladder."""
    for name in (STUDY_FILE, LADDER):
        if name not in files:
            raise ResultsError(
                f"{str(folder)!r} was not written by `backtest run`: it has no {name}."
            )


def _require_same(file: OpenedFile, folder: Path) -> None:
    """A file that a model opened must be unchanged, in the folder or the working directory.

    Raises
    ------
    ResultsError : it is in neither, or its sha256 is another.
    """
    places = (folder / file.name, Path.cwd() / file.name)  # an absolute name stays itself
    present = [str(place) for place in places if place.is_file()]
    if not present:
        raise ResultsError(
            f"a model of {str(folder)!r} opened {file.name!r}, which is not there; put the file "
            f"with sha256 {file.sha256} into the folder."
        )
    now = {OpenedFile.of(place).sha256 for place in present}
    if now != {file.sha256}:
        raise ResultsError(
            f"a model of {str(folder)!r} opened {file.name!r}, which has changed: sha256 "
            f"{file.sha256} then, {min(now - {file.sha256})} now; put the file back or run "
            "the study again."
        )


def _read_if_there(path: Path) -> pd.DataFrame | None:
    return _read_table(path) if path.exists() else None


def _read_table(path: Path) -> pd.DataFrame:
    """One stored table, its index among its columns."""
    try:
        if path.suffix == ".parquet":
            return pd.read_parquet(path)
        return read_csv(path)
    except (OSError, ValueError) as error:
        raise ResultsError(
            f"{path.name} of {str(path.parent)!r} is not a table any more; put the file back or "
            "run the study again."
        ) from error
