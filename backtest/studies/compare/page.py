"""The page of `backtest compare`: what differs between two runs, and by how much."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import pandas as pd

from backtest.present.exhibit import Exhibit, Section
from backtest.present.numbers import counts, interval, millions, percent, pvalue, signed
from backtest.replay.findings.unverified import MARK, unverified_parameters, unverified_sentence
from backtest.replay.origin import Software
from backtest.replay.provenance import Provenance
from backtest.replay.study import Study
from backtest.studies.compare.study import Comparison
from backtest.studies.run.reopen import unequal

CAPTION = (
    "Two finished runs as they were stored, every file as its seal says. All differences are B "
    "less A. Models and books are matched by name: where a name means another model, the inputs "
    "say so; where it means other positions or prices, the paired differences do. A difference of "
    "inputs beside a difference of scores is no proof that the one made the other: change one "
    "thing at a time."
)
INPUTS_TEXT = (
    "Entries of the two manifests by dotted name: those a reader asks for first, then every other "
    "that differs; those under 'study' are keys of the study file with its defaults written out. "
    "Equal sha256 means the same study on the same levels. Long values are cut here and whole in "
    "the CSV. {differ} entries differ."
)
DIRTY = " A commit with dirty = true had changes that nobody can look up."
COVERAGE_TEXT = (
    "Exceedances (allowed) and coverage p over the scored days of each run. {differ} of {count} "
    "(book, model) pairs have another count."
)
COST_TEXT = (
    "USD m: mean margin, and what it would be at equal coverage, over the scored days of each "
    "run. {differ} of {count} (book, model) pairs have another mean margin."
)
PAIRED_TEXT = (
    "Where both runs scored the same days and a book had the same losses, days are resampled "
    "together (stationary bootstrap, mean block 20; the draws of A's coverage p), so that what "
    "both share cancels. Each interval, and each joint 95 % region of the two differences, stands "
    "alone: of many, one in twenty misses zero where nothing differs. Resamples know the "
    "exceedances of this record and no others. {paired} of {count} (book, model) pairs are paired."
)
OTHER_DAYS = (
    " A was {a}; B was {b}: differences of counts and means are partly those of days, and nothing "
    "can be paired."
)
LATER = ' score_from = "{day}" in both study files would score both from the same day.'
NAMED = " Shown are the books that a study file names; the CSV has all."
ALIKE = " Not shown, since no score of theirs differs: {models}."
NONE = "No (book, model) pair stands in both runs."
UNMATCHED_TEXT = "Models and books that stand in one run only; none of their scores is compared."
CUT = 28  # characters of a value on screen and page: two hashes beside each other on a narrow page
LESS = "B\u00a0-\u00a0A"  # non-breaking spaces


def comparison_exhibit(found: Comparison) -> Exhibit:
    """Everything a comparison found, in the order in which it is read."""
    first, second = (study.provenance for study in _both(found))
    study = {"name": first.name, "first": found.folders[0], "second": found.folders[1]}
    marks = (unverified_sentence(found.first), unverified_sentence(found.second))
    return Exhibit(
        kind=f"against-{second.name}",
        title="What differs between two runs",
        caption=" ".join([CAPTION, *dict.fromkeys(filter(None, marks))]),
        simulated=found.first.simulated or found.second.simulated,
        source_line=_standing(found),
        sections=(_inputs(found), _coverage(found), _cost(found), _paired(found), _alone(found)),
        provenance=Provenance(
            software=Software.now(),
            study=study,
            sha256=found.sha256,
            details={"first": first.to_json(), "second": second.to_json()},
        ),
        text="".join(f"{key} = {json.dumps(value)}\n" for key, value in study.items()),
    )


def _standing(found: Comparison) -> str:
    """Folder, source, window and standard of A and of B, in one line."""
    a, b = (f"{study.provenance.sentence()}." for study in _both(found))
    names = found.folders
    if a == b:
        return f"A: {names[0]}. B: {names[1]}. Both: {a}"
    return f"A: {names[0]}; {a} B: {names[1]}; {b}"


def _inputs(found: Comparison) -> Section:
    table = found.inputs
    brief = pd.DataFrame(
        {
            "A": table["A"].map(_cut),
            "B": table["B"].map(_cut),
            "": table["differs"].map({True: "differs", False: "same"}),
        }
    )
    text = INPUTS_TEXT.format(differ=int(table["differs"].sum()))
    text += DIRTY if any(s.provenance.software.dirty for s in _both(found)) else ""
    return Section("inputs", "Inputs", text, table, brief)


def _coverage(found: Comparison) -> Section:
    table = found.scores.filter(regex="^(exceedances|allowed|coverage_p)_")

    def row(each: Any) -> dict[str, str]:
        return {
            "exceedances A": counts(each["exceedances_a"], each["allowed_a"]),
            "exceedances B": counts(each["exceedances_b"], each["allowed_b"]),
            f"exceedances {LESS}": signed(each["exceedances_difference"], digits=0),
            "coverage p A": pvalue(each["coverage_p_a"]),
            "coverage p B": pvalue(each["coverage_p_b"]),
            f"coverage p {LESS}": signed(each["coverage_p_difference"], digits=3),
        }

    differ = int(unequal(table["exceedances_a"], table["exceedances_b"]).sum())
    text = COVERAGE_TEXT.format(differ=differ, count=len(table)) + _other_days(found)
    return _section(found, "coverage", "Coverage in both", text, table, row)


def _cost(found: Comparison) -> Section:
    names = {"mean_margin": "mean margin", "equal_coverage_margin": "equal coverage"}
    table = found.scores.filter(regex="^(mean|equal_coverage)_margin_")

    def row(each: Any) -> dict[str, str]:
        cells = {}
        for name, head in names.items():
            cells[f"{head} A"] = millions(each[f"{name}_a"])
            cells[f"{head} B"] = millions(each[f"{name}_b"])
            cells[f"{head} {LESS}"] = millions(each[f"{name}_difference"], sign=True)
        return cells

    differ = int(unequal(table["mean_margin_a"], table["mean_margin_b"]).sum())
    text = COST_TEXT.format(differ=differ, count=len(table))
    return _section(found, "cost", "Cost in both", text, table, row)


def _paired(found: Comparison) -> Section:
    table = found.paired
    rate = partial(percent, digits=2, sign=True)

    def row(each: Any) -> dict[str, str]:
        if each["reason"]:
            values = ("n/a", "n/a", f"n/a: {each['reason']}")
        else:
            values = (
                interval(each, "rate", rate),
                interval(each, "margin", partial(millions, sign=True)),
                "yes" if each["alike"] else "no",
            )
        heads = (f"exceedance rate, {LESS} [95\u00a0%]", f"mean margin, {LESS} [95\u00a0%], USD m")
        return dict(zip((*heads, "joint region holds zero"), values, strict=True))

    paired = int((table["reason"] == "").sum())
    text = PAIRED_TEXT.format(paired=paired, count=len(table)) + _score_from(found)
    return _section(found, "paired", "Differences paired by day", text, table, row)


def _alone(found: Comparison) -> Section:
    if found.unmatched.empty:
        return Section("unmatched", "Only in one", "Both hold the same models and books.")
    flat = found.unmatched.reset_index()
    brief = flat.groupby(["what", "only in"], sort=False)["name"].agg("; ".join).to_frame("names")
    return Section("unmatched", "Only in one", UNMATCHED_TEXT, found.unmatched, brief)


def _section(
    found: Comparison,
    name: str,
    heading: str,
    text: str,
    table: pd.DataFrame,
    row: Callable[[Any], dict[str, str]],
) -> Section:
    """Rows of the named books, from a table by (portfolio, model); all rows are stored."""
    if table.empty:
        return Section(name, heading, NONE)
    books, models = (list(table.index.unique(level)) for level in ("portfolio", "model"))
    named = [b for b in books if any(b in s.provenance.books for s in _both(found))]
    alike = [model for model in models if not found.differs.loc[model].any()]
    if len(alike) < len(models):
        models = [model for model in models if model not in alike]
        text += ALIKE.format(models=", ".join(alike)) if alike else ""
    brief = pd.DataFrame(
        [
            {"portfolio": book, "model": _marked(found, model)} | row(table.loc[(model, book)])
            for book in named or books
            for model in models
        ]
    )
    shown = "" if len(named or books) == len(books) else NAMED
    return Section(name, heading, text + shown, table, brief)


def _both(found: Comparison) -> tuple[Study, Study]:
    return found.first, found.second


def _marked(found: Comparison, model: str) -> str:
    """Name of a model, with a mark where its parameters are not all verified in A or in B."""
    unverified = any(model in unverified_parameters(study) for study in _both(found))
    return f"{model} {MARK}" if unverified else model


def _other_days(found: Comparison) -> str:
    a, b = (study.provenance.scored.sentence() for study in _both(found))
    same = found.first.scored.equals(found.second.scored)
    return "" if same else OTHER_DAYS.format(a=a, b=b)


def _score_from(found: Comparison) -> str:
    """The `score_from` day that would pair the days, where a common first day is enough."""
    starts = [study.scored[0] for study in _both(found)]
    ends = [study.scored[-1] for study in _both(found)]
    if starts[0] == starts[1] or ends[0] != ends[1]:
        return ""
    return LATER.format(day=f"{max(starts):%Y-%m-%d}")


def _cut(value: str) -> str:
    return value if len(value) <= CUT else f"{value[: CUT - 1]}…"
