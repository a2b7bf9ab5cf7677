"""The template of a margin model, against numpy on one day."""

import numpy as np
import pandas as pd
import pytest

import backtest as bt
import strategies as st

# GAP 7: one or more settings of your model, short enough for a market of 260 days. Every law in
# tests/laws is tried on each of them.
CONTRACT = {
    "my_model": [{"lookback": 60}, {"lookback": 60, "weight": 1.0}],
}
# GAP 8: a law that your model breaks for a good reason, and the reason; else leave it out.
# WAIVERS = {("my_model", "doubles with the book"): "impact grows with the root of size"}


# GAP 9: a number that you got in another way: by hand, from a paper, with another package.
def test_the_margin_of_a_coin_by_hand(small_market):
    book = bt.Book.from_frame(pd.DataFrame({"BTC": [1e6]}, index=["coin"]))
    coverage = bt.Coverage(confidence=0.95, mpor=1)
    price = small_market.level("BTC")
    losses = np.sort(-1e6 * (price[-60:] / price[-61:-1] - 1.0))[::-1]
    model = st.MyModel(lookback=60, weight=0.5)
    margin = model.margin(small_market, book, coverage)
    assert margin[-1, 0] == pytest.approx((losses[2] + losses[:3].mean()) / 2)
    assert np.isnan(margin[59, 0]) and margin[60, 0] > 0
