"""The law of the sample market: its parameters, and the true quantile of every step.

On real data the true quantile is unknown; here it is a number, so a margin model can be compared
with the truth as well as with its exceedances.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backtest.kernels.paths import Dynamics, InnovationLaw
from backtest.kernels.portable import cholesky, log
from backtest.market.market import Kind
from backtest.types import BoolArray, DataError, Dates, Days, DaysByFactors, FloatArray, StudyError

PARAMETERS = Path(__file__).with_name("sample.toml")
REGIMES = ("calm", "stress")
BASIS_POINT, PERCENT = 1e-4, 1e-2
LARGEST_SQUARED_SHOCK = 25.0  # 5 conditional sds: larger shocks raise the variance no further
QUANTILE_BRACKET = 1e4  # standardised shocks; beyond any quantile that a float can name
BISECTIONS = 100  # halves the bracket to below the spacing of floats


@dataclass(frozen=True, eq=False)
class SampleParameters:
    """The contents of sample.toml in the form of the kernels (units: decimals, log prices)."""

    factors: tuple[str, ...]
    kinds: tuple[Kind, ...]
    weekend: FloatArray  # (factors,) variance of a Saturday or Sunday against a weekday; 0 closed
    law: InnovationLaw
    dynamics: Dynamics


def regime_scales(ratios: FloatArray, stress_share: float) -> FloatArray:
    """(regimes, factors) multipliers of the sd with the given ratios and mean square 1.

    Examples
    --------
    >>> regime_scales(np.array([2.0]), 0.25).round(3).ravel().tolist()
    [0.756, 1.512]
    """
    calm = 1.0 / np.sqrt(1.0 - stress_share + stress_share * ratios**2)
    return np.stack([calm, calm * ratios])


def _correlation(factors: tuple[str, ...], *tables: Mapping[str, float]) -> FloatArray:
    matrix = np.eye(len(factors))
    for table in tables:
        for pair, value in table.items():
            i, j = (factors.index(name) for name in pair.split())
            matrix[i, j] = matrix[j, i] = value
    return matrix


def _root(correlation: FloatArray) -> FloatArray:
    """Lower root; LAPACK's last digits differ between processors, and the sample's must not."""
    out = np.empty_like(correlation)
    cholesky(correlation, out)
    return out


def _innovation_law(raw: dict[str, Any]) -> InnovationLaw:
    names, groups = tuple(raw["factors"]), tuple(raw["groups"])
    factor = list(raw["factors"].values())

    def of_group(key: str, dtype: type) -> Any:
        return np.array([raw["groups"][g][key] for g in groups], dtype=dtype)

    into, out_of = raw["regimes"]["calm_to_stress"], raw["regimes"]["stress_to_calm"]
    both_regimes = raw["correlation"]["both"]
    group = np.array([groups.index(f["group"]) for f in factor], dtype=np.int64)
    probability, scale = of_group("jump_probability", float), of_group("jump_scale", float)
    jump_mean = np.array([f.get("jump_mean", 0.0) for f in factor])
    # Jumps add variance and shift the mean. Both are taken out by `norm` and the mean of the jump,
    # so that innovations have mean 0 and variance 1, and the GARCH variance is the true one.
    p = probability[group]
    return InnovationLaw(
        transition=np.array([[1.0 - into, into], [out_of, 1.0 - out_of]]),
        cholesky=np.stack(
            [_root(_correlation(names, both_regimes, raw["correlation"][r])) for r in REGIMES]
        ),
        group=group,
        dof=of_group("dof", np.int64),
        jump_probability=probability,
        jump_scale=scale,
        jump_mean=jump_mean,
        norm=np.sqrt(1.0 - p + p * scale[group] ** 2 + p * (1.0 - p) * jump_mean**2),
    )


def _dynamics(raw: dict[str, Any], stress_share: float) -> Dynamics:
    names, factor = list(raw["factors"]), list(raw["factors"].values())
    yields = np.array([f["kind"] == "yield" for f in factor])
    unit = np.where(yields, BASIS_POINT, PERCENT)

    def column(key: str, default: float | None = None) -> FloatArray:
        return np.array([f[key] if default is None else f.get(key, default) for f in factor])

    def state(level: FloatArray) -> FloatArray:
        logs = np.array([log(value) for value in np.where(yields, 1.0, level)])
        return np.where(yields, level * PERCENT, logs)

    return Dynamics(
        start=state(column("start")),
        drift=column("drift", 0.0) * unit,
        reversion=column("reversion", 0.0),
        target=state(column("target", 1.0)),
        leader=np.array(
            [names.index(f["follows"]) if "follows" in f else -1 for f in factor], dtype=np.int64
        ),
        variance=(column("sd") * unit) ** 2,
        alpha=column("alpha"),
        beta=column("beta"),
        floored=np.array([f.get("floored", False) for f in factor]),
        regime_scale=regime_scales(column("stress"), stress_share),
        cap=LARGEST_SQUARED_SHOCK,
    )


@cache
def sample_parameters() -> SampleParameters:
    """Parameters of the sample market, read once from sample.toml.

    Examples
    --------
    >>> " ".join(sample_parameters().factors)
    '3M 2Y 5Y 10Y 30Y BTC ETH USDC SPY FUNDING IV'
    """
    raw = tomllib.loads(PARAMETERS.read_text(encoding="utf-8"))
    law = _innovation_law(raw)
    into, out_of = law.transition[0, 1], law.transition[1, 0]
    return SampleParameters(
        factors=tuple(raw["factors"]),
        kinds=tuple(f["kind"] for f in raw["factors"].values()),
        weekend=np.array([raw["weekend"].get(f["group"], 0.0) for f in raw["factors"].values()]),
        law=law,
        dynamics=_dynamics(raw, into / (into + out_of)),
    )


def innovation_cdf(shock: float, *, factor: str, regime: int) -> float:
    r"""P(a z <= shock | regime today): the law of tomorrow's shock in conditional sds of `scale`.

    .. math:: F(x) = \sum_s P_{rs} \left[(1-p) F_\nu(y_s) + p F_\nu((y_s - m) / J)\right],
              \qquad y_s = n x / a_s + p m

    with F_\nu the Student t distribution scaled to variance 1, a the regime's sd multiplier and
    p, J, m, n the probability, scale, mean of jumps and the norm (`InnovationLaw`).

    Examples
    --------
    >>> round(innovation_cdf(0.0, factor="10Y", regime=0), 6)
    0.5
    """
    from scipy.special import stdtr

    parameters = sample_parameters()
    law, k = parameters.law, parameters.factors.index(factor)
    g = law.group[k]
    p, m = law.jump_probability[g], law.jump_mean[k]
    to_t = np.sqrt(law.dof[g] / (law.dof[g] - 2.0))
    y = law.norm[k] * shock / parameters.dynamics.regime_scale[:, k] + p * m
    no_jump = stdtr(law.dof[g], to_t * y)
    jump = stdtr(law.dof[g], to_t * (y - m) / law.jump_scale[g])
    return float(law.transition[regime] @ ((1.0 - p) * no_jump + p * jump))


@cache
def innovation_quantile(probability: float, *, factor: str, regime: int) -> float:
    """Shock, in units of `SampleLaw.scale`, not exceeded with the given probability; by bisection.

    Examples
    --------
    >>> q = innovation_quantile(0.01, factor="BTC", regime=1)
    >>> round(innovation_cdf(q, factor="BTC", regime=1), 9)
    0.01
    """
    # A mixture of Student laws has no closed quantile. Bisection is slow and needs no start; the
    # result is cached.
    low, high = -QUANTILE_BRACKET, QUANTILE_BRACKET
    for _ in range(BISECTIONS):
        middle = 0.5 * (low + high)
        if innovation_cdf(middle, factor=factor, regime=regime) < probability:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


@dataclass(frozen=True, eq=False)
class SampleLaw:
    """The exact law, known at each close, of the shock of the next margin day.

    Row t belongs to the step t -> t+1 and uses nothing after the close of t. Prices' shocks are log
    returns here; `shock_quantile` gives them as the market does.

    Parameters
    ----------
    dates : (days,) datetime64[D].
    factors, kinds : as in the market.
    mean : (days, factors) conditional mean of the shock.
    scale : (days, factors) conditional sd of the shock before the regime's multiplier; the
        calendar days of the step are in it.
    regimes : (days,) 0 calm, 1 stress: the regime of the shock that ended on the day, known then.
    stress_probability : (days,) probability that the next day's regime is stress.
    reflected : (days, factors) True where a yield was reflected at zero: the shock that ends on
        that day is not a draw of this law.

    Examples
    --------
    >>> from backtest.simulate.sample import sample_law
    >>> law = sample_law(seed=7, days=5)
    >>> law.shock_quantile("BTC", 0.01).shape
    (5,)
    """

    dates: Dates
    factors: tuple[str, ...]
    kinds: tuple[Kind, ...]
    mean: DaysByFactors
    scale: DaysByFactors
    regimes: NDArray[np.int64]
    stress_probability: Days
    reflected: BoolArray

    def shock_quantile(self, factor: str, probability: float) -> FloatArray:
        """(days,) quantile of the factor's next one-day shock: relative, or absolute for yields.

        Minus the 0.01 quantile of BTC is the true 99 % one-day margin per USD of a long position;
        the 0.99 quantile is that of a short one.
        """
        if factor not in self.factors:
            raise DataError(
                f"the sample has no factor {factor!r}; known: {', '.join(self.factors)}."
            )
        if not 0.0 < probability < 1.0:
            raise StudyError(f"probability is {probability}; give one inside (0, 1).")
        k = self.factors.index(factor)
        by_regime = np.array(
            [innovation_quantile(probability, factor=factor, regime=r) for r in range(len(REGIMES))]
        )
        shock: FloatArray = self.mean[:, k] + self.scale[:, k] * by_regime[self.regimes]
        if self.kinds[k] == "price":
            return np.asarray(np.expm1(shock), dtype=np.float64)
        return shock
