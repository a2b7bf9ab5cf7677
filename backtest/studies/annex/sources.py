"""Results folders that an annex is made of: read whole, and as their commands wrote them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backtest.present.document import moment
from backtest.present.record import RECORD, PageRecord, SectionRecord, read_record
from backtest.replay.seal import MANIFEST, SELF, change_message, changed_files, read_manifest
from backtest.studies.compare.letters import MOST, folder_name, letters
from backtest.types import ResultsError, read_regular

NOT_A_LETTER = "-"
NO_RESULTS = ("annex", "dossier")  # kinds that hold nothing but what other folders hold
REAL, SIMULATED = "real", "SIMULATED"
GIVEN = "given, origin not stated"
NO_PRICES, NOT_STATED = "no prices", "not stated"


@dataclass(frozen=True)
class Source:
    """One results folder: the letter it is called by, its page as data, and its manifest.

    Parameters
    ----------
    sealed : sha256 by file that a sealed manifest holds; empty where it is not sealed.
    """

    letter: str
    folder: Path
    record: PageRecord
    manifest: dict[str, Any]
    sealed: dict[str, str]

    @property
    def named(self) -> str:
        """The title of its page and its study, which tells apart two pages of one command."""
        title, study = self.record.title, self.record.study
        return title if study in title else f"{title} ({study})"

    @property
    def title(self) -> str:
        """Its letter, the title of its page and its study."""
        return f"Results {self.letter}: {self.named}"

    @property
    def stamp(self) -> str:
        """When its folder was written (UTC), as the manifest has it; empty where it has no time."""
        written = str(self.manifest.get("written", ""))
        try:
            moment(written)
        except ValueError:
            return ""
        return written

    @property
    def chapter(self) -> str:
        """Name of its chapter, for references."""
        return f"results-{self.letter.lower()}"

    def figure(self, name: str) -> str:
        """Name of one of its figures, for references."""
        return f"figure-{self.letter.lower()}-{plain_name(name)}"

    def table(self, section: SectionRecord, place: int) -> str:
        """Name of one of its tables, for references."""
        more = "" if place == 0 else f"-{place + 1}"
        return f"table-{self.letter.lower()}-{plain_name(section.name)}{more}"

    def is_simulated(self, section: SectionRecord | None = None) -> bool:
        """Whether its numbers, or those of a section, come from simulated prices."""
        return self.record.simulated or (section is not None and section.simulated)

    @property
    def kind(self) -> str:
        """Kind of its page, as topics ask for it."""
        return self.record.stable_kind

    @property
    def study(self) -> tuple[str, str, str]:
        """Its study: two folders of one name may be of other books, or of other prices."""
        data = self.manifest.get("data")
        levels = data.get("levels_sha256", "") if isinstance(data, dict) else ""
        return self.record.study, str(self.manifest.get("study_sha256", "")), str(levels)

    @property
    def prices(self) -> str:
        """What its numbers are of: prices of history or simulated ones, a given table, or none."""
        if self.record.simulated:
            return SIMULATED
        origins = [self.manifest]
        details = self.manifest.get("details")
        if self.kind == "compare" and isinstance(details, dict):
            origins += [one for one in details.values() if isinstance(one, dict)]
        if any(one.get("given") for one in origins):
            return GIVEN
        if any(one.get("data") for one in origins):
            return REAL
        return NO_PRICES if "data" in self.manifest else NOT_STATED

    @property
    def mark(self) -> str:
        """What follows its letter where its numbers are not of prices of history; else empty."""
        return {
            SIMULATED: "; SIMULATED",
            GIVEN: "; of a table that was given, its origin not stated",
            NO_PRICES: "; of no prices",
            NOT_STATED: "; of prices that are not stated",
        }.get(self.prices, "")

    def has_as_written(self, name: str) -> bool:
        """Whether a file of the folder is one whose sha256 its command wrote down."""
        return name in self.record.files or name in self.sealed


def read_sources(folders: Sequence[Path]) -> tuple[Source, ...]:
    """Read results folders; each is checked against the sha256 of its files.

    Raises
    ------
    ResultsError : none or too many are given, one is given twice or as a copy, is none, or was
        changed since.
    """
    if not folders:
        raise ResultsError("annex takes at least one results folder, and none is given.")
    if len(folders) > MOST:
        raise ResultsError(f"annex takes at most {MOST} folders, and {len(folders)} are given.")
    places = [folder.resolve() for folder in folders]
    twice = [folder for n, folder in enumerate(folders) if places[n] in places[:n]]
    if twice:
        raise ResultsError(f"{str(twice[0])!r} is given twice; name each folder once.")
    sources = tuple(
        _read(letter, folder) for letter, folder in zip(letters(len(folders)), folders, strict=True)
    )
    held: dict[tuple[str, str, str], Source] = {}
    for source in sources:
        key = (source.record.kind, source.record.study, source.record.sha256)
        first = held.setdefault(key, source)
        if first is not source:
            raise ResultsError(
                f"{str(source.folder)!r} holds the same results as {str(first.folder)!r} "
                f"({source.record.kind}, sha256 {source.record.sha256[:8]}); a copy is no second "
                "study: name one of them."
            )
    return sources


def _read(letter: str, folder: Path) -> Source:
    _check_kind(folder)
    record = read_record(folder)
    try:
        manifest = json.loads(read_regular(folder / MANIFEST))
    except (OSError, ValueError, RecursionError) as error:
        raise ResultsError(
            f"{str(folder)!r} holds no {MANIFEST} that can be read; run its command again."
        ) from error
    if not isinstance(manifest, dict) or manifest.get("sha256") != record.sha256:
        raise ResultsError(change_message(folder, MANIFEST))
    sealed: dict[str, str] = {}
    if SELF in manifest:
        _, sealed = read_manifest(folder)
        changed = changed_files(folder, sealed)
        if changed:
            raise ResultsError(change_message(folder, changed[0]))
    return Source(letter, folder, record, manifest, sealed)


def _check_kind(folder: Path) -> None:
    """Refuse what was made of other results: it has no numbers of its own."""
    for file in (MANIFEST, RECORD):
        try:
            content = json.loads(read_regular(folder / file))
        except (OSError, ValueError, RecursionError):
            continue  # said in the words of whoever reads it next
        kind = content.get("kind") if isinstance(content, dict) else None
        if kind in NO_RESULTS:
            raise ResultsError(
                f"{str(folder)!r} was written by `backtest {kind}` from other folders; give those."
            )


def check_place(out: Path, sources: Sequence[Source]) -> None:
    """Refuse to write inside a results folder, which is never changed after its command.

    Raises
    ------
    ResultsError : `out` is one of the folders, or inside one.
    """
    for source in sources:
        if out.resolve().is_relative_to(source.folder.resolve()):
            raise ResultsError(
                f"{str(out)!r} is inside the results folder {folder_name(source.folder)}, which "
                "stays as its command wrote it; choose another with --out."
            )


def plain_name(name: str) -> str:
    """A name of letters, digits, hyphens and underscores, for references and files.

    Examples
    --------
    >>> plain_name("offset ladder/1")
    'offset-ladder-1'
    """
    return "".join(c if c.isascii() and (c.isalnum() or c == "_") else NOT_A_LETTER for c in name)
