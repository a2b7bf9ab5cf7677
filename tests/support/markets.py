"""Small markets made by hand."""

import numpy as np
import pandas as pd

import backtest as bt

FACTORS = ("3M", "2Y", "5Y", "10Y", "30Y", "BTC", "ETH")


def random_market(days: int, seed: int = 0, start: str = "2020-01-01") -> bt.Market:
    """A small market of random walks: five yields and two prices."""
    generator = np.random.default_rng(seed)
    dates = pd.bdate_range(start, periods=days)
    yields = 0.03 + np.cumsum(generator.standard_t(4, (days, 5)) * 4e-4, axis=0)
    prices = 100 * np.exp(np.cumsum(generator.standard_t(4, (days, 2)) * 0.03, axis=0))
    frame = pd.DataFrame(
        np.hstack([np.clip(yields, 0.0, 0.2), prices]), index=dates, columns=list(FACTORS)
    )
    return bt.Market.from_frame(frame, simulated=True, source="random walks")


def levels_of(market):
    """Levels of each factor by name, (days,)."""
    return {name: market.level(name) for name in market.factors}


def coin_market(shocks):
    """A coin that moves by these shocks, a business day each."""
    price = 100 * np.cumprod(np.append(1.0, 1 + shocks))
    days = pd.bdate_range("2000-01-03", periods=len(price))
    return bt.Market.from_frame(pd.DataFrame({"BTC": price}, index=days))


def garch_path(days: int, *, seed: int, leverage: float = 0.0, persistence: float = 0.97):
    """A GARCH-t(6) path; losses react more where there is leverage."""
    draws = np.random.default_rng(seed).standard_t(6, days) * np.sqrt(4 / 6)
    out, variance = np.empty(days), 1.0
    for t, z in enumerate(draws):
        out[t] = np.sqrt(variance) * z
        reaction = 0.07 - leverage / 2 + leverage * (z < 0)
        variance = 1 - persistence + reaction * out[t] ** 2 + (persistence - 0.07) * variance
    return 0.03 * out
