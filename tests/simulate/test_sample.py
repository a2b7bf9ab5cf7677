"""The simulated sample market: it looks like the real one, and its oracle margin is exact."""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from backtest.data.sample import sample_market
from backtest.kernels.paths import day_key, factor_path, innovations, splitmix, uniform
from backtest.simulate.sample import (
    DEFAULT_SEED,
    holidays,
    margin_days,
    sample_law,
    sample_levels,
    sample_path,
    step_variance,
    stress_shocks,
)
from backtest.simulate.sample_law import (
    SampleLaw,
    innovation_cdf,
    innovation_quantile,
    sample_parameters,
)
from backtest.types import DataError, StudyError
from tests.support.places import PRICES, needs_prices

REAL = PRICES / "joint_daily.csv"
FACTORS = ("3M", "2Y", "5Y", "10Y", "30Y", "BTC", "ETH", "USDC", "SPY", "FUNDING", "IV")

# SAMPLE.md: real data 2015-08-11 .. 2026-06-04; basis points and log percent
REAL_FACTS = pd.DataFrame(
    {
        "sd": [3.02, 5.27, 5.55, 5.29, 5.04, 4.19, 6.37, 1.13],
        "low": [-8.0, -15.0, -16.0, -15.0, -13.0, -12.2, -16.7, -3.3],  # 1 % quantile
        "high": [11.0, 15.0, 14.0, 14.0, 13.0, 11.3, 19.0, 2.6],  # 99 % quantile
        "kurtosis": [19.8, 10.2, 3.1, 2.0, 2.8, 9.7, 9.1, 14.4],
    },
    index=["3M", "2Y", "5Y", "10Y", "30Y", "BTC", "ETH", "SPY"],
)
REAL_CORRELATIONS = {
    ("2Y", "10Y"): 0.77,
    ("5Y", "10Y"): 0.93,
    ("10Y", "30Y"): 0.93,
    ("3M", "10Y"): 0.25,
    ("BTC", "ETH"): 0.61,
    ("BTC", "SPY"): 0.25,
    ("BTC", "10Y"): 0.00,
}


@cache
def daily(seed: int = DEFAULT_SEED, stress: bool = True) -> pd.DataFrame:
    """Daily shocks in the units of SAMPLE.md."""
    levels = pd.DataFrame(sample_levels(seed, stress=stress), columns=FACTORS)
    yields = list(REAL_FACTS.index[:5])
    shocks = np.log(levels.drop(columns=[*yields, "FUNDING"])).diff() * 1e2
    shocks[yields] = levels[yields].diff() * 1e4
    return shocks.iloc[1:]


def autocorrelation(x: np.ndarray, lag: int) -> float:
    x = x - x.mean()
    return float((x[lag:] * x[:-lag]).sum() / (x * x).sum())


def meets_the_table(shocks: pd.DataFrame) -> bool:
    sd = shocks[REAL_FACTS.index].std()
    near = ((sd / REAL_FACTS["sd"] - 1.0).abs() < 0.25).all()
    correlations = shocks.corr()
    return bool(
        near and all(abs(correlations.loc[a] - r) < 0.1 for a, r in REAL_CORRELATIONS.items())
    )


# ---- it looks like the real market -------------------------------------------------------------


@pytest.mark.parametrize("stress", [True, False])
def test_standard_deviations_and_correlations_match(stress):
    shocks = daily(stress=stress)
    np.testing.assert_allclose(
        shocks[REAL_FACTS.index].std().to_numpy(), REAL_FACTS["sd"].to_numpy(), rtol=0.25
    )
    correlations = shocks.corr()
    for pair, real in REAL_CORRELATIONS.items():
        assert correlations.loc[pair] == pytest.approx(real, abs=0.1), pair


def test_most_seeds_match_not_only_the_default():
    assert np.mean([meets_the_table(daily(seed)) for seed in range(100, 140)]) >= 0.7


