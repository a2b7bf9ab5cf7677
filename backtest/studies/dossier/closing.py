"""Sections 12 to 16: triggers, findings log, crosswalk, sign-off, reproduction."""

from functools import partial
from typing import Any

import pandas as pd

from backtest.present.exhibit import Section
from backtest.present.numbers import MISSING, millions, percent, pvalue, ratio
from backtest.present.table import Cell, TextTable, of_column, records
from backtest.replay.worst import MOST_SHOWN
from backtest.studies.dossier.fields import TO_BE_COMPLETED, Answer, stated
from backtest.studies.dossier.finding import RULES
from backtest.studies.dossier.folders import Folder
from backtest.studies.dossier.knowledge import known
from backtest.studies.dossier.one_model import of_study
from backtest.studies.dossier.study import Dossier
from backtest.studies.dossier.triggers import surest_count

LOGGED = [
    *("number", "sentence", "where", "proposed", "severity", "owner", "due", "status", "response"),
]
ROLES = ("reviewer", "model owner", "approver")
TRIGGERS_TEXT = (
    "Counts of exceedances in a window from which on coverage p is 5 % or less, for exceedances on "
    "single days and in runs as long as the MPOR, evenly spread: others may be rejected at other "
    "counts, so compute coverage p when half of one is reached. Whoever looks at a window every "
    "day rejects a right model more often than 5 %. Bets against the coverage do not (an "
    "e-process, Wang, Wang and Ziegel 2025): if the model is right, their wealth, 1 at the start, "
    "ever reaches 20 with a probability of 5 % at most, and it calls for a review there. They test "
    "each day's margin given the days before, so that clusters count against it too. Any change of "
    "a parameter, a source of prices or the code calls for a review: `backtest compare` names it."
)
FINDINGS_TEXT = (
    f"What follows from the evidence alone. {RULES} Severity, owner, date and status are stated in "
    "the file of fields, by the key of the finding."
)
CLOSED = "not found in these folders any more"
CROSSWALK_NOTE = (
    "NOT VERIFIED: the texts themselves were not read; themes and titles are those of secondary "
    "sources: {sources}. Dated {dated}."
)


def triggers(dossier: Dossier) -> Section:
    """Section 12: counts that reject, and what each book shows at the end of its record."""
    tables = []
    for each in dossier.studies:
        own = _counts(dossier.triggers[each.label]), _watched(dossier, each.label)
        tables += [of_study(table, each.label, each.study) for table in own]
    monitoring = dossier.fields.monitoring
    tables.append(
        TextTable.of_facts(
            "Who watches",
            [
                ("owner", stated(monitoring.owner)),
                ("frequency", stated(monitoring.frequency)),
                ("escalation", stated(monitoring.escalation)),
                ("next review", stated(monitoring.next_review)),
            ],
        )
    )
    table = pd.concat(dossier.triggers, names=["study"]) if dossier.triggers else None
    return Section(
        "triggers",
        "12. Monitoring triggers",
        TRIGGERS_TEXT,
        table=table,
        tables=tuple(tables),
        on_screen=False,
    )


def _counts(frame: pd.DataFrame) -> TextTable:
    def count(value: float) -> str:
        return MISSING if pd.isna(value) else f"{int(value):,}"

    return TextTable.of(
        "Exceedances of one book from which on coverage p is 5 % or less",
        "margin days, test",
        [(f"{key[0]:,}, {key[1]}", row) for key, row in records(frame)],
        {
            "on single days": of_column("alone", count),
            "in runs over the MPOR": of_column("in runs", count),
        },
        note="Groups of days is the test of records whose large losses come together for months "
        "(docs/overlap.md).",
    )


def _watched(dossier: Dossier, label: str) -> TextTable:
    frame, most = dossier.watched[label], surest_count(dossier.triggers[label])
    worst = frame.sort_values("wealth", ascending=False, kind="stable").iloc[:MOST_SHOWN]
    chosen = frame if len(frame) <= MOST_SHOWN else worst
    noun = "books" if len(chosen) == len(frame) else f"{len(chosen):,} of {len(frame):,} books"
    return TextTable.of(
        f"What {dossier.model} shows at the end of the record, {noun}",
        "book",
        [(str(book), row) for book, row in records(chosen)],
        {
            "wealth of the bets (review at 20)": of_column("wealth", ratio),
            "its p, valid on any day": of_column("pvalue", pvalue),
            "exceedances, last 250 days": lambda row: f"{int(row['last_250']):,}",
            "most in any 250 days": of_column("most_250", _whole),
            **(
                {}
                if pd.isna(most)
                else {
                    f"days on which it was {int(most):,} or more": of_column("crossed_250", _whole)
                }
            ),
            f"review above an excess of, {dossier.currency} m": of_column("max_excess", millions),
            "review above a rise of margin within 5 days of": of_column("rise_within_5", percent),
        },
        note="The last two are the largest of the record. The bets run on every H-th day of an "
        "MPOR of H days; the p-value is that of the largest wealth so far. "
        "Counts of 250 days were taken on every day of the record; they are held to the largest "
        "count for 250 days of the table before, which all its triggers reject.",
    )


def _whole(count: float) -> str:
    return MISSING if pd.isna(count) else f"{int(count):,}"


