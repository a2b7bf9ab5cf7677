"""Folders of one file that other code computed, or other study files of the same name."""

from collections.abc import Sequence
from typing import Any

from backtest.studies.compare.inputs import dotted
from backtest.studies.dossier.folders import Folder

# Parts of a study that a command adds or overrides and that say nothing of its books or models.
OF_A_COMMAND = ("grid", "data")
WORDS = ("title", "caption", "explain")  # entries that move no number
MOST_NAMED = 3  # entries of a study in a sentence


def other_code(folders: Sequence[Folder]) -> list[str]:
    """Alarms where not all folders are of the same code, or of the same study under one name.

    A folder beside a study of its name is held against the first folder of that name.
    """
    alarms = []
    by_code: dict[str, list[str]] = {}
    for folder in folders:
        by_code.setdefault(_code(folder.manifest), []).append(folder.label)
    if len(by_code) > 1:
        words = "; ".join(f"{', '.join(labels)} by {code}" for code, labels in by_code.items())
        alarms.append(f"FOLDERS OF DIFFERENT CODE: {words}; run their commands again with one.")
    first: dict[str, Folder] = {}
    for folder in folders:
        study = folder.manifest.get("study")
        if not isinstance(study, dict) or "models" not in study:
            continue
        base = first.setdefault(folder.record.study, folder)
        entries = _differing(base.manifest["study"], study)
        if entries:
            more = len(entries) - MOST_NAMED
            named = ", ".join(entries[:MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")
            alarms.append(
                f"FOLDERS OF DIFFERENT INPUTS: {folder.label} is of another study file than "
                f"{base.label} ({len(entries):,} of its entries differ: {named}); `backtest "
                "compare` or a new run tells what follows."
            )
    return alarms


def _code(manifest: dict[str, Any]) -> str:
    """What computed a folder: version, commit, and the hash of the compiled code's source."""
    software = manifest.get("software") or {}
    versions = software.get("versions") or software
    words = f"margin-backtest {versions.get('margin-backtest', 'of no known version')}"
    if software.get("commit"):
        words += f", commit {str(software['commit'])[:8]}{'+' if software.get('dirty') else ''}"
    if software.get("kernels"):
        words += f", kernels {str(software['kernels'])[:8]}"
    return words


def _differing(base: dict[str, Any], other: dict[str, Any]) -> list[str]:
    one, two = (
        dotted({key: value for key, value in study.items() if key not in OF_A_COMMAND})
        for study in (base, other)
    )
    names = dict.fromkeys([*one, *two])
    differ = [name for name in names if one.get(name) != two.get(name)]
    return [name for name in differ if name.rpartition(".")[2] not in WORDS]
