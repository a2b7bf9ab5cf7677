"""The evidence of a dossier: results folders read back, each checked to be as it was written."""

import json
import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from backtest.present.record import PageRecord, read_record
from backtest.replay.findings import Findings
from backtest.replay.provenance import Provenance, digest
from backtest.replay.seal import MANIFEST, SELF, change_message, changed_files, read_manifest
from backtest.replay.study import Study
from backtest.studies.run.reopen import stored_run
from backtest.studies.validate.reopen import stored_validation
from backtest.types import ResultsError, read_regular

RUN, VALIDATE, GRID = "run", "validate", "grid"
NO_EVIDENCE = ("annex", "dossier")  # kinds that hold nothing but what other folders hold


@dataclass(frozen=True, eq=False)
class Scored:
    """A study with daily margins: what `run` or `validate` left.

    Parameters
    ----------
    label : what the file calls it. books : that its file names; all accounts of a given table.
    ladder : from `OffsetLadder.to_frame`; without rows where nothing is pooled over silos.
    text : of its study file, verbatim; empty where margins were given.
    """

    label: str
    study: Study
    findings: Findings
    ladder: pd.DataFrame
    books: tuple[str, ...]
    text: str = ""

    @property
    def origin(self) -> Provenance:
        """Where its numbers come from."""
        return self.study.provenance

    @property
    def noun(self) -> str:
        """What its portfolios are."""
        return "account" if self.origin.given is not None else "book"

    def scores(self, model: str) -> pd.DataFrame:
        """One row a portfolio: the columns of `Study.summary`."""
        return pd.DataFrame(self.study.scores.xs(model, level="model"))


@dataclass(frozen=True, eq=False)
class Folder:
    """A results folder: its page as data, and its numbers where they are sealed."""

    path: Path
    label: str
    record: PageRecord
    manifest: dict[str, Any]
    scored: Scored | None = None

    @property
    def levels(self) -> str:
        """sha256 of the prices; empty where none entered."""
        data = self.manifest.get("data")
        return str(data["levels_sha256"]) if isinstance(data, dict) else ""

    @property
    def is_whole(self) -> bool:
        """Whether its manifest, too, has a sha256: older commands wrote some without."""
        return SELF in self.manifest or MANIFEST in self.record.files

    def table(self, section: str) -> pd.DataFrame | None:
        """The CSV of a section of its page, whose sha256 was checked; None where it has none."""
        found = self.record.section(section)
        if found is None or not found.file:
            return None
        return pd.read_csv(self.path / found.file)


def read_folders(paths: Sequence[Path]) -> tuple[Folder, ...]:
    """Every folder, in the order in which they are given.

    Raises
    ------
    ResultsError : one given twice, one that is no results folder or was changed since, one that
        was made from others, none with daily margins, or simulated and real prices together.
    """
    where = [path.resolve() for path in paths]
    twice = [path for n, path in enumerate(paths) if where[n] in where[:n]]
    if twice:
        raise ResultsError(f"{str(twice[0])!r} is given twice; name each folder once.")
    records = [read_record(path) for path in paths]
    for path, record in zip(paths, records, strict=True):
        if record.kind in NO_EVIDENCE:
            raise ResultsError(
                f"{path.name!r} was written by `backtest {record.kind}` from other folders; give "
                "those."
            )
    held = [(record.kind, record.study, record.sha256) for record in records]
    for n, path in enumerate(paths):
        if held[n] in held[:n]:
            first = paths[held.index(held[n])]
            raise ResultsError(
                f"{str(path)!r} holds the same results as {str(first)!r} ({held[n][0]}, sha256 "
                f"{held[n][2][:8]}); a copy is no second study: name one of them."
            )
    labels = _labels(records)
    folders = tuple(
        _read(path, label, record)
        for path, label, record in zip(paths, labels, records, strict=True)
    )
    if not any(folder.scored for folder in folders):
        raise ResultsError(
            "none of the folders holds daily margins; give one that `backtest run` or `backtest "
            "validate` wrote."
        )
    priced = [folder for folder in folders if folder.levels]
    simulated = [folder for folder in priced if folder.record.simulated]
    real = [folder for folder in priced if not folder.record.simulated]
    if simulated and real:
        raise ResultsError(
            f"{simulated[0].path.name!r} is of simulated prices and {real[0].path.name!r} of real "
            "ones; a file is of one or the other."
        )
    return folders