@pytest.mark.parametrize("factor", REAL_FACTS.index)
def test_tails_and_clustering_are_roughly_real(factor):
    x, real = daily()[factor].to_numpy(), REAL_FACTS.loc[factor]
    low, high = np.quantile(x, [0.01, 0.99])
    assert low == pytest.approx(real["low"], rel=0.35)
    assert high == pytest.approx(real["high"], rel=0.35)
    kurtosis = float(((x - x.mean()) ** 4).mean() / x.var() ** 2 - 3.0)
    assert real["kurtosis"] / 3.0 < kurtosis < real["kurtosis"] * 3.0
    assert autocorrelation(np.abs(x), 1) > 0.05
    # slow decay shows in every seed's mean, not in every seed
    assert (
        np.mean([autocorrelation(np.abs(daily(s)[factor].to_numpy()), 20) for s in range(100, 120)])
        > 0.03
    )


def test_crypto_falls_with_equities_in_stress_and_is_left_skewed():
    shocks, regimes = daily(stress=False), sample_law().regimes[1:]
    assert daily()["BTC"].skew() < 0.0 and daily()["SPY"].skew() < 0.0
    for pair in (("BTC", "ETH"), ("BTC", "SPY")):
        calm, stress = (shocks[regimes == r].corr().loc[pair] for r in (0, 1))
        assert stress > calm + 0.15


def test_the_other_factors_stay_where_they_should():
    market = sample_market()
    coin, funding, implied = (market.level(f) for f in ("USDC", "FUNDING", "IV"))
    assert coin.std() == pytest.approx(0.0047, rel=0.25)
    assert coin.mean() == pytest.approx(1.0, abs=1e-3)
    assert 0.90 < coin.min() and coin.max() < 1.10
    assert funding.mean() == pytest.approx(0.00011, abs=0.00004)
    assert funding.std() == pytest.approx(0.00020, rel=0.35)
    assert funding.min() < 0.0
    assert 0.2 < implied.min() and implied.max() < 3.0
    assert market.levels[:, :5].min() >= 0.0 and market.levels[:, :5].max() < 0.07


def test_the_market_says_that_it_is_simulated():
    market = sample_market(days=300)
    assert market.simulated and market.source.startswith("SIMULATED: ")
    assert market.factors == FACTORS
    yields = {"3M", "2Y", "5Y", "10Y", "30Y", "FUNDING"}
    assert market.kinds == tuple("yield" if f in yields else "price" for f in FACTORS)
    assert (str(market.dates[0]), len(market.dates)) == ("2015-08-10", 300)
    assert str(sample_market().dates[-1]) == "2026-06-30"


# ---- the stress days ---------------------------------------------------------------------------


def test_stress_days_are_laid_over_as_they_happened():
    drawn = sample_path(DEFAULT_SEED)
    market = sample_market()
    days, shocks = stress_shocks()
    at = np.searchsorted(market.dates, days)
    np.testing.assert_array_equal(market.dates[at], days)
    assert len(days) == 10 and not drawn.law.reflected[at].any()
    price = np.array([kind == "price" for kind in market.kinds])
    given = ~np.isnan(shocks)
    expected = np.where(price, np.expm1(shocks), shocks)
    np.testing.assert_allclose(market.shocks(1)[at][given], expected[given], rtol=1e-9, atol=1e-12)
    btc, two = market.column("BTC"), market.column("2Y")
    np.testing.assert_allclose(shocks[1, btc], -0.465)
    np.testing.assert_allclose(shocks[7, two], -0.0057)


def test_without_them_only_what_follows_differs():
    with_days, without = sample_levels(DEFAULT_SEED), sample_levels(DEFAULT_SEED, stress=False)
    first = int(np.searchsorted(margin_days(), stress_shocks()[0][0]))
    np.testing.assert_array_equal(with_days[:first], without[:first])
    laid = [f in REAL_FACTS.index for f in FACTORS]
    assert (with_days[first, laid] != without[first, laid]).all()


def test_a_stress_day_raises_the_volatility_after_it():
    day = int(np.searchsorted(margin_days(), np.datetime64("2020-03-12")))
    plain, laid = (sample_path(DEFAULT_SEED, stress=s).law.scale[day, 5] for s in (False, True))
    assert laid > 1.3 * plain


