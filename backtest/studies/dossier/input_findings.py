"""Findings of what a study was computed from and how: prices, tables, failures, software."""

from collections.abc import Iterator

from backtest.studies.dossier.finding import HIGH, LOW, MEDIUM, Finding
from backtest.studies.dossier.folders import Scored
from backtest.studies.run.facts import fits_words


def data_findings(each: Scored, model: str) -> Iterator[Finding]:
    """Doubtful prices, simulated ones, and what of a given table could not be seen."""
    origin = each.origin
    if origin.given is not None:
        yield Finding(
            f"not-audited/{each.label}",
            MEDIUM,
            f"{each.label}: margins were given and not computed here; whether each was known on "
            "its day is the table's word.",
            6,
        )
        for number, sentence in enumerate(origin.given.findings(), start=1):
            yield Finding(f"table/{each.label}/{number}", MEDIUM, f"{each.label}: {sentence}", 3)
        return
    if each.study.simulated:
        yield Finding(
            f"simulated/{each.label}",
            HIGH,
            f"{each.label}: prices are SIMULATED; nothing in it is evidence about a market.",
            3,
        )
    for number, doubt in enumerate(origin.prices.findings, start=1):
        if not doubt.accepted:
            yield Finding(
                f"prices/{each.label}/{doubt.factor} {doubt.kind} {number}",
                HIGH if doubt.scored_share > 0 else LOW,
                f"{each.label}: {doubt.words}",
                3,
            )


def computation_findings(each: Scored, model: str) -> Iterator[Finding]:
    """What failed, what was left out, and what was not pinned down in the computation."""
    origin = each.origin
    for number, failure in enumerate(origin.failed_gates, start=1):
        yield Finding(f"gate/{each.label}/{number}", HIGH, f"{each.label}: {failure}", 7)
    for name, reason in origin.failed_models.items():
        yield Finding(
            f"failed/{each.label}/{name}", HIGH, f"{each.label}: {name} is left out: {reason}", 8
        )
    for law, fits in origin.fits.get(model, {}).items():
        if fits.failed:
            yield Finding(
                f"fits/{each.label}/{law}",
                MEDIUM,
                f"{each.label}: {fits_words({law: fits})}.",
                6,
            )
    for number, sentence in enumerate(origin.omissions.get(model, ()), start=1):
        yield Finding(f"omitted/{each.label}/{number}", MEDIUM, f"{each.label}: {sentence}", 5)
    if origin.given is None and model not in origin.causality:
        yield Finding(
            f"causality/{each.label}",
            HIGH,
            f"{each.label}: the causality of {model} was not audited.",
            6,
        )
    if origin.software.dirty:
        yield Finding(
            f"software/{each.label}",
            MEDIUM,
            f"{each.label}: computed by a checkout with uncommitted changes (commit "
            f"{str(origin.software.commit)[:8]}), which nobody can look up.",
            16,
        )
