"""Results folders read back: the report written again, the study rerun and compared."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from .config import read_study
from .distribution import Distribution
from .results import Study
from .types import ResultsError
from .workflow import execute, write_presentation

EQUAL_TO = 1e-9  # relative: other versions of BLAS may differ in the last digits


def rewrite_report(folder: Path) -> Path:
    """Figures and report.html of a results folder, from its stored numbers."""
    study, ladder, sweep = _read(folder)
    text = (folder / "study.toml").read_text(encoding="utf-8")
    config = read_study(text, where=f"{folder.name}/study.toml")
    distribution = Distribution.load(folder)
    return write_presentation(folder, study, ladder, sweep, distribution, config)


def compare_rerun(
    folder: Path, *, data: str | None, progress: Callable[[str, float], None]
) -> list[str]:
    """One line a score that differs from the stored one; empty where the study reproduces.

    data : where the prices lie now; where the study found them unless given.
    """
    stored, ladder, _ = _read(folder)
    manifest = stored.manifest
    used = manifest["study"]
    rerun = execute(
        folder / "study.toml",
        data=data or used["data"]["source"],
        seed=used["seed"],
        paths=manifest["paths"],
        path=manifest["path"],
        progress=progress,
    )
    now = rerun.study.manifest
    lines = []
    if now["sha256"] != manifest["sha256"]:
        same_prices = now["data"]["levels_sha256"] == manifest["data"]["levels_sha256"]
        lines.append("the study differs" if same_prices else "the prices differ")
    pairs = [(stored.summary(), rerun.study.summary()), (stored.pooled, rerun.study.pooled)]
    pairs.append((ladder, rerun.ladder))
    simulated = Distribution.load(folder)
    if simulated is not None and rerun.distribution is not None:
        pairs.append((simulated.summary(), rerun.distribution.summary()))
    for before, after in pairs:
        lines += _differences(before, after)
    return lines


def _differences(before: pd.DataFrame, after: pd.DataFrame) -> list[str]:
    if not before.index.equals(after.index):
        return ["rows are not the same portfolios"]
    lines = []
    for column in before.select_dtypes("number"):
        old, new = before[column].to_numpy(np.float64), after[column].to_numpy(np.float64)
        wrong = ~np.isclose(old, new, rtol=EQUAL_TO, atol=0.0, equal_nan=True)
        if wrong.any():
            row = int(np.argmax(wrong))
            lines.append(
                f"{column} of {before.index[row]}: {old[row]:.10g} stored, {new[row]:.10g} now "
                f"({int(wrong.sum())} rows)"
            )
    return lines


def _read(folder: Path) -> tuple[Study, pd.DataFrame, pd.DataFrame | None]:
    study = Study.load(folder)
    try:
        ladder = pd.read_csv(folder / "ladder.csv", index_col="portfolio", dtype={"reason": object})
    except (OSError, ValueError) as error:
        raise ResultsError(f"{str(folder)!r} has no readable ladder.csv; run again.") from error
    ladder["reason"] = ladder["reason"].fillna("")
    sweep = folder / "sweep.csv"
    return study, ladder, pd.read_csv(sweep) if sweep.exists() else None
