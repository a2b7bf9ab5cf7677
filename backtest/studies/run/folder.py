"""The results folder of a run: its numbers, figures and report, written aside and renamed."""

from pathlib import Path

import pandas as pd

from backtest.config.schema import StudyFile
from backtest.model.user_models import user_files
from backtest.present.folder import written_aside
from backtest.replay.distribution import Distribution
from backtest.replay.study import Study
from backtest.studies.run.evidence import write_evidence
from backtest.studies.run.study import Outcome


def write_results(outcome: Outcome, out: Path, *, command: str) -> Path:
    """The results folder of a run: `<UTC>_<study>_<hash8>/`, complete or not there at all.

    Raises
    ------
    ResultsError : the folder cannot be written; nothing half-made is left behind.
    """
    manifest = outcome.study.manifest
    with written_aside(out, f"{outcome.config.name}_{manifest['sha256'][:8]}") as aside:
        manifest["command"] = command
        manifest["written"] = aside.stamp
        write_numbers(outcome, aside.folder)
        write_presentation(
            aside.folder,
            outcome.study,
            outcome.ladder,
            outcome.sweep,
            outcome.distribution,
            outcome.config,
            forecasts=outcome.tested_forecasts(),
        )
    return aside.final


def write_numbers(outcome: Outcome, folder: Path) -> None:
    """Every number of a run, its study file and own models, and the manifest that seals them."""
    (folder / "study.toml").write_text(outcome.text, encoding="utf-8")
    for lies, place in user_files([outcome.config.models, outcome.config.sizing]).items():
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).write_bytes(lies.read_bytes())
    outcome.ladder.to_csv(folder / "ladder.csv")
    write_evidence(outcome.study, folder)
    tested = outcome.tested_forecasts()
    if tested is not None:
        outcome.forecasts.to_parquet(folder / "forecasts.parquet", index=False, compression="zstd")
        tested.to_csv(folder / "forecasts.csv")
    if outcome.distribution is not None:
        outcome.distribution.save(folder)
    if outcome.sweep is not None:
        outcome.sweep.to_csv(folder / "sweep.csv", index=False)
    written = sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*.*"))
    outcome.study.save(folder, beside=[name for name in written if (folder / name).is_file()])


def write_presentation(
    folder: Path,
    study: Study,
    ladder: pd.DataFrame,
    sweep: pd.DataFrame | None,
    distribution: Distribution | None,
    config: StudyFile,
    *,
    forecasts: pd.DataFrame | None,
) -> Path:
    """Figures and report.html from a study's numbers; the path of the report."""
    from backtest.present.figure import write_figures
    from backtest.studies.run.figures import run_figures
    from backtest.studies.run.figures.monte_carlo import monte_carlo_frontier
    from backtest.studies.run.page import write_report

    shown = run_figures(study, ladder, sweep)
    if distribution is not None:
        shown = (*shown, monte_carlo_frontier(distribution, study, ladder))
    figures = write_figures(folder / "figures", shown)
    path = folder / "report.html"
    write_report(
        path,
        study,
        ladder,
        sweep,
        figures,
        title=config.title or config.name,
        caption=config.caption,
        explains={name: book.explain for name, book in config.books.items()},
        command=study.manifest["command"],
        distribution=distribution,
        forecasts=forecasts,
    )
    return path
