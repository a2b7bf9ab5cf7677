"""The most plausible move that uses a target up: of all such moves the nearest one.

Distance is Mahalanobis': moves that the factors are used to make together are near. For a book
whose loss is linear in the factors, with gradient g and covariance S, the nearest move at which the
loss is c is S g c / (g' S g), at the distance c / sqrt(g' S g) (Lagrange). For any other book the
gradient is taken again at the move found, until it no longer turns: the search of first-order
reliability (Hasofer & Lind 1974; Rackwitz & Fiessler 1978), here on full repricing.

References
----------
Breuer, T., Jandacka, M., Rheinberger, K. & Summer, M. (2009). How to find plausible, severe, and
    useful stress scenarios. International Journal of Central Banking, 5(3), 205-224.
Rackwitz, R. & Fiessler, B. (1978). Structural reliability under combined random load sequences.
    Computers & Structures, 9(5), 489-494.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from backtest.stress.directions import FURTHEST, Direction, Path, UsedUp
from backtest.stress.history import Plausibility
from backtest.stress.repricing import Repricer
from backtest.types import FloatArray

TURNS = 25  # of the gradient, from each start
SETTLED = 1e-7  # relative change of the distance at which a search ends
ALIKE = 0.9999  # correlation of the losses along two gradients that are one
BUMP = 0.01  # standard deviations by which each factor is moved for a gradient
NAME = "joint"


@dataclass(frozen=True, eq=False)
class JointMove:
    """The nearest move found.

    Parameters
    ----------
    direction : of Mahalanobis length 1. multiple : the distance; infinite where none was found.
    gradient : (factors,) of the loss at the move, by which days of the history are compared.
    """

    direction: Direction
    multiple: float
    gradient: FloatArray

    @property
    def move(self) -> FloatArray:
        """(factors,) relative for prices, absolute for yields."""
        return self.multiple * self.direction.unit

    def days_as_far(self, known: Plausibility) -> float:
        """Share of days whose moves, weighed by the gradient, would have lost as much."""
        return float((known.moves @ self.gradient >= self.gradient @ self.move).mean())


def nearest_move(
    repricer: Repricer, known: Plausibility, target: UsedUp, starts: Sequence[FloatArray] = ()
) -> JointMove | None:
    """The nearest move at which a target is used up; None where no search reached one.

    starts : (factors,) moves that use it up, at which a search begins besides, and than which none
        is farther. What is found is a move that does use the target up; that none is nearer is
        sure for linear books alone.
    """
    followed: list[FloatArray] = []
    best = _searched(repricer, known, target, np.zeros(len(repricer.market.factors)), followed)
    for start in starts:
        for found in (
            _of_move(repricer, known, target, start),
            _searched(repricer, known, target, start, followed),
        ):
            if found is not None and (best is None or found.multiple < best.multiple):
                best = found
    return best


def _of_move(
    repricer: Repricer, known: Plausibility, target: UsedUp, move: FloatArray
) -> JointMove | None:
    """A move itself; None where it does not use the target up, or is too far to be searched."""
    distance = known.distance(move)
    if not 0.0 < distance <= FURTHEST or target.gap(repricer.pnl(move[None]))[0] <= 0.0:
        return None
    gradient = loss_gradient(repricer, known, target, move)
    return JointMove(Direction(NAME, move / distance), distance, gradient)


def _searched(
    repricer: Repricer,
    known: Plausibility,
    target: UsedUp,
    start: FloatArray,
    followed: list[FloatArray],
) -> JointMove | None:
    """The nearest of the moves that one search goes through.

    followed : gradients at which earlier searches began, or through which they went; a search that
        comes to one of them would only repeat what came after it. This one adds its own.
    """
    best: JointMove | None = None
    turning: list[FloatArray] = []
    here, last = start, np.inf
    for _ in range(TURNS):
        gradient = loss_gradient(repricer, known, target, here)
        variance = float(gradient @ known.covariance @ gradient)
        size = max(0.0, variance) ** 0.5
        if size == 0.0:
            break
        unit = gradient / size
        if any(other @ known.covariance @ unit > ALIKE for other in followed):
            break
        turning.append(unit)
        direction = Direction(NAME, known.covariance @ gradient / size)
        multiple = float(Path(direction, repricer).first_crossings([target])[0])
        if not np.isfinite(multiple):
            break
        here = multiple * direction.unit
        if best is None or multiple < best.multiple:
            best = JointMove(direction, multiple, loss_gradient(repricer, known, target, here))
        if abs(multiple - last) <= SETTLED * multiple:
            break
        last = multiple
    followed += turning
    return best


def loss_gradient(
    repricer: Repricer, known: Plausibility, target: UsedUp, move: FloatArray
) -> FloatArray:
    """(factors,) USD lost per unit move of each factor; factors that never moved have none."""
    pnl, slope = slopes(repricer, known, move)
    return -slope @ target.leading(pnl)


def slopes(
    repricer: Repricer, known: Plausibility, move: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """P&L per USD at a move, (instruments,), and per unit move of each factor.

    The latter, (factors, instruments), by central differences of full repricing; zero of factors
    that never moved.
    """
    bumps = BUMP * np.where(known.moving, known.deviations, 0.0)
    pnl = repricer.pnl(move + np.vstack([np.diag(bumps), -np.diag(bumps), np.zeros_like(bumps)]))
    count, moved = len(bumps), bumps > 0.0
    difference = pnl[:count] - pnl[count : 2 * count]
    return pnl[-1], np.where(moved, 1.0 / np.where(moved, 2.0 * bumps, 1.0), 0.0)[
        :, None
    ] * difference
