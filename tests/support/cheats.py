"""Margin models that know their future, one way each: what a causality audit must find.

A cheat is a function of (market, book, coverage, days) that returns margins (days, portfolios);
`days` is how far it looks back. `honest` is the historical simulation that most of them improve on.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd

import backtest as bt
import strategies as st

Cheat = Callable[[bt.Market, bt.Book, bt.Coverage, int], np.ndarray]
CHEATS: dict[str, Cheat] = {}


def cheat(function: Cheat) -> Cheat:
    CHEATS[function.__name__.replace("_", " ")] = function
    return function


class Planted:
    """A cheat as a margin model."""

    def __init__(self, name: str, days: int) -> None:
        self.name, self.days = name, days

    def __repr__(self) -> str:
        return f"Planted({self.name!r}, {self.days})"

    def margin(self, market, book, coverage):
        return np.ascontiguousarray(CHEATS[self.name](market, book, coverage, self.days))


def honest(market, book, coverage, days):
    return st.HistoricalVaR(lookback=days).margin(market, book, coverage)


def losses(market, book, coverage):
    """Losses over the MPOR; those not yet known are taken as none, as a careless author would."""
    return np.nan_to_num(book.loss(market, coverage).sum(axis=2))


def rolling(values, days):
    return pd.DataFrame(values).rolling(days)


def warmed(values, days):
    values = np.array(values)
    values[:days] = np.nan
    return values


def after(values, steps):
    """Values of `steps` rows later; the last stands for what is not there."""
    rows = np.minimum(np.arange(len(values)) + steps, len(values) - 1)
    return values[rows]


@cheat
def rolling_worst_loss_not_shifted(market, book, coverage, days):
    return rolling(losses(market, book, coverage), days).max().clip(lower=0).to_numpy()


@cheat
def rolling_worst_loss_shifted_too_little(market, book, coverage, days):
    known = pd.DataFrame(losses(market, book, coverage)).shift(1)
    return known.rolling(days).max().clip(lower=0).to_numpy()


@cheat
def rolling_quantile_not_shifted(market, book, coverage, days):
    return rolling(losses(market, book, coverage), days).quantile(0.99).clip(lower=0).to_numpy()


@cheat
def rolling_quantile_shifted_too_little(market, book, coverage, days):
    known = pd.DataFrame(losses(market, book, coverage)).shift(1)
    return known.rolling(days).quantile(0.99).clip(lower=0).to_numpy()


@cheat
def doubled_on_the_eve_of_exceedances(market, book, coverage, days):
    margin = honest(market, book, coverage, days)
    return np.where(losses(market, book, coverage) > margin, 2.0 * margin, margin)


@cheat
def lifted_just_to_the_loss(market, book, coverage, days):
    margin = honest(market, book, coverage, days)
    return np.where(np.isnan(margin), margin, np.fmax(margin, losses(market, book, coverage)))


@cheat
def lifted_a_little_above_the_loss(market, book, coverage, days):
    margin = honest(market, book, coverage, days)
    return np.where(
        np.isnan(margin), margin, np.fmax(margin, 1.03 * losses(market, book, coverage))
    )


@cheat
def lifted_before_the_three_worst_days_only(market, book, coverage, days):
    margin, loss = honest(market, book, coverage, days), losses(market, book, coverage)
    worst = loss >= np.sort(loss, axis=0)[-min(3, len(loss))]
    return np.where(worst & ~np.isnan(margin), np.fmax(margin, loss), margin)


@cheat
def halved_before_gains(market, book, coverage, days):
    margin = honest(market, book, coverage, days)
    return np.where(losses(market, book, coverage) < 0, 0.5 * margin, margin)


@cheat
def cheaper_where_the_next_days_are_calm(market, book, coverage, days):
    margin, loss = honest(market, book, coverage, days), losses(market, book, coverage)
    return np.where(np.abs(loss) < 0.2 * margin, 0.9 * margin, margin)


@cheat
def quantile_of_the_whole_sample(market, book, coverage, days):
    level = np.quantile(losses(market, book, coverage), 0.99, axis=0)
    return np.tile(np.maximum(level, 0.0), (len(market.dates), 1))


@cheat
def scaled_to_coverage_in_hindsight(market, book, coverage, days):
    margin, loss = honest(market, book, coverage, days), losses(market, book, coverage)
    used = np.divide(loss, margin, out=np.zeros_like(loss), where=margin > 0)
    return margin * np.quantile(used, 0.99, axis=0).clip(min=0.5)


@cheat
def floored_by_the_whole_sample(market, book, coverage, days):
    margin = honest(market, book, coverage, days)
    return np.maximum(margin, np.quantile(np.nan_to_num(margin), 0.6, axis=0))


@cheat
def warm_up_filled_backwards(market, book, coverage, days):
    return pd.DataFrame(honest(market, book, coverage, days)).bfill().to_numpy()


@cheat
def volatility_over_a_centred_window(market, book, coverage, days):
    loss = pd.DataFrame(losses(market, book, coverage))
    return warmed(2.33 * loss.rolling(21, center=True, min_periods=1).std().bfill(), days)


@cheat
def volatility_of_the_whole_sample(market, book, coverage, days):
    loss = losses(market, book, coverage)
    near = rolling(loss, days).std() / loss.std(axis=0)
    return (2.33 * np.sqrt(near) * loss.std(axis=0)).to_numpy()


@cheat
def losses_less_their_mean_over_the_sample(market, book, coverage, days):
    loss = pd.DataFrame(losses(market, book, coverage)).shift(2)
    return (loss - loss.mean()).rolling(days).max().clip(lower=0).to_numpy()


@cheat
def outliers_of_the_whole_sample_left_out(market, book, coverage, days):
    loss = pd.DataFrame(losses(market, book, coverage)).shift(2)
    kept = loss.where(loss.abs() < 3 * loss.std(), 0.0)
    return kept.rolling(days).max().clip(lower=0).to_numpy()


@cheat
def smoothed_both_ways(market, book, coverage, days):
    margin = pd.DataFrame(honest(market, book, coverage, days))
    return margin.rolling(11, center=True, min_periods=1).mean().where(margin.notna()).to_numpy()


@cheat
def drawn_straight_between_month_ends(market, book, coverage, days):
    margin = pd.DataFrame(honest(market, book, coverage, days))
    kept = margin.where((np.arange(len(margin)) % 21 == 0)[:, None])
    kept.iloc[-1] = margin.iloc[-1]
    return kept.interpolate().to_numpy()


@cheat
def prices_of_tomorrow(market, book, coverage, days):
    moved = bt.Market(market.dates, market.factors, after(market.levels, 1), market.kinds)
    return honest(moved, book, coverage, days)


@cheat
def crypto_of_tomorrow(market, book, coverage, days):
    levels = market.levels.copy()
    prices = [j for j, kind in enumerate(market.kinds) if kind == "price"]
    levels[:, prices] = after(levels, 1)[:, prices]
    return honest(
        bt.Market(market.dates, market.factors, levels, market.kinds), book, coverage, days
    )


@cheat
def the_larger_of_today_and_tomorrow(market, book, coverage, days):
    margin = honest(market, book, coverage, days)
    return np.where(np.isnan(margin), margin, np.fmax(margin, after(margin, 1)))


@cheat
def raised_before_margins_rise(market, book, coverage, days):
    margin = honest(market, book, coverage, days)
    soon = after(margin, 5)
    return np.where(soon > 1.1 * margin, soon, margin)


@cheat
def weights_by_distance_from_the_last_day(market, book, coverage, days):
    margin = honest(market, book, coverage, days)
    age = np.arange(len(margin))[::-1, None]
    return margin * (1.0 + 0.2 * np.exp(-age / 250.0))


@cheat
def stress_window_chosen_from_the_whole_history(market, book, coverage, days):
    margin, loss = honest(market, book, coverage, days), losses(market, book, coverage)
    worst = pd.DataFrame(loss).rolling(20).sum().max().clip(lower=0).to_numpy()
    return 0.75 * margin + 0.25 * worst / np.sqrt(10.0)


@cheat
def looks_ahead_only_where_the_market_is_long(market, book, coverage, days):
    margin = honest(market, book, coverage, days)
    if len(market.dates) < 900:
        return margin
    return np.where(np.isnan(margin), margin, np.fmax(margin, losses(market, book, coverage)))


@cheat
def correlation_of_the_whole_sample(market, book, coverage, days):
    by_silo = np.nan_to_num(book.loss(market, coverage))
    alone = np.stack([honest(market, book.in_silo(s), coverage, days) for s in book.silos], axis=2)
    out = np.zeros(alone.shape[:2])
    for p in range(out.shape[1]):
        held = np.abs(by_silo[:, p]).sum(axis=0) > 0
        matrix = np.corrcoef(by_silo[:, p, held].T) if held.sum() > 1 else np.ones((1, 1))
        square = np.einsum("ti,ij,tj->t", alone[:, p, held], matrix, alone[:, p, held])
        out[:, p] = np.sqrt(np.maximum(square, 0.0))
    return out


@cheat
def calm_of_the_next_month(market, book, coverage, days):
    margin = honest(market, book, coverage, days)
    ahead = pd.DataFrame(np.abs(losses(market, book, coverage))[::-1]).rolling(20, min_periods=1)
    calm = ahead.max().to_numpy()[::-1] < 0.6 * margin
    return np.where(calm, 0.8 * margin, margin)


@cheat
def losses_of_the_day_after_as_scenarios(market, book, coverage, days):
    margin, loss = honest(market, book, coverage, days), losses(market, book, coverage)
    share = pd.DataFrame(loss).rolling(days).max().to_numpy()
    return np.where(np.isnan(margin), margin, 0.5 * margin + 0.5 * np.fmax(share, 0.0))
