"""Stresses that wrap a simulator: each does what it says, and nothing else."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import kurtosis

import backtest as bt
from backtest import simulate
from backtest.simulate import Paths
from backtest.simulate.bootstrap import LARGEST_FALL
from backtest.simulate.paths import path_days
from backtest.types import DataError, StudyError
from tests.support.worlds import BLOCKS, EPISODE, EXAMPLES, Odd, correlation, draw, market_of, only


@pytest.fixture(scope="module")
def mild_market() -> bt.Market:
    """Two prices that drift and two yields, tied; no fall near the floor."""
    rng = np.random.default_rng(6)
    root = np.linalg.cholesky(0.4 * np.eye(4) + 0.6)
    z = np.clip(rng.normal(size=(700, 4)) @ root.T, -4, 4)
    return market_of(z * [4e-4, 0.02, 5e-4, 0.03] + [0, 0.002, 0, 0.001], "ypyp")


@pytest.mark.parametrize("cross", [0.0, 0.3, -0.2])
@pytest.mark.parametrize("scale", [1.0, 3.0])
def test_correlation_stress_reaches_its_target_and_keeps_the_rest(cross, scale, mild_market):
    base = simulate.VolatilityScaling(prices=scale)
    before = draw(base, mild_market)
    after = draw(simulate.CorrelationStress(base=base, cross=cross), mild_market)
    assert_allclose(after.mean(axis=0), before.mean(axis=0), rtol=1e-9, atol=1e-15)
    assert_allclose(after.std(axis=0), before.std(axis=0), rtol=1e-6)
    target = correlation(before)
    for i, j in ((0, 1), (0, 3), (1, 2), (2, 3)):
        target[i, j] = target[j, i] = cross
    assert_allclose(correlation(after), target, atol=1e-6)


def test_correlation_stress_to_a_matrix_and_to_one_that_is_none(mild_market):
    matrix = np.full((4, 4), -0.2) + 1.2 * np.eye(4)
    given = simulate.CorrelationStress(matrix=tuple(map(tuple, matrix.tolist())))
    assert_allclose(correlation(draw(given, mild_market)), matrix, atol=1e-6)
    impossible = correlation(draw(simulate.CorrelationStress(cross=-1.0), mild_market))
    assert np.isfinite(impossible).all() and impossible[0, 1] < -0.5


def test_correlation_stress_holds_for_a_base_with_a_law_of_its_own():
    market = bt.load_market("sample", end="2018-12-31")
    market = only(market, "2Y", "10Y", "BTC", "ETH")
    generator = simulate.SampleGenerator()
    sampler = simulate.CorrelationStress(base=generator, cross=0.4).sampler(market)
    own = generator.sampler(market)
    found = [sampler(np.random.default_rng(s)) for s in range(40)]
    cross = np.mean([correlation(x) for x in found], axis=0)[:2, 2:]
    assert_allclose(cross, 0.4, atol=0.05)
    sd = np.mean([own(np.random.default_rng(s)).std(axis=0) for s in range(40)], axis=0)
    assert_allclose(np.mean([x.std(axis=0) for x in found], axis=0), sd, rtol=0.08)


@pytest.mark.parametrize("cross", [0.0, 0.4, -0.4])
def test_tied_prices_keep_every_law_and_every_yield(cross, mild_market):
    before = draw(simulate.History(), mild_market)
    after = draw(simulate.TiedPrices(cross=cross), mild_market)
    assert_array_equal(after[:, ::2], before[:, ::2])  # yields, day by day
    assert_array_equal(np.sort(after[:, 1::2], axis=0), np.sort(before[:, 1::2], axis=0))
    found = correlation(after)
    pairs = [found[i, j] for i, j in ((0, 1), (0, 3), (1, 2), (2, 3))]
    assert np.mean(pairs) == pytest.approx(cross, abs=0.01)
    assert_allclose(pairs, cross, atol=0.05)
    assert found[1, 3] == pytest.approx(correlation(before)[1, 3], abs=0.06)


def test_tied_prices_keep_the_kurtosis_that_sums_of_shocks_lose(real_market):
    before = draw(simulate.History(), real_market)
    tied, summed = (
        draw(stress(cross=0.5), real_market)
        for stress in (simulate.TiedPrices, simulate.CorrelationStress)
    )
    coin = real_market.factors.index("BTC")
    tails = [kurtosis(x[:, coin]) for x in (before, tied, summed)]
    assert tails[0] == pytest.approx(tails[1], rel=1e-12) and tails[2] < 0.8 * tails[0]
    price = np.array([kind == "price" for kind in real_market.kinds])
    crossed = correlation(tied)[np.ix_(price, ~price)]
    assert crossed.mean() == pytest.approx(0.5, abs=0.01) and np.ptp(crossed) < 0.05
    # How long volatility lasts is kept about as well as by sums: correlation of absolute shocks.
    lasts = [np.corrcoef(abs(x[:-1, coin]), abs(x[1:, coin]))[0, 1] for x in (before, tied)]
    assert lasts[1] == pytest.approx(lasts[0], abs=0.04)


def test_one_class_has_nothing_to_be_tied_to(small_market):
    for names in (("BTC", "ETH"), ("2Y", "10Y")):
        market = only(small_market, *names)
        tied = draw(simulate.TiedPrices(cross=0.5), market)
        assert_array_equal(tied, draw(simulate.History(), market))


def test_a_price_that_never_moves_cannot_be_tied(small_market):
    still = bt.Market.from_frame(small_market.to_frame().assign(ETH=1.0))
    with pytest.raises(DataError, match="ETH never moves"):
        draw(simulate.TiedPrices(cross=0.5), still)


def test_a_stress_around_spliced_ties_history_too_and_inside_only_the_future(mild_market):
    past = mild_market.levels
    around = simulate.CorrelationStress(base=simulate.Spliced(days=50))
    inside = simulate.Spliced(days=50, base=simulate.CorrelationStress())
    path = Paths.of(around, mild_market, seed=1).path(0).levels[: len(past)]
    assert np.abs(path / past - 1).max() > 0.01
    path = Paths.of(inside, mild_market, seed=1).path(0).levels[: len(past)]
    assert_allclose(path, past, rtol=1e-12)


def test_volatility_scaling_multiplies_and_stops_falls_at_ninety_percent(mild_market):
    before = draw(simulate.History(), mild_market)
    after = draw(simulate.VolatilityScaling(prices=2.0, yields=0.5), mild_market)
    assert_allclose(after, before * [0.5, 2.0, 0.5, 2.0], rtol=1e-12)
    wild = draw(simulate.VolatilityScaling(prices=40.0), mild_market)
    assert wild[:, [1, 3]].min() == LARGEST_FALL and wild[:, [0, 2]].min() == before[:, ::2].min()


def test_a_stress_episode_lies_whole_and_exact_at_a_random_date(small_market):
    days, shocks = small_market.dates[1:], small_market.shocks(1)[1:]
    inside = (days >= np.datetime64(EPISODE["start"])) & (days <= np.datetime64(EPISODE["end"]))
    episode, places = shocks[inside], set()
    assert len(episode) == 15
    for stream in range(30):
        drawn = draw(EXAMPLES["stress_episode"], small_market, stream)
        base = draw(BLOCKS, small_market, stream)
        at = [i for i in range(len(drawn) - 14) if np.array_equal(drawn[i : i + 15], episode)]
        assert len(at) >= 1
        rest = np.r_[0 : at[-1], at[-1] + 15 : len(drawn)]
        first = np.r_[0 : at[0], at[0] + 15 : len(drawn)]
        assert any(np.array_equal(drawn[r], base[r]) for r in (rest, first))
        places.add(at[0])
    assert len(places) > 20


@pytest.mark.parametrize("days", [1, 250, 700])
def test_spliced_starts_with_exact_history_and_goes_on_from_its_last_level(days, small_market):
    path, acted = Paths.of(
        simulate.Spliced(days=days, base=simulate.MultivariateT()), small_market, seed=4
    ).path_and_range(2)
    past = len(small_market.dates)
    assert path.levels.shape == (past + days, 7)
    assert_allclose(path.levels[:past], small_market.levels, rtol=1e-12, atol=1e-15)
    assert_array_equal(path.dates[:past], small_market.dates)
    assert (np.is_busday(path.dates[past:])).all() and path.dates[past] > small_market.dates[-1]
    assert np.abs(path.shocks(1)[past, 5:]).max() < 1.0


@pytest.mark.parametrize("last", ["2024-01-05", "2024-01-06", "2024-01-07"])
def test_days_after_a_weekend_s_last_are_weekdays(last):
    days = path_days(np.array(["2024-01-02", last], "M8[D]"), 4)
    assert [str(d) for d in days[2:]] == ["2024-01-08", "2024-01-09"]


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        ("March 2020", "2020-04-01", "start is 'March 2020'; give a day"),
        ("2020-03-01", "2020-02-30", "end is '2020-02-30'; give a day"),
        ("2020-04-01", "2020-03-01", "no shock between 2020-04-01 and 2020-03-01"),
        ("1999-01-01", "1999-02-01", "it runs from 2020-01-01"),
        ("2020-01-01", "2020-01-01", "no shock"),  # the market's first day
    ],
)
def test_an_episode_the_market_does_not_have_is_an_error(start, end, message, small_market):
    with pytest.raises(StudyError, match=message):
        simulate.StressEpisode(start=start, end=end).sampler(small_market)


def test_an_episode_longer_than_the_path_is_an_error(small_market):
    short = Odd(small_market.shocks(1)[1:11])
    made = simulate.StressEpisode(base=short, **EPISODE).sampler(small_market)
    with pytest.raises(StudyError, match="has 15 days and the path 10"):
        made(np.random.default_rng(0))


@pytest.mark.parametrize(
    "matrix",
    [
        ((1.0, 0.5),),
        ((1.0, 0.5), (0.5,)),
        ((1.0, 0.5), (0.4, 1.0)),
        ((2.0, 0.5), (0.5, 2.0)),
        ((1.0, 1.5), (1.5, 1.0)),
        ((1.0, float("nan")), (float("nan"), 1.0)),
    ],
)
def test_a_matrix_that_holds_no_correlations_is_an_error(matrix, small_market):
    with pytest.raises(StudyError, match="^matrix "):
        simulate.CorrelationStress(matrix=matrix).sampler(only(small_market, "BTC", "ETH"))
