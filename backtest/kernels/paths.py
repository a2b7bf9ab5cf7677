"""Simulated factor paths: a counter-based random generator, innovations, the recursion.

Every draw is a function of (seed, path, day, counter) alone, so any path can be rebuilt without
the others and results do not depend on the number of workers, nor (`portable`) on the processor.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from backtest.kernels.compile import kernel
from backtest.kernels.portable import circle, log

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

GOLDEN = np.uint64(0x9E3779B97F4A7C15)  # splitmix64 (Steele, Lea & Flood 2014)
MIX_A = np.uint64(0xBF58476D1CE4E5B9)
MIX_B = np.uint64(0x94D049BB133111EB)
ONE = np.uint64(1)
UNIT = 2.0**-53  # spacing of 53-bit uniforms


class InnovationLaw(NamedTuple):
    """Law of one day's innovations; regime 0 is calm, regime 1 stress."""

    transition: FloatArray  # (regimes, regimes), rows sum to 1
    cholesky: FloatArray  # (regimes, factors, factors), lower, of the normals' correlation
    group: IntArray  # (factors,) int64: factors of a group share mixing variable and jump
    dof: IntArray  # (groups,) int64, even and at least 4
    jump_probability: FloatArray  # (groups,)
    jump_scale: FloatArray  # (groups,)
    jump_mean: FloatArray  # (factors,)
    norm: FloatArray  # (factors,) sd before division by it


class Dynamics(NamedTuple):
    """Dynamics of states; a state is a log price or a yield."""

    start: FloatArray  # (factors,) state on day 0
    drift: FloatArray  # (factors,) per step
    reversion: FloatArray  # (factors,) share of the distance to `target` closed a step
    target: FloatArray  # (factors,) state
    leader: IntArray  # (factors,) int64: column whose log volatility moves `target`; -1 none
    variance: FloatArray  # (factors,) long-run, per weekday
    alpha: FloatArray  # (factors,)
    beta: FloatArray  # (factors,)
    floored: BoolArray  # (factors,) bool: reflect the state at zero
    regime_scale: FloatArray  # (regimes, factors)
    cap: float  # in conditional variances: squared shocks count up to it in the recursion


@kernel
def splitmix(x: np.uint64) -> np.uint64:
    """Finaliser of splitmix64, a bijection of uint64 that separates neighbouring counters."""
    x = (x ^ (x >> np.uint64(30))) * MIX_A
    x = (x ^ (x >> np.uint64(27))) * MIX_B
    return x ^ (x >> np.uint64(31))


@kernel
def day_key(seed: np.uint64, path: np.uint64, day: int) -> np.uint64:
    """Key of one day of one path; seed, path uint64, day integer."""
    key = splitmix(seed + GOLDEN)
    key = splitmix(key ^ splitmix((path + ONE) * GOLDEN))
    return splitmix(key + (np.uint64(day) + ONE) * GOLDEN)


@kernel
def uniform(key: np.uint64, counter: int) -> float:
    """Uniform in the open interval (0, 1): draw number `counter` of one key."""
    bits = splitmix(key + (np.uint64(counter) + ONE) * GOLDEN) >> np.uint64(11)
    return (np.float64(bits) + 0.5) * UNIT


@kernel
def normals(key: np.uint64, counter: int, out: FloatArray) -> None:
    """Write standard normals into out (even,), by Box-Muller from draws counter onwards."""
    for i in range(0, out.shape[0], 2):
        radius = np.sqrt(-2.0 * log(uniform(key, counter + i)))
        cosine, sine = circle(uniform(key, counter + i + 1))
        out[i], out[i + 1] = radius * cosine, radius * sine


