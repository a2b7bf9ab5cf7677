"""What a clearing house would publish of a study, and what its margins ask of those who post them.

Coverage and calls are those of the margins as they were set, in the layout of the CPMI-IOSCO
disclosures. Swings and cost are compared at pooled equal coverage.
"""

import tomllib
from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd

from backtest.replay.own_days import Cohort
from backtest.replay.scorecard import BLOCK
from backtest.replay.study import Study
from backtest.scores.money.liquidity import funding_cost, liquidity_at_risk
from backtest.scores.money.money import share_beyond
from backtest.scores.money.procyclicality import (
    LARGE_CALLS,
    RISE_DAYS,
    expected_rise,
    large_call_rate,
    largest_rise,
    largest_rise_within,
    peak_to_trough,
    time_above_mean,
)
from backtest.types import DaysByPortfolios, FloatArray

POINT = 0.01  # a funding spread of one percentage point a year: a unit, not an estimate
LAYERS = (0.1, 0.25, 0.5)  # default-fund layers shown, as shares of a book's own mean margin


def scored_values(study: Study, frame: pd.DataFrame) -> DaysByPortfolios:
    """Values of a frame on the scored days, (days, portfolios); NaN on days that one has not."""
    values = frame.loc[study.scored].to_numpy(dtype=np.float64)
    return values if study.own is None else np.where(study.own, values, np.nan)


def by_portfolio(
    study: Study, columns_of: Callable[[Cohort], Mapping[str, FloatArray]]
) -> pd.DataFrame:
    """One row a portfolio, from its own scored days.

    columns_of : (portfolios,) columns of a cohort.
    """
    parts = [
        pd.DataFrame(columns_of(block), index=study.loss.columns[block.columns])
        for cohort in study.cohorts()
        for block in cohort.blocks(BLOCK)
    ]
    return parts[0] if len(parts) == 1 else pd.concat(parts).loc[study.loss.columns]


def disclosure_table(study: Study) -> pd.DataFrame:
    """Lay a study out as a clearing house's public quantitative disclosure: an item a row.

    Books stand for accounts, models for clearing services, the scored window for the period.
    Variation margin is that of the MPOR, since losses over single days are not kept.

    Returns
    -------
    Index `item`; columns `title`, `unit`, then a column a model, objects.

    References
    ----------
    CPMI & IOSCO (2015). Public quantitative disclosure standards for central counterparties.

    Examples
    --------
    >>> import backtest as bt, strategies as st
    >>> market = bt.load_market("sample", end="2018-12-31")
    >>> book = bt.Book.from_frame(pd.DataFrame({"BTC": [1e6]}, index=["long"]), market)
    >>> table = disclosure_table(bt.run(market, book, {"var": st.HistoricalVaR()}))
    >>> table.loc["6.5 (coverage)", "title"]
    'Achieved coverage level'
    """
    items = tomllib.loads(
        (files("backtest.replay.findings") / "disclosure_items.toml").read_text("utf-8")
    )["items"]
    values = {model: _disclosed(study, model) for model in study.models}
    rows = [
        {key: item[key] for key in ("title", "unit")}
        | {model: values[model][item["value"]] for model in study.models}
        for item in items
    ]
    index = pd.Index([item["item"] for item in items], name="item")
    return pd.DataFrame(rows, index=index)


def _disclosed(study: Study, model: str) -> dict[str, Any]:
    shortfall = scored_values(study, study.shortfall[model])
    required = scored_values(study, study.required[model])
    called = np.nansum(scored_values(study, study.call[model]), axis=1)
    variation = np.nansum(np.maximum(scored_values(study, study.loss), 0.0), axis=1)
    # A clearing house counts accounts and days, so every breach of every book is one.
    uncovered = shortfall[shortfall > 0.0]
    observations = int(np.count_nonzero(~np.isnan(shortfall)))
    return {
        "mean_required": float(np.nansum(required, axis=1).mean()),
        "model": study.provenance.models[model],
        "breaches": int(uncovered.size),
        "observations": observations,
        "achieved_coverage": 1.0 - uncovered.size / observations,
        "peak_uncovered": float(uncovered.max(initial=0.0)),
        "mean_uncovered": float(uncovered.mean()) if uncovered.size else 0.0,
        "mean_variation": float(variation.mean()),
        "peak_variation": float(variation.max()),
        "peak_call": float(called.max()),
    }


