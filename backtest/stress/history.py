"""The market's own moves over a close-out, as they were known on a day."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from backtest.instruments import Instrument
from backtest.market.market import Market
from backtest.stress.repricing import repriced_pnl
from backtest.stress.scenario import moved_levels
from backtest.types import BoolArray, Dates, Days, FloatArray, RowNumbers, StudyError

LEAST_DAYS = 30  # of moves, below which a covariance of factors says nothing
CONSTANT = 1e-12  # a standard deviation below this is rounding
SINGULAR = 1e-9  # an eigenvalue of the correlations below this is none


def usual_span(market: Market, row: int, horizon: int) -> int:
    """Calendar days that `horizon` margin days most often took up to a day: their median.

    Examples
    --------
    >>> import pandas as pd
    >>> days = pd.bdate_range("2024-01-02", periods=20)
    >>> market = Market.from_frame(pd.DataFrame({"BTC": np.full(20, 100.0)}, index=days))
    >>> usual_span(market, 19, 1), usual_span(market, 19, 5)
    (1, 7)
    """
    dates = market.dates[: row + 1]
    if len(dates) <= horizon:
        raise StudyError(
            f"the market has {len(dates)} days up to {dates[-1]} and the MPOR is {horizon}; choose "
            "a later day for the stress test."
        )
    return int(np.median((dates[horizon:] - dates[:-horizon]).astype(np.int64)))


@dataclass(frozen=True, eq=False)
class HistoricMoves:
    """The moves of one instrument's factors over its MPOR, from every day to the later one.

    Parameters
    ----------
    starts : (moves,) the days at whose close they began.
    moves : (moves, factors) relative for prices, absolute for yields.
    elapsed : (moves,) calendar days that they took.
    """

    starts: Dates
    moves: FloatArray
    elapsed: Days

    @classmethod
    def of(
        cls, market: Market, factors: Collection[str], horizon: int, row: int
    ) -> "HistoricMoves":
        """All moves that were known at the close of `row`, in days on which `factors` trade."""
        known, _ = market.until(int(row)).own_days(factors)
        shocks = known.shocks(horizon)[horizon:]
        dates = known.dates
        elapsed = (dates[horizon:] - dates[:-horizon]).astype(np.float64)
        return cls(dates[: len(shocks)], shocks, elapsed)

    def rows_of(self, days: Dates) -> RowNumbers:
        """Rows of the moves that begin on `days`, or on the last day before that traded."""
        return np.asarray(self.starts.searchsorted(days, side="right") - 1)


def historic_pnl(
    instrument: Instrument, market: Market, row: int, *, horizon: int, starts: Dates
) -> Days:
    """(starts,) P&L per 1 USD held on `row` under the moves that began on each of `starts`."""
    known = HistoricMoves.of(market, instrument.factors, horizon, row)
    chosen = known.rows_of(starts)
    rows = np.full(len(chosen), row)
    later = moved_levels(market, rows, known.moves[chosen])
    elapsed = known.elapsed[chosen]
    return repriced_pnl([instrument], market, rows, later=later, elapsed=elapsed)[:, 0]


@dataclass(frozen=True, eq=False)
class Plausibility:
    """How far and how often the factors have moved over a close-out, up to a day.

    Parameters
    ----------
    moves : (days, factors) overlapping moves that ended by the day, on which all are known.
    covariance : (factors, factors) of them.

    Raises
    ------
    StudyError : too few of them.
    """

    moves: FloatArray
    covariance: FloatArray

    @classmethod
    def of(cls, market: Market, row: int, horizon: int) -> "Plausibility":
        """The moves over `horizon` margin days that ended by the close of `row`."""
        shocks = market.shocks(horizon)[: row + 1]
        moves = shocks[~np.isnan(shocks).any(axis=1)]
        if len(moves) < LEAST_DAYS:
            raise StudyError(
                f"only {len(moves)} moves over {horizon} margin days are known on "
                f"{market.dates[row]}; reverse stress needs {LEAST_DAYS}: choose a later day."
            )
        centred = moves - moves.mean(axis=0)
        return cls(moves, centred.T @ centred / (len(moves) - 1))

    @property
    def deviations(self) -> FloatArray:
        """(factors,) standard deviations of the moves."""
        return np.sqrt(np.diag(self.covariance))

    @property
    def moving(self) -> BoolArray:
        """(factors,) whether a factor has moved at all."""
        return np.asarray(self.deviations > CONSTANT)

    def around(self) -> FloatArray:
        """(directions, factors) of Mahalanobis length 1: principal axes, and between two of them.

        Examples
        --------
        >>> known = Plausibility(np.empty((0, 2)), np.array([[4.0, 0.0], [0.0, 1.0]]))
        >>> [known.distance(unit).__round__(9) for unit in known.around()]
        [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]
        """
        moving, deviations = self.moving, self.deviations[self.moving]
        correlations = self.covariance[np.ix_(moving, moving)] / np.outer(deviations, deviations)
        values, vectors = np.linalg.eigh(correlations)
        real = values > SINGULAR
        axes = np.zeros((int(real.sum()), len(moving)))
        axes[:, moving] = (vectors[:, real] * np.sqrt(values[real])).T * deviations
        first, second = np.triu_indices(len(axes), 1)
        between = [axes[first] + axes[second], axes[first] - axes[second]]
        half = np.vstack([axes, *(pair / np.sqrt(2.0) for pair in between)])
        return np.vstack([half, -half])

    def distance(self, move: FloatArray) -> float:
        r"""Mahalanobis distance of a move (factors,) from none, :math:`\sqrt{x' \Sigma^{-1} x}`.

        Infinite for a move in a direction in which no day of the history moved.

        Examples
        --------
        >>> known = Plausibility(np.empty((0, 2)), np.array([[4.0, 0.0], [0.0, 1.0]]))
        >>> known.distance(np.array([2.0, 1.0])) ** 2
        2.0
        """
        moving = self.moving
        if (move[~moving] != 0.0).any():
            return float("inf")
        deviations = self.deviations[moving]
        correlations = self.covariance[np.ix_(moving, moving)] / np.outer(deviations, deviations)
        values, vectors = np.linalg.eigh(correlations)
        turned = vectors.T @ (move[moving] / deviations)
        real = values > SINGULAR
        if np.abs(turned[~real]).max(initial=0.0) > SINGULAR**0.5 * np.linalg.norm(turned):
            return float("inf")
        return float(np.sqrt((turned[real] ** 2 / values[real]).sum()))
