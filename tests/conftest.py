"""Markets and books that the tests share."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import numpy as np
import pandas as pd
import pytest

import backtest as bt
from tests.support.markets import random_market
from tests.support.places import PRICES

# At the desk hypothesis looks further with every run; a submission is judged by the same examples.
# No deadline of an example: a busy machine would fail what is right.
hypothesis.settings.register_profile("desk", deadline=None)
hypothesis.settings.register_profile("repeatable", derandomize=True, deadline=None)
hypothesis.settings.load_profile("repeatable" if os.environ.get("CI") else "desk")


@pytest.fixture(scope="module", autouse=True)
def users_modules_are_forgotten(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No file of tests meets a user's module that another one wrote and imported."""
    yield
    folder = str(tmp_path_factory.getbasetemp())
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None)).startswith(folder):
            del sys.modules[name]


@pytest.fixture(scope="session")
def small_market() -> bt.Market:
    """260 random days."""
    return random_market(260, seed=3)


@pytest.fixture(scope="session")
def option_market(small_market: bt.Market) -> bt.Market:
    """The same days with an equity price, its volatility in decimals and a funding index."""
    generator = np.random.default_rng(4)
    frame = small_market.to_frame()
    moves = generator.standard_t(4, (len(frame), 2)) * [0.01, 0.04]
    moves[0] = 0.0
    moves[:, 1] -= 4.0 * moves[:, 0]  # volatility rises as the price falls
    frame["SPY"] = 100.0 * np.exp(np.cumsum(moves[:, 0]))
    frame["VIX"] = np.clip(0.18 * np.exp(np.cumsum(moves[:, 1])), 0.08, 0.9)
    frame["BTC-FUNDING"] = np.exp(np.cumsum(generator.normal(3e-4, 5e-4, len(frame))))
    return bt.Market.from_frame(frame, simulated=True, source="random walks")


@pytest.fixture(scope="session")
def small_book() -> bt.Book:
    """Long and short, one silo and two, a zero leg."""
    frame = pd.DataFrame(
        {
            "UST2Y": [0.0, 1e8, 0.0, 3e7],
            "UST10Y": [5e7, -2e7, 1e8, -4e7],
            "BTC": [5e6, 0.0, 0.0, 1e7],
            "ETH": [0.0, 0.0, 0.0, -8e6],
        },
        index=["long both", "steepener", "bond only", "long and short"],
    )
    return bt.Book.from_frame(frame)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real prices beside the checkout; skipped where it is absent."""
    folder = PRICES
    if not folder.is_dir():
        pytest.skip("no real prices: set MARGIN_BACKTEST_DATA to their folder")
    return folder


@pytest.fixture(scope="session")
def real_market(real_data: Path) -> bt.Market:
    """Par yields, BTC and ETH on their common days."""
    return bt.load_market(real_data)
