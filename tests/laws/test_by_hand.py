"""Losses, counts and the ladder, each found a second time by `by_hand`'s loops."""

import numpy as np
import pandas as pd
import pytest

import backtest as bt
import strategies as st
from tests.support import by_hand
from tests.support.markets import levels_of, random_market

COVERAGE = bt.Coverage(confidence=0.95, mpor=2)


@pytest.fixture(scope="module")
def market():
    return random_market(240, seed=11)


def test_ladder(market):
    frame = pd.DataFrame({"UST10Y": [1e8], "BTC": [1e7]}, index=["p"])
    book = bt.Book.from_frame(frame, market)
    base = st.HistoricalVaR(lookback=20)
    row = (
        bt.supportable_offset(market, book, base=base, coverage=COVERAGE, bounds=False)
        .to_frame()
        .loc["p"]
    )
    margin = st.Siloed(base=base).parts(market, book, COVERAGE).by_silo[21:-2, 0].T
    loss = book.loss(market, COVERAGE)[21:-2, 0].T
    total, diversification = by_hand.ladder(loss, margin, 0.95)
    assert row["total"] == pytest.approx(total, abs=1e-12)
    assert row["diversification"] == pytest.approx(diversification, abs=1e-12)
    assert row["dependence"] == pytest.approx(total - diversification, abs=1e-12)
    assert row["observations"] == 217 and row["exceedances"] == 10
    assert row["kappa_CME"] == pytest.approx(by_hand.equal_coverage(loss[1], margin[1], 0.95))


def test_real_prices_margin_loss_and_counts(real_market):
    """One margin, one loss, and every count of one book, on the real history."""
    coverage = bt.Coverage()
    frame = pd.DataFrame({"UST10Y": [5e7], "BTC": [5e7]}, index=["long both"])
    book = bt.Book.from_frame(frame, real_market)
    study = bt.run(real_market, book, {"var": st.HistoricalVaR()}, coverage=coverage)
    levels, usd = levels_of(real_market), {"10Y": 5e7, "BTC": 5e7}
    for day in (501, 1500, 2690):
        pnls = by_hand.scenario_pnls(levels, usd, day, 2, 500)
        expected = by_hand.historical_margin(pnls, 5)
        assert study.required["var"].iloc[day, 0] == pytest.approx(expected, rel=1e-8)
    losses = []
    for t in range(len(real_market.dates) - 2):
        later = dict(zip(real_market.factors, real_market.levels[t + 2], strict=True))
        days = int((real_market.dates[t + 2] - real_market.dates[t]).astype(int))
        bond = by_hand.treasury_pnl(levels["10Y"][t], later, 10, days)
        losses.append(-5e7 * bond - 5e7 * (levels["BTC"][t + 2] / levels["BTC"][t] - 1))
    np.testing.assert_allclose(study.loss.iloc[:-2, 0], losses, rtol=1e-8, atol=1e-4)
    required = study.required["var"].iloc[:, 0].to_numpy()
    scored = range(501, len(real_market.dates) - 2)
    exceedances = sum(losses[t] > required[t] for t in scored)
    # The account: yesterday's call arrives today, excess goes back at once.
    breaches = sum(losses[t] > min(required[t], required[max(t - 1, 501)]) for t in scored)
    row = study.summary().loc[("var", "long both")]
    assert (row["observations"], row["allowed"]) == (2196, 21)
    assert (row["exceedances"], row["breaches"]) == (exceedances, breaches)


def test_real_prices_ladder_meets_the_reference(real_market):
    """Total, diversification and dependence of four trades, as a reference has them."""
    weights = pd.DataFrame(
        [
            {"UST10Y": 1.0, "BTC": 1.0},
            {"UST10Y": -1.0, "BTC": 1.0},
            {"BTC": 1.0, "ETH@NODAL": -1.0},
            {"UST10Y": 1.0, "UST5Y@CME": -1.0},
        ],
        index=["long", "short", "crypto", "control"],
    ).fillna(0.0)
    book = bt.Book.risk_matched(
        weights, real_market, base=st.HistoricalVaR(), coverage=bt.Coverage(), gross=1e8
    )
    ladder = bt.supportable_offset(real_market, book).to_frame()
    reference = [
        [0.298, 0.276, 0.022],
        [0.309, 0.304, 0.006],
        [0.474, 0.235, 0.240],
        [0.746, 0.277, 0.469],
    ]
    found = ladder[["total", "diversification", "dependence"]].to_numpy()
    np.testing.assert_allclose(found, reference, atol=6e-4)
