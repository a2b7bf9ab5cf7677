"""What a stress test says first: one sentence on losses, one on reverse stress, one on limits."""

from typing import Any

import numpy as np
import pandas as pd

from backtest.present.naming import brief
from backtest.present.numbers import percent, ratio
from backtest.present.table import records
from backtest.stress import StressResult
from backtest.studies.sentences import counted, sentence
from backtest.studies.stress.tables import MARGIN, nearest

NAMES = 40  # characters of a book's name


def stress_sentences(result: StressResult) -> tuple[str, ...]:
    """Sentences on the positions held on the day of the test, from the tables alone."""
    words = [_of_losses(result.margins, result.day)]
    if len(result.reverse):
        words.append(_of_reverse(result))
    if len(result.limits):
        words.append(_of_limits(result.limits))
    return tuple(sentence(text) for text in words)


def _of_losses(margins: pd.DataFrame, day: str) -> str:
    rows = margins[margins["loss"] > 0.0].reset_index(drop=True)
    if rows.empty:
        return f"no book lost anything in any scenario, with the positions of {day}"
    with np.errstate(divide="ignore"):
        times = rows["loss"].to_numpy() / rows["margin"].to_numpy()
    furthest = int(times.argmax())
    worst: Any = rows.iloc[furthest]
    beyond, size = int((times > 1.0).sum()), float(times[furthest])
    lost = f"{ratio(size)} times its margin" if np.isfinite(size) else "without any margin"
    return (
        f"with the positions of {day}, {beyond:,} of {len(margins):,} margins (a model and a book) "
        f"are less than the loss in some scenario: furthest {brief(worst['portfolio'], most=NAMES)}"
        f" under {worst['model']}, which loses {lost} in '{worst['scenario']}'"
    )


def _of_reverse(result: StressResult) -> str:
    known = [
        (row["distance"], key, row)
        for key, row in records(nearest(result))
        if key[3] == MARGIN and not np.isnan(row["distance"])
    ]
    if not known:
        return "no move within the search uses any margin up"
    distance, (_, name, model, _), row = min(known, key=lambda entry: entry[0])
    return (
        f"the most plausible move that uses a margin up is {ratio(distance)} standard deviations "
        f"away ({row['moves']}; {percent(row['as_far'], digits=2)} of days moved as far) in "
        f"{brief(name, most=NAMES)} under {model}"
    )


def _of_limits(limits: pd.DataFrame) -> str:
    over = limits[limits["over"]]
    if over.empty:
        return f"none of {counted(len(limits), 'limit')} is exceeded"
    names = over.groupby("level")["name"].nunique()
    whose = " and ".join(counted(int(n), str(level)) for level, n in names.items())
    return f"{len(over):,} of {counted(len(limits), 'limit')} are exceeded, by {whose}"
