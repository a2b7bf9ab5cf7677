"""Who published the prices: by the packaged list, or as the user states it."""

import tomllib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from backtest.studies.annex.sources import Source
from backtest.types import ResultsError, read_regular

PACKAGED = Path(__file__).parent / "citations.toml"
NOT_STATED = "not stated"


class Citation(BaseModel):
    """What is known of one file of prices; `sha256` ties it to a content."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    name: str
    publisher: str = NOT_STATED
    series: str = NOT_STATED
    retrieved: str = NOT_STATED
    licence: str = NOT_STATED
    sha256: str = ""

    @field_validator("retrieved", mode="before")
    @classmethod
    def _as_text(cls, value: object) -> object:
        return value.isoformat() if isinstance(value, date) else value

    @field_validator("sha256")
    @classmethod
    def _as_written(cls, value: str) -> str:
        return value.strip().lower()


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    dated: str
    note: str = ""
    file: list[Citation]


@dataclass(frozen=True)
class Cited:
    """A file that results were computed from.

    Parameters
    ----------
    how : who says so: the user, or the packaged list by the file's name alone.
    letters : of the results that used it. read_as : how it was read.
    """

    citation: Citation
    sha256: str
    read_as: str
    letters: tuple[str, ...]
    how: str


def read_citations(file: Path | None) -> tuple[Citation, ...]:
    """Citations that a user states; none without a file.

    Raises
    ------
    ResultsError : the file cannot be read, or has other fields.
    """
    if file is None:
        return ()
    try:
        text = read_regular(file).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise ResultsError(f"cannot read {str(file)!r}: {reason}.") from error
    return tuple(_parsed(text, file.name).file)


def _parsed(text: str, name: str) -> _File:
    try:
        return _File.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ResultsError(f"{name} is not TOML: {error}; mend it.") from error
    except RecursionError as error:
        raise ResultsError(f"{name} is nested too deeply; mend it.") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise ResultsError(f"{name}: {where}: {first['msg'].lower()}; mend it.") from error


def cited_files(sources: Sequence[Source], stated: Sequence[Citation]) -> tuple[Cited, ...]:
    """Every file of prices behind the results, once for each content.

    Raises
    ------
    ResultsError : a stated sha256 is that of no file of that name that the results used, or two
        entries are of one name and sha256.
    """
    packaged = _parsed(PACKAGED.read_text(encoding="utf-8"), PACKAGED.name)
    known = {citation.name: citation for citation in packaged.file}
    users: dict[tuple[str, str], dict[str, list[str]]] = {}
    for source in sources:
        for name, sha256, read_as in _files(source.manifest):
            users.setdefault((name, sha256), {}).setdefault(read_as, []).append(source.letter)
    twice = [key for key, n in Counter((c.name, c.sha256) for c in stated).items() if n > 1]
    if twice:
        name, sha256 = twice[0]
        of = f"sha256 {sha256[:12]}..." if sha256 else "no sha256"
        raise ResultsError(f"{name} is cited twice with {of}; leave one of the entries.")
    for citation in stated:
        used = [sha256 for name, sha256 in users if name == citation.name]
        if not used or (citation.sha256 and citation.sha256 not in used):
            what = f"sha256 {citation.sha256[:12]}... of {citation.name}"
            raise ResultsError(
                f"{what if used else citation.name} is cited, and no results given here used it; "
                "mend the file of citations."
            )
    cited = []
    for (name, sha256), readings in users.items():
        own = [c for c in stated if c.name == name and c.sha256 in ("", sha256)]
        own.sort(key=lambda c: not c.sha256)  # an entry of this content before one of the name
        if own:
            one, how = own[0], "as stated by the author"
        elif name in known:
            one = known[name]
            how = f"by the file's name alone (list of {packaged.dated}, not verified)"
        else:
            one, how = Citation(name=name), ""
        letters = tuple(sorted({letter for using in readings.values() for letter in using}))
        cited.append(Cited(one, sha256, _read_as(readings), letters, how))
    return tuple(cited)


def _read_as(readings: dict[str, list[str]]) -> str:
    """How a file was read, and by which results where they differ.

    Examples
    --------
    >>> _read_as({"as prices": ["A", "B"]}), _read_as({"as prices": ["A"], "": ["B"]})
    ('as prices', 'as prices (results A)')
    """
    if len(readings) == 1:
        return next(iter(readings))
    parts = (f"{words} (results {', '.join(used)})" for words, used in readings.items() if words)
    return "; ".join(parts)


def _files(manifest: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Name, sha256 and reading of the files of prices that a manifest names."""
    data = manifest.get("data")
    given = manifest.get("given")
    files = [] if not isinstance(data, dict) else data.get("files") or []
    found = [
        (str(file["name"]), str(file["sha256"]), str(file.get("read_as", "")))
        for file in files
        if isinstance(file, dict) and "name" in file and "sha256" in file
    ]
    if isinstance(given, dict) and "name" in given and "sha256" in given:
        read = "a table of margins and losses; sha256 of its numbers, not of a file"
        found.append((str(given["name"]), str(given["sha256"]), read))
    return found
