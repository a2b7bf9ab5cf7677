"""What margins of a path are made of beside their tails, against what one would write instead."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

import backtest as bt
from backtest.config.load import load_study
from backtest.estimators.correlation import rolling_covariance
from backtest.instruments.treasury import par_bond_sensitivity
from backtest.kernels.covariance import window_covariance
from backtest.kernels.netting import netted_margin
from backtest.model.asking import required_margin
from backtest.replay.margins import margin_block
from backtest.types import DaysByPortfolios, FloatArray
from tests.bench.timing import Table, alike

DAYS, LOOKBACK = 2700, 500
COLUMNS = 13  # of the packaged study: five bonds by duration and convexity, three coins
BOOKS = 12


def covariance_loop(columns: FloatArray, lookback: int) -> FloatArray:
    """Centre every window and multiply it by itself."""
    out = np.full((*columns.shape, columns.shape[1]), np.nan)
    for day in range(lookback - 1, len(columns)):
        window = columns[day - lookback + 1 : day + 1]
        centred = window - window.mean(axis=0)
        out[day] = centred.T @ centred / lookback
    return out


def covariance(rng: np.random.Generator) -> Table:
    """Covariances of shocks over trailing windows."""
    shocks = rng.standard_t(4, (DAYS, COLUMNS)) * 0.01
    frame = pd.DataFrame(shocks)

    def with_pandas() -> FloatArray:
        table = frame.rolling(LOOKBACK).cov(ddof=0).to_numpy()
        return table.reshape(DAYS, COLUMNS, COLUMNS)

    kept = np.empty((DAYS, COLUMNS, COLUMNS))
    expected = covariance_loop(shocks, LOOKBACK)
    for found in (rolling_covariance(shocks, LOOKBACK), with_pandas()):
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-16)
    return alike(
        f"Rolling covariance, {DAYS} days x {COLUMNS} columns, {LOOKBACK} days, per day",
        DAYS,
        {
            "rolling_covariance": lambda: rolling_covariance(shocks, LOOKBACK),
            "its kernel, into memory that is kept": lambda: window_covariance(
                shocks, LOOKBACK, kept
            ),
            "numpy, window by window": lambda: covariance_loop(shocks, LOOKBACK),
            "pandas rolling cov": with_pandas,
        },
    )


def netting(rng: np.random.Generator) -> Table:
    """Margins of three silos netted by the correlation of their P&L."""
    group = np.repeat(np.arange(3), [3, 8, 2])
    covariances = rolling_covariance(rng.standard_t(4, (DAYS + LOOKBACK, COLUMNS)), LOOKBACK)
    covariances = np.ascontiguousarray(covariances[LOOKBACK:])
    unit, margin = rng.normal(size=(DAYS, COLUMNS)), rng.random((DAYS, BOOKS, 3))
    exposure = np.zeros((BOOKS, COLUMNS))
    for book in exposure:  # a coin and a bond, as in most books of the study
        book[[rng.integers(3), *(3 + 2 * rng.integers(4) + np.arange(2))]] = rng.normal()
    margin[:, :, 2] = 0.0

    def ours() -> DaysByPortfolios:
        out = np.empty((DAYS, BOOKS))
        netted_margin(margin, covariances, unit, exposure[None], group, np.inf, -1.0, out)
        return out

    def with_numpy() -> DaysByPortfolios:
        out = np.empty((DAYS, BOOKS))
        gather = np.eye(3)[group]
        for p, held in enumerate(exposure):
            legs = (held * unit)[:, :, None] * gather
            joint = legs.transpose(0, 2, 1) @ covariances @ legs
            variance = np.diagonal(joint, axis1=1, axis2=2)
            spread = np.sqrt(variance[:, :, None] * variance[:, None, :])
            rho = np.divide(joint, spread, out=np.zeros_like(joint), where=spread > 0.0)
            rho[:, range(3), range(3)] = 1.0
            m = margin[:, p]
            out[:, p] = np.sqrt(np.einsum("tg,tgh,th->t", m, rho, m))
        return out

    np.testing.assert_allclose(ours(), with_numpy(), rtol=1e-9)
    return alike(
        f"Netting by correlation, {BOOKS} books of two silos, {DAYS} days, per book and day",
        BOOKS * DAYS,
        {"netted_margin": ours, "numpy, matrices over all days": with_numpy},
    )


def sensitivities(rng: np.random.Generator) -> Table:
    """Duration and convexity of the par bonds of every day."""
    levels, tenors = np.clip(rng.normal(0.03, 0.01, DAYS), 0.001, 0.1), (2, 5, 10, 30)

    def with_numpy() -> list[FloatArray]:
        out = []
        half = levels[:, None] / 2.0
        for tenor in tenors:
            times = np.arange(1, 2 * tenor + 1) / 2.0
            payments = half + (times == tenor)
            discounted = payments * times * (1.0 + half) ** (-2.0 * times)
            duration = discounted.sum(axis=1) / (1.0 + half[:, 0])
            convexity = (discounted * (times + 0.5)).sum(axis=1) / (1.0 + half[:, 0]) ** 2
            out.append(np.column_stack([-duration, convexity]))
        return out

    def ours() -> list[FloatArray]:
        return [par_bond_sensitivity(levels, tenor) for tenor in tenors]

    np.testing.assert_allclose(ours(), with_numpy(), rtol=1e-10)
    return alike(
        f"Duration and convexity of par bonds of {len(tenors)} tenors, {DAYS} days, per day",
        DAYS,
        {"par_bond_sensitivity": ours, "numpy, payment by payment": with_numpy},
    )


def together() -> Table:
    """All models of the packaged study on one market, beside each of them by itself."""
    config, _ = load_study(None)
    market, models, coverage = bt.load_market("sample"), config.margin_models(), config.standard()
    weights = pd.DataFrame({"BTC": [1, 1, 1, 0], "UST10Y": [1, -1, 0, 1], "UST2Y": [0, 0, -1, -1]})
    terms = {"base": models["var"], "coverage": coverage, "gross": 1e8}
    book = bt.Book.risk_matched(weights, market, **terms)

    def alone() -> list[DaysByPortfolios]:
        return [required_margin(model, market, book, coverage) for model in models.values()]

    def ours() -> list[DaysByPortfolios]:
        return list(margin_block(market, book, models, coverage).required.values())

    for found, expected in zip(ours(), alone(), strict=True):
        np.testing.assert_array_equal(found, expected)
    return alike(
        f"Margins of {len(models)} models, {len(market.dates)} days of the sample, per model",
        len(models),
        {"margin_block, losses included": ours, "each model by itself": alone},
    )


def tables(rng: np.random.Generator) -> Iterator[Table]:
    """Every table of this module."""
    yield covariance(rng)
    yield netting(rng)
    yield sensitivities(rng)
    yield together()
