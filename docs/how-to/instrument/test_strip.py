"""The template of an instrument: a strip against its price by hand."""

import numpy as np
import pandas as pd
import pytest

import backtest as bt
import strategies as st
from backtest.instruments import parse_instrument

# GAP 8: names of it, as a book has them; every law in tests/laws is tried on each.
NAMES = ("STRIP10Y",)


# GAP 9: the P&L of a day and a sensitivity, got in another way than the instrument does.
def test_pnl_and_sensitivity_are_the_price_by_hand():
    strip = parse_instrument("STRIP10Y")
    days = pd.DatetimeIndex(["2024-01-02", "2024-01-03"])
    market = bt.Market.from_frame(pd.DataFrame({"10Y": [0.04, 0.041]}, index=days))
    before, after = 1.02**-20, 1.0205 ** (-2 * (10 - 1 / 365.25))
    assert strip.pnl(market, 1)[0] == pytest.approx(after / before - 1.0, rel=1e-12)
    moved = (1.02 + 0.5e-6) ** -20.0 / before - 1.0
    assert strip.scenarios(market, 0, np.array([1e-6]))[0] == pytest.approx(moved, rel=1e-6)


def test_history_margins_it_and_a_haircut_must_be_given(small_market):
    book = bt.Book.from_frame(pd.DataFrame({"STRIP10Y": [1e7]}, index=["long"]), small_market)
    coverage = bt.Coverage(confidence=0.95, mpor=2)
    assert st.HistoricalVaR(lookback=60).margin(small_market, book, coverage)[-1, 0] > 0
    with pytest.raises(bt.StudyError, match="no haircut for STRIP10Y"):
        st.HaircutOnly().margin(small_market, book, coverage)
    haircut = st.HaircutOnly(haircuts={"STRIP10Y": 0.1})
    assert haircut.margin(small_market, book, coverage)[-1, 0] == pytest.approx(1e6)