# ---- randomness --------------------------------------------------------------------------------


def test_the_same_seed_and_path_give_the_same_bits():
    a = sample_levels(11, 5)
    sample_levels(12, 6)
    assert a.tobytes() == sample_levels(11, 5).tobytes()
    assert a[:400].tobytes() == sample_levels(11, 5, days=400).tobytes()
    for other in (sample_levels(11, 6), sample_levels(12, 5), sample_levels(5, 11)):
        assert (other[1:] != a[1:]).any(axis=1).all()


def test_splitmix_is_the_published_generator():
    golden = 0x9E3779B97F4A7C15
    assert int(splitmix(np.uint64(golden))) == 0xE220A8397B1DCDAF  # first output, seeded with 0
    assert int(splitmix(np.uint64(2 * golden % 2**64))) == 0x6E789E6AA1B965F4  # and the second


@settings(max_examples=50, deadline=None)
@given(*[some.integers(0, 2**64 - 1)] * 2, *[some.integers(0, 10**6)] * 2)
def test_uniforms_are_a_pure_function_of_their_key(seed, path, day, counter):
    def mix(x: int) -> int:
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB % 2**64
        return x ^ (x >> 31)

    gold = 0x9E3779B97F4A7C15
    key = mix((seed + gold) % 2**64)
    key = mix(key ^ mix((path + 1) * gold % 2**64))
    key = mix((key + (day + 1) * gold) % 2**64)
    expected = ((mix((key + (counter + 1) * gold) % 2**64) >> 11) + 0.5) / 2**53
    drawn = uniform(np.uint64(day_key(np.uint64(seed), np.uint64(path), day)), counter)
    assert drawn == expected and 0.0 < drawn < 1.0


def test_innovations_have_the_moments_they_state():
    law = sample_parameters().law
    n = 400_000
    z, regimes = np.empty((n, len(FACTORS))), np.empty(n, dtype=np.int64)
    innovations(np.uint64(1), np.uint64(0), law, regimes, z)
    # stress spells last 40 days: the share's standard error is about 0.004
    assert regimes.mean() == pytest.approx(1 / 6, abs=0.016)
    assert (regimes[1:][regimes[:-1] == 1] == 0).mean() == pytest.approx(0.025, abs=0.0025)
    for regime in (0, 1):
        drawn = z[regimes == regime]
        np.testing.assert_allclose(drawn.mean(0), 0.0, atol=4.5 / np.sqrt(len(drawn)))
        np.testing.assert_allclose(drawn.std(0), 1.0, atol=0.06)
        factor = law.cholesky[regime]
        normals = (factor @ factor.T)[1:5, 1:5]  # rates share mixing and jumps, jumps have mean 0
        np.testing.assert_allclose(np.corrcoef(drawn[:, 1:5].T), normals, atol=0.02)


# ---- the recursion and its calendar ------------------------------------------------------------


def slow_path(z, regimes, weights, given, model):
    """The recursion of `factor_path`, a day at a time for all factors at once."""
    state, variance = [model.start], [model.variance]
    means, reflected = [], [np.zeros(len(model.start), dtype=bool)]
    for t in range(len(z)):
        target = model.target.copy()
        for k in np.flatnonzero(model.leader >= 0):
            lead = model.leader[k]
            sd = np.sqrt(variance[t][lead]) * model.regime_scale[regimes[t], lead]
            target[k] += np.log(sd / np.sqrt(model.variance[lead]))
        means.append(model.drift + model.reversion * (target - state[t]))
        if t == len(z) - 1:
            break
        unit = model.regime_scale[regimes[t + 1]] * np.sqrt(weights[t])
        shock = means[t] + unit * np.sqrt(variance[t]) * z[t + 1]
        shock = np.where(np.isnan(given[t + 1]), shock, given[t + 1])
        below = model.floored & (state[t] + shock < 0.0)
        state.append(np.where(below, np.abs(state[t] + shock), state[t] + shock))
        reflected.append(below)
        news = np.minimum(((shock - means[t]) / unit) ** 2, model.cap * variance[t])
        persistent = model.alpha * news + model.beta * variance[t]
        variance.append((1.0 - model.alpha - model.beta) * model.variance + persistent)
    return np.array(state), np.array(means), np.array(variance), np.array(reflected)


