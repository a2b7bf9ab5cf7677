"""The sentences that a page of `backtest compare` opens with: what differs, and beyond chance."""

from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from backtest.present.numbers import interval, millions, money, percent, pvalue
from backtest.present.table import records
from backtest.studies.compare.many import ManyRuns, common_books
from backtest.studies.compare.study import Comparison
from backtest.studies.run.rejections import detectable_clause
from backtest.studies.run.verdict import SIGNIFICANT
from backtest.studies.sentences import counted, joined, not_shown, sentence

HASH = "sha256"  # of study and prices: it differs where anything does
NAMED = 3  # entries that a sentence names
EQUAL_ERRORS = "that the numbers are right: equal runs are equally right or wrong"


def pair_answer(comparison: Comparison) -> tuple[str, ...]:
    """What differs between two runs, what of it is beyond chance, and what is not shown."""
    count, differ = len(comparison.scores), int(comparison.differs.sum())
    entries = entries_words(comparison.inputs)
    simulated = any(run.simulated for run in comparison.runs)
    if not count:
        first = sentence(f"A and B have no model and book in common to compare; {entries}")
        return first, not_shown(["which of them is better"], simulated=simulated)
    if not differ:
        first = sentence(f"no score of {_pairs(count)} differs between A and B; {entries}")
        clauses = [*_unmatched(comparison.unmatched_names, "only one run has"), EQUAL_ERRORS]
        return first, not_shown(clauses, simulated=simulated)
    exceed, verdict = comparison.differing("exceedances"), _other_verdicts(comparison.scores)
    return (
        sentence(
            f"{differ:,} of {_pairs(count)} have another score in B than in A, "
            f"{int(exceed.sum()) or 'none'} another count of exceedances and {verdict or 'none'} "
            f"another verdict on coverage at 5 %{_same_models(comparison)}; {entries}"
        ),
        _beyond_chance(comparison),
        not_shown(_unshown(comparison), simulated=simulated),
    )


def _pairs(count: int) -> str:
    return f"{count:,} (book, model) pair{'' if count == 1 else 's'}"


def entries_words(inputs: pd.DataFrame) -> str:
    """How many entries of the manifests differ, and the first of those that a user set.

    inputs : of `input_differences`.

    Examples
    --------
    >>> entries = pd.Index(["sha256", "study.models.var.lookback"], name="entry")
    >>> entries_words(pd.DataFrame({"differs": [True, True]}, index=entries))
    '1 entry of the manifests differs (study.models.var.lookback)'
    """
    names = changed_entries(inputs)
    if not names:
        return "no entry of the manifests differs"
    ordered = sorted(names, key=lambda name: not name.startswith("study."))
    more = len(names) - NAMED
    listed = ", ".join(ordered[:NAMED]) + (f" and {more} more" if more > 0 else "")
    what = "entry of the manifests differs"
    if len(names) > 1:
        what = "entries of the manifests differ"
    return f"{len(names):,} {what} ({listed})"


def changed_entries(inputs: pd.DataFrame) -> list[str]:
    """Entries that differ; the hash of all inputs only where no other entry does."""
    names = [str(name) for name in inputs.index[inputs["differs"]]]
    return [name for name in names if name != HASH] or names


def _same_models(comparison: Comparison) -> str:
    """How many of the pairs are of models with the same parameters in both, and of the rest."""
    first, second = (run.provenance.models for run in comparison.runs)
    models = comparison.scores.index.get_level_values("model")
    same = [first.get(name) is not None and first.get(name) == second.get(name) for name in models]
    alike = int(np.sum(same))
    if not alike or alike == len(same):
        return ""
    changed = int(comparison.differs.to_numpy()[~np.array(same)].sum())
    return (
        f"; {_pairs(alike)} are of models that have the same parameters in both, and "
        f"{changed or 'none'} of the other {len(same) - alike:,} differ"
    )


def _other_verdicts(scores: pd.DataFrame) -> int:
    """Pairs that one run rejects at 5 % and the other does not."""
    sides = [scores[f"coverage_p_{side}"] <= SIGNIFICANT for side in ("a", "b")]
    return int((sides[0] != sides[1]).sum())


