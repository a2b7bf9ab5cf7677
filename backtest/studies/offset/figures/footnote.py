"""The footnote text common to all figures of an offset study."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from backtest.studies.offset.study import OffsetStudy

BOUND_WORDS = "one-sided 95 % lower bounds (bootstrap of days, allowance for drift)"


def offset_footnote(study: "OffsetStudy", note: str, *, models: bool = False) -> str:
    """A figure's note and the common text: source, window, n, standard, base model, seed.

    models : name the models that grant credit as well.
    """
    origin = study.provenance
    sentence = f" {origin.models_sentence(set(study.credit['series']))}" if models else ""
    return (
        f"{note} Source: {origin.prices.sentence()}, {origin.prices.first} to "
        f"{origin.prices.last}; scored n = {int(study.ladder['observations'].max()):,} days; "
        f"{origin.held_to.sentence()}. Base model of each silo: {origin.base}; seed "
        f"{origin.seed}.{sentence} {origin.software.sentence()}."
    )
