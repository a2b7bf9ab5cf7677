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
# # Quickstart: from a folder of prices to an answer
#
# Point `PRICES` at your folder: `treasury_par_yields.csv` (Date, then 3M 2Y 5Y 10Y 30Y in percent),
# `btc_usd.csv` and `eth_usd.csv` (Date, Close), or files of other publishers (docs/data.md).
# Without one, this notebook writes such a folder from the package's **simulated** sample, so that
# it runs anywhere; its numbers then say nothing about any market.

# %%
import os
from pathlib import Path

import pandas as pd

import backtest as bt
import strategies as st

folder = os.environ.get("PRICES")
if folder is None:
    folder = "simulated_prices"
    Path(folder).mkdir(exist_ok=True)
    frame = bt.load_market("sample").to_frame().rename_axis("Date")
    yields = ["3M", "2Y", "5Y", "10Y", "30Y"]
    (100 * frame[yields]).round(4).to_csv(f"{folder}/treasury_par_yields.csv")
    for coin in ("BTC", "ETH"):
        prices = frame[[coin]].set_axis(["Close"], axis=1)
        prices.round(2).to_csv(f"{folder}/{coin.lower()}_usd.csv")
folder

# %% [markdown]
# Every file is read aloud and examined; what is doubtful is listed and never corrected. On the
# command line: `backtest inspect FOLDER`.

# %%
market = bt.load_market(folder)
market

# %%
[str(finding) for finding in market.findings], len(market.dropped)

# %% [markdown]
# Two books with the same legs and opposite bond positions, sized so that both legs need the same
# margin on their own. Exposures are signed USD, kept constant by daily rebalancing.

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
# each other in time is diversification; only the rest is offset. Quote the bound, not the estimate.

# %%
ladder = bt.supportable_offset(market, book, coverage=coverage).to_frame()
ladder[["total", "total_bound", "diversification", "dependence", "dependence_bound"]].round(3)

# %% [markdown]
# A figure is a free function of a result.

# %%
bt.charts.offset_ladder(study, ladder).draw().figure

# %%
assert (ladder["total"] - ladder["diversification"] - ladder["dependence"]).abs().max() < 1e-12