@kernel
def innovations(
    seed: np.uint64, path: np.uint64, law: InnovationLaw, regimes: IntArray, out: FloatArray
) -> None:
    r"""Regimes and innovations (mean 0, variance 1 within each regime) of one path.

    .. math:: z_k = \left(T_k + J_g [(c_g - 1) T_k + m_k] - p_g m_k\right) / n_k, \qquad
              T_k = N_k \sqrt{(\nu_g - 2) / \chi^2_g}

    with N normal of the regime's correlation, J_g = 1 with probability p_g. The regime of row 0 is
    drawn from the stationary law. For an even number of degrees of freedom a chi-square is minus
    twice the log of a product of uniforms.

    seed, path : uint64. regimes (days,) int64 and out (days, factors) are written.
    """
    days, factors = out.shape
    groups = law.dof.shape[0]
    normal = np.empty(factors + factors % 2)
    mixing = np.empty(groups)
    jump = np.empty(groups, dtype=np.bool_)
    into, out_of = law.transition[0, 1], law.transition[1, 0]
    stress = into / (into + out_of)
    for day in range(days):
        key = day_key(seed, path, day)
        if day > 0:
            stress = law.transition[regimes[day - 1], 1]
        regimes[day] = 1 if uniform(key, 0) < stress else 0
        counter = 1
        for g in range(groups):
            jump[g] = uniform(key, counter) < law.jump_probability[g]
            counter += 1
            product = 1.0
            for _ in range(law.dof[g] // 2):
                product *= uniform(key, counter)
                counter += 1
            mixing[g] = np.sqrt((law.dof[g] - 2.0) / (-2.0 * log(product)))
        normals(key, counter, normal)
        for k in range(factors):
            g = law.group[k]
            z = 0.0
            for j in range(k + 1):
                z += law.cholesky[regimes[day], k, j] * normal[j]
            z *= mixing[g]
            if jump[g]:
                z = law.jump_scale[g] * z + law.jump_mean[k]
            out[day, k] = (z - law.jump_probability[g] * law.jump_mean[k]) / law.norm[k]


@kernel
def factor_path(
    z: FloatArray,
    regimes: IntArray,
    weights: FloatArray,
    replaced_shocks: FloatArray,
    model: Dynamics,
    state: FloatArray,
    mean: FloatArray,
    variance: FloatArray,
    reflected: BoolArray,
) -> None:
    r"""States of one path and the conditional law they were drawn from.

    .. math:: x_{t+1} = \mu_t + a_{s_{t+1}} \sqrt{w_t h_t}\, z_{t+1}, \qquad
              h_{t+1} = (1 - \alpha - \beta) v + \alpha \min(u^2, C h_t) + \beta h_t, \qquad
              u = (x_{t+1} - \mu_t) / (a_{s_{t+1}} \sqrt{w_t})

    Rows t of mean and variance are known at t and belong to the step t -> t+1. A state of a
    floored factor that would fall below zero is reflected and marked; h uses the shock without the
    reflection.

    z (days, factors), regimes (days,) int64, weights (days, factors) calendar variance of the step
    t -> t+1, replaced_shocks (days, factors) shocks that end on the day and replace the drawn ones,
    NaN for drawn shocks. state, mean, variance (days, factors) and reflected (days, factors) bool
    are written.
    """
    days, factors = z.shape
    for k in range(factors):
        state[0, k] = model.start[k]
        variance[0, k] = model.variance[k]
        reflected[0, k] = False
    for t in range(days):
        for k in range(factors):
            target = model.target[k]
            if model.leader[k] >= 0:
                j = model.leader[k]
                ratio = variance[t, j] / model.variance[j]
                target += 0.5 * log(ratio) + log(model.regime_scale[regimes[t], j])
            mean[t, k] = model.drift[k] + model.reversion[k] * (target - state[t, k])
        if t + 1 == days:
            break
        for k in range(factors):
            h, v = variance[t, k], model.variance[k]
            unit = model.regime_scale[regimes[t + 1], k] * np.sqrt(weights[t, k])
            shock = mean[t, k] + unit * np.sqrt(h) * z[t + 1, k]
            if not np.isnan(replaced_shocks[t + 1, k]):
                shock = replaced_shocks[t + 1, k]
            new_state = state[t, k] + shock
            reflected[t + 1, k] = model.floored[k] and new_state < 0.0
            state[t + 1, k] = -new_state if reflected[t + 1, k] else new_state
            # Without the cap one real stress day would dominate the variance long after it.
            squared = min(((shock - mean[t, k]) / unit) ** 2, model.cap * h)
            a, b = model.alpha[k], model.beta[k]
            variance[t + 1, k] = (1.0 - a - b) * v + a * squared + b * h
