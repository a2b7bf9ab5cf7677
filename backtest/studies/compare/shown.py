"""What a page of `backtest compare` shows of many books and models, and how it says so."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from backtest.present.exhibit import Exhibit, Section
from backtest.present.numbers import UNBROKEN
from backtest.present.wording import reworded
from backtest.replay.findings.unverified import MARK, unverified_parameters, unverified_sentence
from backtest.replay.origin import Software
from backtest.replay.provenance import SUPERSEDED, Provenance
from backtest.replay.study import Study
from backtest.replay.worst import MOST_SHOWN
from backtest.studies.validate.words import in_currency

NAMED_ONLY = " Shown are the books that a study file names; the CSV has all."
MOST_DIFFERENT = " Shown are the {shown} of {count} books that differ most; the CSV has all."
ALIKE = " Not shown, since no score of theirs differs: {models}."
INTERVAL = f"[95{UNBROKEN}%]"


@dataclass(frozen=True)
class ComparedOrigin(Provenance):
    """Where a comparison comes from; superseded rules of a run are red on its page too.

    alarms_of_runs : those of the runs about rules, each once.
    """

    alarms_of_runs: tuple[str, ...] = ()

    @classmethod
    def of_runs(cls, runs: Sequence[Study], **fields: Any) -> "ComparedOrigin":
        """Of these runs; `fields` are others of the provenance."""
        alarms = [alarm for run in runs for alarm in run.provenance.alarms()]
        alarms = [alarm for alarm in alarms if alarm.startswith(SUPERSEDED)]
        return cls(software=Software.now(), alarms_of_runs=tuple(dict.fromkeys(alarms)), **fields)

    def alarms(self) -> list[str]:
        """Those of the runs."""
        return list(self.alarms_of_runs)


def exhibit_of(
    runs: Sequence[Study],
    origin: ComparedOrigin,
    *,
    kind: str,
    title: str,
    caption: str,
    answer: tuple[str, ...],
    all_said: bool = False,
    source_line: str,
    sections: tuple[Section, ...],
) -> Exhibit:
    """The page of a comparison: its caption names what is unverified in any of the studies.

    all_said : True where the answer's first sentence is all that there is to say on the screen.
    """
    marks = dict.fromkeys(filter(None, map(unverified_sentence, runs)))
    return Exhibit(
        kind=kind,
        title=title,
        caption=" ".join([caption, *marks]),
        answer=answer,
        one_line=answer[0] if all_said else "",
        simulated=any(run.simulated for run in runs),
        source_line=source_line,
        sections=sections,
        provenance=origin,
        text="".join(f"{key} = {json.dumps(value)}\n" for key, value in origin.study.items()),
    )


def compared_books(runs: Iterable[Study], scores: pd.DataFrame) -> tuple[list[str], str]:
    """The books that are shown, and a sentence where they are not all.

    scores : differences of two studies or more, with the index levels model and portfolio.
    """
    books = [str(book) for book in scores.index.unique("portfolio")]
    files = [run.provenance.books for run in runs]
    # Where no study file names a book, all were made in Python or given, and all may be shown.
    named = [book for book in books if any(book in file for file in files)] or books
    if len(named) <= MOST_SHOWN:
        return named, "" if len(named) == len(books) else NAMED_ONLY
    columns = ["exceedances_difference", "mean_margin_difference"]
    largest = scores[columns].abs().groupby(level="portfolio", sort=False).max().loc[named]
    ranked = largest.sort_values(columns, ascending=False, kind="stable").index[:MOST_SHOWN]
    words = MOST_DIFFERENT.format(shown=len(ranked), count=f"{len(books):,}")
    return [str(book) for book in ranked], words


def changed_models(differs: pd.Series) -> tuple[list[str], str]:
    """The models that are shown, and a sentence on those that gave the same scores everywhere.

    Such a model would fill a table with zeros; where that holds of every model, the zeros are the
    finding and stay.

    differs : by model and portfolio.

    Examples
    --------
    >>> index = pd.MultiIndex.from_product([["a", "b"], ["book"]], names=["model", "portfolio"])
    >>> changed_models(pd.Series([True, False], index))
    (['a'], ' Not shown, since no score of theirs differs: b.')
    """
    changed = differs.groupby(level="model", sort=False).any()
    alike = [str(model) for model in changed.index[~changed]]
    if not alike or len(alike) == len(changed):
        return [str(model) for model in changed.index], ""
    shown = [str(model) for model in changed.index[changed]]
    return shown, ALIKE.format(models=", ".join(alike))


def with_mark(runs: Iterable[Study], model: str) -> str:
    """Name of a model, with a mark where its parameters are not all verified in some study."""
    return f"{model} {MARK}" if any(model in unverified_parameters(run) for run in runs) else model


def in_their_currency(exhibit: Exhibit, runs: Sequence[Study]) -> Exhibit:
    """The exhibit in the currency of the studies, which all have (`finished_studies`)."""
    given = [run.provenance.given for run in runs]
    currency = runs[0].provenance.currency
    if currency == "USD":
        return exhibit
    names = [table.name for table in given if table is not None]
    return reworded(exhibit, in_currency(currency, names))


def shortened(value: str, longest: int) -> str:
    """A value cut to so many characters.

    Examples
    --------
    >>> shortened("historical", 5)
    'hist…'
    """
    return value if len(value) <= longest else f"{value[: longest - 1]}…"
