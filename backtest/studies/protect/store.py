"""The results folder of a protection study: tables, page, and all it rests on."""

from pathlib import Path

from backtest.present.exhibit import Exhibit
from backtest.present.store import write_exhibit
from backtest.studies.protect.study import ProtectStudy
from backtest.studies.run.store import write_sources
from backtest.studies.stress.store import write_stress


def write_results(study: ProtectStudy, exhibit: Exhibit, out: Path, *, command: str) -> Path:
    """The folder of `write_exhibit` with the files beside the study and the code of its models.

    Raises
    ------
    ResultsError : the folder cannot be written; no incomplete folder is left behind.
    """

    def sources(folder: Path) -> None:
        write_sources(study.config, study.text, study.provenance, folder)
        write_stress(study.stress, folder)

    return write_exhibit(exhibit, out, command=command, sources=sources)
