"""The page of `backtest dossier`: sixteen sections, in the order in which a reviewer signs them."""

from collections.abc import Iterable
from dataclasses import replace

from backtest.present.exhibit import Exhibit, Section
from backtest.present.wording import reworded
from backtest.replay.origin import Software
from backtest.studies.dossier import closing, front, limits, outcomes, soundness
from backtest.studies.dossier.data_section import data_quality
from backtest.studies.dossier.fields import TO_BE_COMPLETED
from backtest.studies.dossier.study import Dossier, DossierOrigin
from backtest.studies.dossier.template import fields_template
from backtest.studies.validate.words import in_currency, of_accounts

CAPTION = (
    "Facts were filled in from finished results folders, whose files were checked to be as they "
    "were written. TO BE COMPLETED marks what only a person can state: fill in a copy of "
    "fields.toml, which lies beside this page, and give it with --fields; nothing is written over."
)


def dossier_exhibit(dossier: Dossier) -> Exhibit:
    """Everything that the file shows."""
    exhibit = Exhibit(
        kind="dossier",
        title=f"Model review: {dossier.model}",
        caption=CAPTION,
        simulated=any(each.study.simulated for each in dossier.studies),
        prices=" ".join(f"{e.label}: {e.origin.sentence()}." for e in dossier.studies),
        source_line="",  # each table of a study has its own
        sections=(
            front.summary(dossier),
            front.purpose(dossier),
            data_quality(dossier),
            soundness.register(dossier),
            soundness.soundness(dossier),
            soundness.implementation(dossier),
            outcomes.outcomes(dossier),
            outcomes.challengers(dossier),
            limits.sensitivities(dossier),
            limits.power(dossier),
            limits.limitation_section(dossier),
            closing.triggers(dossier),
            closing.findings_log(dossier),
            closing.crosswalk(dossier),
            closing.sign_off(dossier),
            closing.reproduction(dossier),
        ),
        provenance=DossierOrigin(dossier, Software.now()),
        text=dossier.text or fields_template(dossier),
    )
    opening = front.answer(dossier, open_statements=_open_statements(exhibit.sections))
    return _in_their_words(replace(exhibit, answer=opening), dossier)


def _open_statements(sections: Iterable[Section]) -> int:
    """How many cells of the file say TO BE COMPLETED."""
    return sum(
        TO_BE_COMPLETED in cell.text
        for section in sections
        for table in section.tables
        for _, rows in table.groups
        for row in rows
        for cell in row
    )


def _in_their_words(exhibit: Exhibit, dossier: Dossier) -> Exhibit:
    """Accounts in place of books where all studies are of given tables, and their currency."""
    given = [each.origin.given for each in dossier.studies]
    names = [dossier.model, *(each.label for each in dossier.studies)]
    names += [table.name for table in given if table is not None]
    names += [str(book) for each in dossier.studies for book in each.study.loss.columns]
    if all(table is not None for table in given):
        exhibit = reworded(exhibit, of_accounts(names))
    if dossier.currency != "USD":
        exhibit = reworded(exhibit, in_currency(dossier.currency, names))
    return exhibit
