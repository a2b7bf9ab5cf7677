"""The certificate of a causality audit: what was checked, what it covers, what it cannot see."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

COVERS = "margins on the history, of the named portfolios and of some spread over the others"
CANNOT_SEE = (
    "a model that reads prices from a file by itself (files that models open are listed), or "
    "repeats answers that it remembers (--isolate prevents it); look-ahead on other days than "
    "those; forecasts, parts and simulated paths"
)


@dataclass(frozen=True)
class CausalityAudit:
    """What was checked, and the largest relative change that was seen.

    Parameters
    ----------
    cut_days : days after which the future was cut off. before_losses : how many of them lie before
        one of the worst losses of a portfolio is known. replaced_days : days after which it was
        replaced by another. portfolios : whose margins were compared. alone : portfolios that were
        margined alone as well.
    largest_change : of any of these, a share of the margin.
    later_start : largest change of a margin when the history begins some weeks later; None where
        too little is left. It is no look-ahead: a model with a long memory moves a little.
    isolated : the model's process never held a later day, so there was nothing to cut off.
    covers, cannot_see : what this says of the numbers, and what it cannot say.
    """

    cut_days: tuple[str, ...]
    before_losses: int
    replaced_days: tuple[str, ...]
    portfolios: tuple[str, ...]
    alone: tuple[str, ...]
    largest_change: float
    later_start: float | None
    isolated: bool = False
    covers: str = COVERS
    cannot_see: str = CANNOT_SEE

    def sentence(self) -> str:
        """One line for pages and screens."""
        if self.isolated:
            return (
                f"{len(self.portfolios)} portfolios, each day margined by a process that held no "
                "later day."
            )
        return (
            f"{len(self.cut_days)} days after which the future was cut off, {self.before_losses} "
            f"of them before worst losses, {len(self.replaced_days)} after which it was replaced: "
            f"the margins of {len(self.portfolios)} portfolios before them did not move."
        )


def audit_facts(audits: Mapping[str, CausalityAudit]) -> list[tuple[str, str]]:
    """The audit of each model, and what they cover, for a page's list; `audits` are not empty."""
    first = next(iter(audits.values()))
    return [
        *(
            (
                f"causality of {name}",
                f"{audit.sentence()} Largest relative change {audit.largest_change:.1e}.",
            )
            for name, audit in audits.items()
        ),
        ("the audit covers", f"{first.covers}."),
        ("the audit cannot see", f"{first.cannot_see} (docs/causality.md)."),
    ]


def audit_paragraph(audits: Mapping[str, CausalityAudit]) -> str:
    """The audits of all models in one paragraph for the screen; empty where none was run.

    Examples
    --------
    >>> apart = CausalityAudit((), 0, (), ("a",), (), 0.0, None, isolated=True)
    >>> audit_paragraph({"mine": apart})[:63]
    'Causality: 1 models ran in processes that held no later day. Co'
    """
    if not audits:
        return ""
    cut = [audit for audit in audits.values() if not audit.isolated]
    alone, words = len(audits) - len(cut), []
    if cut:
        words.append(
            f"no margin of {len(cut)} models moved when the future was cut off after "
            f"{_span(len(a.cut_days) for a in cut)} days, {_span(a.before_losses for a in cut)} of "
            "them before worst losses, and replaced after "
            f"{_span(len(a.replaced_days) for a in cut)} "
            f"(largest relative change {max(a.largest_change for a in cut):.1e})"
        )
    if alone:
        words.append(f"{alone} models ran in processes that held no later day")
    first = next(iter(audits.values()))
    return (
        f"Causality: {'; '.join(words)}. Covered: {first.covers}. Not covered: "
        f"{first.cannot_see} (docs/causality.md)."
    )


def _span(counts: Iterable[int]) -> str:
    """One number, or the smallest and the largest."""
    low, *_, high = sorted([*counts] * 2)
    return f"{low}" if low == high else f"{low} to {high}"
