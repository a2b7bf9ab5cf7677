"""The template of a version: models take it from its first day, and its number by hand."""

import pandas as pd
import pytest

import backtest as bt
import strategies as st
from backtest.parameters.files import header
from backtest.parameters.header import ONE_DAY
from backtest.parameters.in_force import in_force

BEFORE, VERSION = "stans/2021", "stans/2027"  # GAP 7: the two versions


def test_models_take_the_version_from_its_first_day():
    first = header(VERSION).in_force_from
    assert in_force(st.StansLike(), first).parameters == VERSION
    assert in_force(st.StansLike(), first - ONE_DAY).parameters == BEFORE


# GAP 8: what the new number asks for, in another way than the model computes it.
def test_the_margin_has_three_tenths_of_what_stress_adds(small_market):
    usd = {"UST10Y": [5e6], "BTC": [1e6]}
    book = bt.Book.from_frame(pd.DataFrame(usd, index=["both"]))
    coverage = bt.Coverage(confidence=0.95, mpor=1)
    base = st.HistoricalVaR(lookback=60)
    bond, coin, both = (
        base.margin(small_market, part, coverage)[-1, 0]
        for part in (book.holding([0]), book.holding([1]), book)
    )
    model = st.StansLike(base=base, parameters=VERSION)
    margin = model.margin(small_market, book, coverage)[-1, 0]
    assert margin == pytest.approx(both + 0.3 * (bond + coin - both))
    assert bond + coin > both  # the stress adds something
