"""On which days the source of a front-month series changed contract.

The last trading day of a contract is known; the source may have changed before it, always by the
same number of days or by no rule at all (open interest, a vendor's calendar). Each day of the weeks
before is a candidate, and the likeliest is taken:

- evidence: the part of its move that the reference does not explain, in robust standard deviations,
  under a splice (Cauchy, scale 8) against an ordinary day (Student t with 3 degrees of freedom);
- habit: how long before the last trading day the splices of earlier contracts lay.

Only earlier contracts and closes up to the last trading day speak, so that a longer file never
moves a splice that a shorter one had.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backtest.types import Days, FloatArray

IntArray = NDArray[np.int64]

REACH = 45  # days before the last trading day; a quarter has some 62
APART = 5  # days at least between two splices
WINDOW = 105  # days that a sensitivity and a spread are fitted to
FEWEST = 30  # days without which nothing is fitted
TRIM = 4.0  # robust standard deviations beyond which a day is left out of the fit
ROBUST = 1.4826  # median absolute value to standard deviation, normal distribution
CLEAR = 3.0  # robust standard deviations from which a splice stands out
SPLICE_SCALE, ORDINARY_FREEDOM = 8.0, 3.0
# Weight of a habit before anything is known: on the rule's day, on the eight days before it, on the
# others. A contract adds as much as one to it, of which a part is spread over the days nearby:
# the share of earlier contracts that were not left on the usual day. Of a source that keeps to its
# day a large move in the week before is the market's, as on 2020-03-13.
ON_THE_DAY, NEAR, FAR, EIGHT = 2.0, 1.0, 0.5, 8
IRREGULAR, CONTRACTS, NEARBY = 0.8, 2.0, 6
# What counts a contract later of what was learnt about regularity, and about the usual day:
# sources change their habits.
MEMORY, KEPT = 0.9, 0.97
DOUBTFUL = 0.3  # what a contract adds whose splice does not stand out


@dataclass(frozen=True, eq=False)
class Splices:
    """One row a contract, in the order of their last trading days.

    Parameters
    ----------
    rows : (contracts,) first row of the next contract. score : (contracts,) of that row's move, in
        robust standard deviations; NaN where too few days lie behind it to tell.
    """

    rows: IntArray
    score: FloatArray

    @property
    def is_known(self) -> NDArray[np.bool_]:
        """(contracts,) whether there were days to judge by."""
        return ~np.isnan(self.score)

    @property
    def clear(self) -> int:
        """Contracts whose splice stands out."""
        return int(np.count_nonzero(np.abs(self.score) > CLEAR))


def find_splices(moves: Days, explained_by: Days, due: IntArray, *, reach: int = REACH) -> Splices:
    """Find the row on which each contract was left.

    Parameters
    ----------
    moves : (days,) relative moves of the series; the first NaN. explained_by : (days,) moves of the
        reference. due : (contracts,) row after each last trading day. reach : days before it on
        which the source may have changed.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> shift = rng.normal(0, 5e-4, 300)
    >>> moves = -6.0 * shift + rng.normal(0, 2e-4, 300)
    >>> moves[[100, 160, 220]] += 0.01
    >>> find_splices(moves, shift, np.array([115, 175, 235])).rows.tolist()
    [100, 160, 220]
    """
    ordinary = np.isfinite(moves) & np.isfinite(explained_by)
    habit = np.full(reach + 1, FAR / max(1, reach - EIGHT))
    habit[1 : EIGHT + 1] = NEAR / EIGHT
    habit[0] = ON_THE_DAY
    unlearnt, rows, score, last = habit.copy(), [], [], 0
    irregular, contracts = IRREGULAR, CONTRACTS
    for end in due:
        behind = np.flatnonzero(ordinary[:end])[-WINDOW:]
        if len(behind) < FEWEST:
            rows.append(int(end))
            score.append(np.nan)
            last = end
            continue
        slope, spread = _robust_line(moves[behind], explained_by[behind])
        candidates = np.arange(max(1, end - reach, last + APART), end + 1)
        before = end - candidates
        residual = (moves[candidates] - slope * explained_by[candidates]) / spread
        share = _posterior(residual, habit[before])
        best = int(np.argmax(share))
        last = int(candidates[best])
        rows.append(last)
        score.append(float(residual[best]))
        ordinary[last] = False
        clear = abs(residual[best]) > CLEAR
        if clear:
            contracts = MEMORY * contracts + 1.0
            irregular = MEMORY * irregular + float(before[best] != np.argmax(habit))
        habit = unlearnt + KEPT * (habit - unlearnt)
        _learn(habit, before, share, spread=irregular / contracts, clear=clear)
    return Splices(np.array(rows, dtype=np.int64), np.array(score))


def _posterior(score: FloatArray, habit: FloatArray) -> FloatArray:
    """(candidates,) probability that each is the splice; an unknown move is none."""
    finite = np.nan_to_num(score)
    splice = -np.log(np.pi * SPLICE_SCALE * (1.0 + (finite / SPLICE_SCALE) ** 2))
    power = (ORDINARY_FREEDOM + 1.0) / 2.0
    # Student t with three degrees of freedom; its density at zero is 0.3676.
    usual = np.log(0.3676) - power * np.log1p(finite**2 / ORDINARY_FREEDOM)
    log = np.log(habit) + splice - usual
    share = np.exp(log - log.max())
    return np.asarray(share / share.sum())


def _learn(
    habit: FloatArray, before: IntArray, share: FloatArray, *, spread: float, clear: bool
) -> None:
    """Add to the habit where the splice of a contract probably lay."""
    weight = 1.0 if clear else DOUBTFUL
    habit[before] += weight * (1.0 - spread) * share
    nearby = np.abs(np.arange(len(habit)) - before[np.argmax(share)]) <= NEARBY
    habit[nearby] += weight * spread / np.count_nonzero(nearby)


def _robust_line(moves: FloatArray, shifts: FloatArray) -> tuple[float, float]:
    """Slope through zero without the days that stand out, and the robust deviation about it."""
    ordinary = np.ones(len(moves), dtype=np.bool_)
    slope = spread = 0.0
    for _ in range(3):
        slope = float(moves[ordinary] @ shifts[ordinary] / (shifts[ordinary] @ shifts[ordinary]))
        size = np.abs(moves - slope * shifts)
        spread = ROBUST * float(np.median(size))
        ordinary = size < TRIM * spread
    return slope, spread