def swing_table(study: Study) -> pd.DataFrame:
    """Procyclicality and cost of every model and book, at pooled equal coverage.

    Ratios do not depend on the scale; the USD are those of margins times the model's pooled scale,
    and +inf where no scale covers. Changes over more days than the record has are NaN.

    Returns
    -------
    Index (model, portfolio). `peak_to_trough`; for n of 1, 5 and 30 days `rise_n` (largest, to
    exactly n days later), `rise_within_n`, `rise_mean_n` (falls as 0), `rise_p95_n`; `calls_10`,
    `calls_25`, `calls_50` (share of days with a larger rise by the next day) and the same within
    five days, `calls_5d_10` ...; `above_mean`; USD: `margin`, `liquidity_at_risk` (99 % of margin
    change plus variation margin over the MPOR), `funding_per_point` a year.

    References
    ----------
    Murphy, D., Vasios, M. & Vause, N. (2014). An investigation into the procyclicality of
    risk-based initial margin models. Bank of England Financial Stability Paper 29.
    """
    loss, horizon = scored_values(study, study.loss), study.overlap
    tables = {}
    for model in study.models:
        required = scored_values(study, study.required[model])
        scale = float(study.pooled["scale"].loc[model])

        def columns(
            cohort: Cohort, required: DaysByPortfolios = required, scale: float = scale
        ) -> dict[str, FloatArray]:
            margin = cohort.of(required)
            return _swings(margin) | _costs(cohort.of(loss), margin, scale, horizon)

        tables[model] = by_portfolio(study, columns)
    return pd.concat(tables, names=["model", "portfolio"])


def _swings(required: DaysByPortfolios) -> dict[str, FloatArray]:
    length, unknown = len(required), np.full(required.shape[1], np.nan)
    columns = {"peak_to_trough": peak_to_trough(required)}
    for days in RISE_DAYS:
        names = [f"rise_{days}", f"rise_within_{days}", f"rise_mean_{days}", f"rise_p95_{days}"]
        columns |= dict.fromkeys(names, unknown)  # a shorter record has no such change
        if days < length:
            rises = largest_rise(required, days=days), largest_rise_within(required, days=days)
            columns |= dict(zip(names, (*rises, *expected_rise(required, days=days)), strict=True))
    for prefix, days in (("calls", 1), ("calls_5d", 5)):
        for threshold in LARGE_CALLS:
            columns[f"{prefix}_{100 * threshold:.0f}"] = (
                large_call_rate(required, threshold=threshold, days=days)
                if days < length
                else unknown
            )
    return columns | {"above_mean": time_above_mean(required)}


def _costs(
    loss: DaysByPortfolios, required: DaysByPortfolios, scale: float, horizon: int
) -> dict[str, FloatArray]:
    # Without a scale that covers, equal coverage has no finite price, and a zero would look cheap.
    if not np.isfinite(scale):
        unbounded = np.full(required.shape[1], np.inf)
        return dict.fromkeys(("margin", "liquidity_at_risk", "funding_per_point"), unbounded)
    margin = scale * required
    return {
        "margin": margin.mean(axis=0),
        "liquidity_at_risk": liquidity_at_risk(loss, margin, horizon=horizon)
        if horizon < len(loss)
        else np.full(required.shape[1], np.nan),
        "funding_per_point": funding_cost(margin, spread=POINT),
    }


def money_table(study: Study) -> pd.DataFrame:
    """USD beyond requirement and collateral, and what default-fund layers would leave of it.

    Returns
    -------
    Index (model, portfolio). `total_excess`, `total_shortfall` USD over the scored days, on which
    one move over the MPOR counts several times; `beyond_10`, `beyond_25`, `beyond_50`: share of
    the shortfall beyond a layer of that percentage of the book's mean margin.
    """
    loss = scored_values(study, study.loss)
    tables = {}
    for model in study.models:
        required = scored_values(study, study.required[model])
        shortfall = scored_values(study, study.shortfall[model])

        def columns(
            cohort: Cohort,
            required: DaysByPortfolios = required,
            shortfall: DaysByPortfolios = shortfall,
        ) -> dict[str, FloatArray]:
            return _money(cohort.of(loss), cohort.of(required), cohort.of(shortfall))

        tables[model] = by_portfolio(study, columns)
    return pd.concat(tables, names=["model", "portfolio"])


def _money(
    loss: DaysByPortfolios, required: DaysByPortfolios, shortfall: DaysByPortfolios
) -> dict[str, FloatArray]:
    nothing = np.zeros(shortfall.shape)
    columns = {
        "total_excess": np.maximum(loss - required, 0.0).sum(axis=0),
        "total_shortfall": shortfall.sum(axis=0),
    }
    for layer in LAYERS:
        fund = layer * required.mean(axis=0)
        columns[f"beyond_{100 * layer:.0f}"] = share_beyond(shortfall, nothing, layer=fund)
    return columns
