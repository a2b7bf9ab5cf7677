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
# # A margin model of your own
#
# A margin model is a set of parameters with one method. This one asks for the worst loss of the
# last `days` days. Prices are the package's **simulated** sample.

# %%
import pandas as pd

import backtest as bt
import strategies as st
from backtest.model import model


@model
class WorstOfYear:
    """The worst MPOR loss of the last `days` days."""

    days: int = 250

    def margin(self, market, book, coverage):
        loss = book.loss(market, coverage).sum(axis=2)
        # The loss that starts on day t is known only when the longest close-out has ended.
        known = pd.DataFrame(loss).shift(coverage.longest)
        return known.rolling(self.days).max().clip(lower=0.0).to_numpy()


market = bt.load_market("sample")
coverage = bt.Coverage(confidence=0.99, mpor=2)
legs = pd.DataFrame({"UST10Y": [1, -1], "BTC": [1, 1]}, index=["long 10Y", "short 10Y"])
book = bt.Book.risk_matched(legs, market, base=st.HistoricalVaR(), coverage=coverage, gross=100e6)

# %% [markdown]
# `run` audits it like any other: shape, sign, NaN only while warming up, and causality, by cutting
# the future off on many days and asking for the same margins.

# %%
models = {"siloed": st.Siloed(), "worst": WorstOfYear(), "var": st.HistoricalVaR()}
study = bt.run(market, book, models, coverage=coverage)
columns = ["exceedances", "allowed", "coverage_p", "mean_margin", "equal_coverage_margin"]
study.summary()[columns].round(3)

# %% [markdown]
# What happens to a model that looks ahead? The same model without the shift knows a loss on the day
# on which it begins. It is refused, and the error names the day.


# %%
@model
class Seer:
    """The worst MPOR loss of the last `days` days and of the next two."""

    days: int = 250

    def margin(self, market, book, coverage):
        loss = pd.DataFrame(book.loss(market, coverage).sum(axis=2))
        return loss.rolling(self.days).max().clip(lower=0.0).ffill().to_numpy()


try:
    bt.run(market, book, {"seer": Seer()}, coverage=coverage)
    refused = ""
except bt.BacktestError as error:
    refused = str(error)
refused

# %%
assert "Seer" in refused

# %% [markdown]
# Where does it fail? `worst` gives the rows that matter most, `plot` draws one of them.

# %%
study.worst(3)

# %%
study.plot("long 10Y")

# %% [markdown]
# In a study file the model is `[models.mine]` with `kind = "my_module:WorstOfYear"`; the command
# line then gives every table and figure for it (docs/models.md).
