"""The page of `backtest protect`: its sections, in the order in which they are read."""

from collections.abc import Iterator

from backtest.parameters.sources import source_facts
from backtest.present.exhibit import Exhibit, Section
from backtest.studies.protect.answer import protection_answer
from backtest.studies.protect.arranged_sections import arranged_sections
from backtest.studies.protect.assumptions import assumptions_section, limits_section
from backtest.studies.protect.case_sections import case_sections
from backtest.studies.protect.figures import (
    cover_of_members,
    days_of_loss,
    loss_against_saving,
    who_bears,
)
from backtest.studies.protect.fire_sale_section import fire_sale_section
from backtest.studies.protect.house_tables import (
    concentration_section,
    cover_in_stress_section,
    cover_section,
    liquidity_section,
    margin_section,
)
from backtest.studies.protect.path_section import paths_section
from backtest.studies.protect.stress import protect_stress_sections
from backtest.studies.protect.study import ProtectStudy
from backtest.studies.protect.sweep_section import sweep_section
from backtest.studies.protect.tables import (
    days_section,
    frontier_section,
    outcomes_section,
    price_section,
)

TITLE = "Customers, houses and the fund: what a margin model protects"
CAPTION = (
    "Each scored day is one experiment: margin of that day, positions closed out over the MPOR, "
    "and what margin does not cover carried through customers, firms and houses to those who bear "
    "it. No day remembers the one before. What a study does not state of firms and houses is "
    "assumed, and marked so."
)


def protection_exhibit(study: ProtectStudy) -> Exhibit:
    """All sections of a protection study, in the order in which they are read."""
    provenance = study.provenance
    return Exhibit(
        kind="protect",
        title=study.config.title or TITLE,
        caption=study.config.caption.strip() or CAPTION,
        simulated=provenance.prices.simulated,
        source_line=f"{provenance.sentence()}; seed {provenance.seed}.",
        sections=tuple(_sections(study)),
        answer=protection_answer(study),
        provenance=provenance,
        text=study.text,
        facts=(*provenance.facts(), *source_facts(provenance.parameters)),
    )


def _sections(study: ProtectStudy) -> Iterator[Section]:
    """What each bearer pays first, then what it costs, then what houses and firms need."""
    yield outcomes_section(study, who_bears(study))
    if len(study.answers.even):
        yield frontier_section(study, loss_against_saving(study))
        yield price_section(study)
    yield days_section(study, days_of_loss(study))
    if study.cases is not None:
        yield from case_sections(study.cases)
    if study.swept is not None:
        yield sweep_section(study.swept)
    if study.fire_sale is not None:
        yield fire_sale_section(study.fire_sale)
    if study.paths is not None:
        yield paths_section(study.paths, study.provenance)
    yield from protect_stress_sections(study.stress, study.provenance)
    if study.arranged is not None:
        prices = study.provenance.prices
        yield from arranged_sections(
            study.arranged, study.provenance.footnote(), simulated=prices.simulated
        )
    yield cover_section(study, cover_of_members(study))
    yield cover_in_stress_section(study)
    yield margin_section(study)
    yield liquidity_section(study)
    yield concentration_section(study)
    yield assumptions_section(study)
    yield limits_section()
