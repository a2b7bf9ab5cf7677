"""The results folder of a run: numbers, figures, page; written to a temporary folder, renamed."""

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

from backtest.config.schema import StudyFile
from backtest.model.study_code import source_that_ran, sources_that_ran
from backtest.model.user_models import user_files
from backtest.present.csv_table import write_csv
from backtest.present.exhibit import Exhibit
from backtest.present.folder import results_folder
from backtest.present.store import write_page
from backtest.replay.provenance import Provenance
from backtest.studies.run.study import Run
from backtest.studies.stress.store import write_stress
from backtest.types import Progress, unheard


def write_results(run: Run, exhibit: Exhibit, out: Path, *, command: str) -> Path:
    """The results folder of a run: `<UTC>_<study>_<hash8>/`, complete or not there at all.

    Finished blocks of Monte Carlo are removed once it is complete. exhibit : of `run_exhibit`.

    Raises
    ------
    ResultsError : the folder cannot be written; no half-written folder is left behind.
    """
    origin = run.study.provenance
    stored = nullcontext() if run.kept is None else run.kept.until_stored()
    with stored, results_folder(out, f"{run.config.name}_{origin.sha256[:8]}") as folder:
        origin = replace(origin, command=command, written=folder.stamp)
        run = replace(run, study=replace(run.study, provenance=origin))
        write_numbers(run, folder.partial, progress=exhibit.progress)
        write_page(exhibit, folder.partial, command=command)
    return folder.final


def write_numbers(run: Run, folder: Path, *, progress: Progress = unheard) -> None:
    """Every number of a run, its study file and its models' code; the manifest has their hashes."""
    write_sources(run.config, run.text, run.study.provenance, folder)
    write_csv(run.ladder, folder / "ladder.csv")
    for name, table in run.findings.by_file().items():
        write_csv(table, folder / f"{name}.csv")
    if len(run.forecasts):
        run.forecasts.to_parquet(folder / "forecasts.parquet", index=False, compression="zstd")
    if run.distribution is not None:
        run.distribution.save(folder)
    if run.sweep is not None:
        write_csv(run.sweep, folder / "sweep.csv", index=False)
    write_stress(run.stress, folder)
    # The study comes last: its manifest has the hash of every file that is there by then.
    files = sorted(file for file in folder.rglob("*.*") if file.is_file())
    names = [file.relative_to(folder).as_posix() for file in files]
    run.study.save(folder, beside=names, progress=progress)


def write_sources(config: StudyFile, text: str, origin: Provenance, folder: Path) -> None:
    """A study file, the files beside it, and the code of its models as it ran."""
    (folder / "study.toml").write_text(text, encoding="utf-8")
    for name, content in config.beside.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    for source, place in user_files([config.models, config.sizing]).items():
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).write_bytes(source_that_ran(source))
    ran = sources_that_ran()
    for file in origin.opened:  # modules that those import from beside them
        if file.sha256 in ran and not Path(file.name).is_absolute():
            (folder / file.name).parent.mkdir(parents=True, exist_ok=True)
            (folder / file.name).write_bytes(ran[file.sha256])
