"""Results folders of a validation read back, and validated again from the table they hold."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd

from backtest.present.csv_table import read_csv
from backtest.replay.coherence import as_written, refusal
from backtest.replay.findings import Findings
from backtest.replay.provenance import Provenance
from backtest.replay.seal import read_manifest, verified_copy
from backtest.replay.study import Study
from backtest.replay.worst import MOST_SHOWN, worst_rows
from backtest.studies.run.reproduce import TABLES, table_differences
from backtest.studies.run.tolerance import Tolerances
from backtest.studies.validate.monitors import monitor_table
from backtest.studies.validate.store import write_numbers
from backtest.studies.validate.study import Validation, execute
from backtest.types import ResultsError


def stored_validation(folder: Path) -> Validation:
    """The validation that a results folder holds; derived tables are computed again.

    Raises
    ------
    ResultsError : the folder holds no finished validation, or a file of it was changed.
    """
    with as_written(folder):
        study, files = Study.load(folder), read_manifest(folder)[1]
        forecasts = folder / "forecasts.parquet"
        known = pd.read_parquet(forecasts) if forecasts.name in files else pd.DataFrame()
        findings = Findings.of(study, known if len(known) else None)
        shows_all = study.provenance.study["validate"]["all"]
        return Validation(
            study=study,
            findings=findings,
            ladder=_ladder(folder, files),
            forecasts=known,
            groups=_table(folder, "groups.csv", ["model", "group"], files),
            monitors=monitor_table(study),
            shown=worst_rows(study.scores, None if shows_all else MOST_SHOWN),
            table=folder / sealed_input(folder, files),
        )


def revalidated(folder: Path, *, progress: Callable[[str, float], None]) -> list[str]:
    """One line for each column of each stored table that a second validation does not give again.

    It is made from the sealed copy of the table, and every file is verified before.
    """
    origin, files = read_manifest(folder)
    options, table = _options(folder, origin), sealed_input(folder, files)
    with TemporaryDirectory(prefix="backtest-") as place:
        copy = Path(place).resolve()
        verified_copy(folder, files, copy)
        with as_written(folder):  # whoever changed a manifest may have sealed it again
            rerun = execute(str(copy / table), **options, progress=progress)
        (copy / "rerun").mkdir()
        write_numbers(rerun, copy / "rerun")
        same = rerun.study.provenance.sha256 == origin.sha256
        lines = [] if same else ["the table or the options differ"]
        for name in (n for n in files if n.endswith(TABLES) and n != table):
            lines += table_differences(name, copy, copy / "rerun", Tolerances.of(origin))
    return lines


def _options(folder: Path, origin: Provenance) -> dict[str, Any]:
    options = dict(origin.study.get("validate", {}))
    if not options:
        raise ResultsError(
            f"{str(folder)!r} was not written by `backtest validate`: it names no options."
        )
    return {name: value for name, value in options.items() if name != "file"}


def sealed_input(folder: Path, files: dict[str, str]) -> str:
    """Name of the table that was validated.

    Raises
    ------
    ResultsError : the folder holds none.
    """
    names = sorted(name for name in files if name.startswith("input."))
    if names:
        return names[0]
    raise ResultsError(
        f"{str(folder)!r} was not written by `backtest validate`: it has no input table."
    )


def _ladder(folder: Path, files: dict[str, str]) -> pd.DataFrame:
    ladder = _table(folder, "ladder.csv", ["portfolio"], files)
    if len(ladder):  # an empty reason is an empty cell of the CSV, which is read as NaN
        ladder["reason"] = ladder["reason"].astype(object).fillna("")
    return ladder


def _table(folder: Path, name: str, index: list[str], files: dict[str, str]) -> pd.DataFrame:
    if name not in files:
        return pd.DataFrame()
    table = read_csv(folder / name)
    if not set(index) <= set(table.columns):
        raise refusal(folder, f"{name} without {' and '.join(index)}")
    return table.set_index(index)
