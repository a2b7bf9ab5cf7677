"""Which of two or more models is better: paired differences of the losses of their forecasts.

The bootstraps are those of the arch package, which is imported only when they are used.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import stdtr

from backtest.scores.forecasts.expected_shortfall import as_forecasts
from backtest.scores.result import TestResult
from backtest.types import DataError, FloatArray, StudyError

# Differences that vary by less than this share of the losses are constant but for rounding.
ROUNDING = 1e-12


def diebold_mariano(first: ArrayLike, second: ArrayLike, *, horizon: int = 1) -> TestResult:
    r"""Equal mean of two series of scoring losses, in Harvey, Leybourne and Newbold's form.

    .. math:: S = \frac{\bar d}{\sqrt{\hat V / n}}
              \sqrt{\frac{n + 1 - 2h + h (h - 1) / n}{n}} \sim t_{n-1}

    with d = first - second and V its long-run variance over h - 1 lags, unweighted. Two-sided;
    S < 0 prefers the first.

    Parameters
    ----------
    first, second : (days,) scoring losses, of `tick_loss` or `fz0_loss`. horizon : h, the MPOR.

    Returns
    -------
    TestResult; not identified if the variance is zero, apart from rounding.

    References
    ----------
    Diebold, F. & Mariano, R. (1995). Comparing predictive accuracy. Journal of Business & Economic
    Statistics, 13(3), 253-263. Harvey, D., Leybourne, S. & Newbold, P. (1997). Testing the equality
    of prediction mean squared errors. International Journal of Forecasting, 13(2), 281-291.

    Examples
    --------
    >>> round(diebold_mariano([1.0, 2.0, 4.0], [0.0, 0.0, 1.0]).statistic, 4)
    3.4641
    """
    one, other = as_forecasts(first=first, second=second)
    days = len(one)
    if not 1 <= horizon < days:
        raise StudyError(f"horizon is {horizon} for {days} days; give 1 .. {days - 1}.")
    gap = one - other
    centred = gap - gap.mean()
    variance = float(centred @ centred) / days
    for lag in range(1, horizon):
        variance += 2.0 * float(centred[lag:] @ centred[:-lag]) / days
    name = "Diebold-Mariano, HLN"
    assumed = f"stationary differences, {horizon - 1} lags; Student t({days - 1})"
    if variance <= 0.0 or _constant(one, other):
        return TestResult(name, float("nan"), float("nan"), False, assumed)
    small = (days + 1 - 2 * horizon + horizon * (horizon - 1) / days) / days
    statistic = float(gap.mean() / np.sqrt(variance / days) * np.sqrt(small))
    return TestResult(name, statistic, 2.0 * float(stdtr(days - 1, -abs(statistic))), True, assumed)


def model_confidence_set(
    losses: Mapping[str, ArrayLike],
    *,
    level: float = 0.05,
    block: int = 20,
    draws: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Models not significantly worse than the best (Hansen, Lunde, Nason), by arch's bootstrap.

    losses : (days,) scoring losses by model, two models or more. level : 1 - confidence.

    Returns
    -------
    One row for each model: `pvalue`, `included`, `mean_loss`. Models with the same loss on every
    day count as one model and get the same result.

    Raises
    ------
    DataError : all models alike, or two whose difference never varies; lengths, NaN.

    References
    ----------
    Hansen, P., Lunde, A. & Nason, J. (2011). The model confidence set. Econometrica, 79(2),
    453-497.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> losses = {"good": rng.random(200), "bad": rng.random(200) + 1.0}
    >>> model_confidence_set(losses, draws=100)["included"].tolist()
    [True, False]
    """
    from arch.bootstrap import MCS

    table = _table(losses)
    twin = _twins(table)
    distinct = table[list(dict.fromkeys(twin.values()))]
    confidence_set = MCS(
        distinct, size=level, reps=draws, block_size=block, seed=seed, method="max"
    )
    confidence_set.compute()
    pvalues = confidence_set.pvalues["Pvalue"]
    return pd.DataFrame(
        {
            "pvalue": pd.Series({name: pvalues[twin[name]] for name in table.columns}),
            "included": [twin[name] in confidence_set.included for name in table.columns],
            "mean_loss": table.mean(),
        }
    ).rename_axis("model")


def superior_models(
    losses: Mapping[str, ArrayLike],
    *,
    benchmark: str,
    level: float = 0.05,
    block: int = 20,
    draws: int = 1000,
    seed: int = 0,
) -> TestResult:
    """Whether any model beats the benchmark (Hansen's SPA), and which do (StepM), by arch.

    The p-value is SPA's consistent one, the statistic the largest mean gain on the benchmark;
    `estimates` holds the mean gain of each model that StepM finds better at `level`. A model with
    the same loss as the benchmark on every day does not beat it and is left out.

    References
    ----------
    Hansen, P. (2005). A test for superior predictive ability. Journal of Business & Economic
    Statistics, 23(4), 365-380. Romano, J. & Wolf, M. (2005). Stepwise multiple testing as
    formalized data snooping. Econometrica, 73(4), 1237-1282.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> losses = {"base": rng.random(200) + 1.0, "good": rng.random(200)}
    >>> list(superior_models(losses, benchmark="base", draws=100).estimates)
    ['good']
    """
    from arch.bootstrap import SPA, StepM

    table = _table(losses)
    if benchmark not in table:
        raise StudyError(f"benchmark is {benchmark!r}; known: {', '.join(table.columns)}.")
    twin = _twins(table)
    alike = [name for name in table.columns if twin[name] == twin[benchmark]]
    base, others = table[benchmark], table.drop(columns=alike)
    settings: dict[str, Any] = {"reps": draws, "block_size": block, "seed": seed}
    spa = SPA(base, others, **settings)
    spa.compute()
    step = StepM(base, others, size=level, **settings)
    step.compute()
    gain = {str(name): float(base.mean() - others[name].mean()) for name in others}
    return TestResult(
        "Superior predictive ability",
        max(gain.values()),
        float(spa.pvalues["consistent"]),
        True,
        f"studentised stationary bootstrap, mean block {block}",
        {str(name): gain[str(name)] for name in step.superior_models},
    )


def _table(losses: Mapping[str, ArrayLike]) -> pd.DataFrame:
    if len(losses) < 2:
        raise StudyError(f"{len(losses)} model given; a comparison needs two or more.")
    arrays = as_forecasts(**{str(name): values for name, values in losses.items()})
    table = pd.DataFrame(dict(zip(map(str, losses), arrays, strict=True)))
    return table


def _constant(one: FloatArray, other: FloatArray) -> bool:
    """Whether the difference of two series is the same on every day, but for rounding."""
    size = max(np.abs(one).max(), np.abs(other).max())
    return bool(np.ptp(one - other) <= ROUNDING * size)


def _twins(table: pd.DataFrame) -> dict[str, str]:
    """First model with the same loss on every day, by model: their difference has no spread.

    Raises
    ------
    DataError : all alike, or two that differ by the same on every day.
    """
    losses = {str(name): table[name].to_numpy() for name in table.columns}
    twin: dict[str, str] = {}
    for name, values in losses.items():
        alike = [
            first for first in dict.fromkeys(twin.values()) if _constant(losses[first], values)
        ]
        for first in alike:
            if np.abs(losses[first] - values).max() > ROUNDING * np.abs(values).max():
                raise DataError(
                    f"{first!r} and {name!r} differ by the same on every day; there is nothing to "
                    "resample: compare their means."
                )
        twin[name] = alike[0] if alike else name
    if len(set(twin.values())) == 1:
        raise DataError("all models cost the same on every day; there is nothing to compare.")
    return twin
