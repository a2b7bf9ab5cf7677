"""Numbers to watch a model in use by: counts that would reject it, and what it shows now."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from backtest.scores.overlapping.verdict import BINOMIAL, EFFECTIVE, GROUPED, coverage_p
from backtest.studies.dossier.folders import Scored
from backtest.studies.dossier.one_model import only
from backtest.studies.run.verdict import SIGNIFICANT
from backtest.studies.validate.monitors import monitor_table
from backtest.types import BoolArray

WINDOWS = (250, 500)  # margin days: a year, and two
LARGEST_SHARE = 0.25  # of the days, up to which counts are tried: far above any that is accepted


def marked_days(days: int, count: int, *, run: int) -> BoolArray:
    """Days of which `count` are marked, in runs of `run` neighbours, the runs evenly spread.

    Examples
    --------
    >>> marked_days(8, 3, run=2).astype(int).tolist()
    [0, 1, 1, 0, 0, 0, 1, 0]
    """
    runs = [run] * (count // run) + ([count % run] if count % run else [])
    marked = np.zeros(days, dtype=np.bool_)
    for place, length in enumerate(runs):
        first = int((place + 0.5) * days / len(runs)) - length // 2
        first = max(0, min(first, days - length))
        marked[first : first + length] = True
    return marked


def rejecting_count(
    days: int, *, horizon: int, confidence: float, clustered: bool, run: int = 1
) -> int | None:
    """Smallest count of exceedances from which on `coverage_p` is 5 % or less; None if none is.

    The exceedances come in runs of `run` days, evenly spread: what comes otherwise may be rejected
    at another count.

    Examples
    --------
    >>> rejecting_count(250, horizon=1, confidence=0.99, clustered=False)
    6
    """
    counts = range(1, max(2, int(LARGEST_SHARE * days)))
    records = np.stack([marked_days(days, count, run=run) for count in counts], axis=1)
    pvalues = coverage_p(records, horizon=horizon, confidence=confidence, clustered=clustered)
    passing = np.flatnonzero(pvalues > SIGNIFICANT)
    first = int(passing[-1]) + 1 if len(passing) else 0
    return None if first >= len(counts) else counts[first]


def trigger_table(each: Scored) -> pd.DataFrame:
    """Counts at which coverage p falls to 5 %, a row a window and test.

    Returns
    -------
    Index (days, test). `alone`, exceedances on days evenly spread; `in runs`, in runs of as many
    days as the MPOR spans. NaN where no count up to a quarter of the days is rejected.
    """
    horizon, confidence = each.study.overlap, each.origin.confidence
    rows = {}
    for days in WINDOWS:
        for clustered in (False, True):
            name = GROUPED if clustered else BINOMIAL if horizon == 1 else EFFECTIVE
            alone, in_runs = (
                rejecting_count(
                    days, horizon=horizon, confidence=confidence, clustered=clustered, run=run
                )
                for run in (1, horizon)
            )
            rows[days, name] = {"alone": _number(alone), "in runs": _number(in_runs)}
    index = pd.MultiIndex.from_tuples(list(rows), names=["days", "test"])
    return pd.DataFrame(list(rows.values()), index=index)


def surest_count(triggers: pd.DataFrame) -> float:
    """The count within 250 days that all triggers reject; NaN where one rejects none.

    triggers : of `trigger_table`.
    """
    return float(triggers.loc[[WINDOWS[0]]].to_numpy().max())


def watch_table(
    each: Scored, model: str, books: Sequence[str], triggers: pd.DataFrame
) -> pd.DataFrame:
    """What each book shows at the end of the record, beside the value that calls for a review.

    Returns
    -------
    Index `portfolio`. `wealth` of the bets against coverage and `reached`, its p-value valid on
    any day, and `rejected_on`, the first day on which that is 5 % or less; `last_250`, exceedances
    in the last 250 scored days of the record; `most_250`, the largest such count on any day of it,
    and `crossed_250`, on how many days it was at `surest_count` or above; `max_excess`, USD;
    `rise_within_5`, the largest rise of the margin within five days.
    """
    study = each.study
    monitors = monitor_table(only(study, model)).xs(model, level="model")
    exceeded = study.loss.loc[study.scored] > study.required[model].loc[study.scored]
    counts = exceeded.rolling(WINDOWS[0]).sum()  # NaN until a window is whole
    swings = each.findings.swings.xs(model, level="model")
    scores = each.scores(model)
    return pd.DataFrame(
        {
            "wealth": monitors["wealth"],
            "pvalue": monitors["pvalue"],
            "rejected_on": monitors["rejected_on"],
            "last_250": exceeded.iloc[-WINDOWS[0] :].sum(),
            "most_250": counts.max(),
            "crossed_250": (counts >= surest_count(triggers)).sum(),
            "max_excess": scores["max_excess"],
            "rise_within_5": swings["rise_within_5"],
        }
    ).loc[list(books)]


def _number(count: int | None) -> float:
    return float("nan") if count is None else float(count)