@settings(max_examples=25, deadline=None)
@given(some.integers(1, 40), some.integers(0, 2**32 - 1))
def test_the_recursion_equals_its_slow_twin(days, seed):
    rng = np.random.default_rng(seed)
    shape = (days, len(FACTORS))
    z = rng.standard_t(3, shape) * rng.choice([1.0, 20.0])  # wild enough to reflect yields
    regimes = rng.integers(0, 2, days)
    weights = rng.uniform(0.5, 3.0, shape)
    laid = np.where(rng.random(shape) < 0.05, rng.normal(0.0, 0.05, shape), np.nan)
    model = sample_parameters().dynamics
    out = [np.empty(shape) for _ in range(3)] + [np.empty(shape, dtype=np.bool_)]
    factor_path(z, regimes, weights, laid, model, *out)
    for fast, slow in zip(out, slow_path(z, regimes, weights, laid, model), strict=True):
        np.testing.assert_allclose(fast, slow, rtol=1e-9, atol=1e-14)
    assert (out[0][:, model.floored] >= 0.0).all()


def test_mondays_hold_the_weekend():
    dates = margin_days(20)
    weight = step_variance(dates)
    btc, ten = FACTORS.index("BTC"), FACTORS.index("10Y")
    monday, tuesday = (
        int(np.flatnonzero(dates == np.datetime64(d))[0]) for d in ("2015-08-17", "2015-08-18")
    )
    assert weight[monday - 1, btc] == 2.0  # Saturday .5, Sunday .5, Monday 1
    assert weight[tuesday - 1, btc] == 1.0
    assert (weight[:, ten] == 1.0).all()
    labor_day = step_variance(margin_days(21))[19, btc]  # from Friday 4 September to Tuesday
    assert labor_day == 3.0


def test_holidays_follow_the_rules():
    closed = {str(d) for year in (2021, 2022, 2024) for d in holidays(year)}
    assert {
        "2024-01-01",
        "2024-01-15",
        "2024-02-19",
        "2024-05-27",
        "2024-06-19",
        "2024-07-04",
        "2024-09-02",
        "2024-10-14",
        "2024-11-11",
        "2024-11-28",
        "2024-12-25",
    } <= closed
    assert "2022-12-26" in closed  # Christmas 2022 was a Sunday
    assert "2021-12-24" not in closed  # Christmas 2021 was a Saturday
    assert "2021-06-18" not in closed and "2022-06-20" in closed


@needs_prices
def test_margin_days_are_nearly_the_real_ones():
    real = pd.read_csv(REAL, usecols=["Date"], parse_dates=["Date"])["Date"]
    real = real[(real >= "2015-08-10") & (real <= "2026-06-30")].to_numpy("datetime64[D]")
    ours = margin_days()
    assert len(np.setdiff1d(real, ours)) == 0
    assert len(np.setdiff1d(ours, real)) <= 12  # Good Fridays, mostly


# ---- the oracle --------------------------------------------------------------------------------


@cache
def long_run(paths: int = 74) -> list[tuple[np.ndarray, SampleLaw]]:
    """About 200,000 days of the sample without stress days: (next day's shocks, law) by path."""
    runs = []
    for path in range(paths):
        drawn = sample_path(2024, path, stress=False)
        levels, price = drawn.levels, np.array([k == "price" for k in drawn.law.kinds])
        runs.append(
            (np.where(price, levels[1:] / levels[:-1] - 1.0, np.diff(levels, axis=0)), drawn.law)
        )
    return runs


def exceedances(factor: str, probability: float) -> tuple[np.ndarray, np.ndarray]:
    """(paths, days) whether the oracle was exceeded, and the regime it was set in."""
    k, upper = FACTORS.index(factor), probability > 0.5
    beyond, regimes = [], []
    for shocks, law in long_run():
        oracle = law.shock_quantile(factor, probability)[:-1]
        beyond.append(shocks[:, k] > oracle if upper else shocks[:, k] < oracle)
        regimes.append(law.regimes[:-1])
    return np.array(beyond), np.array(regimes)


