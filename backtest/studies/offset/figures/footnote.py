"""The footnote text common to all figures of an offset study."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from backtest.studies.offset.study import OffsetStudy

BOUND_WORDS = "one-sided 95 % lower bounds (bootstrap of days, allowance for drift)"


def offset_footnote(study: "OffsetStudy", *notes: str, models: bool = False) -> str:
    """Join a figure's notes with the common text: source, window, n, standard, base model, seed."""
    origin = study.provenance
    named = f" {origin.models_sentence(set(study.granted['series']))}" if models else ""
    return " ".join(
        [
            *notes,
            f"Source: {origin.prices.sentence()}, {origin.prices.first} to {origin.prices.last}; "
            f"scored n = {int(study.ladder['observations'].max()):,} days; "
            f"{origin.held_to.sentence()}. Base model of each silo: {origin.base}; seed "
            f"{origin.seed}.{named} {origin.software.sentence()}.",
        ]
    )
