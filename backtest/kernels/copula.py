"""A Student copula: its likeliest degrees of freedom, and draws of columns that it joins.

Quantiles of a Student law are slow to compute, and a fit asks for the same probabilities at many
degrees of freedom. As functions of the freedom they are smooth: each is a sum of Chebyshev
polynomials in 1 / sqrt(freedom), whose coefficients `estimators.student_curves` computes once.
"""

import math

import numpy as np

from backtest.kernels.compile import kernel
from backtest.kernels.tail_select import FloatArray, IntArray

FREEDOM = (2.2, 60.0)  # search range of the degrees of freedom; above it t is nearly normal
GOLDEN = 0.5 * (3.0 - math.sqrt(5.0))
CLOSE = 1e-5  # degrees of freedom within which the search ends
MOST_TRIALS = 500
ROUNDING = math.sqrt(2.2e-16)  # share of the freedom below which likelihoods are not told apart
LARGE = 1e150  # a product of factors above it is taken to its logarithm before it overflows
BLOCK = 256  # draws that pass through the steps of `joined_draws` together
CELLS = 2048  # of the half-open line, each with the rank at which a draw in it begins to look


@kernel
def curves_at(curves: FloatArray, freedom: float, out: FloatArray) -> None:
    """Values at some degrees of freedom, into out (functions,); curves (nodes, functions)."""
    left, right = 1.0 / math.sqrt(FREEDOM[1]), 1.0 / math.sqrt(FREEDOM[0])
    place = (2.0 / math.sqrt(freedom) - left - right) / (right - left)
    before, now = 1.0, place
    for f in range(len(out)):
        out[f] = curves[0, f]
    for k in range(1, len(curves)):
        for f in range(len(out)):
            out[f] += now * curves[k, f]
        before, now = now, 2.0 * place * now - before


@kernel
def quantiles_at(curves: FloatArray, freedom: float, out: FloatArray) -> None:
    """Student quantiles at k / (1 + len(out)), k = 1, 2, ...; curves are of those below a half."""
    lower = curves.shape[1]
    curves_at(curves, freedom, out[:lower])
    out[lower : len(out) - lower] = 0.0  # the median, where it is one of them
    for k in range(lower):
        out[len(out) - 1 - k] = -out[k]


@kernel
def minus_likelihood(
    freedom: float,
    curves: FloatArray,
    places: IntArray,
    inverse: FloatArray,
    quantiles: FloatArray,
) -> float:
    r"""Minus the log-likelihood of a Student copula, less half of n ln |R|, which is constant.

    .. math:: -\ell = \sum_t \frac{\nu + w}{2} \ln\Bigl(1 + \frac{y_t' R^{-1} y_t}{\nu}\Bigr)
              - \frac{\nu + 1}{2} \sum_{t j} \ln\Bigl(1 + \frac{y_{tj}^2}{\nu}\Bigr) - n \, c

    curves : of the quantiles y. places : (days, columns) of each rank among the quantiles.
    inverse : (columns, columns) of R. quantiles : scratch.
    """
    days, width = places.shape
    if width == 1:
        return 0.0  # one column has no copula, whatever the freedom
    quantiles_at(curves, freedom, quantiles)
    joint = alone = 0.0
    joint_product = alone_product = 1.0
    share = 1.0 / freedom
    for t in range(days):
        distance, product = 0.0, 1.0
        for i in range(width):
            y = quantiles[places[t, i]]
            product *= 1.0 + y * y * share
            row = 0.5 * inverse[i, i] * y  # of a symmetric matrix half is enough
            for j in range(i):
                row += inverse[i, j] * quantiles[places[t, j]]
            distance += 2.0 * y * row
        alone_product *= product
        if alone_product > LARGE:
            alone += math.log(alone_product)
            alone_product = 1.0
        joint_product *= 1.0 + distance * share
        if joint_product > LARGE:
            joint += math.log(joint_product)
            joint_product = 1.0
    joint += math.log(joint_product)
    alone += math.log(alone_product)
    constant = math.lgamma((freedom + width) / 2.0) + (width - 1) * math.lgamma(freedom / 2.0)
    constant -= width * math.lgamma((freedom + 1.0) / 2.0)
    return (freedom + width) / 2.0 * joint - (freedom + 1.0) / 2.0 * alone - days * constant


