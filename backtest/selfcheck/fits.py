"""Fits whose best values are known: tails beyond a threshold, and volatilities."""

from functools import cache

import numpy as np

from backtest.estimators.extreme import fit_pareto
from backtest.estimators.garch import GarchFit, fit_garch
from backtest.estimators.stale import refuse_stale
from backtest.selfcheck.row import Refused, Row
from backtest.types import FloatArray


def _middles(count: int) -> FloatArray:
    """Probabilities in the middle of `count` equal bins."""
    return np.asarray((np.arange(count) + 0.5) / count)


def _exponential(count: int) -> FloatArray:
    return -np.log(1.0 - _middles(count))


def _pareto(shape: float) -> FloatArray:
    return ((1.0 - _middles(100)) ** -shape - 1.0) / shape


@cache
def _clustered() -> FloatArray:
    """1,000 days of a GARCH(1, 1) with omega .05, alpha .1, beta .85 and normal innovations."""
    z = np.random.default_rng(1).standard_normal(1000)
    moves, variance = np.empty(1000), 1.0
    for day in range(1000):
        moves[day] = np.sqrt(variance) * z[day]
        variance = 0.05 + 0.10 * moves[day] ** 2 + 0.85 * variance
    return moves


def _values(fit: GarchFit) -> list[float]:
    return [fit.omega, fit.alpha, fit.gamma, fit.beta, fit.log_likelihood]


def _in_another_unit() -> list[float]:
    """Ratios of a fit in millionths to one in units."""
    unit, small = (fit_garch(c * _clustered(), student=False) for c in (1.0, 1e-6))
    return [small.alpha / unit.alpha, small.beta / unit.beta, 1e12 * small.omega / unit.omega]


def _stale() -> None:
    """A Student law at its floor on a series of which six days in seven repeat."""
    rows = np.where(np.arange(500) % 7 == 0, _clustered()[:500], 0.0)[None, :]
    refuse_stale(rows, np.array([2.05]), who="GARCH-t")


ROWS = (
    Row(
        "peaks: 49 exponential excesses and one of 10,000",
        "scipy/scipy#20094",
        lambda: fit_pareto(np.append(_exponential(49), 10_000.0)),
        right=[0.9103245, 0.6610697],
        by="the likelihood over a grid of shapes, polished by Nelder-Mead",
        tolerance=2e-6,
    ),
    Row(
        "peaks: 100 exponential excesses",
        "scipy/scipy#20094",
        lambda: fit_pareto(_exponential(100)),
        right=[-0.0193924, 1.0158842],
        by="the likelihood over a grid of shapes, polished by Nelder-Mead",
        tolerance=2e-6,
    ),
    Row(
        "peaks: uniform excesses, whose shape is beyond the lower bound",
        "scipy/scipy#20094",
        lambda: fit_pareto(_middles(100)),
        right=[-0.5, 0.6274839],
        by="the likeliest scale at that bound, by bisection",
        tolerance=2e-6,
    ),
    Row(
        "peaks: excesses of shape 1.5, beyond the upper bound",
        "scipy/scipy#20094",
        lambda: fit_pareto(_pareto(1.5)),
        right=[0.95, 1.3261813],
        by="the likeliest scale at that bound, by bisection",
        tolerance=2e-6,
    ),
    Row(
        "peaks: nine excesses",
        "definition",
        lambda: fit_pareto(_exponential(9)),
        right=Refused("give ten or more"),
        by="two values are not fitted to nine",
    ),
    Row(
        "GARCH with normal innovations, 1,000 days",
        "bashtage/arch#86; bashtage/arch#409",
        lambda: _values(fit_garch(_clustered(), student=False)),
        right=[0.0579610, 0.1297095, 0.0, 0.8114816, -1346.0367437],
        by="arch 8.0, best of four starts",
        tolerance=2e-5,
    ),
    Row(
        "GJR with normal innovations, the same days",
        "bashtage/arch#85",
        lambda: _values(fit_garch(_clustered(), student=False, leverage=True)),
        right=[0.0573349, 0.1142254, 0.0204978, 0.8160072, -1345.8921745],
        by="arch 8.0, best of four starts",
        tolerance=2e-5,
    ),
    Row(
        "GARCH with Student innovations, the same days",
        "bashtage/arch#213",
        lambda: _values(fit_garch(_clustered())),
        right=[0.0576229, 0.1290912, 0.0, 0.8124245, -1345.5514036],
        by="arch 8.0, best of four starts",
        tolerance=2e-5,
    ),
    Row(
        "a GARCH of the same days in millionths",
        "bashtage/arch#153",
        _in_another_unit,
        right=[1.0, 1.0, 1.0],
        by="reactions have no unit, a variance has its square",
        tolerance=1e-6,
    ),
    Row(
        "a GARCH that is likelier than constant variance",
        "FriedmanJP/MacroEconometricModels.jl#567",
        lambda: fit_garch(_clustered(), student=False).log_likelihood > -1395.0,
        right=True,
        by="constant variance has -1395.5: the search has left its start",
    ),
    Row(
        "a GARCH of 49 days",
        "bashtage/arch#206",
        lambda: fit_garch(_clustered()[:49]),
        right=Refused("give 50 or more"),
        by="five values fitted to less follow noise",
    ),
    Row(
        "a GARCH of a series that never moves",
        "definition",
        lambda: fit_garch(np.zeros(500)),
        right=Refused("not all zero"),
        by="there is no variance",
    ),
    Row(
        "weekly prices filled forward to days, Student tails at their floor",
        "kernc/backtesting.py#537",
        _stale,
        right=Refused("Prices are stale"),
        by="six moves in seven are zero",
    ),
)
