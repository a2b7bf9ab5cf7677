"""The scored columns of one model, in the order they are printed."""

from functools import partial

import numpy as np
from numpy.typing import NDArray

from backtest.scores.checks import as_panels, check_confidence
from backtest.scores.exceedances.coverage import christoffersen_pvalues, kupiec_pvalues
from backtest.scores.exceedances.phases import over_phases
from backtest.scores.money.cost import equal_coverage_margin
from backtest.scores.money.procyclicality import peak_to_trough
from backtest.scores.money.severity import max_excess, max_shortfall, mean_excess, mean_shortfall
from backtest.scores.overlapping.verdict import coverage_p, rate_interval
from backtest.types import DaysByPortfolios, FloatArray, tail_count

Column = NDArray[np.float64] | NDArray[np.int64]  # (portfolios,)


def score_table(
    loss: DaysByPortfolios,
    required: DaysByPortfolios,
    collateral: DaysByPortfolios,
    *,
    confidence: float = 0.99,
    horizon: int,
    weights: FloatArray | None = None,
    siloed_mean: FloatArray | None = None,
) -> dict[str, Column]:
    """Every score of one model over the scored days.

    An exceedance is a loss strictly above the requirement, a breach one strictly above the
    collateral.

    Parameters
    ----------
    loss, required : (days, portfolios) USD over scored days, no NaN.
    collateral : (days, portfolios) USD, settled at each day and valued at its close-out.
    confidence : level the requirement is meant to cover, in (0, 1).
    horizon : MPOR in margin days, the longest of the silos.
    weights : (resamples, days) from `day_weights`; None (many paths, whose spread is the better
        interval) leaves coverage_p and the intervals of equal_coverage_margin NaN.
    siloed_mean : (portfolios,) mean requirement of the siloed model; None leaves the saving NaN.

    Returns
    -------
    Columns by name, (portfolios,) each: counts int64, the rest float64, NaN where undefined.

    Raises
    ------
    DataError, StudyError
        For arrays of other shapes or with NaN, a confidence outside (0, 1), a horizon below 1.

    Examples
    --------
    >>> loss = np.arange(200.0).reshape(200, 1)
    >>> table = score_table(loss, np.full((200, 1), 196.0), np.full((200, 1), 198.0), horizon=2)
    >>> [int(table[name][0]) for name in ("exceedances", "allowed", "breaches")]
    [3, 2, 1]
    """
    check_confidence(confidence)
    losses, margins, held = as_panels(loss=loss, required=required, collateral=collateral)
    days, portfolios = losses.shape
    exceeded = losses > margins
    exceedances = np.count_nonzero(exceeded, axis=0)
    breaches = np.count_nonzero(losses > held, axis=0)
    allowed = tail_count(days, confidence, "floor")
    unknown = np.full(portfolios, np.nan)
    rate_low, rate_high = rate_interval(exceeded, horizon=horizon)
    mean_margin = margins.mean(axis=0)
    cost, cost_low, cost_high = equal_coverage_margin(
        losses, margins, confidence=confidence, weights=weights
    )
    kupiec_p, kupiec_p_min = over_phases(
        partial(kupiec_pvalues, confidence=confidence), exceeded, horizon=horizon
    )
    christoffersen_p, christoffersen_p_min = over_phases(
        christoffersen_pvalues, exceeded, horizon=horizon
    )
    return {
        "observations": np.full(portfolios, days, dtype=np.int64),
        "exceedances": np.asarray(exceedances, dtype=np.int64),
        "allowed": np.full(portfolios, allowed, dtype=np.int64),
        "exceedance_rate": exceedances / days,
        "exceedance_rate_low": rate_low,
        "exceedance_rate_high": rate_high,
        "coverage_p": (
            unknown.copy()
            if weights is None
            else coverage_p(exceeded, confidence=confidence, weights=weights)
        ),
        "breaches": np.asarray(breaches, dtype=np.int64),
        "breach_rate": breaches / days,
        "mean_margin": mean_margin,
        "peak_margin": margins.max(axis=0),
        "saving_vs_siloed": unknown if siloed_mean is None else _saving(mean_margin, siloed_mean),
        "equal_coverage_margin": cost,
        "equal_coverage_low": cost_low,
        "equal_coverage_high": cost_high,
        "mean_excess": mean_excess(losses, margins),
        "max_excess": max_excess(losses, margins),
        "mean_shortfall": mean_shortfall(losses, held),
        "max_shortfall": max_shortfall(losses, held),
        "peak_to_trough": peak_to_trough(margins),
        "kupiec_p": kupiec_p,
        "kupiec_p_min": kupiec_p_min,
        "christoffersen_p": christoffersen_p,
        "christoffersen_p_min": christoffersen_p_min,
    }


def _saving(mean_margin: FloatArray, siloed_mean: FloatArray) -> FloatArray:
    """1 - mean / siloed mean, NaN for a book that the siloed model asks nothing of."""
    siloed = np.asarray(siloed_mean, dtype=np.float64)
    saving = np.full(mean_margin.shape, np.nan)
    np.divide(siloed - mean_margin, siloed, out=saving, where=siloed > 0.0)
    return saving
