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
# # Quickstart: four margin models on one history
#
# The prices here are the package's **simulated** sample; put a folder of CSV files in place of
# `"sample"` for real ones. Exposures are signed USD, kept constant by daily rebalancing.

# %%
import pandas as pd

import backtest as bt
import strategies as st

market = bt.load_market("sample", factors=("3M", "2Y", "5Y", "10Y", "30Y", "BTC", "ETH"))
market

# %% [markdown]
# Two books with the same legs and opposite bond positions, sized so that both legs need the same
# margin on their own.

# %%
coverage = bt.Coverage(confidence=0.99, mpor=2)
legs = pd.DataFrame(
    {"UST10Y": [1.0, -1.0], "BTC": [1.0, 1.0]},
    index=["long BTC, long 10Y", "long BTC, short 10Y"],
)
book = bt.Book.risk_matched(legs, market, base=st.HistoricalVaR(), coverage=coverage, gross=100e6)
book.to_frame().round(-3)

# %%
models = {
    "siloed": st.Siloed(),
    "haircut": st.HaircutOnly(),
    "offset": st.CorrelationOffset(),
    "var": st.HistoricalVaR(lookback=500),
}
study = bt.run(market, book, models, coverage=coverage)
columns = ["exceedances", "allowed", "coverage_p", "breaches", "mean_margin", "saving_vs_siloed"]
study.summary()[columns].round(3)

# %% [markdown]
# The saving of the joint models has two sources. What is left when the silos are shifted against
# each other in time is diversification; only the rest is offset.

# %%
ladder = bt.supportable_offset(market, book, coverage=coverage, bounds=False).to_frame()
ladder[["total", "diversification", "dependence"]].round(3)

# %% [markdown]
# A figure is a free function of a result.

# %%
bt.charts.offset_ladder(study, ladder).draw().figure
