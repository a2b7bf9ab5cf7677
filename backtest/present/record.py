"""The record of a page, `page.json`: what was shown, as data that annex and dossier quote from.

A page is for eyes. Whoever merges pages of several results folders needs the same sentences, tables
and captions without taking HTML apart, and has to know that none of them was changed since.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from backtest.present.exhibit import Exhibit, Section
from backtest.present.table import TextTable
from backtest.types import ResultsError, read_regular

RECORD = "page.json"
FORMAT = 1
SELF = "record_sha256"
AGAINST = "against-"  # how the kinds of comparisons begin, which go on with what is compared


@dataclass(frozen=True)
class FigureRecord:
    """Words of a figure, whose files are `figures/<name>.{svg,pdf,png,csv}`."""

    name: str
    title: str
    footnote: str
    alt: str
    simulated: bool
    measure: str = ""


@dataclass(frozen=True)
class SectionRecord:
    """A section as it was shown.

    Parameters
    ----------
    file : CSV of the numbers behind its tables, in the folder; empty where it has none of its own.
    figure : name of its figure; empty where it has none.
    """

    name: str
    heading: str
    text: str
    tables: tuple[TextTable, ...]
    terms: tuple[tuple[str, str], ...]
    sentences: tuple[str, ...]
    figure: str
    file: str
    simulated: bool


@dataclass(frozen=True)
class PageRecord:
    """What a page showed.

    Parameters
    ----------
    kind : of the command, 'run' or 'closeout'. study : its name. sha256 : as in the manifest.
    answer : the sentences that the page opens with.
    facts : names and values that a reader needs to get the same numbers.
    alarms : what stands in red above all numbers.
    files : sha256 of every figure file, of every table that a section names, and of all other
        files of the folder where the manifest is not sealed.
    """

    kind: str
    study: str
    sha256: str
    title: str
    answer: tuple[str, ...]
    caption: str
    prices: str
    source_line: str
    certificate: str
    simulated: bool
    command: str
    sections: tuple[SectionRecord, ...]
    figures: tuple[FigureRecord, ...]
    facts: tuple[tuple[str, str], ...]
    alarms: tuple[str, ...]
    files: dict[str, str]

    @property
    def stable_kind(self) -> str:
        """Its kind; 'compare' of every comparison, whatever it is a comparison with."""
        return "compare" if self.kind.startswith(AGAINST) else self.kind

    def section(self, name: str) -> SectionRecord | None:
        """The section of that name, where the page has one."""
        return next((section for section in self.sections if section.name == name), None)

    def figure(self, name: str) -> FigureRecord | None:
        """The figure of that name, where the page has one."""
        return next((figure for figure in self.figures if figure.name == name), None)


def record_of(
    exhibit: Exhibit, folder: Path, *, command: str, beside: Sequence[str] = ()
) -> PageRecord:
    """The record of an exhibit whose tables and figures are in `folder` already.

    beside : names of other files in it that nothing else seals.
    """
    origin = exhibit.provenance
    figures = tuple(
        FigureRecord(
            shown.name,
            shown.caption.title,
            shown.caption.footnote,
            shown.caption.alt,
            shown.simulated,
            shown.caption.measure,
        )
        for shown in (section.figure for section in exhibit.sections)
        if shown is not None
    )
    sections = tuple(_section(section, exhibit) for section in exhibit.sections)
    files = [section.file for section in sections if section.file]
    files += beside
    files += sorted(f"figures/{file.name}" for file in (folder / "figures").glob("*.*"))
    return PageRecord(
        kind=exhibit.kind,
        study=origin.name,
        sha256=origin.sha256,
        title=exhibit.title,
        answer=exhibit.answer,
        caption=exhibit.caption,
        prices=exhibit.prices,
        source_line=exhibit.source_line,
        certificate=origin.certificate(),
        simulated=exhibit.simulated,
        command=command,
        sections=sections,
        figures=figures,
        facts=tuple(exhibit.facts or origin.facts()),
        alarms=(*origin.alarms(), *exhibit.failures),
        files={name: _sha256((folder / name).read_bytes()) for name in files},
    )


def _section(section: Section, exhibit: Exhibit) -> SectionRecord:
    return SectionRecord(
        name=section.name,
        heading=section.heading,
        text=section.text,
        tables=section.text_tables(),
        terms=section.terms,
        sentences=section.sentences,
        figure="" if section.figure is None else section.figure.name,
        file="" if section.table is None else f"{section.name}.csv",
        simulated=exhibit.simulated or section.simulated,
    )


def write_record(record: PageRecord, folder: Path) -> None:
    """Write page.json with its own sha256: an edit shows."""
    content = {"format": FORMAT, **asdict(record)}
    content[SELF] = _own_sha256(content)
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
    (folder / RECORD).write_text(text + "\n", encoding="utf-8", newline="\n")


def read_record(folder: Path) -> PageRecord:
    """The record of the page of a results folder, every file that it names as it was written.

    Raises
    ------
    ResultsError : no results folder, one of an older version, or a file that was changed since.
    """
    try:
        content = json.loads(read_regular(folder / RECORD))
        own = content.pop(SELF)
        form = content.pop("format")
        if form != FORMAT or own != _own_sha256({"format": form, **content}):
            raise ResultsError(_changed(folder, RECORD))
        record = TypeAdapter(PageRecord).validate_python(content)
    except OSError as error:
        raise ResultsError(
            f"{str(folder)!r} holds no finished page ({RECORD}: {error.strerror}); give a results "
            "folder, or write its page anew with `backtest report`."
        ) from error
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        if isinstance(error, ValidationError | KeyError | AttributeError | TypeError):
            raise ResultsError(_changed(folder, RECORD)) from error
        raise ResultsError(f"{RECORD} of {str(folder)!r} is not JSON; run it again.") from error
    for name, sha256 in record.files.items():
        if not _is_inside(name) or _hashed(folder / name) != sha256:
            raise ResultsError(_changed(folder, name))
    return record


def page_kind(folder: Path) -> str:
    """Kind of the page of a results folder, as its record says; empty where none can be read."""
    try:
        content = json.loads(read_regular(folder / RECORD))
    except (OSError, ValueError, RecursionError):
        return ""
    return str(content.get("kind", "")) if isinstance(content, dict) else ""


def _is_inside(name: str) -> bool:
    place = Path(name)
    return not place.is_absolute() and ".." not in place.parts


def _hashed(file: Path) -> str:
    try:
        return _sha256(read_regular(file))
    except OSError:
        return ""


def _changed(folder: Path, name: str) -> str:
    return (
        f"{name} of {str(folder)!r} is not as the command wrote it; put the file back, or run the "
        "command again."
    )


def _own_sha256(content: Any) -> str:
    # What is written holds tuples and what is read holds lists: both become lists.
    return _sha256(json.dumps(json.loads(json.dumps(content)), sort_keys=True).encode())


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