def _labels(records: Sequence[PageRecord]) -> list[str]:
    """A name for each folder: that of its study and command, with its hash where that is taken."""
    names = [
        record.study if record.kind in (RUN, VALIDATE) else f"{record.study}, {record.kind}"
        for record in records
    ]
    return [
        f"{name} ({record.sha256[:8]})" if names.count(name) > 1 else name
        for name, record in zip(names, records, strict=True)
    ]


def _read(path: Path, label: str, record: PageRecord) -> Folder:
    try:
        manifest = json.loads(read_regular(path / "manifest.json"))
        software, data = manifest.get("software", {}), manifest.get("data")
        if not isinstance(software, dict) or not (
            data is None or isinstance(data["levels_sha256"], str)
        ):
            raise ValueError("no manifest of this format")
        if manifest["sha256"] != record.sha256:
            raise ResultsError(
                f"manifest.json of {str(path)!r} and its page are of two different results; run "
                "the command again."
            )
    except (OSError, ValueError, AttributeError, LookupError, TypeError, RecursionError) as error:
        raise ResultsError(
            f"{str(path)!r} holds no manifest that can be read; run its command again."
        ) from error
    if SELF in manifest:
        for name in changed_files(path, read_manifest(path)[1]):
            raise ResultsError(change_message(path, name))
    return Folder(path, label, record, manifest, _scored(path, label, record.kind))


def _scored(path: Path, label: str, kind: str) -> Scored | None:
    if kind == RUN:
        run = stored_run(path)
        return Scored(label, run.study, run.findings, run.ladder, tuple(run.named_books), run.text)
    if kind == VALIDATE:
        given = stored_validation(path)
        accounts = tuple(str(name) for name in given.study.loss.columns)
        return Scored(label, given.study, given.findings, given.ladder, accounts)
    return None


def evidence_sha256(folders: Sequence[Folder], model: str) -> str:
    """Hash of what the file is made of: the model's name, and every folder's numbers and page."""
    made_of = [[asdict(f.record), f.manifest.get("files")] for f in folders]
    return digest([model, made_of])


def _of_kind(kind: str, studies: Sequence[Scored]) -> str:
    """Which models are of a kind, where somebody gave the kind for a name; else empty."""
    names = [
        name
        for each in studies
        for name, table in (each.origin.study.get("models") or {}).items()
        if table.get("kind") == kind and name in each.study.models
    ]
    if not names:
        return ""
    options = " or ".join(f"--model {shlex.quote(name)}" for name in dict.fromkeys(names))
    return f" {kind!r} is a kind; its model goes by its name: {options}."


def model_under_review(folders: Sequence[Folder], name: str | None) -> str:
    """The model that is reviewed: the one named, or the only one there is.

    Raises
    ------
    ResultsError : several models and none named, an unknown one, or one whose name stands for
        different parameters in two folders.
    """
    studies = [folder.scored for folder in folders if folder.scored is not None]
    known = list(dict.fromkeys(model for each in studies for model in each.study.models))
    if name is None and len(known) > 1:
        raise ResultsError(
            f"the folders hold {len(known)} models; say which one is reviewed with --model: "
            f"{', '.join(known)}."
        )
    chosen = known[0] if name is None else name
    if chosen not in known:
        raise ResultsError(
            f"no folder has a model {chosen!r}; known: {', '.join(known)}."
            f"{_of_kind(chosen, studies)}"
        )
    meant: dict[str, str] = {}
    for each in studies:
        words = each.origin.models.get(chosen)
        if chosen in each.study.models and each.origin.given is None and words is not None:
            meant[words] = each.label
    if len(meant) > 1:
        (one, first), (other, second) = list(meant.items())[:2]
        raise ResultsError(
            f"model {chosen!r} is {one} in {first} and {other} in {second}; a file reviews one "
            "model: give folders of the same."
        )
    return chosen
