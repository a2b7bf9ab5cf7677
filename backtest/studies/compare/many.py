"""Three folders and more: each against the base, and every model of each in one ranking."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from backtest.replay.provenance import digest
from backtest.replay.seal import read_manifest
from backtest.replay.study import Study
from backtest.scores.models.multiple import holm
from backtest.scores.money.pooled import pooled_equal_coverage
from backtest.studies.compare.inputs import input_differences
from backtest.studies.compare.letters import finished_studies, folder_name, letters
from backtest.studies.compare.study import (
    COLUMNS,
    PAIRED,
    differing,
    paired_differences,
    score_differences,
    tolerances_between,
    unmatched_names,
)
from backtest.studies.run.verdict import SIGNIFICANT
from backtest.types import Progress

KEYS = ["model", "portfolio"]


@dataclass(frozen=True, eq=False)
class ManyRuns:
    """Several studies, each against the first, the base; every difference is less the base.

    Parameters
    ----------
    runs : the studies, the base first. folders : names of their folders.
    inputs : of `input_differences`. unmatched_names : of `unmatched_names`.
    scores : one row a (model, portfolio, folder), tidy. `folder` is a letter; `name` that of the
        folder; each of `COLUMNS`; their differences from the base, `differs`, and those paired by
        day; `p` of no difference in the long run, rate and margin jointly, and `holm`, allowing for
        all folders that are compared with the base on this model and book. NaN in the base.
    ranking : of `ranking_table`.
    sha256 : of every number that was compared.
    """

    runs: tuple[Study, ...]
    folders: tuple[str, ...]
    inputs: pd.DataFrame
    unmatched_names: pd.DataFrame
    scores: pd.DataFrame
    ranking: pd.DataFrame
    sha256: str

    @property
    def letters(self) -> list[str]:
        """The letter of each folder; A is the base."""
        return letters(len(self.runs))

    @property
    def against_base(self) -> pd.DataFrame:
        """Rows of `scores` that have a counterpart in the base."""
        return self.scores[self.scores["differs"].notna()]


def compare_many(folders: Sequence[Path], *, progress: Progress) -> ManyRuns:
    """Compare results folders with the first of them.

    Raises
    ------
    ResultsError : one is not what `backtest run` or `backtest validate` wrote, or is in another
        currency.
    """
    runs = finished_studies(folders)
    names = tuple(folder_name(folder) for folder in folders)
    return ManyRuns(
        runs=runs,
        folders=names,
        inputs=input_differences(*(run.provenance.to_json() for run in runs)),
        unmatched_names=unmatched_names(*runs),
        scores=side_by_side(runs, names, progress=progress),
        ranking=ranking_table(runs),
        sha256=digest([read_manifest(folder)[1] for folder in folders]),
    )


def side_by_side(
    runs: Sequence[Study], names: Sequence[str], *, progress: Progress
) -> pd.DataFrame:
    """Scores of every study, and differences from the first; see `ManyRuns.scores`."""
    base, tables = runs[0], []
    for place, (letter, name, run) in enumerate(zip(letters(len(runs)), names, runs, strict=True)):
        table = run.scores[list(COLUMNS)].assign(folder=letter, name=name)
        if place:

            def report(stage: str, share: float, place: int = place) -> None:
                progress(stage, (place - 1 + share) / (len(runs) - 1))

            table = table.join(_against(base, run, progress=report))
        tables.append(table.reset_index())
    scores = pd.concat(tables, ignore_index=True)
    # As many comparisons are made on a model and book as folders are paired with the base.
    adjusted = scores.groupby(KEYS, sort=False)["p"].transform(lambda p: holm(p.to_numpy(float)))
    first = ["folder", "name"]
    return scores.assign(holm=adjusted)[[*first, *scores.columns.drop(first), "holm"]]


def _against(base: Study, run: Study, *, progress: Progress) -> pd.DataFrame:
    """Differences of a study from the base, by (model, portfolio) of both."""
    scores = score_differences(base.scores, run.scores)
    tolerances = tolerances_between(base.provenance, run.provenance)
    masks = [differing(scores, name, tolerances) for name in COLUMNS]
    pairs = paired_differences(base, run, progress=progress)
    pairs = pairs.rename(columns={name: f"paired_{name}" for name in PAIRED if name != "reason"})
    differences = scores.filter(like="_difference")
    return differences.assign(differs=np.any(masks, axis=0)).join(pairs)


def common_books(runs: Sequence[Study]) -> list[str]:
    """Books that all studies have."""
    return [
        str(book) for book in runs[0].loss.columns if all(book in run.loss.columns for run in runs)
    ]


def ranking_table(runs: Sequence[Study]) -> pd.DataFrame:
    """Every model of every study over the books that all have: those that keep the standard first.

    Returns
    -------
    Index `rank`. `folder`, a letter; `model`; `keeps`, whether coverage is tested and rejected in
    no book after Holm's correction; `rejected` books of `tested`; `exceedance_rate`, `allowed_rate`
    over all books and days; USD a book and day: `mean_margin`, and `equal_coverage_margin`, that
    after one scale for all books. Those that keep it come first, the least mean margin first.
    """
    books, rows = common_books(runs), []
    for letter, run in zip(letters(len(runs)), runs, strict=True):
        for model in run.models if books else ():
            rows.append({"folder": letter, "model": model} | _kept(run, model, books))
    columns = [
        *("folder", "model", "keeps", "rejected", "tested", "exceedance_rate", "allowed_rate"),
        *("mean_margin", "equal_coverage_margin"),
    ]
    table = pd.DataFrame(rows, columns=columns)
    order = table.assign(fails=~table["keeps"].astype(bool)).sort_values(
        ["fails", "mean_margin"], kind="stable"
    )
    ranked = table.loc[order.index]
    return ranked.set_axis(pd.RangeIndex(1, len(ranked) + 1, name="rank"), axis=0)


def _kept(run: Study, model: str, books: list[str]) -> dict[str, Any]:
    """Coverage and cost of a model over some books."""
    scores, confidence = run.scores.loc[model].loc[books], run.provenance.confidence
    pvalues = holm(scores["coverage_p"].to_numpy(np.float64))
    rejected, tested = int((pvalues <= SIGNIFICANT).sum()), int((~np.isnan(pvalues)).sum())
    places = run.loss.columns.get_indexer(pd.Index(books))
    loss, required = (
        frame.loc[run.scored, books].to_numpy(np.float64)
        for frame in (run.loss, run.required[model])
    )
    pooled = pooled_equal_coverage(
        loss, required, confidence=confidence, known=None if run.own is None else run.own[:, places]
    )
    return {
        "keeps": tested > 0 and not rejected,
        "rejected": rejected,
        "tested": tested,
        "exceedance_rate": scores["exceedances"].sum() / scores["observations"].sum(),
        "allowed_rate": round(1.0 - confidence, 12),
        "mean_margin": pooled.mean_margin,
        "equal_coverage_margin": pooled.equal_coverage_margin,
    }
