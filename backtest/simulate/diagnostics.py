"""Stylised facts of a simulator beside those of the data to which it was fitted."""

import numpy as np
import pandas as pd

from backtest.market.market import Market
from backtest.simulate.paths import Paths, Simulator
from backtest.types import DaysByFactors, FloatArray, StudyError


def stylised_facts(shocks: DaysByFactors, factors: tuple[str, ...]) -> pd.DataFrame:
    """One row per factor: sd, skew, excess kurtosis, 1 % and 99 % quantiles, acf of |shock|.

    NaN where a factor does not move.

    Examples
    --------
    >>> facts = stylised_facts(np.random.default_rng(0).normal(size=(5000, 1)), ("BTC",))
    >>> round(float(facts.loc["BTC", "sd"]), 1)
    1.0
    """
    centred = shocks - shocks.mean(axis=0)
    sd = centred.std(axis=0)
    positive_sd = np.where(sd > 0, sd, np.nan)
    size = np.abs(shocks) - np.abs(shocks).mean(axis=0)

    def acf(lag: int) -> np.ndarray:
        return (size[lag:] * size[:-lag]).sum(axis=0) / np.where(
            sd > 0, (size**2).sum(axis=0), np.nan
        )

    return pd.DataFrame(
        {
            "sd": sd,
            "skew": (centred**3).mean(axis=0) / positive_sd**3,
            "kurtosis": (centred**4).mean(axis=0) / positive_sd**4 - 3.0,
            "q01": np.quantile(shocks, 0.01, axis=0),
            "q99": np.quantile(shocks, 0.99, axis=0),
            "acf1": acf(1),
            "acf20": acf(20),
        },
        index=pd.Index(factors, name="factor"),
    )


def diagnose(
    simulator: Simulator, market: Market, *, paths: int = 20, seed: int = 0
) -> pd.DataFrame:
    """Facts of the data beside their mean over simulated paths: columns (fact, data | simulated).

    `correlation` is the largest difference between data and simulation in a factor's correlations;
    `range` the share of days on which some yield stopped at its limit, the same in every row.

    Examples
    --------
    >>> import backtest as bt
    >>> market = bt.load_market("sample", end="2017-12-31")
    >>> table = diagnose(bt.StationaryBootstrap(block_size=20), market, paths=3)
    >>> bool(table.loc["BTC", ("sd", "simulated")] > 0)
    True
    """
    if paths < 1:
        raise StudyError(f"paths is {paths}; give 1 or more.")
    # One path is one history, and its kurtosis may be anything: facts are averaged over paths. A
    # large `range` share means that the limits of yields, not the simulator, made the facts.
    simulated_paths = Paths.of(simulator, market, seed=seed)
    data = market.shocks(1)[1:]
    tables, correlations, range_shares = [], [], []
    for number in range(paths):
        path, share = simulated_paths.path_and_range(number)
        shocks = path.shocks(1)[1:]
        tables.append(stylised_facts(shocks, market.factors).to_numpy())
        correlations.append(_correlation(shocks))
        range_shares.append(share)
    facts = stylised_facts(data, market.factors)
    simulated = pd.DataFrame(np.mean(tables, axis=0), index=facts.index, columns=facts.columns)
    table = pd.concat({"data": facts, "simulated": simulated}, axis=1).swaplevel(axis=1)
    table = table[[(fact, side) for fact in facts.columns for side in ("data", "simulated")]]
    gap = np.abs(np.mean(correlations, axis=0) - _correlation(data)).max(axis=1)
    table[("correlation", "gap")] = gap
    table[("range", "acted")] = float(np.mean(range_shares))
    return table


def _correlation(shocks: DaysByFactors) -> FloatArray:
    """(factors, factors) correlation; a matrix also for one factor."""
    with np.errstate(invalid="ignore"):  # a factor that does not move has no correlation
        return np.atleast_2d(np.corrcoef(shocks.T))
