"""Sections 1 and 2: what the evidence says, and what the model is for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from backtest.present.exhibit import Section
from backtest.present.numbers import money, percent, pvalue
from backtest.present.table import Cell, TextTable
from backtest.replay.worst import worst_rows
from backtest.studies.dossier.fields import TO_BE_COMPLETED, Answer, stated
from backtest.studies.dossier.finding import HIGH, LOW, MEDIUM
from backtest.studies.dossier.folders import Scored
from backtest.studies.dossier.knowledge import kinds_in
from backtest.studies.dossier.outcome_findings import unsupported_pools
from backtest.studies.dossier.proposed_axis import of_package
from backtest.studies.dossier.study import Dossier
from backtest.studies.run.verdict import (
    cost_words,
    coverage_words,
    named_family,
    with_holding,
)
from backtest.studies.sentences import IS_SIMULATED, joined
from strategies import MODELS

NO_APPROVAL = (
    "This file is evidence and no approval: severities are proposed by rule, and what only a "
    "person can judge is printed TO BE COMPLETED until it is stated in a file of fields."
)
MATERIALITY = (
    "SR 26-2 sizes a review by materiality, which is exposure (how much money or how many "
    "decisions rest on the model) and purpose (whether it serves a regulatory requirement or the "
    "management of risk). The facts below are of the books that were replayed and say nothing of "
    "a firm's own; the tier is a judgement. A fixed schedule of percentages may be no model in its "
    "sense."
)


def summary(dossier: Dossier) -> Section:
    """Section 1: verdict by study, findings by severity, the rating of a person."""
    counts = {
        severity: sum(finding.severity == severity for finding in dossier.findings)
        for severity in (HIGH, MEDIUM, LOW)
    }
    judgement = dossier.fields.judgement
    terms = [(each.label, _verdict(each, dossier.model)) for each in dossier.studies]
    terms += [
        (folder.label, " ".join(folder.record.answer))
        for folder in dossier.folders
        if folder.scored is None and folder.record.answer
    ]
    found = ", ".join(f"{count:,} {severity}" for severity, count in counts.items())
    facts = [
        ("model", f"{dossier.model}{_class(dossier)}"),
        ("evidence", "; ".join(f"{f.label} ({f.record.kind})" for f in dossier.folders)),
        ("automatic findings", f"{found}, as proposed (section 13)"),
        *_stated_counts(dossier),
        ("overall rating", stated(judgement.rating)),
        ("conditions of use", stated(judgement.conditions)),
    ]
    tables = [TextTable.of_facts(f"Review of {dossier.model}", facts)]
    severe = [row for row in standing_findings(dossier) if row.severity != LOW]
    if severe:
        tables.append(
            TextTable.of(
                "Findings of high or medium severity",
                "severity",
                [(row.words, row) for row in severe],
                {"finding": lambda row: Cell(row.sentence, words=True)},
            )
        )
    return Section("summary", "1. Summary", NO_APPROVAL, tables=tuple(tables), terms=tuple(terms))


@dataclass(frozen=True)
class Standing:
    """A finding as it stands: a person's severity, or where none is stated the proposed one."""

    severity: str
    words: str
    sentence: str
    stated: bool


def standing_findings(dossier: Dossier) -> list[Standing]:
    """Automatic findings and those of persons, the most severe first; without a severity last."""
    answers = dossier.fields.findings
    rows = [
        _standing(found.sentence, answers.get(found.key, Answer()), proposed=found.severity)
        for found in dossier.findings
    ]
    rows += [_standing(own.title, own) for own in dossier.fields.more_findings]
    order = {HIGH: 0, MEDIUM: 1, LOW: 2, TO_BE_COMPLETED: 3}
    return sorted(rows, key=lambda row: order[row.severity])


def _standing(sentence: str, said: Answer, *, proposed: str = "") -> Standing:
    severity = said.severity or proposed or TO_BE_COMPLETED
    words = severity if said.severity or not proposed else f"{severity}, proposed"
    words = f"{words}; {said.status}" if said.status else words
    return Standing(severity, words, sentence, bool(said.severity) or not proposed)


