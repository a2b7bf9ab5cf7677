"""A small protection: two firms, two houses, nine accounts on drawn prices."""

import functools

import numpy as np
import pandas as pd

import strategies as st
from backtest.book.book import Book
from backtest.clearing import Firm, Member, Structure
from backtest.market.market import Market
from backtest.replay.protection import Protection, protect

ACCOUNTS = {
    "hedged": {"UST10Y": 4e7, "BTC": 2e6},
    "long": {"UST10Y": 3e7},
    "coin": {"BTC": 5e6},
    "short": {"UST2Y": -5e7, "BTC": -1e6},
    "own of A": {"UST2Y": 6e7, "BTC": 1e6},
    "swap": {"UST10Y": 5e6},
    "small": {"UST10Y": -2e7, "BTC": 3e6},
    "other": {"UST2Y": 9e7, "BTC": -2e6},
    "own of B": {"UST10Y": -1e7, "BTC": -4e6},
}
MEMBERS = (
    *(Member(name, "A", resources=1e4) for name in ("hedged", "long", "coin", "short")),
    Member("own of A", "A", "house"),
    Member("swap", "A", regimes={"": "LSOC"}),
    *(Member(name, "B", resources=0.0) for name in ("small", "other")),
    Member("own of B", "B", "house"),
)


def drawn_market(days: int = 330) -> Market:
    """Prices with heavy tails, random."""
    rng = np.random.default_rng(11)
    index = pd.bdate_range("2019-06-03", periods=days)
    yields = 3 + np.cumsum(rng.standard_t(3, (days, 3)) * 0.05, axis=0)
    frame = pd.DataFrame(np.clip(yields, 0.2, 12) / 100, index, ["3M", "2Y", "10Y"])
    frame["BTC"] = 100 * np.exp(np.cumsum(rng.standard_t(3, days) * 0.03))
    return Market.from_frame(frame)


def protected(
    market: Market, *, coordination: float = 1.0, posts: str = "intraday", draws: int = 20
) -> Protection:
    """Two models under all six arrangements; firms have little capital, so that they do fail."""
    frame = pd.DataFrame.from_dict(ACCOUNTS, orient="index").fillna(0.0)
    firms = {
        "A": Firm(capital=1e4, posts=posts, multiplier=1.1),  # type: ignore[arg-type]
        "B": Firm(capital=0.0, posts=posts),  # type: ignore[arg-type]
    }
    var = st.HistoricalVaR(lookback=60)
    return protect(
        market,
        Book.from_frame(frame),
        {"siloed": st.Siloed(base=var), "var": var},
        Structure(MEMBERS, firms),
        coordination=coordination,
        draws=draws,
        seed=5,
    )


@functools.cache
def protection(coordination: float = 1.0, posts: str = "intraday") -> Protection:
    """The same on prices with heavy tails."""
    return protected(drawn_market(), coordination=coordination, posts=posts)
