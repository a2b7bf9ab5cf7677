"""`backtest compare`: inputs of finished studies, and the differences of their scores."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from backtest.replay.findings.family import paired_row
from backtest.replay.provenance import Provenance, digest
from backtest.replay.seal import read_manifest
from backtest.replay.study import Study
from backtest.replay.validation.whole import CLOSE
from backtest.scores.models.paired import FEWEST_DAYS, joint_pvalue, paired_difference
from backtest.scores.table import SCORES
from backtest.studies.compare.inputs import input_differences
from backtest.studies.compare.letters import (
    base_first,
    finished_studies,
    folder_name,
    letters,
    spans,
)
from backtest.studies.run.agreement import unequal
from backtest.studies.run.tolerance import BASE, Tolerance, Tolerances
from backtest.types import Progress

if TYPE_CHECKING:
    from backtest.studies.compare.many import ManyRuns

COLUMNS = tuple(score.name for score in SCORES if score.compared)
PAIRED = (
    *("rate", "rate_low", "rate_high", "margin", "margin_low", "margin_high"),
    *("alike", "dominates", "dominated", "reason"),
)


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two runs, A and B, side by side; every difference is B less A.

    Parameters
    ----------
    first, second : the studies A and B. folders : names of their folders.
    inputs : a row an entry of the manifests that differs or is always shown; A and B as text, and
        whether they differ.
    unmatched_names : a row a model or book that only one of them has.
    scores : (model, portfolio) of both; each of `COLUMNS` with _a, _b and _difference; USD.
    pairs : (model, portfolio) of both; rate and margin (USD) with 95 % intervals, `alike`,
        dominates (B over A), dominated, and the reason where days are not paired.
    sha256 : of every number that was compared.
    """

    first: Study
    second: Study
    folders: tuple[str, str]
    inputs: pd.DataFrame
    unmatched_names: pd.DataFrame
    scores: pd.DataFrame
    pairs: pd.DataFrame
    sha256: str

    @property
    def runs(self) -> tuple[Study, Study]:
        """A and B."""
        return self.first, self.second

    @property
    def tolerances(self) -> Tolerances:
        """How far a number may be from its other before it differs."""
        return tolerances_between(*(run.provenance for run in self.runs))

    def differing(self, name: str) -> pd.Series:
        """Whether one of `COLUMNS` differs, by (model, portfolio)."""
        return differing(self.scores, name, self.tolerances)

    @property
    def differs(self) -> pd.Series:
        """Whether any score of a (model, portfolio) differs."""
        return pd.concat([self.differing(name) for name in COLUMNS], axis=1).any(axis=1)


def compare_folders(
    folders: Sequence[Path], *, base: str | None = None, progress: Progress
) -> "Comparison | ManyRuns":
    """Compare the results folders of two studies, or of more with the first, or with `base`.

    Raises
    ------
    ResultsError : one is not what `backtest run` or `backtest validate` wrote; no such base.
    """
    ordered = base_first(folders, base)
    if len(ordered) == 2:
        return compare_runs(*ordered, progress=progress)
    from backtest.studies.compare.many import compare_many

    return compare_many(ordered, progress=progress)


def compare_runs(first: Path, second: Path, *, progress: Progress) -> Comparison:
    """Compare the results folders of two studies, A and B.

    Raises
    ------
    ResultsError : either is not what `backtest run` or `backtest validate` wrote, or they are in
        two currencies.
    """
    a, b = finished_studies([first, second])
    return Comparison(
        first=a,
        second=b,
        folders=(folder_name(first), folder_name(second)),
        inputs=input_differences(a.provenance.to_json(), b.provenance.to_json()),
        unmatched_names=unmatched_names(a, b).rename(columns={"in": "only in"})[["only in"]],
        scores=score_differences(a.scores, b.scores),
        pairs=paired_differences(a, b, progress=progress)[list(PAIRED)],
        sha256=digest([read_manifest(folder)[1] for folder in (first, second)]),
    )


def tolerances_between(first: Provenance, second: Provenance) -> Tolerances:
    """How far numbers of two studies may be apart before they differ.

    One study run twice by the same software differs by the processor alone: a difference is then
    what `reproduce` would call one. Between any other two studies 1e-9 is, for every model.
    """
    one_study = first.sha256 == second.sha256 != "" and first.software == second.software
    if one_study and not first.software.dirty:
        return Tolerances.of(first)
    return Tolerances({})


