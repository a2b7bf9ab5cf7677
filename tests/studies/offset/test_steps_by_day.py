"""From gross to required by day and by regime: sums exact, days counted by hand."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import backtest as bt
import strategies as st
from backtest.offset import granted_and_supported
from backtest.studies.offset.steps_by_day import (
    EVERY,
    REQUIRED,
    THIRDS,
    steps_by_day,
    steps_by_regime,
    volatility_thirds,
)
from strategies.parts import parts_of
from tests.support.markets import random_market

HS = st.HistoricalVaR(lookback=60)
UNEQUAL = bt.Coverage(confidence=0.95, mpor={"FICC": 3, "CME": 2})


class Bare:
    """Historical simulation without parts."""

    def margin(self, market, book, coverage):
        return HS.margin(market, book, coverage)


MODELS = {
    "xm": st.CrossMargining(base=HS, eligible=("treasury", "crypto")),
    "offset": st.CorrelationOffset(base=HS, lookback=60),
    "bare": Bare(),
    "siloed": st.Siloed(base=HS),
    "ficc": st.FiccVaR(lookback=60, at_least=60, stress=(), mpor=None),
}


@pytest.fixture(scope="module")
def market():
    return random_market(500, seed=11, start="2020-01-01")


@pytest.fixture(scope="module")
def book(market):
    frame = pd.DataFrame({"UST10Y": [1e8, -1e8], "BTC": [1e7, 1e7]}, index=["long", "short"])
    return bt.Book.from_frame(frame, market)


@pytest.fixture(scope="module")
def by_day(market, book):
    return steps_by_day(market, book, MODELS, coverage=UNEQUAL)


def test_steps_of_every_day_add_up_to_the_margin(by_day, market, book):
    study = bt.run(market, book, MODELS, coverage=UNEQUAL, audit=False)
    assert by_day["xm", "long"].index.equals(study.scored.rename("date"))
    for model in MODELS:
        for portfolio in book.portfolios:
            steps = by_day[model, portfolio]
            required = study.required[model].loc[steps.index, portfolio]
            assert_allclose(steps.drop(columns=REQUIRED).sum(axis=1), required, rtol=1e-9)
            assert_allclose(steps[REQUIRED], required, rtol=1e-9)
    assert "MPOR mismatch" in by_day["xm", "long"] and "dependence" in by_day["xm", "long"]
    assert by_day["siloed", "long"].columns.tolist() == ["gross", REQUIRED]


def test_means_of_every_regime_add_up_and_its_days_are_counted(by_day, market, book):
    window = {"spring": ("2020-06-01", "2020-06-30"), "never": ("2001-01-01", "2001-01-31")}
    table = steps_by_regime(by_day, market, book, stress=window)
    usd = table.pivot_table(
        index=["model", "portfolio", "regime"], columns="step", values="usd"
    ).fillna(0.0)
    assert_allclose(usd.drop(columns=REQUIRED).sum(axis=1), usd[REQUIRED], rtol=1e-9)
    assert set(table["regime"]) == {EVERY, *THIRDS, "spring"}
    days = table.drop_duplicates(["portfolio", "regime"]).set_index(["portfolio", "regime"])["days"]
    for portfolio in book.portfolios:
        thirds = [days[portfolio, third] for third in THIRDS]
        assert sum(thirds) == days[portfolio, EVERY] == len(by_day["xm", "long"])
        assert max(thirds) - min(thirds) <= 1
    steps = by_day["offset", "short"]
    june = steps.loc["2020-06", "offset"]
    row = table.set_index(["model", "portfolio", "regime", "step"]).loc[
        ("offset", "short", "spring", "offset")
    ]
    assert row["days"] == len(june) and row["usd"] == pytest.approx(float(np.mean(june)))


def test_thirds_rank_the_days_by_the_volatility_known_on_them(by_day, market, book):
    """Once more by loops: 60 one-day P&Ls up to the day, their standard deviation, ranked."""
    dates = pd.DatetimeIndex(by_day["xm", "short"].index)
    thirds = volatility_thirds(dates, market, book)["short"]
    loss = book.loss(market, bt.Coverage(mpor=1)).sum(axis=2)[:, 1]
    rows = market.dates.searchsorted(dates.to_numpy().astype("M8[D]"))
    spread = [np.std(loss[t - 60 : t]) for t in rows]
    calm, volatile = (np.array(spread)[thirds[name]] for name in (THIRDS[0], THIRDS[-1]))
    middle = np.array(spread)[thirds[THIRDS[1]]]
    assert calm.max() <= middle.min() and middle.max() <= volatile.min()


def test_a_model_without_parts_is_set_against_its_siloed_self(market, book):
    bare, whole = parts_of(Bare(), market, book, UNEQUAL), parts_of(HS, market, book, UNEQUAL)
    assert_allclose(bare.steps["gross"], whole.steps["gross"])
    assert_allclose(bare.by_silo, whole.by_silo, rtol=1e-12)
    both = whole.steps["diversification and offset"] + whole.steps["MPOR mismatch"]
    assert_allclose(bare.steps["diversification and offset"], both, atol=1e-6)


def test_granted_credit_is_shown_of_every_model_that_grants_some(market, book):
    table = granted_and_supported(
        market, book, MODELS, base=HS, coverage=UNEQUAL, window=300, step=500
    )
    shown = set(table["series"]) - {"estimated total", "estimated offset"}
    assert shown == {"xm", "offset", "bare", "ficc"}
    own = table[(table["series"] == "bare") & (table["portfolio"] == "short")]
    gross = st.Siloed(base=HS).margin(market, book, UNEQUAL)[-1, 1]
    granted = 1.0 - HS.margin(market, book, UNEQUAL)[-1, 1] / gross
    assert own["share"].iloc[-1] == pytest.approx(granted)