def _beyond_chance(comparison: Comparison) -> str:
    """How many pairs differ by more than chance, and the largest change of margin among them."""
    pairs = comparison.pairs
    paired = pairs[pairs["reason"] == ""]
    if paired.empty:
        reasons = joined(dict.fromkeys(pairs["reason"]))
        return sentence(
            f"no days can be paired ({reasons}), so that what of this is more than chance is not "
            "known"
        )
    unlike = paired[~paired["alike"].astype(bool)]
    text = (
        f"paired by day, {len(unlike) or 'none'} of {len(paired):,} differ in rate and margin "
        "jointly by more than chance at 5 %, each for itself"
    )
    if unlike.empty:
        return sentence(text)
    base = comparison.scores.loc[unlike.index, "mean_margin_a"]
    change = (unlike["margin"].astype(float) / base).replace([np.inf, -np.inf], np.nan)
    if change.isna().all():
        return sentence(text)
    place = change.abs().idxmax()
    row: Any = dict(records(unlike))[place]
    model, book = place
    rate = interval(row, "rate", partial(percent, digits=2, sign=True))
    margin = interval(row, "margin", partial(millions, sign=True))
    return sentence(
        f"{text}; the largest change of margin among them is {percent(change[place], sign=True)} "
        f"for {book} under {model}: B less A, mean margin {margin}m USD, exceedance rate {rate}, "
        "with 95 % intervals"
    )


def _unshown(comparison: Comparison) -> list[str]:
    clauses = []
    if len(changed_entries(comparison.inputs)) > 1:
        clauses.append("which entry caused which difference")
    unpaired = int((comparison.pairs["reason"] != "").sum())
    if unpaired and unpaired < len(comparison.pairs):
        clauses.append(f"whether {_pairs(unpaired)} without common days differ beyond chance")
    clauses += _unmatched(comparison.unmatched_names, "only one run has")
    return [*clauses, "which of the two is right"]


def _unmatched(names: pd.DataFrame, which: str) -> list[str]:
    """That models and books without a counterpart are not compared."""
    return [f"anything of {counted(len(names), 'name')} that {which}"] if len(names) else []


def many_answer(many: ManyRuns) -> tuple[str, ...]:
    """Who keeps the standard at least margin, what speaks against it, and what is not shown."""
    simulated = any(run.simulated for run in many.runs)
    against = many.against_base
    entries = entries_words(many.inputs)
    if len(against) and not against["differs"].any():
        first = sentence(
            f"no score of {_pairs(len(against))} of {counted(len(many.runs) - 1, 'folder')} "
            f"differs from A; {entries}"
        )
        clauses = [*_unmatched(many.unmatched_names, "not all folders have"), EQUAL_ERRORS]
        return first, not_shown(clauses, simulated=simulated)
    return (
        _ranked(many),
        _against_base(many, entries),
        not_shown(
            [
                "that a candidate which is not rejected is right",
                *_other_losses(against),
                detectable_clause(many.runs[0]),
            ],
            simulated=simulated,
        ),
    )


def _ranked(many: ManyRuns) -> str:
    """The cheapest of those that keep the standard."""
    ranking, books = many.ranking, len(common_books(many.runs))
    if ranking.empty:
        return "No book is in all folders, so that no candidate can be ranked."
    keeping = ranking[ranking["keeps"].astype(bool)]
    whole = f"of {counted(len(ranking), 'candidate')}, a model of a folder each,"
    over = f"over {counted(books, 'book')} that all folders have"
    if keeping.empty:
        return sentence(f"{whole} none keeps the standard {over}: each is rejected after Holm")
    best = dict(records(keeping))[keeping.index[0]]
    shared = keeping[
        (keeping["model"] == best["model"]) & (keeping["mean_margin"] == best["mean_margin"])
    ]
    folders = joined(map(str, shared["folder"]))
    return sentence(
        f"{whole} {len(keeping):,} are rejected in no book at 5 % after Holm {over}; the least "
        f"mean margin of these is {money(best['mean_margin'])} USD a book, of {best['model']} "
        f"in {folders}, which exceeds on {percent(best['exceedance_rate'], digits=2)} of days "
        f"where {percent(best['allowed_rate'], digits=2)} are allowed"
    )


def _against_base(many: ManyRuns, entries: str) -> str:
    rows = many.against_base
    paired = rows[rows["reason"].fillna("") == ""]
    lucky = "the cheapest of many that pass is also the luckiest"
    if paired.empty:
        text = f"{lucky}, and no days of a folder could be paired with those of A"
        return sentence(f"{text}; {entries}")
    differ = paired[paired["holm"] <= SIGNIFICANT]
    text = (
        f"{lucky}: paired by day with A, {len(differ) or 'none'} of {_pairs(len(paired))} differ "
        "by more than chance at 5 % after Holm for the folders"
    )
    if len(differ):
        row = differ.sort_values("p", kind="stable").iloc[0]
        text += (
            f", the clearest {row['portfolio']} under {row['model']} in {row['folder']} "
            f"(Holm's p {pvalue(row['holm'])})"
        )
    return sentence(f"{text}; {entries}")


def _other_losses(against: pd.DataFrame) -> list[str]:
    unpaired = int((against["reason"].fillna("") != "").sum())
    if not unpaired:
        return []
    return [f"what of the ranking is due to other days or positions, which {_pairs(unpaired)} have"]
