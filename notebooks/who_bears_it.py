# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Who bears what a margin does not cover?
#
# Two clearing firms carry five customers and their own accounts, at FICC and CME. Each day is one
# experiment: what margin does not cover is carried through customers, firms and houses to those who
# pay. Prices are the package's **simulated** sample, and all accounts are made up.

# %%
import pandas as pd

import backtest as bt
import strategies as st

market = bt.load_market("sample")
base = st.HistoricalVaR(lookback=500)
legs = {
    "basis": {"UST10Y": 2e8, "ZN~curve": -2e8},
    "coin": {"BTC": 4e7},
    "coin and bond": {"BTC": 1e7, "UST10Y": 5e7},
    "own of A": {"UST5Y": 1e8, "ZF~curve": -1e8},
    "short bond": {"UST30Y": -4e7},
    "short coin": {"BTC": -1e7},
    "own of B": {"UST2Y": 5e7},
}
book = bt.Book.from_frame(pd.DataFrame.from_dict(legs, orient="index").fillna(0.0))

# %% [markdown]
# A structure says who carries which account and who stands behind it. What is left out here, such
# as default rates or the houses' funds, is taken from dated files and is marked as assumed there.

# %%
structure = bt.Structure(
    members=[
        bt.Member("basis", "A", resources=1e6),
        bt.Member("coin", "A", resources=0.0),
        bt.Member("coin and bond", "A"),
        bt.Member("own of A", "A", kind="house"),
        bt.Member("short bond", "B"),
        bt.Member("short coin", "B", resources=0.0),
        bt.Member("own of B", "B", kind="house"),
    ],
    firms={"A": bt.Firm(capital=4e6), "B": bt.Firm(capital=2e6)},
)

# %%
done = bt.protect(market, book, {"siloed": st.Siloed(base=base), "var": base}, structure)
table = done.summary()
table[["margin", "fellow_times", "fellow_usd", "firms_fail", "uncovered"]].round(2)

# %% [markdown]
# What pooling saves and what it costs customers who did nothing, against separate houses and on the
# same days. An interval is left out where too few events differ: nothing can be said there.

# %%
columns = ["margin_saved", "fellow_usd", "fellow_usd_low", "fellow_usd_high", "fellow_events"]
done.differences()[columns].round(3)
