"""`backtest compare`: inputs of two finished runs, and the differences of their scores."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from backtest.replay.findings.disclosures import scored_values
from backtest.replay.findings.family import paired_row
from backtest.replay.provenance import digest
from backtest.replay.seal import read_manifest
from backtest.replay.study import Study
from backtest.scores.models.paired import FEWEST_DAYS, paired_difference
from backtest.scores.table import SCORES
from backtest.studies.run.agreement import unequal
from backtest.studies.run.reopen import finished_run
from backtest.types import Progress

COLUMNS = tuple(score.name for score in SCORES if score.compared)
PAIRED = (
    *("rate", "rate_low", "rate_high", "margin", "margin_low", "margin_high"),
    *("alike", "dominates", "dominated", "reason"),
)
# Shown even where A and B agree, because a reader asks for these first.
ALWAYS = (
    *("sha256", "data.source", "data.levels_sha256"),
    *("window.first_scored", "window.last_scored", "window.observations"),
    *("study.seed", "software.margin-backtest", "software.commit", "software.dirty"),
)
# Manifest entries that are results of the run, and entries that its `study` entry repeats.
NO_INPUTS = (
    *("command", "written", "seconds", "causality", "failed_gates"),
    *("account", "standard", "models", "seed", "study_sha256"),
)
ABSENT = "absent"
BARE = re.compile(r"[A-Za-z0-9_-]+")  # a key that TOML leaves unquoted


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
    def differs(self) -> pd.Series:
        """Whether any score of a (model, portfolio) differs."""
        masks = [unequal(self.scores[f"{name}_a"], self.scores[f"{name}_b"]) for name in COLUMNS]
        return pd.Series(np.any(masks, axis=0), index=self.scores.index)


def compare_runs(first: Path, second: Path, *, progress: Progress) -> Comparison:
    """Compare the results folders of two runs, A and B.

    Raises
    ------
    ResultsError : either is not what `backtest run` wrote.
    """
    a, b = finished_run(first), finished_run(second)
    return Comparison(
        first=a,
        second=b,
        folders=(first.resolve().name, second.resolve().name),
        inputs=input_differences(a.provenance.to_json(), b.provenance.to_json()),
        unmatched_names=_unmatched_names(a, b),
        scores=score_differences(a.scores, b.scores),
        pairs=paired_differences(a, b, progress=progress),
        sha256=digest([read_manifest(folder)[1] for folder in (first, second)]),
    )


def input_differences(first: Mapping[str, Any], second: Mapping[str, Any]) -> pd.DataFrame:
    """Entries of two manifests by dotted name: those of `ALWAYS`, then whatever else differs.

    Examples
    --------
    >>> input_differences({"path": 1, "study": {"seed": 5}}, {"study": {"seed": 5}})
                     A       B  differs
    entry
    study.seed       5       5    False
    path             1  absent     True
    """
    a, b = (
        dotted({key: value for key, value in manifest.items() if key not in NO_INPUTS})
        for manifest in (first, second)
    )
    entries = [name for name in ALWAYS if name in a or name in b]
    entries += [name for name in a | b if name not in ALWAYS and a.get(name) != b.get(name)]
    table = pd.DataFrame(
        {"A": [a.get(n, ABSENT) for n in entries], "B": [b.get(n, ABSENT) for n in entries]},
        index=pd.Index(entries, name="entry"),
        dtype=object,
    )
    return table.assign(differs=table["A"] != table["B"])


def dotted(table: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Values of nested tables by dotted name, written as TOML writes them, but text unquoted.

    Examples
    --------
    >>> dotted({"models": {"var": {"lookback": 500}}, "long BTC": [{"name": "x", "at": None}]})
    {'models.var.lookback': '500', '"long BTC".x.at': 'none'}
    """
    entries: dict[str, str] = {}
    for key, value in table.items():
        name = prefix + (key if BARE.fullmatch(key) else json.dumps(key, ensure_ascii=False))
        value = _by_name(value)
        if isinstance(value, dict):
            entries |= dotted(value, f"{name}.")
        elif isinstance(value, str):
            entries[name] = value
        else:
            entries[name] = "none" if value is None else json.dumps(value, ensure_ascii=False)
    return entries


def _by_name(value: Any) -> Any:
    """A list of tables that all have a name as one table of them; anything else as it is.

    By its place in a list, one more file would make every later file differ.
    """
    if not isinstance(value, list) or not value:
        return value
    if not all(isinstance(item, dict) and "name" in item for item in value):
        return value
    return {item["name"]: {k: item[k] for k in item if k != "name"} for item in value}


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

    A row without pairs gives the reason and no numbers.
    """
    pairs = first.scores.index.intersection(second.scores.index, sort=False)
    reasons = {book: _reason(first, second, book) for book in pairs.unique("portfolio")}
    rows: list[dict[str, Any]] = []
    for count, (model, book) in enumerate(pairs, start=1):
        if reasons[book]:
            rows.append({"reason": reasons[book]})
        else:
            loss, a, b = (
                scored_values(first, frame[[book]])
                for frame in (first.loss, first.required[model], second.required[model])
            )
            rows.append(paired_row(paired_difference(loss, b, a)) | {"reason": ""})
        progress("paired differences", count / len(pairs))
    return pd.DataFrame(rows, index=pairs, columns=list(PAIRED))


def _reason(first: Study, second: Study, book: str) -> str:
    """Why the days of a book are not paired; empty where they are."""
    if not first.scored.equals(second.scored):
        return "other scored days"
    if len(first.scored) < FEWEST_DAYS:
        return f"{len(first.scored)} scored days, and pairs need {FEWEST_DAYS}"
    one, two = (scored_values(study, study.loss[[book]]) for study in (first, second))
    days = int(unequal(one, two).sum())
    if not days:
        return ""
    # Other positions explain other losses; with the same positions it must be the prices.
    a, b = first.exposure.loc[book].align(second.exposure.loc[book], fill_value=0.0)
    if unequal(a, b).any():
        return "other positions"
    return f"other losses on {days:,} of {len(first.scored):,} days"


def _unmatched_names(first: Study, second: Study) -> pd.DataFrame:
    """Models and books that only one study has: they are not compared."""
    rows = []
    for what, level in (("model", 0), ("book", 1)):
        a, b = (study.scores.index.unique(level) for study in (first, second))
        rows += [(what, name, "A") for name in a.difference(b, sort=False)]
        rows += [(what, name, "B") for name in b.difference(a, sort=False)]
    table = pd.DataFrame(rows, columns=["what", "name", "only in"])
    return table.set_index(["what", "name"])
