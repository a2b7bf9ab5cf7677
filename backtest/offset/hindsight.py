"""What later years showed of a bound that only the earlier ones were asked for."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from backtest.offset.bounds import RESAMPLES, bound_reduction
from backtest.offset.history import SiloHistory, fewest_days, silo_shifts
from backtest.types import tail_count

FEWEST_DAYS = 500  # scored days before the first bound
LATER_DAYS = 250  # scored days after the last one


def out_of_sample(
    histories: Mapping[str, SiloHistory],
    *,
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
) -> pd.DataFrame:
    """One row for each (portfolio, year end): the bound of the days before, and the days after.

    The bound at a year's end uses the days whose losses were known by then. `later_total` and
    `later_dependence` are the estimates from all days after it; `total_is_safe` and
    `dependence_is_safe` say whether the bound lies at or below. `exceedances` counts the later days
    whose loss exceeds the silos' margins, at the scales known then, reduced by the bound of s;
    `allowed` is the number that the standard allows. Year ends with fewer than 500 days before or
    250 after are left out. The rows of a book overlap, so they are no independent trials.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> days = np.datetime64("2020-01-01") + np.arange(1500)
    >>> loss, margin = rng.normal(size=(2, 1500)), np.full((2, 1500), 2.3)
    >>> history = SiloHistory(("A", "B"), days, loss, margin, 0.99, 1)
    >>> out_of_sample({"p": history}, resamples=50)["days"].tolist()
    [730, 1095]
    """
    rows = []
    for name, history in histories.items():
        for cut in _year_ends(history):
            # A loss is known only when its close-out has ended: that of the last day is not.
            past = history.between(slice(0, cut - history.mpor))
            later = history.between(slice(cut, history.days))
            if past.not_estimable() or later.not_estimable():
                continue
            silos = len(history.silos)
            point = past.reduction(silo_shifts(past.days, silos))
            bounds = bound_reduction(past, point, confidence=confidence, resamples=resamples)
            after = later.reduction(silo_shifts(later.days, silos))
            scaled = (past.kappa()[:, None] * later.margin).sum(axis=0)
            beyond = later.loss.sum(axis=0) > (1.0 - max(0.0, bounds.total)) * scaled
            rows.append(
                {
                    "portfolio": name,
                    "until": pd.Timestamp(history.dates[cut - 1]),
                    "days": past.days,
                    "total": point.total,
                    "total_bound": bounds.total,
                    "later_days": later.days,
                    "later_total": after.total,
                    "total_is_safe": bounds.total <= after.total,
                    "dependence": point.dependence,
                    "dependence_bound": bounds.dependence,
                    "later_dependence": after.dependence,
                    "dependence_is_safe": bounds.dependence <= after.dependence,
                    "exceedances": int(beyond.sum()),
                    "allowed": tail_count(later.days, history.confidence, "floor"),
                }
            )
    return pd.DataFrame(rows)


def _year_ends(history: SiloHistory) -> list[int]:
    """Number of days up to the end of each year that leaves enough days on either side."""
    years = history.dates.astype("datetime64[Y]")
    ends = np.flatnonzero(years[1:] != years[:-1]) + 1
    fewest = max(LATER_DAYS, fewest_days(len(history.silos)))
    return [
        int(cut)
        for cut in ends
        if cut - history.mpor >= FEWEST_DAYS and history.days - cut >= fewest
    ]
