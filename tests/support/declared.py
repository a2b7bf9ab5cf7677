"""Instruments as a study declares them, one of each kind, and a market that prices them."""

import numpy as np
import pandas as pd

import backtest as bt
from backtest.instruments import Declaration, declare, parse_instrument
from tests.support.markets import random_market

ALL = {
    "haircut": 0.2,
    "span": 0.1,
    "portfolio_margin": "crypto",
    "cost": "BTC",
    "uncleared": "other",
}
# Without buckets: what the study says of each and no more.
BARE = {
    "SOL": {"kind": "coin"},
    "GOLD": {"kind": "spot", "asset_class": "commodity", "factor": "XAU"},
    "EURUSD": {"kind": "fx"},
    "LQD": {"kind": "etf", "asset_class": "credit", "silo": "OCC"},
    "IBIT": {"kind": "etf", "asset_class": "crypto", "underlying": "BTC"},
    "TBF": {"kind": "fund", "asset_class": "treasury"},
    "ES": {
        "kind": "future",
        "asset_class": "equity",
        "multiplier": 50.0,
        "tick": 0.25,
        "roll": "third_friday",
        "reference": "SP",
    },
    "CL": {"kind": "future", "asset_class": "commodity", "multiplier": 1000.0, "roll": "none"},
    "BAA": {"kind": "bond", "maturity": 20.0},
    "IG": {
        "kind": "bond",
        "factor": "IG-OAS",
        "maturity": 8.0,
        "duration": 6.5,
        "convexity": 55.0,
        "yield_factor": "10Y",
    },
}
SIMM = {
    "GOLD": "commodity 12",
    "LQD": "equity 11",
    "TBF": "equity 11",
    "CL": "commodity 2",
    "BAA": "credit_qualifying 2",
    "IG": "credit_qualifying 2",
}
# What a bond's own line is: by maturity.
UNCLEARED = {"BAA": "credit", "IG": "credit"}


def tables(*, buckets: bool) -> dict[str, Declaration]:
    """The declarations, with a bucket for every table or with none."""
    out = {}
    for name, table in BARE.items():
        own = {"simm": SIMM[name]} if name in SIMM else {}
        own |= {"uncleared": UNCLEARED[name]} if name in UNCLEARED else {}
        out[name] = Declaration(**table, **({"buckets": ALL | own} if buckets else {}))
    return out


def declared_instruments(*, buckets: bool):
    """The instruments of these declarations, by name."""
    declare(tables(buckets=buckets))
    try:
        return {name: parse_instrument(name) for name in BARE}
    finally:
        declare({})


def declared_market(days: int = 260, seed: int = 3) -> bt.Market:
    """Random walks of the usual factors and of those that the declarations need."""
    generator, frame = np.random.default_rng(seed), random_market(days, seed).to_frame()
    for name in ("SOL", "XAU", "EURUSD", "LQD", "IBIT", "TBF", "ES", "CL"):
        frame[name] = 50 * np.exp(np.cumsum(generator.standard_t(4, days) * 0.01))
    for name, start in (("BAA", 0.06), ("IG-OAS", 0.012)):
        frame[name] = start * np.exp(np.cumsum(generator.standard_t(4, days) * 0.01))
    kinds = {"BAA": "yield", "IG-OAS": "yield"}
    return bt.Market.from_frame(
        pd.DataFrame(frame), kinds=kinds, simulated=True, source="random walks"
    )
