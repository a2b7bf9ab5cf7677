"""Many portfolios at once: adjusted p-values against scipy, and what Romano-Wolf promises."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as hs
from scipy.special import stdtrit
from scipy.stats import false_discovery_control

import backtest as bt
import strategies as st
from backtest.scores import bootstrap_pvalues, day_weights, stationary_indices
from backtest.scores.models.multiple import (
    benjamini_hochberg,
    benjamini_yekutieli,
    holm,
    romano_wolf,
)
from backtest.types import DataError
from tests.support.markets import random_market

ADJUST = (holm, benjamini_hochberg, benjamini_yekutieli)
WEIGHTS = day_weights(stationary_indices(500, resamples=199, seed=2))


@pytest.mark.parametrize(
    ("method", "adjust"), [("bh", benjamini_hochberg), ("by", benjamini_yekutieli)]
)
@given(hs.lists(hs.floats(0.0, 1.0), min_size=1, max_size=40))
def test_adjusted_pvalues_are_those_of_scipy(method, adjust, pvalues):
    expected = false_discovery_control(pvalues, method=method)
    np.testing.assert_allclose(adjust(pvalues), expected, rtol=1e-12, atol=1e-300)


@given(hs.lists(hs.floats(0.0, 1.0), min_size=1, max_size=40), hs.floats(0.001, 0.5))
def test_holm_rejects_what_its_steps_down_reject(pvalues, level):
    """Holm (1979): from the smallest on, while p is at most the level over what is left."""
    rejected = np.zeros(len(pvalues), bool)
    for step, place in enumerate(np.argsort(pvalues, kind="stable")):
        if pvalues[place] * (len(pvalues) - step) > level:
            break
        rejected[place] = True
    np.testing.assert_array_equal(np.asarray(holm(pvalues)) <= level, rejected)


@pytest.mark.parametrize("adjust", ADJUST)
def test_what_is_not_identified_stays_so_and_costs_the_others_nothing(adjust):
    with_gaps = adjust([np.nan, 0.01, np.nan, 0.04])
    np.testing.assert_array_equal(np.isnan(with_gaps), [True, False, True, False])
    np.testing.assert_array_equal(with_gaps[[1, 3]], adjust([0.01, 0.04]))
    assert adjust([np.nan]).tolist() == pytest.approx([np.nan], nan_ok=True)


@pytest.mark.parametrize("bad", [[0.5, 1.5], [-0.1], [[0.1]]])
def test_what_is_no_pvalue_is_refused(bad):
    with pytest.raises(DataError):
        holm(bad)


panels = hs.integers(0, 10_000).map(
    lambda seed: np.random.default_rng(seed).random((500, 6)) < np.linspace(0.001, 0.04, 6)
)


@settings(max_examples=30, deadline=None)
@given(panels)
def test_romano_wolf_bounds(panel):
    alone = bootstrap_pvalues(panel, weights=WEIGHTS)
    family = romano_wolf(panel, weights=WEIGHTS)
    assert (family >= alone - 1e-12).all()
    # More exceedances are never less suspect.
    order = np.argsort(-panel.sum(axis=0), kind="stable")
    assert (np.diff(family[order]) >= 0).all()
    # A family of one is bootstrap_pvalues; the same book twice is one book.
    np.testing.assert_allclose(romano_wolf(panel[:, 5:], weights=WEIGHTS), alone[5:])
    twice = romano_wolf(np.hstack([panel, panel]), weights=WEIGHTS)
    np.testing.assert_allclose(twice, np.tile(family, 2))


def test_romano_wolf_by_its_definition():
    panel = np.random.default_rng(8).random((500, 5)) < np.linspace(0.01, 0.05, 5)
    count, gaps = panel.sum(axis=0), WEIGHTS @ panel - panel.sum(axis=0)
    expected, least = {}, 0.0
    left = sorted(range(5), key=lambda p: -count[p])
    while left:
        reach = gaps[:, left].max(axis=1) >= count[left[0]] - 5.0 - 1e-9
        least = max(least, (1 + reach.sum()) / 200)
        expected[left.pop(0)] = least
    found = romano_wolf(panel, weights=WEIGHTS)
    assert found.tolist() == pytest.approx([expected[p] for p in range(5)])


@pytest.mark.slow
def test_any_false_rejection_is_rare_though_books_share_dates_and_losses_overlap():
    """30 books correlated 0.5, t4, MPOR 2; 5 of them at a rate of 3 %."""
    rng, histories = np.random.default_rng(1), 200
    weights = day_weights(stationary_indices(500, resamples=299, seed=3))
    draws = rng.standard_normal((400_000, 2)) / np.sqrt(rng.chisquare(4, (400_000, 2)) / 4)
    right, wrong = np.quantile(draws.sum(axis=1), [0.99, 0.97])
    assert right > stdtrit(4, 0.99)
    false, found = 0, 0.0
    for _ in range(histories):
        shared, own = rng.standard_normal((501, 1)), rng.standard_normal((501, 30))
        news = np.sqrt(0.5) * (shared + own) / np.sqrt(rng.chisquare(4, (501, 1)) / 4)
        panel = news[1:] + news[:-1] > np.where(np.arange(30) < 5, wrong, right)
        rejected = romano_wolf(panel, weights=weights) <= 0.05
        false += rejected[5:].any()
        found += rejected[:5].mean()
    assert false / histories < 0.05 + 3 * np.sqrt(0.05 * 0.95 / histories)
    assert found / histories > 0.15


def test_mirror_images_are_margined_on_their_own_losses():
    market = random_market(420, seed=2)
    book = bt.Book.from_frame(pd.DataFrame({"UST10Y": [5e7], "BTC": [5e6]}, index=["long"]), market)
    both = book.with_mirrors()
    study = bt.run(market, both, {"var": st.HistoricalVaR(lookback=100)})
    assert both.portfolios == ("long", "long (mirror)")
    loss = study.loss.dropna()
    np.testing.assert_allclose(loss["long"], -loss["long (mirror)"])
    short = bt.Book.from_frame(
        pd.DataFrame({"UST10Y": [-5e7], "BTC": [-5e6]}, index=["short"]), market
    )
    alone = bt.run(market, short, {"var": st.HistoricalVaR(lookback=100)})
    np.testing.assert_allclose(
        study.required["var"]["long (mirror)"], alone.required["var"]["short"]
    )
