"""From results folders to everything that the reviewer's file says of one model."""

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from backtest.anchors.run import ASKING, Found
from backtest.present.document import need_report_extra
from backtest.replay.origin import Software
from backtest.replay.provenance import SUPERSEDED, digest
from backtest.studies.dossier.differing import other_code
from backtest.studies.dossier.fields import Fields, read_fields
from backtest.studies.dossier.finding import Finding
from backtest.studies.dossier.findings import automatic_findings
from backtest.studies.dossier.folders import (
    Folder,
    Scored,
    evidence_sha256,
    model_under_review,
    read_folders,
)
from backtest.studies.dossier.limitations import Limitation, limitations
from backtest.studies.dossier.register import Assumption, assumptions, written_keys
from backtest.studies.dossier.sensitivity import Varied, grids_of
from backtest.studies.dossier.triggers import trigger_table, watch_table
from backtest.studies.published import reproduced
from backtest.types import Progress, ResultsError, StudyError, counted, unheard


@dataclass(frozen=True, eq=False)
class Dossier:
    """Everything that the file shows.

    Parameters
    ----------
    model : under review. folders : the evidence, in the order in which it was given.
    table : of the model as study files write it, defaults written out; empty where it was given.
    grids : that vary the model; other_grids : labels of grids in which it has other parameters.
    register, findings, limitations : a row each. fields, text : what persons state, and the file.
    triggers, watched : by label of a study: counts that reject, and what each book shows now.
    evidence : sha256 of what it is made of. published : published numbers beside ours.
    """

    model: str
    folders: tuple[Folder, ...]
    table: dict[str, Any]
    grids: tuple[Varied, ...]
    other_grids: tuple[str, ...]
    register: tuple[Assumption, ...]
    findings: tuple[Finding, ...]
    limitations: tuple[Limitation, ...]
    fields: Fields
    text: str
    evidence: str
    published: Found
    triggers: dict[str, pd.DataFrame] = field(default_factory=dict)
    watched: dict[str, pd.DataFrame] = field(default_factory=dict)

    @property
    def studies(self) -> tuple[Scored, ...]:
        """The studies that have the model."""
        return tuple(_with_model(self.folders, self.model))

    @property
    def currency(self) -> str:
        """Of the amounts, the same in all studies."""
        return self.studies[0].origin.currency

    @property
    def name(self) -> str:
        """Of the first study: the results folder is named after it."""
        return self.studies[0].origin.name

    @property
    def sha256(self) -> str:
        """Of the evidence and of what persons state."""
        return digest([self.evidence, self.fields.model_dump()])

    def of_kind(self, kind: str) -> tuple[Folder, ...]:
        """The folders that a command wrote, by the kind of their page."""
        return tuple(f for f in self.folders if f.record.kind == kind)


def study_dossier(
    folders: Sequence[Path],
    *,
    model: str | None = None,
    fields: Path | None = None,
    progress: Progress = unheard,
) -> Dossier:
    """Read the folders and the fields, and derive register, findings, limits and triggers.

    Raises
    ------
    ResultsError : a folder that is none or was changed, an unknown model, several models and none
        named, two currencies. StudyError : fields that cannot be.
    """
    need_report_extra()
    stated, text = (Fields(), "") if fields is None else read_fields(fields)
    progress("reading", 0.0)
    read = read_folders(folders)
    progress("reading", 1.0)
    chosen = model_under_review(read, model)
    studies = list(_with_model(read, chosen))
    _check_currencies(studies)
    computed = next((each for each in studies if each.origin.given is None), None)
    origin = None if computed is None else computed.origin
    table = {} if origin is None else dict(origin.study.get("models", {}).get(chosen, {}))
    table.pop("on_error", None)
    varied = grids_of(read, chosen)
    same = tuple(grid for grid in varied if not table or _plain(grid.table) == table)
    register = assumptions(
        table,
        model=chosen,
        sources=() if origin is None else origin.parameters.get(chosen, ()),
        grids=same,
        fields=stated,
        written=None if computed is None else _written(computed, chosen),
    )
    limits = limitations(studies, stated)
    _check_keys("sources", stated.sources, files_of(studies))
    _check_keys("parameters", stated.parameters, [row.key for row in register])
    _check_keys("limitations", stated.limitations, [row.key for row in limits])
    triggers, watched = {}, {}
    for each in counted(progress, "triggers", studies, len(studies)):
        triggers[each.label] = trigger_table(each)
        watched[each.label] = watch_table(each, chosen, each.books, triggers[each.label])
    progress(ASKING, 0.0)
    published = reproduced()
    progress(ASKING, 1.0)
    return Dossier(
        model=chosen,
        folders=read,
        table=table,
        grids=same,
        other_grids=tuple(grid.folder.label for grid in varied if grid not in same),
        register=register,
        findings=automatic_findings(read, chosen, register, watched, published),
        limitations=limits,
        fields=stated,
        text=text,
        evidence=evidence_sha256(read, chosen),
        published=published,
        triggers=triggers,
        watched=watched,
    )