def assert_rate(beyond: np.ndarray, expected: float) -> None:
    """Two-sided, four standard errors: the indicators are independent under the true law."""
    error = np.sqrt(expected * (1.0 - expected) / beyond.size)
    assert beyond.mean() == pytest.approx(expected, abs=4.0 * error)


@pytest.mark.parametrize("probability", [0.01, 0.99, 0.005, 0.5])
@pytest.mark.parametrize("factor", ["BTC", "ETH", "SPY", "10Y", "USDC", "FUNDING", "IV"])
def test_the_oracle_covers_its_level_neither_more_nor_less(factor, probability):
    beyond, regimes = exceedances(factor, probability)
    assert beyond.size > 200_000
    expected = min(probability, 1.0 - probability)
    assert_rate(beyond, expected)
    for regime in (0, 1):  # it knows the regime, so it is right in each
        assert_rate(beyond[regimes == regime], expected)


def test_oracle_exceedances_do_not_cluster_but_those_of_a_constant_margin_do():
    beyond, regimes = exceedances("BTC", 0.01)
    assert_rate(beyond[:, 1:] & beyond[:, :-1], 0.01**2)
    k = FACTORS.index("BTC")
    losses = np.array([-shocks[:, k] for shocks, _ in long_run()])
    constant = losses > np.quantile(losses, 0.99)
    assert constant.mean() == pytest.approx(0.01, abs=1e-4)
    assert constant[regimes == 1].mean() > 1.5 * constant[regimes == 0].mean()
    assert (constant[:, 1:] & constant[:, :-1]).mean() > 3.0 * 0.01**2


def test_the_law_at_a_day_does_not_know_what_follows():
    whole, cut = sample_law(seed=9), sample_law(seed=9, days=700)
    for factor in ("BTC", "10Y", "IV"):
        np.testing.assert_array_equal(
            whole.shock_quantile(factor, 0.01)[:700], cut.shock_quantile(factor, 0.01)
        )


@pytest.mark.parametrize("factor", FACTORS)
@pytest.mark.parametrize("regime", [0, 1])
def test_quantiles_invert_the_distribution(factor, regime):
    levels = np.array([0.001, 0.01, 0.25, 0.5, 0.9, 0.99, 0.999])
    quantiles = [innovation_quantile(p, factor=factor, regime=regime) for p in levels]
    assert (np.diff(quantiles) > 0.0).all()
    back = [innovation_cdf(q, factor=factor, regime=regime) for q in quantiles]
    np.testing.assert_allclose(back, levels, rtol=1e-9)


def test_reflected_yields_are_marked_and_rare():
    paths = [sample_path(3, path, stress=False) for path in range(40)]
    marks = np.concatenate([p.law.reflected for p in paths])
    assert 0 < marks.sum() and marks.mean(axis=0).max() < 0.005
    assert not marks[:, 5:].any()
    assert all((p.levels[:, :5] >= 0.0).all() for p in paths)


# ---- bad input ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: sample_market(seed=-1), StudyError, "seed is -1; give a whole number"),
        (lambda: sample_market(seed=1.5), StudyError, "seed is 1.5; give a whole number"),
        (lambda: sample_levels(1, 2**64), StudyError, "path is 18446744073709551616; give"),
        (lambda: sample_market(days=1), StudyError, "days is 1; give 2 to 50,000"),
        (lambda: sample_market(days=60_000), StudyError, "days is 60000; give 2 to 50,000"),
        (lambda: sample_law(days=9).shock_quantile("XRP", 0.01), DataError, "no factor 'XRP'"),
        (lambda: sample_law(days=9).shock_quantile("BTC", 1.0), StudyError, "probability is 1.0"),
    ],
)
def test_bad_input_is_one_line(call, error, message):
    with pytest.raises(error, match=message) as e:
        call()
    assert "\n" not in str(e.value)


def test_the_longest_sample_is_a_market():
    market = sample_market(seed=4, days=20_000, stress=False)
    assert len(market.dates) == 20_000