@kernel
def likeliest_freedom(curves: FloatArray, places: IntArray, inverse: FloatArray) -> float:
    """Degrees of freedom of the highest likelihood: Brent's search, parabolas and golden sections.

    Arguments as `minus_likelihood` has them. As in scipy's bounded `minimize_scalar`; Brent (1973),
    Algorithms for minimization without derivatives, chapter 5.
    """
    quantiles = np.empty(2 * curves.shape[1] + 1)
    low, high = FREEDOM
    best = second = third = low + GOLDEN * (high - low)
    at_best = minus_likelihood(best, curves, places, inverse, quantiles)
    at_second = at_third = at_best
    move = last_move = 0.0
    for _ in range(MOST_TRIALS):
        middle, least = 0.5 * (low + high), ROUNDING * best + CLOSE / 3.0
        if abs(best - middle) <= 2.0 * least - 0.5 * (high - low):
            break
        is_parabola = abs(last_move) > least
        if is_parabola:
            r, q = (best - second) * (at_best - at_third), (best - third) * (at_best - at_second)
            p, q = (best - third) * q - (best - second) * r, 2.0 * (q - r)
            p, q = (-p, q) if q > 0.0 else (p, -q)
            r, last_move = last_move, move
            is_parabola = abs(p) < abs(0.5 * q * r) and q * (low - best) < p < q * (high - best)
            if is_parabola:
                move = p / q
                if min(best + move - low, high - best - move) < 2.0 * least:
                    move = least if middle >= best else -least
        if not is_parabola:
            last_move = (low if best >= middle else high) - best
            move = GOLDEN * last_move
        trial = best + (max(move, least) if move >= 0.0 else min(move, -least))
        value = minus_likelihood(trial, curves, places, inverse, quantiles)
        if value <= at_best:
            low, high = (best, high) if trial >= best else (low, best)
            third, second, best = second, best, trial
            at_third, at_second, at_best = at_second, at_best, value
            continue
        low, high = (trial, high) if trial < best else (low, trial)
        if value <= at_second or second == best:
            third, second, at_third, at_second = second, trial, at_second, value
        elif value <= at_third or third == best or third == second:
            third, at_third = trial, value
    return best


@kernel
def cell_of(x: float) -> int:
    """The cell of a number: cells are narrow where a Student law has its draws."""
    return int((0.5 + 0.5 * x / (1.0 + abs(x))) * CELLS)


@kernel
def joined_draws(
    normal: FloatArray,
    root: FloatArray,
    mixing: FloatArray,
    edges: FloatArray,
    ordered: FloatArray,
    out: FloatArray,
) -> None:
    """Draws of columns with the given values, joined by a Student copula, into out.

    Parameters
    ----------
    normal : (draws, columns) independent. root : (columns, columns) lower root of the correlation.
    mixing : (draws,) that turns a normal draw into a Student one. edges : (days,) quantiles
        of the Student law at 1 / days, 2 / days, ... infinity. ordered : (columns, days) sorted
        values. out : (columns, draws).
    """
    first = np.zeros(CELLS + 2, np.int64)  # edges in the cells below each
    for edge in edges[:-1]:
        first[cell_of(edge) + 1] += 1
    for cell in range(1, len(first)):
        first[cell] += first[cell - 1]
    student, rank = np.empty(BLOCK), np.empty(BLOCK, np.int64)
    for begin in range(0, len(normal), BLOCK):
        size = min(BLOCK, len(normal) - begin)
        for j in range(len(root)):
            # Loops apart, so that all but the look-up is vectorised.
            for s in range(size):
                student[s] = root[j, 0] * normal[begin + s, 0]
            for k in range(1, j + 1):
                for s in range(size):
                    student[s] += root[j, k] * normal[begin + s, k]
            for s in range(size):
                student[s] *= mixing[begin + s]
                rank[s] = cell_of(student[s])
            for s in range(size):
                place = first[rank[s]]
                while edges[place] <= student[s]:
                    place += 1
                out[j, begin + s] = ordered[j, place]
