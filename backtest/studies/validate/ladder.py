"""The offset ladder on margins that a house set silo by silo."""

from collections.abc import Container

import numpy as np
import pandas as pd

from backtest.book.coverage import Coverage
from backtest.offset.bounds import RESAMPLES
from backtest.offset.history import SHORTEST_SHIFT, SiloHistory
from backtest.offset.ladder import NAN, OffsetEstimate, OffsetLadder
from backtest.offset.supportable import estimate_history
from backtest.replay.validation.checks import Examined
from backtest.types import Progress


def given_ladder(
    examined: Examined, *, coverage: Coverage, bounded: Container[str], progress: Progress
) -> pd.DataFrame:
    """Supportable offset of every account with several silos, on its own scored days.

    The base is the margin that the house set for each silo. USD by silo are not known: the table
    has no positions.

    bounded : accounts whose bounds are estimated, which takes most of the time.
    """
    given, estimates = examined.given, []
    for p, account in enumerate(given.accounts if given.silos else ()):
        progress("offset ladder", (p + 1) / len(given.accounts))
        rows = np.flatnonzero(examined.own[:, p])
        silos = {
            silo: (loss[rows, p], margin[rows, p])
            for silo, (loss, margin) in given.silos.items()
            if not np.isnan(margin[:, p]).all()
        }
        if len(silos) < 2:
            continue
        history = SiloHistory(
            silos=tuple(silos),
            dates=given.dates[rows],
            loss=np.array([loss for loss, _ in silos.values()]),
            margin=np.array([margin for _, margin in silos.values()]),
            confidence=coverage.confidence,
            mpor=coverage.longest,
        )
        unknown = dict.fromkeys(silos, NAN)
        if len(rows) <= 2 * SHORTEST_SHIFT:
            reason = f"{len(rows)} scored days are too few to shift silos apart"
            estimates.append(OffsetEstimate(account, len(rows), unknown, unknown, reason=reason))
            continue
        resamples = RESAMPLES if account in bounded else 0
        estimates.append(
            estimate_history(account, history, unknown, confidence=0.95, resamples=resamples)
        )
    if not estimates:
        return pd.DataFrame()
    return OffsetLadder(tuple(estimates), coverage, None, 0.95).to_frame()
