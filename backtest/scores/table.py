"""All scores of a model, declared once: name, unit, computation, and where they are shown.

A new score is a function in one of the rooms and a row of `SCORES`: the summary, Monte Carlo and
`backtest compare` take their columns from these rows.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from backtest.scores.checks import as_panels, check_confidence
from backtest.scores.exceedances.coverage import christoffersen_pvalues, kupiec_pvalues
from backtest.scores.exceedances.phases import over_phases
from backtest.scores.money.cost import (
    equal_coverage_margin,
    equal_coverage_scale,
    scaled_margin,
    tail_inflation,
)
from backtest.scores.money.procyclicality import Extent, extent
from backtest.scores.money.severity import Beyond, beyond
from backtest.scores.overlapping.clusters import is_clustered
from backtest.scores.overlapping.slow_variance import effective_interval
from backtest.scores.overlapping.verdict import coverage_p, coverage_tests
from backtest.types import BoolArray, DaysByPortfolios, FloatArray, tail_count

Column = NDArray[np.float64] | NDArray[np.int64] | NDArray[np.str_]  # (portfolios,)
Unit = Literal["days", "USD", "ratio", "probability", "name"]


@dataclass(frozen=True, eq=False)
class Record:
    """One model over the scored days, with the quantities that several scores use.

    Parameters
    ----------
    As in `score_table`.
    """

    loss: DaysByPortfolios
    required: DaysByPortfolios
    collateral: DaysByPortfolios
    confidence: float
    horizon: int
    siloed_mean: FloatArray | None

    @cached_property
    def exceeded(self) -> BoolArray:
        """(days, portfolios) whether the loss is above the requirement."""
        return self.loss > self.required

    @cached_property
    def excess(self) -> Beyond:
        """The exceedance days: losses above the requirement."""
        return beyond(self.loss, self.required)

    @cached_property
    def shortfall(self) -> Beyond:
        """The breach days: losses above the collateral."""
        return beyond(self.loss, self.collateral)

    @cached_property
    def margin(self) -> Extent:
        """Mean and range of the requirement."""
        return extent(self.required)

    @cached_property
    def rate_interval(self) -> tuple[FloatArray, FloatArray]:
        """(portfolios,) low and high end of the exceedance rate; dual to `equal_coverage`."""
        inflation = tail_inflation(self.loss, self.required, confidence=self.confidence)
        return effective_interval(self.excess.days, len(self.loss), inflation)

    def equal_coverage(self) -> FloatArray:
        """(portfolios,) margin at equal coverage, USD."""
        scale = equal_coverage_scale(self.loss, self.required, confidence=self.confidence)
        return scaled_margin(scale, self.margin.mean)

    @cached_property
    def equal_coverage_interval(self) -> tuple[FloatArray, FloatArray]:
        """(portfolios,) ends of its interval, USD."""
        return equal_coverage_margin(self.loss, self.required, confidence=self.confidence)[1:]

    @cached_property
    def kupiec(self) -> tuple[FloatArray, FloatArray]:
        """(portfolios,) p-values: median and minimum over the phases."""
        test = partial(kupiec_pvalues, confidence=self.confidence)
        return over_phases(test, self.exceeded, horizon=self.horizon)

    @cached_property
    def christoffersen(self) -> tuple[FloatArray, FloatArray]:
        """(portfolios,) p-values: median and minimum over the phases."""
        return over_phases(christoffersen_pvalues, self.exceeded, horizon=self.horizon)

    def every(self, count: int) -> NDArray[np.int64]:
        """(portfolios,) `count` for each portfolio."""
        return np.full(self.loss.shape[1], count, dtype=np.int64)

    @cached_property
    def clustered(self) -> BoolArray:
        """(portfolios,) whether large losses come together."""
        return is_clustered(self.loss, self.required, horizon=self.horizon)

    def coverage_p(self) -> FloatArray:
        """(portfolios,) p-values of the verdict."""
        return coverage_p(
            self.exceeded,
            horizon=self.horizon,
            confidence=self.confidence,
            clustered=self.clustered,
        )

    def saving(self) -> FloatArray:
        """1 - mean / siloed mean; NaN for a book for which the siloed margin is zero."""
        saving = np.full(self.margin.mean.shape, np.nan)
        if self.siloed_mean is not None:
            siloed = np.asarray(self.siloed_mean, dtype=np.float64)
            np.divide(siloed - self.margin.mean, siloed, out=saving, where=siloed > 0.0)
        return saving


@dataclass(frozen=True)
class Score:
    """One column of `score_table`.

    Parameters
    ----------
    unit : unit of the values; days are whole numbers, names are text.
    of : computes the (portfolios,) values from a record.
    over_paths : Monte Carlo stores it for every path. compared : `backtest compare` shows it.
    """

    name: str
    unit: Unit
    of: Callable[[Record], Column]
    over_paths: bool = False
    compared: bool = False


# In the order in which they are printed.
SCORES = (
    Score("observations", "days", lambda r: r.every(len(r.loss)), over_paths=True),
    Score("exceedances", "days", lambda r: r.excess.days, over_paths=True, compared=True),
    Score(
        "allowed",
        "days",
        lambda r: r.every(tail_count(len(r.loss), r.confidence, "floor")),
        over_paths=True,
        compared=True,
    ),
    Score("exceedance_rate", "ratio", lambda r: r.excess.days / len(r.loss), over_paths=True),
    Score("exceedance_rate_low", "ratio", lambda r: r.rate_interval[0]),
    Score("exceedance_rate_high", "ratio", lambda r: r.rate_interval[1]),
    Score("coverage_p", "probability", Record.coverage_p, compared=True),
    Score("coverage_test", "name", lambda r: coverage_tests(r.clustered, horizon=r.horizon)),
    Score("breaches", "days", lambda r: r.shortfall.days, over_paths=True),
    Score("breach_rate", "ratio", lambda r: r.shortfall.days / len(r.loss), over_paths=True),
    Score("mean_margin", "USD", lambda r: r.margin.mean, over_paths=True, compared=True),
    Score("peak_margin", "USD", lambda r: r.margin.peak, over_paths=True),
    Score("saving_vs_siloed", "ratio", Record.saving, over_paths=True),
    Score("equal_coverage_margin", "USD", Record.equal_coverage, over_paths=True, compared=True),
    Score("equal_coverage_low", "USD", lambda r: r.equal_coverage_interval[0]),
    Score("equal_coverage_high", "USD", lambda r: r.equal_coverage_interval[1]),
    Score("mean_excess", "USD", lambda r: r.excess.mean, over_paths=True),
    Score("max_excess", "USD", lambda r: r.excess.largest, over_paths=True),
    Score("mean_shortfall", "USD", lambda r: r.shortfall.mean, over_paths=True),
    Score("max_shortfall", "USD", lambda r: r.shortfall.largest, over_paths=True),
    Score("peak_to_trough", "ratio", lambda r: r.margin.ratio(), over_paths=True),
    Score("kupiec_p", "probability", lambda r: r.kupiec[0]),
    Score("kupiec_p_min", "probability", lambda r: r.kupiec[1]),
    Score("christoffersen_p", "probability", lambda r: r.christoffersen[0]),
    Score("christoffersen_p_min", "probability", lambda r: r.christoffersen[1]),
)


def score_table(
    loss: DaysByPortfolios,
    required: DaysByPortfolios,
    collateral: DaysByPortfolios,
    *,
    confidence: float = 0.99,
    horizon: int,
    siloed_mean: FloatArray | None = None,
    only: Collection[str] | None = None,
) -> dict[str, Column]:
    """Compute the scores of one model over the scored days.

    An exceedance is a loss strictly above the requirement; a breach is a loss strictly above the
    collateral.

    Parameters
    ----------
    loss, required : (days, portfolios) USD over scored days, no NaN.
    collateral : (days, portfolios) USD, settled by each day and valued at the close-out.
    confidence : level the requirement is meant to cover, in (0, 1).
    horizon : MPOR in margin days, the longest of the silos.
    siloed_mean : (portfolios,) mean requirement of the siloed model; None gives a saving of NaN.
    only : names of the scores to compute; None computes all.

    Returns
    -------
    Columns by name, (portfolios,) each: counts int64, names text, the rest float64, NaN where
    undefined.

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
    losses, margins, collaterals = as_panels(loss=loss, required=required, collateral=collateral)
    record = Record(losses, margins, collaterals, confidence, horizon, siloed_mean)
    wanted = SCORES if only is None else [score for score in SCORES if score.name in only]
    return {score.name: score.of(record) for score in wanted}