def _past_days(dossier: Dossier) -> list[str]:
    """Days to come that lie before the newest of the folders was written."""
    stamps = [str(folder.manifest.get("written", ""))[:8] for folder in dossier.folders]
    newest = max(stamp for stamp in stamps)
    fields = dossier.fields
    due = [(f"due of {key}", row) for key, row in fields.findings.items()]
    due += [(f"due of {row.title}", row) for row in fields.more_findings]
    days = [("next_review", fields.monitoring.next_review)]
    days += [(name, row.due) for name, row in due if row.status != "closed"]
    past = [f"{name} is {day}" for name, day in days if day and day.replace("-", "") < newest]
    if not past:
        return []
    written = f"{newest[:4]}-{newest[4:6]}-{newest[6:]}"
    return [
        f"DAYS IN THE PAST: {'; '.join(past)}; the newest of the folders was written on {written}."
    ]


@dataclass(frozen=True, eq=False)
class DossierOrigin:
    """Where the file's numbers come from: the folders, by their hashes."""

    dossier: Dossier
    software: Software

    @property
    def name(self) -> str:
        """Of the first study."""
        return self.dossier.name

    @property
    def sha256(self) -> str:
        """Of the evidence and of what persons state."""
        return self.dossier.sha256

    def facts(self) -> list[tuple[str, str]]:
        """What it takes to get the same file."""
        made_of = [
            (f.label, f"{f.record.kind}, {f.path.resolve().name}, sha256 {f.record.sha256}")
            for f in self.dossier.folders
        ]
        return [
            *made_of,
            ("sha256 of the evidence", self.dossier.evidence),
            ("file written by", self.software.sentence()),
        ]

    def certificate(self) -> str:
        """The audits are in section 6, by study."""
        return ""

    def alarms(self) -> list[str]:
        """What a reader must see first: superseded rules, statements about other evidence."""
        superseded = (
            alarm
            for folder in self.dossier.folders
            for alarm in folder.record.alarms
            if alarm.startswith(SUPERSEDED)
        )
        return [
            *dict.fromkeys(superseded),
            *self._unbound(),
            *_past_days(self.dossier),
            *other_code(self.dossier.folders),
        ]

    def _unbound(self) -> list[str]:
        """That statements are of other evidence, or signatures of none."""
        made_of = self.dossier.fields.made_of.strip()
        if made_of and made_of != self.dossier.evidence:
            return [
                "STATEMENTS OF OTHER EVIDENCE: the fields were filled in for a file with the "
                f"evidence {made_of[:8]}, and this one has {self.dossier.evidence[:8]}: judgements "
                "and signatures below were not given for these numbers."
            ]
        if not made_of and any(
            f"{row.name}{row.date}{row.decision}".strip() for row in self.dossier.fields.signatures
        ):
            return [
                "UNBOUND SIGNATURES: the fields do not say of which evidence they were made "
                "(made_of is empty), so that nobody can tell whether these numbers were signed."
            ]
        return []

    def to_json(self) -> dict[str, Any]:
        """Content of manifest.json."""
        return {
            "name": self.name,
            "model": self.dossier.model,
            "sha256": self.sha256,
            "evidence_sha256": self.dossier.evidence,
            "folders": [
                {"label": f.label, "kind": f.record.kind, "sha256": f.record.sha256}
                for f in self.dossier.folders
            ],
            "software": asdict(self.software),
        }


def files_of(studies: Iterable[Scored]) -> list[str]:
    """Names of the files of prices that the studies read, each once."""
    read = [each.origin.prices.files for each in studies if each.origin.data is not None]
    return list(dict.fromkeys(file.name for files in read for file in files))


def _with_model(folders: Iterable[Folder], model: str) -> Iterable[Scored]:
    for folder in folders:
        if folder.scored is not None and model in folder.scored.study.models:
            yield folder.scored


def _written(each: Scored, model: str) -> set[str] | None:
    """Keys of the model that the study file has; None where it leaves the model to a default."""
    own = tomllib.loads(each.text).get("models", {}).get(model)
    return None if own is None else set(written_keys(own))


def _plain(table: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in table.items() if key != "on_error"}


def _check_currencies(studies: Sequence[Scored]) -> None:
    currencies = list(dict.fromkeys(each.origin.currency for each in studies))
    if len(currencies) > 1:
        raise ResultsError(
            f"the studies are in {' and '.join(currencies)}; a file is in one currency: convert "
            "the table of one and validate it again with --currency."
        )


def _check_keys(what: str, given: Iterable[str], known: Sequence[str]) -> None:
    for key in given:
        if key not in known:
            raise StudyError(
                f"[{what}] of the fields has {key!r}, which this file does not have; known: "
                f"{', '.join(known) or 'none'}."
            )
