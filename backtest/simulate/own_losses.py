"""False alarms: how many facts a simulator loses of a history that it drew itself."""

import joblib
import numpy as np
import pandas as pd

from backtest.market.market import Market
from backtest.simulate.diagnostics import Diagnosis, check_count, drawn_facts, judged
from backtest.simulate.paths import Paths, Simulator
from backtest.types import DataError, Progress, StudyError, unheard
from backtest.workers import in_parallel

HISTORIES = 19  # with the data twenty: data that lose more than all of them are 1 in 20 by chance
PATHS = 39  # of each; their quantiles promise the same 10 % as those of more
STAGE = "facts of the simulator's own histories"


def own_losses(
    simulator: Simulator,
    market: Market,
    *,
    histories: int = HISTORIES,
    paths: int = PATHS,
    first: int = 0,
    seed: int = 0,
    n_jobs: int = 1,
    progress: Progress = unheard,
) -> pd.DataFrame:
    """Facts that the simulator loses where it is right: of histories of its own, fitted anew.

    Each history is drawn as a path, the simulator is fitted to it as it is fitted to the data, and
    the facts of the history are judged against fresh paths of that fit. What is lost is chance, or
    what any fit of this simulator loses of any data. Of a law that is given and not fitted it would
    be a tenth; a bootstrap loses next to nothing, since its paths are spread around the very data.

    Parameters
    ----------
    histories, paths : how many are drawn, and how many paths of the fit to each.
    first : number of the first path that may be drawn: those before it have judged the data.

    Returns
    -------
    A row a history, columns (`lost` or `known`, family): how many facts. Histories to which the
    simulator could not be fitted are left out.

    Raises
    ------
    StudyError : fewer than 19 paths, no history.
    DataError : the simulator could be fitted to none of its own histories.

    Examples
    --------
    >>> import backtest as bt
    >>> market = bt.load_market("sample", end="2016-12-31")
    >>> found = own_losses(bt.StationaryBootstrap(block_size=20), market, histories=2, paths=19)
    >>> found["lost"].shape, bool((found["lost"] <= found["known"]).all(axis=None))
    ((2, 7), True)
    """
    check_count(paths)
    if histories < 1:
        raise StudyError(f"histories is {histories}; give 1 or more.")
    drawn = Paths.of(simulator, market, seed=seed)
    # Every history, and every path of a fit to one, has a number of its own: none is judged
    # against a path of its own random stream.
    start = first + histories
    tasks = (
        joblib.delayed(_lost)(first + i, range(start + i * paths, start + (i + 1) * paths))
        for i in range(histories)
    )
    rows: dict[int, pd.Series] = {}
    refused = ""
    progress(STAGE, 0.0)
    for number, row in enumerate(in_parallel(tasks, n_jobs=n_jobs, shared=(simulator, drawn))):
        if isinstance(row, str):
            refused = row
        else:
            rows[number] = row
        progress(STAGE, (number + 1) / histories)
    if not rows:
        raise DataError(f"{drawn.label} can be fitted to none of its own histories: {refused}")
    return pd.DataFrame(rows).T.rename_axis("history")


def _lost(simulator: Simulator, drawn: Paths, number: int, numbers: range) -> pd.Series | str:
    """By family, facts lost of one history, and known; the reason where nothing can be fitted."""
    history: Market = drawn.path(number)
    try:
        refitted = Paths.of(simulator, history, seed=drawn.seed)
    except (DataError, StudyError) as error:  # as where such a history has no jump to draw from
        return str(error)
    facts, _ = drawn_facts(refitted, numbers)
    found = Diagnosis(judged(history, facts), len(numbers), np.nan)
    return pd.concat({"lost": found.lost, "known": found.known})
