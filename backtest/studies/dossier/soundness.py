"""Sections 4 to 6: assumptions, conceptual soundness, checks of the implementation."""

from backtest.present.exhibit import Section
from backtest.present.table import Cell, TextTable
from backtest.studies.dossier.docstrings import references, sentences_and_formulas
from backtest.studies.dossier.fields import stated
from backtest.studies.dossier.folders import RUN, VALIDATE, Scored
from backtest.studies.dossier.knowledge import kinds_in, known, waived
from backtest.studies.dossier.proposed_axis import of_package
from backtest.studies.dossier.register import (
    CHOSEN,
    DEFAULT,
    Assumption,
    register_frame,
)
from backtest.studies.dossier.rules import rules_in_force
from backtest.studies.dossier.study import Dossier
from backtest.studies.published import published_table
from backtest.studies.run.facts import fits_words
from backtest.studies.run.reproduce import promise
from strategies import MODELS

REGISTER_TEXT = (
    "Every parameter of the model, those of models inside it too, as the study file has it with "
    "its defaults written out: set there, a default of the package, or published numbers. A value "
    "that names published numbers carries their source, date and mark; where any other value comes "
    "from only a person can say. Sensitivity: exceedances, mean margin a book, and books of which "
    "coverage is rejected at 5 %, each for itself, at each value, over all books and other axes of "
    "the grid; no interval of the differences: two runs and `backtest compare` give it."
)
NO_PARAMETERS = (
    "Margins were given and not computed here: what they assume is not known. Ask whoever computed "
    "them for the parameters, their sources and dates."
)
SOUNDNESS_TEXT = (
    "What the class says of itself, and the laws that this package's tests hold it to. That a "
    "model keeps its laws does not say that it suits the books."
)
IMPLEMENTATION_TEXT = (
    "What was checked of the computation. Commands that this file does not run itself are named: "
    "what they printed is for the reviewer to enter."
)
SELFCHECK = (
    "`backtest selfcheck` asks this installation small questions whose answers are known and "
    "prints how many are right, kind by kind"
)
FAULTS = (
    "`python -m tests.faults` in a clone feeds the commands broken inputs, changed folders and "
    "cheating models, and prints a line a kind; the faults of prices that each way in names are in "
    "docs/data.md"
)


def register(dossier: Dossier) -> Section:
    """Section 4: the assumptions register."""
    rows = dossier.register
    if not rows:
        return Section("assumptions", "4. Assumptions register", NO_PARAMETERS, on_screen=False)
    tables = [
        TextTable.of(
            f"Parameters of {dossier.model}",
            "parameter",
            [(row.key, row) for row in rows],
            {
                "value": lambda row: Cell(row.value, words=True),
                "what it is": lambda row: Cell(row.what or "not known here", words=True),
                "standing": lambda row: Cell(row.standing, words=True),
                "source, date": lambda row: Cell(_source_and_date(row), words=True),
                "verified": lambda row: Cell(row.mark, bold="NOT" in row.mark, words=True),
            },
        ),
        TextTable.of(
            f"What the parameters of {dossier.model} move",
            "parameter",
            [(row.key, row) for row in rows],
            {"sensitivity": lambda row: Cell(row.sensitivity, words=True)},
        ),
        *filter(None, (rules_in_force(each, dossier.model) for each in dossier.studies)),
        *(_standard(each) for each in dossier.studies),
    ]
    sentences = [
        f"{label} varies {dossier.model} with other parameters than these and is not used here."
        for label in dossier.other_grids
    ]
    return Section(
        "assumptions",
        "4. Assumptions register",
        REGISTER_TEXT,
        table=register_frame(rows).set_index("key"),
        tables=tuple(tables),
        sentences=tuple(sentences),
        on_screen=False,
    )


def _source_and_date(row: Assumption) -> str:
    """Source and date of a value; one mark where neither is stated."""
    return row.source if row.source == row.date else f"{row.source}, {row.date}"


def _standard(each: Scored) -> TextTable:
    """What the study assumes around the model: the standard and the account."""
    held, terms = each.origin.held_to, each.origin.terms
    collateral = terms.collateral if isinstance(terms.collateral, str) else "a mix"
    facts = [
        ("coverage", f"{100 * held.confidence:g} %"),
        ("MPOR, margin days", ", ".join(f"{silo} {days}" for silo, days in held.mpor.items())),
        ("rows that the longest close-out spans", f"{held.overlap:,}"),
        ("positions", held.rebalance),
        ("liquidation cost", "in the losses" if held.liquidation else "not in the losses"),
        ("calls", f"{terms.lag_words()}, minimum transfer {terms.minimum_transfer:,.0f}"),
        ("collateral", f"{collateral}, excess {terms.excess}"),
    ]
    return TextTable.of_facts(f"What {each.label} assumes around the model", facts)


