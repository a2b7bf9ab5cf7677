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
# # Validate margins that a house computed
#
# All that is needed is a table: date, account, P&L and the margin required. Here the table is made
# from the **simulated** sample: one house margins its accounts as it says, another has cut its
# margins by a third. In place of it read your own: `bt.validate("house.csv")`.

# %%
import numpy as np
import pandas as pd

import backtest as bt
import strategies as st

market = bt.load_market("sample", end="2021-12-31")
coverage = bt.Coverage(confidence=0.99, mpor=2)
frame = pd.DataFrame(
    {"UST10Y": [5e7, -5e7, 0.0], "BTC": [2e6, 2e6, -3e6]}, index=["fund A", "fund B", "fund C"]
)
book = bt.Book.from_frame(frame, market)
margin = st.HistoricalVaR(lookback=500).margin(market, book, coverage)
loss = book.loss(market, coverage).sum(axis=2)
known = ~np.isnan(margin).any(axis=1)
days = pd.DatetimeIndex(market.dates)[known]


def house(scale):
    """A long table of the house whose margins are `scale` times those of the model."""
    rows = len(days)
    return pd.DataFrame(
        {
            "date": np.repeat(days, len(book.portfolios)),
            "account": np.tile(book.portfolios, rows),
            "loss": loss[known].ravel(),
            "required": scale * margin[known].ravel(),
        }
    )


sound, thin = house(1.0), house(2 / 3)
thin.head(3)

# %% [markdown]
# `loss` is that of the positions over the margin period that follows the close of `date`; daily P&L
# is summed with `pnl="daily"`.

# %%
columns = ["observations", "exceedances", "allowed", "coverage_p", "max_excess"]
studies = {
    name: bt.validate(table, coverage=coverage)
    for name, table in (("sound", sound), ("thin", thin))
}
pd.concat({name: study.summary()[columns] for name, study in studies.items()}).round(4)

# %% [markdown]
# `coverage_p` is the verdict: it allows for overlapping losses and for clusters. The other tests
# say in which way a margin fails; a pass says only what so many days could have shown.

# %%
studies["thin"].tests().T.iloc[:12]

# %%
studies["thin"].worst(3)

# %%
studies["thin"].plot("fund A")

# %%
verdicts = {name: study.summary()["coverage_p"] for name, study in studies.items()}
assert (verdicts["thin"] <= verdicts["sound"]).all() and verdicts["thin"].min() < 0.05

# %% [markdown]
# `backtest validate house.csv` writes the page, with all accounts pooled, families of tests, cost,
# and a sealed copy of the table (docs/validate.md).
