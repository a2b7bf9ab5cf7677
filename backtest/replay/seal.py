"""The manifest of a stored run: it holds the sha256 of every file, and its own, so edits show."""

import hashlib
import json
import shutil
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from textwrap import shorten
from typing import Any

from pydantic import TypeAdapter

from backtest.replay.provenance import FORMAT, Provenance
from backtest.types import MOST_SHOWN, ResultsError, open_regular, read_regular, shown

MANIFEST = "manifest.json"
FILES, SELF = "files", "manifest_sha256"  # keys that are added to a provenance by sealing it


def write_manifest(folder: Path, provenance: Provenance, *, names: Iterable[str]) -> None:
    """Write manifest.json with its own sha256 and those of the files `names` of the folder."""
    sealed = provenance.to_json()
    sealed[FILES] = {name: sha256_of(folder / name) for name in names}
    sealed[SELF] = _manifest_sha256(sealed)
    text = json.dumps(sealed, indent=2, ensure_ascii=False, allow_nan=False)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")


def read_manifest(folder: Path) -> tuple[Provenance, dict[str, str]]:
    """The provenance of a run, and the sha256 of each file written with it.

    Raises
    ------
    ResultsError : no results folder, one of another command, a manifest that was changed, or one
        that another version wrote.
    """
    try:
        sealed = json.loads(read_regular(folder / MANIFEST))
    except (OSError, ValueError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not JSON"
        raise ResultsError(
            f"{str(folder)!r} holds no finished study ({MANIFEST}: {reason}); give a folder that "
            "`backtest run` wrote."
        ) from error
    check_format(folder, sealed)
    if isinstance(sealed, dict) and SELF not in sealed and "command" in sealed:
        raise ResultsError(
            f"{str(folder)!r} holds no run: `{sealed['command']}` wrote it; give a folder that "
            "`backtest run` wrote."
        )
    if not isinstance(sealed, dict) or sealed.pop(SELF, None) != _manifest_sha256(sealed):
        raise ResultsError(change_message(folder, MANIFEST))
    try:
        files = TypeAdapter(dict[str, str]).validate_python(sealed.pop(FILES), strict=True)
        provenance = Provenance.from_json(sealed)
        names = [*files, *(file.name for file in provenance.opened)]
        absolute = any(PurePosixPath(name).is_absolute() for name in files)
        if absolute or any(".." in PurePosixPath(name).parts for name in names):
            raise ValueError("a file outside the folder")
        return provenance, files
    except (KeyError, TypeError, ValueError) as error:  # sealed again by whoever changed it
        raise ResultsError(change_message(folder, MANIFEST)) from error


def check_format(folder: Path, sealed: Any) -> None:
    """Raise ResultsError where a manifest has another format than this version writes."""
    if isinstance(sealed, dict) and "software" in sealed and sealed.get("format") != FORMAT:
        form = f"format {shown(sealed['format'])}" if "format" in sealed else "no format"
        raise ResultsError(
            f"{str(folder)!r} was written by another version{_writer(sealed)}: its {MANIFEST} has "
            f"{form}, this version reads {FORMAT}; read it with that version, or run the study "
            "again."
        )


def changed_files(folder: Path, files: dict[str, str]) -> list[str]:
    """Names of the files whose content is no longer that of the run.

    Raises
    ------
    ResultsError : a file is missing or cannot be read.
    """
    return [name for name, sha256 in files.items() if _hashed(folder, name) != sha256]


def _hashed(folder: Path, name: str) -> str:
    try:
        return sha256_of(folder / name)
    except (OSError, ValueError) as error:  # ValueError: no name that a file can have
        reason = getattr(error, "strerror", None) or error
        raise ResultsError(
            f"{str(folder)!r} holds no finished study ({name}: {reason}); run it again."
        ) from error


def verified_copy(folder: Path, files: dict[str, str], target: Path) -> None:
    """Copy the files of a run to `target`, each as the run wrote it, and nothing else.

    Raises
    ------
    ResultsError : a file is missing, cannot be read, or is not as the run wrote it.
    """
    for name, sha256 in files.items():
        same = _hashed(folder, name) == sha256
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        # The copy is what will be read, so it is hashed too.
        if not same or sha256_of(shutil.copyfile(folder / name, target / name)) != sha256:
            raise ResultsError(change_message(folder, name))


def change_message(folder: Path, name: str) -> str:
    """The message for a file whose content is no longer that of the run."""
    return (
        f"{name} of {str(folder)!r} is not as the run wrote it; put the file back or run the "
        "study again."
    )


def _writer(sealed: dict[str, Any]) -> str:
    """Version and commit that a manifest of whatever format names."""
    software = sealed.get("software")
    named = software if isinstance(software, dict) else {}
    words = [f"{key} {named[key]}" for key in ("margin-backtest", "commit") if named.get(key)]
    return f" ({shorten(', '.join(words), MOST_SHOWN)})" if words else ""


def _manifest_sha256(sealed: Any) -> str:
    """sha256 of a manifest without its own hash."""
    # A manifest that is written holds tuples and one that is read holds lists: both become lists.
    as_read = json.loads(json.dumps(sealed))
    return _sha256(json.dumps(as_read, sort_keys=True).encode())


def sha256_of(file: Path) -> str:
    """sha256 of a file, whatever its size."""
    with open_regular(file) as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