def _stated_counts(dossier: Dossier) -> list[tuple[str, str]]:
    """Findings as they stand, where a person stated a severity or a finding; else nothing."""
    rows = standing_findings(dossier)
    if not any(row.stated for row in rows):
        return []
    counts = [f"{_count(rows, name):,} {name}" for name in (HIGH, MEDIUM, LOW)]
    if without := _count(rows, TO_BE_COMPLETED):
        counts.append(f"{without:,} without a severity")
    own = len(dossier.fields.more_findings)
    return [("findings as persons state them", f"{', '.join(counts)}, {own:,} of them their own")]


def _count(rows: Sequence[Standing], severity: str) -> int:
    return sum(row.severity == severity for row in rows)


def _stated_findings(dossier: Dossier) -> str:
    """How severe the findings are as persons state them; empty where they stated nothing."""
    rows = standing_findings(dossier)
    if not any(row.stated for row in rows):
        return ""
    own = len(dossier.fields.more_findings)
    return (
        f"; as persons state them, with {own:,} of their own, {_count(rows, HIGH):,} are high and "
        f"{_count(rows, MEDIUM):,} medium"
    )


def _judged(dossier: Dossier) -> str:
    """The rating, and what signatures decide, as persons state them; empty where they do not."""
    rating = dossier.fields.judgement.rating.strip()
    words = (
        [f"The overall rating, as a person stated it, is: {rating.rstrip('.')}."] if rating else []
    )
    decided = [
        f"{row.role.strip()}{f' ({row.name.strip()})' if row.name.strip() else ''}: "
        f"{row.decision.strip().rstrip('.')}"
        for row in dossier.fields.signatures
        if row.decision.strip()
    ]
    words += [f"Decisions signed: {'; '.join(decided)}."] if decided else []
    return " ".join(["", *words])


def _class(dossier: Dossier) -> str:
    words = next((e.origin.models.get(dossier.model, "") for e in dossier.studies), "")
    return f": {words}" if words else ""


def _verdict(each: Scored, model: str) -> str:
    """Coverage and cost over the named books, in the words of the study's own page."""
    text = f"{_covers(each, model)}; {cost_words(each.study, model)}."
    return text[0].upper() + text[1:]


def _covers(each: Scored, model: str) -> str:
    """Rejections in the named books, and in all books where there are more: both or neither."""
    words = coverage_words(each.study, model, list(each.books), noun=_noun(each))
    family: Any = each.findings.family_summary.loc[model]
    if family["tested"] > len(each.books):
        words += f"; of all books, random ones too, {named_family(family)}"
    elif family["coverage_p"] > 0:  # the words above tell Holm's count alone
        words += f", and in {int(family['romano_wolf']):,} of them after Romano-Wolf's"
    return words


def _noun(each: Scored) -> str:
    return "account" if each.origin.given is not None else "named book"


def answer(dossier: Dossier, *, open_statements: int) -> tuple[str, ...]:
    """What the page opens with: the verdict, the strongest evidence against, what is not shown.

    open_statements : of persons, that the file prints as TO BE COMPLETED.
    """
    model = dossier.model
    verdict = " ".join(f"In {each.label} {_covers(each, model)}." for each in dossier.studies)
    return (
        f"Under review is the model '{model}'. {verdict}{_judged(dossier)}",
        _against(dossier),
        _not_shown(dossier, open_statements),
    )


def _against(dossier: Dossier) -> str:
    """The row with the most evidence against the coverage, and how many findings there are."""
    worst = []
    for each in dossier.studies:
        scores = each.study.scores.loc[[dossier.model]]
        place = scores.index.get_loc(worst_rows(scores, 1)[0])
        row: Any = scores.iloc[place]
        book = with_holding(each.study, str(scores.index[place][1]))
        worst.append((float(row["coverage_p"]), each.label, book, row))
    p, label, book, row = min(worst, key=lambda entry: entry[0])
    severe = sum(finding.severity == HIGH for finding in dossier.findings)
    medium = sum(finding.severity == MEDIUM for finding in dossier.findings)
    return (
        f"The most evidence against it is that of {book} in {label}: {int(row['exceedances']):,} "
        f"exceedances where {int(row['allowed']):,} are allowed (coverage p {pvalue(p)}, not "
        f"corrected for the number of books){_unsupported(dossier)}; {len(dossier.findings):,} "
        f"automatic findings, {severe:,} of them proposed as high and {medium:,} as medium"
        f"{_stated_findings(dossier)}."
    )


