"""Simulators the tests share, one of each kind, and markets with shocks that are known."""

import numpy as np
import pandas as pd

import backtest as bt
from backtest import simulate

EPISODE = {"start": "2020-03-02", "end": "2020-03-20"}
BLOCKS = simulate.StationaryBootstrap(block_size=10)
EXAMPLES = {
    "history": simulate.History(),
    "stationary_bootstrap": simulate.StationaryBootstrap(),
    "filtered_bootstrap": simulate.FilteredBootstrap(reaction=0.1, persistence=0.95),
    "garch_t": simulate.GarchT(),
    "gjr_t": simulate.GjrT(),
    "dcc_t": simulate.DccT(),
    "regime_switching": simulate.RegimeSwitching(),
    "multivariate_t": simulate.MultivariateT(),
    "t_copula": simulate.TCopula(),
    "sample_generator": simulate.SampleGenerator(stress=True),
    "correlation_stress": simulate.CorrelationStress(cross=-0.5, base=BLOCKS),
    "tied_prices": simulate.TiedPrices(cross=-0.5, base=BLOCKS),
    "volatility_scaling": simulate.VolatilityScaling(prices=3.0, yields=2.0, base=BLOCKS),
    "stress_episode": simulate.StressEpisode(base=BLOCKS, **EPISODE),
    "spliced": simulate.Spliced(days=300, base=BLOCKS),
    "jumps": simulate.Jumps(base=BLOCKS, significance=0.9),
    "weekend_variance": simulate.WeekendVariance(base=BLOCKS),
    "mean_reverting": simulate.MeanReverting(base=BLOCKS),
    "depegs": simulate.Depegs(base=BLOCKS, per_year=3.0),
}


def market_for(kind: str, market: bt.Market) -> bt.Market:
    """The market, with the factors that a simulator of this kind is about."""
    rng, frame = np.random.default_rng(6), market.to_frame()
    if kind == "depegs":
        frame["USDC"] = 1.0 + rng.standard_t(4, len(frame)) * 2e-4
    if kind == "mean_reverting":
        moves = 0.04 * rng.standard_t(4, len(frame)) - 1.0 * np.log(frame["BTC"]).diff().fillna(0.0)
        state, states = 0.0, []
        for move in moves:
            state = 0.95 * state + move
            states.append(state)
        frame["BTC-VOL"] = 0.6 * np.exp(states)
        frame["BTC-FUNDING"] = np.exp(np.cumsum(rng.normal(3e-4, 5e-4, len(frame))))
    return bt.Market.from_frame(frame, simulated=True, source=market.source)


def market_of(shocks: np.ndarray, kinds: str) -> bt.Market:
    """A market with given shocks from 100 USD and 5 %; kinds 'p' and 'y', one a factor."""
    before = np.zeros((1, len(kinds)))
    prices = 100.0 * np.cumprod(1.0 + np.vstack([before, shocks]), axis=0)
    yields = 0.05 + np.cumsum(np.vstack([before, shocks]), axis=0)
    is_price = np.array([kind == "p" for kind in kinds])
    return bt.Market(
        dates=pd.bdate_range("2010-01-04", periods=len(shocks) + 1).to_numpy(),
        factors=tuple(f"F{j}" for j in range(len(kinds))),
        levels=np.where(is_price, prices, yields),
        kinds=tuple("price" if price else "yield" for price in is_price),
    )


def only(market: bt.Market, *factors: str) -> bt.Market:
    return bt.Market.from_frame(market.to_frame()[list(factors)])


def draw(simulator: simulate.Simulator, market: bt.Market, stream: int = 0) -> np.ndarray:
    return simulator.sampler(market)(np.random.default_rng(stream))


def correlation(shocks: np.ndarray) -> np.ndarray:
    return np.corrcoef(shocks.T)


class Odd:
    """Draws whatever it is told to."""

    def __init__(self, shocks: np.ndarray) -> None:
        self.shocks = shocks

    def sampler(self, market: bt.Market):
        return lambda rng: self.shocks
