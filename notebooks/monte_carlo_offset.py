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
# # Monte Carlo, and the offset that the data support
#
# One history is one draw. This notebook asks two questions of the **simulated** sample: how much do
# the scores of a model differ between histories that might as well have happened, and how much of a
# pool's saving would the data support as an offset?

# %%
import pandas as pd

import backtest as bt
import strategies as st

market = bt.load_market("sample")
coverage = bt.Coverage(confidence=0.99, mpor=2)
base = st.HistoricalVaR(lookback=500)
legs = pd.DataFrame(
    {"UST10Y": [1, 1], "BTC": [1, 0], "UST5Y@CME": [0, -1]},
    index=["long BTC, long 10Y", "control: 10Y against 5Y"],
)
book = bt.Book.risk_matched(legs, market, base=base, coverage=coverage, gross=100e6)
models = {"siloed": st.Siloed(base=base), "offset": st.CorrelationOffset(base=base), "var": base}

# %% [markdown]
# Simulated histories keep blocks of days together, twenty on average, so that volatility clusters
# and legs move together as they did. A path is known by its seed and number.

# %%
simulator = bt.StationaryBootstrap(block_size=20)
distribution = bt.monte_carlo(simulator, market, book, models, coverage=coverage, paths=20, seed=7)
shown = ["exceedance_rate", "exceedance_rate_low", "exceedance_rate_high", "missed"]
distribution.summary()[shown].round(4)

# %% [markdown]
# Models are compared on the same paths, so that what both share cancels.

# %%
distribution.differences("offset", "siloed").T.round(4)

# %% [markdown]
# The ladder: total reduction at equal coverage, the part that remains when the silos are shifted
# against each other in time (diversification), and the rest (offset), with one-sided 95 % bounds.
# Beside each stands how often such bounds were too high in worlds whose truth is known.

# %%
ladder = bt.supportable_offset(market, book, base=base, coverage=coverage).to_frame()
columns = ["total", "diversification", "dependence", "dependence_bound", "unsafe", "unsafe_worst"]
ladder[columns].round(3)

# %%
study = bt.run(market, book, models, coverage=coverage)
bt.charts.monte_carlo_frontier(distribution, study, ladder).draw().figure

# %% [markdown]
# What the rule grants against what the data support: a saving above the bound is one that these
# days do not support at 95 %.

# %%
granted = study.summary().loc["offset", "saving_vs_siloed"]
against = pd.DataFrame({"granted": granted, "supported, total": ladder["total_bound"]})
against["of it offset"] = ladder["dependence_bound"].clip(lower=0.0)
against.round(3)

# %%
bound = ladder["dependence_bound"]
assert bound["control: 10Y against 5Y"] > 0 > bound["long BTC, long 10Y"]
