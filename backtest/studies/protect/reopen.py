"""The study of a folder of `backtest protect` run again, from what its page has sealed."""

import json
from contextlib import chdir
from dataclasses import replace
from pathlib import Path

from backtest.present.record import PageRecord, read_record
from backtest.present.store import write_tables
from backtest.replay.coherence import as_written
from backtest.replay.provenance import Provenance
from backtest.replay.seal import MANIFEST, check_format
from backtest.studies.protect.page import protection_exhibit
from backtest.studies.protect.study import study_protection
from backtest.studies.run.reproduce import from_anywhere, sealed_copy, table_differences
from backtest.studies.run.tolerance import Tolerances
from backtest.studies.stress.store import write_stress
from backtest.types import Progress, read_regular

SIMULATED = ("paths",)  # how tables of simulated histories begin


def protected_again(folder: Path, *, data: str | None, progress: Progress) -> list[str]:
    """One line for each column of each table of the folder that a rerun does not give again.

    As `compare_rerun` does it for a run: what runs is a copy of what was verified before.

    Raises
    ------
    ResultsError : a file is missing or not as the command wrote it.
    """
    record, origin = _read(folder)
    source = from_anywhere(data or origin.study["data"]["source"])
    tables = {name for name in record.files if _is_table(name)} - {*origin.study.get("beside", ())}
    tolerances, lines = tolerances_of(origin), []
    with sealed_copy(folder, origin, record.files) as copy:
        with chdir(copy):  # a model may open files beside its study, or where the command runs
            study = study_protection(
                copy / "study.toml",
                data=source,
                seed=origin.study["seed"],
                sweep=record.section("sweep") is not None,
                paths=origin.paths,
                progress=progress,
            )
        # Written and read back too, so that both sides went through the same files.
        rerun = copy / "rerun"
        rerun.mkdir()
        write_tables(protection_exhibit(study), rerun)
        write_stress(study.stress, rerun)
        if study.provenance.prices.levels_sha256 != origin.prices.levels_sha256:
            lines.append("the prices differ")
        written = {file.name for file in rerun.iterdir()}
        lines += [f"{name}: in one of the two alone" for name in sorted(tables ^ written)]
        for name in sorted(tables & written):
            lines += table_differences(name, copy, rerun, tolerances)
    return lines


def protection_tolerances(folder: Path) -> Tolerances:
    """To within what a rerun of a folder of `backtest protect` gives its numbers again."""
    return tolerances_of(_read(folder)[1])


def tolerances_of(origin: Provenance) -> Tolerances:
    """The tolerances of a protection: the widest of its models holds for all.

    Capital and resources are multiples of the margins of one model, and so is what all others lose.
    """
    found = Tolerances.of(origin)
    everywhere = max([found.everywhere, *found.models.values()])
    return replace(
        found,
        models={},
        everywhere=everywhere,
        simulated=max(everywhere, found.simulated),
        simulated_tables=SIMULATED,
    )


def _read(folder: Path) -> tuple[PageRecord, Provenance]:
    """The record of the page, whose files are as they were written, and where its numbers are from.

    Raises
    ------
    ResultsError : a file was changed, or another version wrote the folder.
    """
    record = read_record(folder)
    with as_written(folder):
        manifest = json.loads(read_regular(folder / MANIFEST))
        check_format(folder, manifest)
        return record, Provenance.from_json(manifest)


def _is_table(name: str) -> bool:
    return name.endswith(".csv") and "/" not in name
