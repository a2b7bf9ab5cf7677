"""The power of the tests: how often each test rejects, for each length of a record.

At the right rate, on independent days, the share of rejections is the true size of a test, to be
compared with its nominal size. Counting tests are exact under independent days; the others are
simulated, with a standard error. A test that is not identified does not reject.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.special import bdtrc, betaincinv, chdtrc

from backtest.scores.alternatives import ALTERNATIVES, Alternative, draw_losses, true_rate
from backtest.scores.checks import as_indicator, check_confidence
from backtest.scores.exceedances.counts import unconditional_statistic
from backtest.scores.exceedances.durations import gmm_duration, weibull_duration
from backtest.scores.exceedances.zones import traffic_light
from backtest.scores.overlapping.clusters import is_clustered
from backtest.scores.overlapping.overlap import binomial_pvalues
from backtest.scores.overlapping.panel import pack_records, panel_tests
from backtest.scores.overlapping.verdict import coverage_p
from backtest.scores.result import TestResult
from backtest.types import BoolArray, FloatArray, Progress, StudyError, counted, unheard

HISTORIES = 1000
LAGS = 4  # lags of the dynamic quantile test, as in Engle and Manganelli
ZONES = {"zone yellow or red": 0.05, "zone red": 0.0001}  # nominal sizes: BCBS (1996)


def critical_count(days: int, *, confidence: float = 0.99, level: float = 0.05) -> int:
    """Smallest count that the one-sided binomial test rejects; days + 1 if it rejects no count.

    Examples
    --------
    >>> critical_count(250), critical_count(2196)
    (6, 31)
    """
    _check(days, confidence, level)
    counts = np.arange(days + 2)
    return int(np.argmax(binomial_tail(counts, days, 1.0 - confidence) <= level))


def binomial_tail(counts: np.ndarray, days: int, rate: float) -> FloatArray:
    """Probability of at least each count in independent days; 1 for 0, 0 above the days.

    Examples
    --------
    >>> binomial_tail(np.arange(4), 2, 0.5).tolist()
    [1.0, 0.75, 0.25, 0.0]
    """
    within = np.clip(counts - 1, 0, days)
    return np.where(counts < 1, 1.0, np.where(counts > days, 0.0, bdtrc(within, days, rate)))


def smallest_detectable(
    days: int, *, confidence: float = 0.99, level: float = 0.05, power: float = 0.8
) -> float:
    r"""Lowest true rate of exceedances that a record of this length would detect.

    The rate at which the exact one-sided binomial test at `level` rejects with probability `power`.
    With c the critical count, it has a closed form:

    .. math:: I_r(c, n - c + 1) = power

    Independent days are the best case. Losses over H days overlap: a record of n days has at least
    the information of its n / H days that do not overlap, so the true value is between the results
    for n and for n // H.

    Parameters
    ----------
    days : length of the record. confidence : promised coverage. level : level of the test.
    power : required probability of rejection.

    Returns
    -------
    Rate in (0, 1), above 1 - confidence; NaN if no count is rejected.

    Raises
    ------
    StudyError : no day; a confidence, level or power outside (0, 1).

    References
    ----------
    Kupiec, P. (1995). Techniques for verifying the accuracy of risk measurement models.
    Journal of Derivatives, 3(2), 73-84 (its table of power).

    Examples
    --------
    >>> [round(smallest_detectable(days), 4) for days in (250, 500, 2196)]
    [0.0314, 0.0249, 0.0162]
    """
    if not 0.0 < power < 1.0:
        raise StudyError(f"power is {power}; give a probability in (0, 1), such as 0.8.")
    count = critical_count(days, confidence=confidence, level=level)
    if count > days:
        return float("nan")
    return float(betaincinv(count, days - count + 1, power))


def exact_power(
    days: int, rate: float, *, confidence: float = 0.99, level: float = 0.05
) -> dict[str, float]:
    """Probability that each counting test rejects, over independent days at a true rate.

    Examples
    --------
    >>> rejected = exact_power(250, 0.01)
    >>> round(rejected["Kupiec"], 4), round(rejected["zone yellow or red"], 4)
    (0.0948, 0.1078)
    """
    _check(days, confidence, level)
    counts = np.arange(days + 1)
    tail = binomial_tail(np.arange(days + 2), days, rate)
    law = tail[:-1] - tail[1:]
    ratio = unconditional_statistic(counts, np.full(days + 1, days), confidence=confidence)
    light = traffic_light(0, days, confidence=confidence)
    return {
        "binomial, one-sided": float(
            tail[critical_count(days, confidence=confidence, level=level)]
        ),
        "Kupiec": float(law[chdtrc(1.0, ratio) <= level].sum()),
        "zone yellow or red": float(tail[light.yellow_from]),
        "zone red": float(tail[light.red_from]),
    }


def dynamic_quantile_pvalues(
    exceedances: BoolArray, *, confidence: float = 0.99, lags: int = LAGS
) -> FloatArray:
    """P-values of `dynamic_quantile` for many records under a constant requirement, (records,).

    A constant requirement adds nothing to the constant regressor, and cross products of indicators
    are counts, so each record needs one small matrix only.

    Examples
    --------
    >>> record = np.isin(np.arange(250), [10, 11, 12])
    >>> bool(dynamic_quantile_pvalues(record[:, None])[0] < 1e-9)
    True
    """
    check_confidence(confidence)
    marked = as_indicator(exceedances).astype(np.float64)
    days, records = marked.shape
    rows = days - lags
    lagged = [np.ones((rows, records)), *(marked[lags - k : days - k] for k in range(1, lags + 1))]
    products = np.array([[(one * other).sum(axis=0) for one in lagged] for other in lagged]).T
    rate = 1.0 - confidence
    explained = np.array([(one * (marked[lags:] - rate)).sum(axis=0) for one in lagged]).T
    inverse = np.linalg.pinv(products, rcond=1e-10, hermitian=True)
    statistic = np.einsum("ri,rij,rj->r", explained, inverse, explained) / (rate * confidence)
    rank = np.linalg.matrix_rank(products, tol=1e-7, hermitian=True)
    after = marked[lags:].sum(axis=0)
    return np.where((after > 0) & (after < rows), chdtrc(rank, statistic), np.nan)


def simulated_tests(
    losses: FloatArray, *, horizon: int = 1, confidence: float = 0.99
) -> dict[str, FloatArray]:
    """P-values of every test on each record, NaN where not identified; no day is missing.

    Parameters
    ----------
    losses : (days, histories) of `draw_losses`, in units of the requirement.
    horizon : days that a loss spans; `coverage_p` alone allows for it.

    Examples
    --------
    >>> pvalues = simulated_tests(np.zeros((250, 1)))
    >>> round(float(pvalues["Kupiec"][0]), 3), float(pvalues["coverage_p"][0])
    (0.025, 1.0)
    """
    days, exceedances = len(losses), losses > 1.0
    clustered = is_clustered(losses, np.ones_like(losses), horizon=horizon)
    panel = panel_tests(pack_records(exceedances), confidence=confidence)

    def each(test: Callable[[BoolArray], TestResult]) -> FloatArray:
        return np.array([test(record).pvalue for record in exceedances.T])

    count = panel.exceedances
    return {
        "binomial, one-sided": binomial_pvalues(count, days, confidence=confidence),
        "Kupiec": panel.kupiec_p,
        "Christoffersen independence": panel.independence_p,
        "Christoffersen conditional": panel.conditional_p,
        "dynamic quantile": dynamic_quantile_pvalues(exceedances, confidence=confidence),
        "Weibull duration": each(weibull_duration),
        "GMM duration": each(lambda record: gmm_duration(record, confidence=confidence)),
        "coverage_p": coverage_p(
            exceedances, horizon=horizon, confidence=confidence, clustered=clustered
        ),
        **{name: _zone_pvalues(count, days, confidence, name) for name in ZONES},
    }


def _zone_pvalues(count: np.ndarray, days: int, confidence: float, zone: str) -> FloatArray:
    """0 in the zone and 1 outside: a zone rejects or not, whatever the level of the other tests."""
    light = traffic_light(0, days, confidence=confidence)
    start = light.red_from if zone == "zone red" else light.yellow_from
    return np.where(count >= start, 0.0, 1.0)


def power_table(
    days: Sequence[int],
    *,
    confidence: float = 0.99,
    level: float = 0.05,
    alternatives: Mapping[str, Alternative] = ALTERNATIVES,
    histories: int = HISTORIES,
    seed: int = 0,
    progress: Progress = unheard,
) -> pd.DataFrame:
    """Share of rejections of every test, for each length of a record and each alternative.

    Parameters
    ----------
    days : lengths of a record. confidence : promised coverage. level : nominal size of the tests.
    alternatives : by name. histories : number of records for each. seed : of the simulation.

    Returns
    -------
    One row for each (days, test, alternative): `nominal` size, share `rejected`, standard error
    `se` of the simulation (0 if `exact`).

    Raises
    ------
    StudyError : no day or history; a confidence or level outside (0, 1).

    Examples
    --------
    >>> right = {"right": ALTERNATIVES["right"]}
    >>> table = power_table([250], alternatives=right, histories=20)
    >>> round(float(table.loc[(250, "Kupiec", "right"), "rejected"]), 4)
    0.0948
    """
    rows: dict[tuple[int, str, str], dict[str, float | bool]] = {}
    steps = [(length, name) for length in days for name in alternatives]
    for done, (length, name) in enumerate(counted(progress, "histories", steps, len(steps))):
        _check(length, confidence, level)
        alternative = alternatives[name]
        key = [seed, length, list(ALTERNATIVES).index(name) if name in ALTERNATIVES else done]
        losses = draw_losses(
            alternative,
            days=length,
            histories=histories,
            confidence=confidence,
            seed=int(np.random.SeedSequence(key).generate_state(1)[0]),
        )
        pvalues_by_test = simulated_tests(
            losses, horizon=alternative.horizon, confidence=confidence
        )
        exact = {}
        if alternative.kind == "independent":
            rate = true_rate(alternative, confidence=confidence)
            exact = exact_power(length, rate, confidence=confidence, level=level)
        for test, pvalues in pvalues_by_test.items():
            share = exact.get(test, float((pvalues <= level).mean()))
            error = 0.0 if test in exact else float(np.sqrt(share * (1.0 - share) / histories))
            rows[length, test, name] = {
                "nominal": ZONES.get(test, level),
                "rejected": share,
                "se": error,
                "exact": test in exact,
            }
    index = pd.MultiIndex.from_tuples(list(rows), names=["days", "test", "alternative"])
    return pd.DataFrame(list(rows.values()), index=index)


def _check(days: int, confidence: float, level: float) -> None:
    check_confidence(confidence)
    if days < 1:
        raise StudyError(f"a record of {days} days; give 1 or more.")
    if not 0.0 < level < 1.0:
        raise StudyError(f"level is {level}; give a probability in (0, 1), such as 0.05.")