def soundness(dossier: Dossier) -> Section:
    """Section 5: theory, references, laws and waivers, and what judgement is left."""
    judgement = [
        ("conceptual soundness", stated(dossier.fields.judgement.conceptual_soundness)),
        ("judgement that is left", _judgement_left(dossier.register)),
    ]
    tables = [TextTable.of_facts("Judgement on the concept", judgement)]
    if not dossier.table:
        return Section(
            "soundness", "5. Conceptual soundness", NO_PARAMETERS, tables=tuple(tables),
            on_screen=False,
        )  # fmt: skip
    kinds = [kind for kind in dict.fromkeys(kinds_in(dossier.table)) if kind in MODELS]
    facts: list[tuple[str, str]] = []
    for kind in kinds:
        words, formulas = sentences_and_formulas(MODELS[kind])
        facts.append((f"{kind}, what it says of itself", words))
        facts += [(f"{kind}, formula (TeX)", formula) for formula in formulas]
        facts.append((f"{kind}, references", " ".join(references(MODELS[kind])) or "none given"))
    left_out = [
        (f"left out in {each.label}", " ".join(each.origin.omissions[dossier.model]))
        for each in dossier.studies
        if dossier.model in each.origin.omissions
    ]
    carry = [
        ("carry and roll-down", row.words) for row in dossier.limitations if row.key == "carry"
    ]
    tables = [TextTable.of_facts("The concept", [*facts, *left_out, *carry]), *tables]
    if of_package(dossier.table):
        tables.insert(1, _laws(dossier))
    return Section(
        "soundness", "5. Conceptual soundness", SOUNDNESS_TEXT, tables=tuple(tables),
        on_screen=False,
    )  # fmt: skip


def _judgement_left(rows: tuple[Assumption, ...]) -> str:
    own = [row.key for row in rows if row.standing in (CHOSEN, DEFAULT)]
    if not rows:
        return "all of it: no parameter is known"
    if not own:
        return "no parameter but published numbers; which of them to use"
    return f"{len(own):,} of {len(rows):,} parameters are no published numbers: {', '.join(own)}"


def _laws(dossier: Dossier) -> TextTable:
    """The laws of the contract tests, and those that the model is excused from."""
    reasons = waived(dossier.table)

    def kept(law: dict[str, str]) -> Cell:
        reason = reasons.get(law["name"])
        return Cell(f"waived for {reason}" if reason else "kept", words=True)

    return TextTable.of(
        "Laws that the package's tests hold its models to",
        "law",
        [(law["name"], law) for law in known("laws")["laws"]],
        {"what it asks": lambda law: Cell(law["words"], words=True), "this model": kept},
        note="Tested on small markets and settings of the tests, not on the books of this file "
        "(tests/laws/test_contracts.py); a waiver that is not needed fails the tests.",
    )


def implementation(dossier: Dossier) -> Section:
    """Section 6: known answers, causality, fits, reproduction, the fault library."""
    checks = dossier.fields.checks
    facts = [
        ("known answers", SELFCHECK),
        ("selfcheck printed", stated(checks.selfcheck)),
        *(fact for each in dossier.studies for fact in _audit(each, dossier.model)),
        ("what such an audit finds", _detection()),
        *(
            (f"fits in {each.label}", fits_words(each.origin.fits[dossier.model]))
            for each in dossier.studies
            if dossier.model in each.origin.fits
        ),
        *(
            (
                f"reproduction of {folder.label}",
                f"`backtest reproduce {folder.path.resolve().name}` computes it again and compares "
                f"every score: {promise(folder.path)}",
            )
            for folder in dossier.folders
            if folder.record.kind in (RUN, VALIDATE)
        ),
        ("reproduce printed", stated(checks.reproduce)),
        ("fault library", FAULTS),
        ("the fault library printed", stated(checks.faults)),
        ("judgement on the implementation", stated(dossier.fields.judgement.implementation)),
    ]
    return Section(
        "implementation",
        "6. Implementation checks",
        IMPLEMENTATION_TEXT,
        tables=(
            TextTable.of_facts("Checks of the implementation", facts),
            published_table(dossier.published),
        ),
        on_screen=False,
    )


def _audit(each: Scored, model: str) -> list[tuple[str, str]]:
    """The causality certificate of the model in a study."""
    if each.origin.given is not None:
        return [(f"causality in {each.label}", "not audited: margins were given")]
    audit = each.origin.causality.get(model)
    if audit is None:
        return [(f"causality in {each.label}", "not audited")]
    return [
        (
            f"causality in {each.label}",
            f"{audit.sentence()} Largest relative change {audit.largest_change:.1e}. Covered: "
            f"{audit.covers}. Not covered: {audit.cannot_see}.",
        )
    ]


def _detection() -> str:
    measured = known("measured")["causality"]
    return (
        f"measured on {measured['cheats']} planted cheats: {measured['caught']:,} of "
        f"{measured['audits']:,} audits refused one; in the other {measured['without_effect']} it "
        f"had no effect on that book ({measured['document']})"
    )
