"""The manifest of a stored run: it holds the sha256 of every file, and its own, so edits show."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from backtest.replay.provenance import FORMAT, Provenance
from backtest.types import ResultsError, read_regular

MANIFEST = "manifest.json"
FILES, SELF = "files", "manifest_sha256"  # keys that are added to a provenance by sealing it


def write_manifest(folder: Path, provenance: Provenance, *, names: Iterable[str]) -> None:
    """Write manifest.json with its own sha256 and those of the files `names` of the folder."""
    sealed = provenance.to_json()
    sealed[FILES] = {name: _sha256((folder / name).read_bytes()) for name in names}
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
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not JSON"
        raise ResultsError(
            f"{str(folder)!r} holds no finished study ({MANIFEST}: {reason}); give a folder that "
            "`backtest run` wrote."
        ) from error
    if isinstance(sealed, dict) and SELF not in sealed and "command" in sealed:
        raise ResultsError(
            f"{str(folder)!r} holds no sealed study (`{sealed['command']}` wrote it); give a "
            "folder that `backtest run` wrote."
        )
    if not isinstance(sealed, dict) or sealed.pop(SELF, None) != _manifest_sha256(sealed):
        raise ResultsError(change_message(folder, MANIFEST))
    if sealed.get("format") != FORMAT:
        raise ResultsError(
            f"{str(folder)!r} was written by another version (its {MANIFEST} has format "
            f"{sealed.get('format', 'none')}, here {FORMAT}); run the study again."
        )
    files = sealed.pop(FILES)
    return Provenance.from_json(sealed), files


def changed_files(folder: Path, files: dict[str, str]) -> list[str]:
    """Names of the files whose content is no longer that of the run.

    Raises
    ------
    ResultsError : a file is missing or cannot be read.
    """
    try:
        return [n for n, sha256 in files.items() if _sha256(read_regular(folder / n)) != sha256]
    except OSError as error:
        name = Path(str(error.filename)).name
        raise ResultsError(
            f"{str(folder)!r} holds no finished study ({name}: {error.strerror}); run it again."
        ) from error


def change_message(folder: Path, name: str) -> str:
    """The message for a file whose content is no longer that of the run."""
    return (
        f"{name} of {str(folder)!r} is not as the run wrote it; put the file back or run the "
        "study again."
    )


def _manifest_sha256(sealed: Any) -> str:
    """sha256 of a manifest without its own hash."""
    # A manifest that is written holds tuples and one that is read holds lists: both become lists.
    as_read = json.loads(json.dumps(sealed))
    return _sha256(json.dumps(as_read, sort_keys=True).encode())


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