def differing(scores: pd.DataFrame, name: str, tolerances: Tolerances) -> pd.Series:
    """Whether one of `COLUMNS` differs, by (model, portfolio).

    scores : of `score_differences`.
    """
    differs = pd.Series(False, index=scores.index)
    for model, rows in scores.groupby(level="model", sort=False):
        tolerance = tolerances.of_numbers("summary.csv", name, (str(model),))
        differs.loc[rows.index] = unequal(rows[f"{name}_a"], rows[f"{name}_b"], tolerance)
    return differs


def score_differences(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """Scores of every (model, portfolio) in both, in A, in B, and B less A.

    Examples
    --------
    >>> one = pd.DataFrame(dict.fromkeys(COLUMNS, [1.0]), index=["book"])
    >>> float(score_differences(one, 3.0 * one).loc["book", "allowed_difference"])
    2.0
    """
    pairs = first.index.intersection(second.index, sort=False)
    a, b = first.loc[pairs], second.loc[pairs]
    columns = {
        f"{name}_{side}": values
        for name in COLUMNS
        for side, values in (("a", a[name]), ("b", b[name]), ("difference", b[name] - a[name]))
    }
    return pd.DataFrame(columns, index=pairs)


def paired_differences(first: Study, second: Study, *, progress: Progress) -> pd.DataFrame:
    """B less A on days common to both, for every (model, portfolio) whose losses are the same.

    A row without pairs gives the reason and no numbers. `p` is that of no difference in the long
    run, of rate and margin jointly.
    """
    pairs = first.scores.index.intersection(second.scores.index, sort=False)
    reasons = {book: _reason(first, second, book) for book in pairs.unique("portfolio")}
    rows: list[dict[str, Any]] = []
    for count, (model, book) in enumerate(pairs, start=1):
        if reasons[book]:
            rows.append({"reason": reasons[book]})
        else:
            days = scored_days(first, book)
            loss, a, b = (
                frame.loc[days, [book]].to_numpy(dtype=np.float64)
                for frame in (first.loss, first.required[model], second.required[model])
            )
            pair = paired_difference(loss, b, a)
            rows.append(paired_row(pair) | {"reason": "", "p": joint_pvalue(pair.region)})
        progress("paired differences", count / len(pairs))
    return pd.DataFrame(rows, index=pairs, columns=[*PAIRED, "p"])


def scored_days(study: Study, book: str) -> pd.DatetimeIndex:
    """The days on which a book is scored: all of the study's, or an account's own."""
    if study.own is None:
        return study.scored
    return study.scored[study.own[:, study.loss.columns.get_loc(book)]]


def _reason(first: Study, second: Study, book: str) -> str:
    """Why the days of a book are not paired; empty where they are."""
    days = scored_days(first, book)
    if not days.equals(scored_days(second, book)):
        return "other scored days"
    if len(days) < FEWEST_DAYS:
        return f"{len(days)} scored days, and pairs need {FEWEST_DAYS}"
    given = [study.provenance.given is not None for study in (first, second)]
    # A table of losses may be rounded; of two such numbers `validate` says the same.
    tolerance = Tolerance(BASE.itself, CLOSE) if any(given) else BASE
    one, two = (study.loss.loc[days, book] for study in (first, second))
    other = int(unequal(one, two, tolerance).sum())
    if not other:
        return ""
    # Other positions explain other losses; with the same positions it must be the prices.
    if not any(given):
        a, b = first.exposure.loc[book].align(second.exposure.loc[book], fill_value=0.0)
        if unequal(a, b).any():
            return "other positions"
    return f"other losses on {other:,} of {len(days):,} days"


def unmatched_names(*studies: Study) -> pd.DataFrame:
    """Models and books that not all studies have: they are not compared where they are not.

    Returns
    -------
    Index (what, name); `in` and `not in`, letters of the studies.
    """
    rows = []
    for what, level in (("model", "model"), ("book", "portfolio")):
        names = [study.scores.index.unique(level) for study in studies]
        for name in dict.fromkeys(name for each in names for name in each):
            has = [name in each for each in names]
            if not all(has):
                marked = list(zip(letters(len(studies)), has, strict=True))
                inside, outside = (
                    spans(letter for letter, there in marked if there is wanted)
                    for wanted in (True, False)
                )
                rows.append((what, name, inside, outside))
    table = pd.DataFrame(rows, columns=["what", "name", "in", "not in"])
    return table.set_index(["what", "name"])