def findings_log(dossier: Dossier) -> Section:
    """Section 13: automatic findings, then those of persons, with what became of each."""
    rows = log_rows(dossier)
    frame = pd.DataFrame([row for _, row in rows], index=pd.Index([k for k, _ in rows], name="key"))
    found = TextTable.of(
        "Findings",
        "no.",
        [(row["number"], row) for _, row in rows],
        {
            "proposed": _words("proposed"),
            "finding": _words("sentence"),
            "shown in section": _words("where"),
        },
    )
    became = TextTable.of(
        "What became of them",
        "no.",
        [(row["number"], row | {"key": key}) for key, row in rows],
        {
            "key in the file of fields": _words("key"),
            "severity": _words("severity"),
            "owner": _words("owner"),
            "due, status": lambda row: Cell(_due_and_status(row), words=True),
            "response": _words("response"),
        },
    )
    return Section(
        "findings",
        "13. Findings log",
        FINDINGS_TEXT,
        table=frame.reindex(columns=LOGGED),
        tables=(found, became) if rows else (),
        sentences=() if rows else ("Nothing was found automatically, and nobody added a finding.",),
        on_screen=False,
    )


def _due_and_status(row: dict[str, str]) -> str:
    """Both in one cell; one mark where neither is stated."""
    return row["due"] if row["due"] == row["status"] else f"{row['due']}, {row['status']}"


def log_rows(dossier: Dossier) -> list[tuple[str, dict[str, str]]]:
    """Key and row of every finding: automatic ones, those of fields that are gone, persons'."""
    answers = dossier.fields.findings
    rows = [
        (found.key, _log_row(found.sentence, found.severity, answers.get(found.key), found.where))
        for found in dossier.findings
    ]
    known_keys = {found.key for found in dossier.findings}
    rows += [
        (key, _log_row(CLOSED, "", answer, 0))
        for key, answer in answers.items()
        if key not in known_keys
    ]
    rows += [
        (f"reviewer/{number}", _log_row(own.title, "", own, 0))
        for number, own in enumerate(dossier.fields.more_findings, start=1)
    ]
    return [(key, {"number": f"F{n}"} | row) for n, (key, row) in enumerate(rows, start=1)]


def _log_row(sentence: str, proposed: str, given: Answer | None, where: int) -> dict[str, str]:
    answer = Answer() if given is None else given
    return {
        "sentence": sentence,
        "where": str(where) if where else "-",
        "proposed": proposed or "-",
        "severity": stated(answer.severity),
        "owner": stated(answer.owner),
        "due": stated(answer.due),
        "status": stated(answer.status),
        "response": stated(answer.response),
    }


def _words(column: str) -> Any:
    return lambda row: Cell(str(row[column]), words=True)


def crosswalk(dossier: Dossier) -> Section:
    """Section 14: which section answers what of three texts."""
    tables = known("crosswalk")
    return Section(
        "crosswalk",
        "14. Crosswalk to SR 26-2, SR 11-7 and SS1/23",
        CROSSWALK_NOTE.format(sources="; ".join(tables["sources"]), dated=tables["dated"]),
        tables=(
            TextTable.of(
                "Sections of this file and themes of the texts, not verified",
                "sections",
                [(", ".join(map(str, row["sections"])), row) for row in tables["rows"]],
                {
                    "SR 26-2 (17 April 2026)": _words("sr_26_2"),
                    "SR 11-7 (2011, rescinded)": _words("sr_11_7"),
                    "PRA SS1/23": _words("ss1_23"),
                },
            ),
        ),
        on_screen=False,
    )


def sign_off(dossier: Dossier) -> Section:
    """Section 15: who signed what, or that nobody has."""
    signed = [signature.model_dump() for signature in dossier.fields.signatures]
    given = {row["role"] for row in signed}
    rows = [*signed, *({"role": role} for role in ROLES if role not in given)]
    return Section(
        "sign-off",
        "15. Sign-off",
        "A name here was written into the file of fields; this program cannot tell who wrote it.",
        tables=(
            TextTable.of(
                "Sign-off",
                "role",
                [(row["role"], row) for row in rows],
                {head: partial(_signed, head=head) for head in ("name", "date", "decision")},
            ),
        ),
        on_screen=False,
    )


def _signed(row: dict[str, str], head: str) -> Cell:
    return Cell(stated(row.get(head, "")), words=True)


def reproduction(dossier: Dossier) -> Section:
    """Section 16: every folder, what wrote it, and its hashes."""
    text = (
        "Every file that a command wrote, but report.html, which repeats the others, was compared "
        "with the sha256 under which it was written before anything was read from it."
    )
    partial = [folder.label for folder in dossier.folders if not folder.is_whole]
    if partial:
        text += f" No sha256 was written of manifest.json and study.toml of: {', '.join(partial)}."
    return Section(
        "reproduction",
        "16. Reproduction",
        text,
        tables=tuple(_origin(folder) for folder in dossier.folders),
        on_screen=False,
    )


def _origin(folder: Folder) -> TextTable:
    manifest, record = folder.manifest, folder.record
    software = manifest.get("software", {})
    commit = software.get("commit") or "not run from a checkout"
    state = " with uncommitted changes" if software.get("dirty") else ""
    versions = ", ".join(
        f"{name} {value}"
        for name, value in software.items()
        if name not in ("commit", "dirty", "kernels")
    )
    facts = [
        ("folder", folder.path.resolve().name),
        ("written by", record.command),
        ("written (UTC)", str(manifest.get("written", "")) or TO_BE_COMPLETED),
        ("sha256 of its inputs", record.sha256),
        ("commit", f"{commit}{state}"),
        ("versions", versions),
        ("seed", str(manifest.get("seed", ""))),
    ]
    if folder.levels:
        facts.append(("sha256 of the levels", folder.levels))
    given = manifest.get("given")
    if isinstance(given, dict):
        facts.append(("sha256 of the table", str(given.get("sha256", ""))))
    return TextTable.of_facts(folder.label, facts)
