"""Every finding that follows from the evidence alone, the most severe first."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import pandas as pd

from backtest.anchors.run import Found
from backtest.replay.provenance import SUPERSEDED
from backtest.studies.dossier.finding import HIGH, LOW, MEDIUM, MOST_NAMED, Finding
from backtest.studies.dossier.folders import Folder, Scored
from backtest.studies.dossier.input_findings import computation_findings, data_findings
from backtest.studies.dossier.outcome_findings import (
    bound_findings,
    coverage_findings,
    grant_findings,
    monitor_findings,
    other_test_findings,
    overlapping_findings,
)
from backtest.studies.dossier.register import Assumption

DOUBTFUL = "DOUBTFUL PRICES:"  # how an alarm about prices begins
Rule = Callable[[Scored, str], Iterator[Finding]]
RULES_OF_A_STUDY: tuple[Rule, ...] = (
    coverage_findings,
    other_test_findings,
    grant_findings,
    bound_findings,
    data_findings,
    computation_findings,
)


def automatic_findings(
    folders: Sequence[Folder],
    model: str,
    register: Sequence[Assumption],
    watched: Mapping[str, pd.DataFrame],
    published: Found,
) -> tuple[Finding, ...]:
    """Every finding, the most severe first, otherwise in the order of the folders.

    watched : of `watch_table`, by label of a study. published : of `reproduced`.
    """
    found: list[Finding] = []
    for folder in folders:
        if folder.scored is not None and model in folder.scored.study.models:
            for rule in RULES_OF_A_STUDY:
                found += rule(folder.scored, model)
            found += monitor_findings(folder.scored, watched[folder.scored.label])
    found += overlapping_findings(
        [f.scored for f in folders if f.scored is not None and model in f.scored.study.models],
        model,
    )
    found += _of_folders(folders)
    found += _of_register(register)
    found += _of_published(published)
    order = {HIGH: 0, MEDIUM: 1, LOW: 2}
    return tuple(sorted(found, key=lambda finding: order[finding.severity]))


def _of_published(published: Found) -> Iterator[Finding]:
    """Published numbers that this installation misses: nothing it computed can be relied on."""
    missed = published.misses
    if missed:
        first = "; ".join(str(miss) for miss in missed[:MOST_NAMED])
        words = f"{len(missed):,} of {len(published.answers):,} published numbers are missed"
        yield Finding("published-numbers", HIGH, f"{words} by this installation: {first}.", 6)


def _of_folders(folders: Sequence[Folder]) -> Iterator[Finding]:
    """Folders of other prices than the studies they stand beside, and what is red on their pages.

    Doubtful prices of the same levels are told of the study already.
    """
    levels = {f.levels for f in folders if f.scored is not None and f.levels}
    for folder in folders:
        for number, alarm in enumerate(folder.record.alarms, start=1):
            if alarm.startswith(SUPERSEDED):
                yield Finding(f"superseded/{folder.label}/{number}", MEDIUM, alarm, 4)
                continue
            if folder.scored is not None:  # told of its data
                continue
            if not (folder.levels in levels and alarm.startswith(DOUBTFUL)):
                key = f"alarm/{folder.label}/{number}"
                yield Finding(key, MEDIUM, f"{folder.label}: {alarm}", 9)
        if folder.scored is None and folder.levels and levels and folder.levels not in levels:
            yield Finding(
                f"other-prices/{folder.label}",
                MEDIUM,
                f"{folder.label}: its prices are those of none of the studies here (sha256 of the "
                f"levels {folder.levels[:8]}).",
                16,
            )


def _of_register(register: Sequence[Assumption]) -> Iterator[Finding]:
    """Parameters whose numbers nobody verified, and those whose influence nobody measured."""
    for row in register:
        if "NOT VERIFIED" in row.mark:
            yield Finding(
                f"unverified/{row.key}",
                MEDIUM,
                f"{row.key} rests on numbers that are not verified ({row.source}).",
                4,
            )
    unmeasured = [row.key for row in register if not row.measured]
    if unmeasured:
        yield Finding(
            "sensitivity",
            MEDIUM,
            f"what {len(unmeasured):,} of {len(register):,} parameters move was not measured: "
            f"{', '.join(unmeasured)}.",
            4,
        )
