"""A stablecoin: at par but for sudden falls that fade, some of them on crypto's worst days."""

import numpy as np
import pandas as pd
import pytest

import backtest as bt
from backtest import simulate
from backtest.estimators.depegs import recorded_depegs
from backtest.simulate import Paths
from backtest.types import DataError, StudyError
from tests.support.worlds import BLOCKS, market_for, only


@pytest.fixture(scope="module")
def coins(small_market):
    return market_for("depegs", small_market)


def test_without_depegs_the_coin_is_at_par_with_the_noise_of_the_data(coins):
    made = Paths.of(simulate.Depegs(base=BLOCKS, per_year=0.0), coins, seed=1)
    levels = np.array([made.path(i).level("USDC") for i in range(20)])
    data = coins.level("USDC")
    assert levels.min() >= data.min() - 1e-12 and levels.max() <= data.max() + 1e-12
    assert levels.std() == pytest.approx(data.std(), rel=0.1)


def test_noise_that_reverts_is_recovered(coins):
    rng, noise = np.random.default_rng(2), np.zeros(3000)
    for t in range(1, 3000):
        noise[t] = 0.7 * noise[t - 1] + 1e-4 * rng.normal()
    days = pd.bdate_range("2012-01-02", periods=3000)
    prices = 100 * np.exp(np.cumsum(rng.normal(0, 0.03, 3000)))
    frame = pd.DataFrame({"BTC": prices, "USDC": 0.9998 * (1 + noise)}, index=days)
    market = bt.Market.from_frame(frame, simulated=True)
    made = Paths.of(simulate.Depegs(base=BLOCKS, per_year=0.0), market, seed=1)
    deviation = np.concatenate([made.path(i).level("USDC") / 0.9998 - 1 for i in range(10)])
    assert np.corrcoef(deviation[1:], deviation[:-1])[0, 1] == pytest.approx(0.7, abs=0.04)
    assert deviation.std() == pytest.approx(noise.std(), rel=0.1)


def test_depegs_come_as_often_and_as_deep_as_said_and_fade_by_half_lives(coins):
    law = simulate.Depegs(base=BLOCKS, per_year=1.0, depth=0.1, half_life=4.0, with_falls=0.0)
    made = Paths.of(law, coins, seed=3)
    falls, fading = [], []
    for i in range(300):
        level = made.path(i).level("USDC")
        below = 1.0 - level
        begins = np.flatnonzero((below[1:] > 0.02) & (below[:-1] < 0.005)) + 1
        falls.append(len(begins))
        for t in begins:
            days = (coins.dates[t + 1] - coins.dates[t]).astype(int) if t + 1 < len(level) else 0
            if days == 1 and below[t + 1] < below[t]:
                fading.append(below[t + 1] / below[t])
    years = (coins.dates[-1] - coins.dates[0]).astype(int) / 365.25
    assert np.mean(falls) == pytest.approx(years * np.exp(-0.2), rel=0.2)  # deeper than 2 %
    assert np.median(fading) == pytest.approx(2 ** (-1 / 4), abs=0.01)


class Fixed:
    """Draws one depeg of depth 8 %, which begins at a given moment."""

    def __init__(self, begins: float) -> None:
        self.poisson = lambda mean: 1
        self.uniform = lambda low, high, size: np.array([begins])
        self.exponential = lambda mean, size: np.array([0.08])


@pytest.mark.parametrize(
    ("begins", "below"),
    [(0.4, [0, 0.08, 0.01, 0.005]), (1.2, [0, 0, 0.02, 0.01]), (4.7, [0, 0, 0, 0.08])],
)
def test_a_depeg_of_a_weekend_has_partly_faded_by_its_first_close(begins, below):
    dates = np.array(["2024-01-04", "2024-01-05", "2024-01-08", "2024-01-09"], "M8[D]")
    law = simulate.Depegs(half_life=1.0)
    worst = np.array([], dtype=np.int64)
    np.testing.assert_allclose(law._below_par(Fixed(begins), dates, worst), below, atol=1e-15)


def test_a_share_of_the_depegs_falls_on_the_worst_days_of_crypto(coins):
    def worst_share(with_falls: float) -> float:
        law = simulate.Depegs(
            base=BLOCKS, per_year=1.0, depth=0.2, half_life=0.3, with_falls=with_falls
        )
        made, on_worst = Paths.of(law, coins, seed=5), []
        for i in range(150):
            path = made.path(i)
            crypto = path.shocks(1)[1:, 5:7]
            sums = (crypto / crypto.std(axis=0)).sum(axis=1)
            fell = path.shocks(1)[1:, 7] < -0.03
            on_worst += list(sums[fell] <= np.sort(sums)[round(0.02 * len(sums)) - 1])
        return float(np.mean(on_worst))

    assert worst_share(1.0) > 0.95
    assert worst_share(0.0) < 0.1
    assert worst_share(0.5) == pytest.approx(0.5, abs=0.15)


def test_other_factors_are_those_of_a_base_that_never_saw_the_coin(coins, small_market):
    rows = Paths.of(simulate.Depegs(base=BLOCKS), coins, seed=6).path(2)
    alone = Paths.of(BLOCKS, small_market, seed=6).path(2)
    np.testing.assert_allclose(rows.levels[:, :7], alone.levels, rtol=1e-12)


def test_what_is_no_stablecoin_or_is_alone_is_refused(coins, small_market):
    with pytest.raises(DataError, match="no factor 'USDC'"):
        simulate.Depegs().sampler(small_market)
    with pytest.raises(StudyError, match="BTC is no stablecoin: its levels are"):
        simulate.Depegs(factor="BTC").sampler(coins)
    with pytest.raises(StudyError, match="no factor but USDC"):
        simulate.Depegs().sampler(only(coins, "USDC"))
    with pytest.raises(StudyError, match="depth is 0.7"):
        simulate.Depegs(depth=0.7)


def test_runs_below_par_are_one_depeg_each_with_its_deepest_day():
    levels = [1.0, 0.985, 0.96, 0.98, 1.0, 1.0, 0.98, 1.001, 1.0, 0.97, 0.97, 1.0, 1.0, 1.0, 0.9]
    closes = pd.Series(levels, index=pd.date_range("2024-01-01", periods=len(levels)))
    found = recorded_depegs(closes)
    assert [(d.day, d.depth, d.half_life) for d in found[:3]] == [
        ("2024-01-03", 0.04, 1.0), ("2024-01-07", 0.02, 0.0), ("2024-01-10", 0.03, np.inf),
    ]  # fmt: skip
    assert [(d.day, d.depth) for d in found[3:]] == [("2024-01-15", 0.1)]
    assert np.isnan(found[3].half_life)  # nobody knows yet
    assert recorded_depegs(closes[:1]) == []


@pytest.mark.slow
def test_the_defaults_are_the_record_of_usdc(real_data):
    closes = pd.read_csv(real_data / "usdc_usd.csv", index_col="Date", parse_dates=True)["Close"]
    record, law = recorded_depegs(closes), simulate.Depegs()
    assert [depeg.day for depeg in record] == ["2020-03-18", "2020-03-29", "2023-03-11"]
    known_years = len(closes) / 365.25
    assert law.per_year == pytest.approx(len(record) / known_years, abs=0.01)
    assert law.depth == pytest.approx(np.mean([depeg.depth for depeg in record]), abs=5e-4)
    assert law.half_life == pytest.approx(max(depeg.half_life for depeg in record), abs=0.05)