def _unsupported(dossier: Dossier) -> str:
    """In how many pools it grants more than diversification and no offset is supported."""
    words = [
        f"{len(books):,} of {pools:,} pools of {each.label}"
        for each in dossier.studies
        for books, pools in [unsupported_pools(each, dossier.model)]
        if books
    ]
    if not words:
        return ""
    return (
        f"; in {joined(words)} it saves more against separate silos than diversification is "
        "estimated to, though no offset is supported (lower bound at or below zero)"
    )


def _not_shown(dossier: Dossier, open_statements: int) -> str:
    records = joined(f"{len(e.study.scored):,} days of {e.label}" for e in dossier.studies)
    unmeasured = sum(not row.measured for row in dossier.register)
    simulated = any(each.study.simulated for each in dossier.studies)
    words = f"{IS_SIMULATED}; not" if simulated else "Not"
    words += f" shown: that the model is right, which {records} cannot show"
    if dossier.register:
        words += (
            f"; what {unmeasured:,} of its {len(dossier.register):,} parameters move, which was "
            "not measured"
        )
    if open_statements:
        words += f"; what only persons can state, {open_statements:,} times {TO_BE_COMPLETED}"
    return f"{words}."


def purpose(dossier: Dossier) -> Section:
    """Section 2: purpose, use, scope, and the facts that a tier is judged by."""
    about = dossier.fields.model
    facts = [
        ("owner", stated(about.owner)),
        ("developer", stated(about.developer)),
        ("users", stated(about.users)),
        ("purpose", stated(about.purpose)),
        ("intended use", stated(about.use)),
        ("not to be used for", stated(about.not_for)),
        ("what it computes", _first_words(dossier)),
        *((f"tested in {each.label} on", _scope(each)) for each in dossier.studies),
    ]
    tier = [
        *(
            (f"exposure of the {each.noun}s in {each.label}", _exposure(each, dossier))
            for each in dossier.studies
        ),
        ("exposure in the firm", stated(about.exposure)),
        ("materiality tier", stated(about.tier)),
        ("why this tier", stated(about.tier_reason)),
    ]
    return Section(
        "purpose",
        "2. Purpose, use, scope and materiality",
        MATERIALITY,
        tables=(
            TextTable.of_facts("Purpose, use and scope", facts),
            TextTable.of_facts("Materiality", tier),
        ),
        on_screen=False,
    )


def _first_words(dossier: Dossier) -> str:
    """The first sentence of the docstring of its class, where that is of the package."""
    if not dossier.table:
        return "margins were given and not computed here: what computes them is not known"
    if not of_package(dossier.table):
        own = next(kind for kind in kinds_in(dossier.table) if kind not in MODELS)
        return f"{own}, a class of the user's own: read its source in the run's folder"
    kind = dossier.table["kind"]
    return (MODELS[kind].__doc__ or "").strip().partition("\n")[0]


def _scope(each: Scored) -> str:
    origin = each.origin
    if origin.given is not None:
        return f"{len(each.study.loss.columns):,} accounts; {origin.sentence()}"
    holdings = ", ".join(map(str, each.study.exposure.columns))
    silos = ", ".join(origin.held_to.mpor)
    return (
        f"{len(each.books):,} named of {len(each.study.exposure):,} books, holding {holdings} at "
        f"{silos}; {origin.sentence()}"
    )


def _exposure(each: Scored, dossier: Dossier) -> str:
    total = float(each.scores(dossier.model)["mean_margin"].sum())
    words = f"{money(total)} {dossier.currency} of margin over all {each.noun}s, mean of days"
    yardstick = each.origin.siloed_model
    if yardstick is not None and yardstick != dossier.model:
        base = float(each.scores(yardstick)["mean_margin"].sum())
        if base > 0:
            side = "less" if total <= base else "more"
            words += f"; {percent(abs(1.0 - total / base))} {side} than {yardstick} asks"
    return words
