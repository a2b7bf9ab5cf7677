"""Acerbi and Szekely's third test: the mean of the worst ranks, through a forecast's PIT."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri, stdtrit

from backtest.scores.checks import check_confidence
from backtest.scores.forecasts.density import as_pit
from backtest.scores.forecasts.expected_shortfall import CHUNK
from backtest.scores.result import TestResult
from backtest.types import DataError, FloatArray, StudyError, tail_count


def shortfall_by_rank(
    pit: ArrayLike,
    *,
    confidence: float = 0.975,
    freedom: float | None = None,
    draws: int = 10_000,
    seed: int = 0,
) -> TestResult:
    r"""Acerbi-Szekely Z3: the mean of the worst days of the record, on one forecast scale.

    .. math:: Z_3 = 1 - \frac{\widehat{ES}(F^{-1}(u))}{E_V \, \widehat{ES}(F^{-1}(V))}

    where the estimate of ES is the mean of the floor(T alpha) largest losses. The paper takes the
    average of this over days, with the forecast P_t of each day. If forecasts differ in scale only,
    as here (F normal, or Student t with `freedom`), every day gives the same ratio. A value below
    zero: ES too small. Unlike Z1 and Z2 it also detects a wrong law between VaR and the worst day.

    Parameters
    ----------
    pit : (days,) forecast probability of a P&L no better than the realised one, in (0, 1).

    Returns
    -------
    TestResult, one-sided, by `draws` uniform records.

    Raises
    ------
    DataError : PIT outside (0, 1), or too few days for one in the tail. StudyError : `freedom`.

    References
    ----------
    Acerbi, C. & Szekely, B. (2014). Backtesting expected shortfall. Risk, December, 76-81.

    Examples
    --------
    >>> shortfall_by_rank(np.random.default_rng(1).random(500), draws=500).verdict()
    'not rejected'
    """
    check_confidence(confidence)
    if freedom is not None and freedom <= 1:
        raise StudyError(f"freedom is {freedom}; a Student t has an ES above 1 degree only.")
    values = as_pit(pit)
    worst = tail_count(len(values), confidence, "floor")
    if worst < 1:
        raise DataError(f"{len(values)} days hold no day of the {1 - confidence:.2%} tail.")
    rng = np.random.default_rng(seed)
    rows = max(1, CHUNK // len(values))
    null = np.concatenate(
        [
            _mean_worst(rng.random((min(rows, draws - start), len(values))), worst, freedom)
            for start in range(0, draws, rows)
        ]
    )
    expected = float(null.mean())
    statistic = 1.0 - float(_mean_worst(values[None, :], worst, freedom)[0]) / expected
    below = int(np.count_nonzero(1.0 - null / expected <= statistic))
    law = "normal" if freedom is None else f"Student t({freedom:g})"
    assumed = f"independent days, {law} forecasts; {draws:,} simulated histories"
    return TestResult("Acerbi-Szekely Z3", statistic, (below + 1) / (draws + 1), True, assumed)


def _mean_worst(pit: FloatArray, worst: int, freedom: float | None) -> FloatArray:
    """Mean of the `worst` largest standard losses of each row (histories, days)."""
    tail = np.partition(pit, worst - 1, axis=1)[:, :worst]
    loss = -ndtri(tail) if freedom is None else -stdtrit(freedom, tail)
    return np.asarray(loss.mean(axis=1))
