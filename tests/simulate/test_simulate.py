"""Laws that every simulator keeps: sane paths, rebuilt alone, bad input named."""

import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import backtest as bt
from backtest import simulate
from backtest.parameters.registry import build, to_table
from backtest.simulate import SIMULATORS, Paths
from backtest.simulate.bootstrap import LARGEST_FALL
from backtest.simulate.paths import HIGHEST_YIELD
from backtest.types import DataError, StudyError
from tests.support.worlds import EXAMPLES, Odd, market_for, market_of, only

ONCE = {"history"}  # the same whatever the stream
ABOUT = {"mean_reverting", "depegs"}  # factors that not every market has


def test_every_simulator_has_an_example():
    assert set(EXAMPLES) == set(SIMULATORS)
    assert all(type(EXAMPLES[kind]) is cls for kind, cls in SIMULATORS.items())


@pytest.mark.parametrize("kind", SIMULATORS)
def test_every_simulator_says_what_it_keeps_and_loses_of_the_data(kind):
    said = [SIMULATORS[kind].keeps, SIMULATORS[kind].loses]
    for words in said:  # a clause that a table can print after 'keeps' or 'loses'
        assert 10 < len(words) < 200 and words[0].islower() and not words.endswith(".")
    assert said[0] != said[1]
    assert not {"keeps", "loses"} & set(to_table(EXAMPLES[kind], SIMULATORS))


@pytest.mark.parametrize("kind", EXAMPLES)
def test_a_path_is_a_sane_market_and_can_be_rebuilt_alone(kind, small_market):
    market = market_for(kind, small_market)
    made = Paths.of(EXAMPLES[kind], market, seed=7)
    third, acted = made.path_and_range(3)
    made.path(0), made.path(11)
    alone = Paths.of(EXAMPLES[kind], market, seed=7).path(3)
    assert_array_equal(third.levels, alone.levels)
    assert_array_equal(made.path(3).levels, alone.levels)
    assert third.simulated and third.source.startswith("SIMULATED: ")
    assert "seed 7, path 3" in third.source
    assert (third.factors, third.kinds) == (market.factors, market.kinds)
    assert_array_equal(third.levels[0], market.levels[0])
    assert_array_equal(third.dates[: len(market.dates)], market.dates)
    yields = third.levels[:, :5]
    assert yields.min() >= 0.0 and yields.max() <= HIGHEST_YIELD
    assert third.shocks(1)[1:, 5:].min() >= LARGEST_FALL - 1e-12
    assert 0.0 <= acted <= 1.0
    other_path, other_seed = made.path(4), Paths.of(EXAMPLES[kind], market, seed=8).path(3)
    for other in (other_path, other_seed):
        assert np.array_equal(other.levels, third.levels) == (kind in ONCE)


@pytest.mark.parametrize("kind", [k for k in EXAMPLES if k not in ABOUT])
@pytest.mark.parametrize("factors", [("BTC",), ("10Y",), ("2Y", "10Y"), ("BTC", "ETH")])
def test_every_simulator_takes_one_factor_or_one_kind(kind, factors, small_market):
    path, acted = Paths.of(EXAMPLES[kind], only(small_market, *factors), seed=1).path_and_range(0)
    assert path.factors == factors and np.ptp(path.levels, axis=0).min() > 0
    if "10Y" not in factors:
        assert acted == 0.0


@pytest.mark.parametrize("kind", EXAMPLES)
def test_every_simulator_survives_its_toml_table(kind):
    simulator = simulate.CorrelationStress(
        base=EXAMPLES[kind], matrix=((1.0, 0.25), (0.25, 1.0)), cross=0.5
    )
    table = to_table(simulator, SIMULATORS)
    assert table["base"]["kind"] == kind and table["matrix"] == [[1.0, 0.25], [0.25, 1.0]]
    lines = [f"{key} = {_toml(value)}" for key, value in table.items()]
    assert build(tomllib.loads("\n".join(lines)), SIMULATORS) == simulator


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k} = {_toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value).replace("'", '"')


def test_the_share_of_days_on_which_the_range_acted_is_counted_right():
    rng = np.random.default_rng(9)
    levels = pd.DataFrame(rng.uniform(0.001, 0.005, (301, 3)), columns=["2Y", "10Y", "BTC"])
    levels.index = pd.bdate_range("2010-01-04", periods=301)
    market = bt.Market.from_frame(levels)
    made = Paths.of(simulate.MultivariateT(), market, seed=2)
    shocks = made.draw(np.random.default_rng(np.random.SeedSequence(2, spawn_key=(5,))))
    level, days = market.levels[0, :2].copy(), 0
    for row in shocks[:, :2]:
        free = level + row
        level = np.clip(free, 0.0, HIGHEST_YIELD)
        days += bool((free != level).any())
    path, acted = made.path_and_range(5)
    assert days > 20 and acted == days / 300
    assert_allclose(path.levels[-1, :2], level, rtol=1e-12)


def test_the_range_never_acts_on_history_itself_however_it_touches_zero():
    rng = np.random.default_rng(1)
    levels = np.round(np.maximum(0.0, rng.normal(0, 0.01, (2000, 1))), 4)
    market = bt.Market(
        dates=pd.bdate_range("2010-01-04", periods=2000).to_numpy(),
        factors=("3M",), levels=levels, kinds=("yield",),
    )  # fmt: skip
    free = levels[0, 0] + np.cumsum(market.shocks(1)[1:, 0])
    assert (levels == 0).sum() > 50 and free.min() < 0  # rounding alone goes below
    path, acted = Paths.of(simulate.History(), market, seed=0).path_and_range(0)
    assert acted == 0.0
    assert_allclose(path.levels, levels, atol=1e-15)


@pytest.mark.parametrize("level", [-0.004, 0.22])
def test_the_range_reaches_as_far_as_the_data_do(level):
    wave = level + 1e-3 * np.sin(np.arange(200))[:, None]
    market = bt.Market(
        dates=pd.bdate_range("2010-01-04", periods=200).to_numpy(),
        factors=("2Y",), levels=wave, kinds=("yield",),
    )  # fmt: skip
    path, acted = Paths.of(simulate.History(), market, seed=0).path_and_range(0)
    assert acted == 0.0
    assert_allclose(path.levels, wave, atol=1e-14)


@pytest.mark.parametrize(
    ("shocks", "message"),
    [
        (np.zeros((5, 3)), r"shape \(5, 3\).*\(days, 7\)"),
        (np.zeros((0, 7)), "shape"),
        (np.zeros(7), "shape"),
        (np.full((5, 7), np.nan), "not finite"),
        (np.full((5, 7), -1.0), "price change of -100%"),
    ],
)
def test_a_simulator_that_draws_nonsense_is_named(shocks, message, small_market):
    with pytest.raises(StudyError, match=message):
        Paths.of(Odd(shocks), small_market, seed=0).path(0)


@pytest.mark.parametrize("value", [-1, 1.5, True, "7", None])
def test_seeds_and_path_numbers_are_whole_and_not_negative(value, small_market):
    with pytest.raises(StudyError, match="seed is .*give a whole number"):
        Paths.of(simulate.History(), small_market, seed=value)
    with pytest.raises(StudyError, match="path is .*give a whole number"):
        Paths.of(simulate.History(), small_market, seed=0).path(value)


@pytest.mark.parametrize(
    "kind",
    [
        "filtered_bootstrap",
        "garch_t",
        "gjr_t",
        "multivariate_t",
        "t_copula",
        "stationary_bootstrap",
    ],
)
def test_a_fit_needs_days_and_factors_that_move(kind, small_market):
    simulator = SIMULATORS[kind]()
    with pytest.raises(DataError, match="41 day.*61 or more"):
        simulator.sampler(small_market.until(40))
    frame = small_market.to_frame().assign(ETH=1.0)
    with pytest.raises(DataError, match="ETH never moves"):
        simulator.sampler(bt.Market.from_frame(frame))
    with pytest.raises(DataError, match="1 day"):
        simulator.sampler(small_market.until(0))


def test_the_sample_generator_names_a_factor_it_does_not_know(small_market):
    frame = small_market.to_frame()
    with pytest.raises(StudyError, match="no factor 'DOGE'"):
        simulate.SampleGenerator().sampler(
            bt.Market.from_frame(frame.rename(columns={"BTC": "DOGE"}))
        )
    wrong = bt.Market.from_frame(frame, kinds={"10Y": "price"}).until(5)
    with pytest.raises(StudyError, match="10Y is a price in the market and a yield"):
        simulate.SampleGenerator().sampler(wrong)


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind", [k for k in EXAMPLES if k not in {"volatility_scaling", "history", "spliced"} | ABOUT]
)
def test_every_simulator_has_the_sd_of_the_real_data_within_a_quarter(kind, real_data: Path):
    facts = simulate.diagnose(EXAMPLES[kind], bt.load_market(real_data), paths=20).facts
    sd = facts.xs("sd", level="fact")
    assert_allclose(sd["mean"] / sd["data"], 1.0, atol=0.25)


@pytest.mark.parametrize("kind", ["multivariate_t", "regime_switching"])
def test_a_factor_that_follows_from_another_is_refused_in_one_line(kind):
    rng = np.random.default_rng(0)
    price = 0.02 * rng.standard_t(5, (400, 1))
    market = market_of(np.hstack([price, price]), "pp")
    with pytest.raises(DataError, match="others.*leave"):
        SIMULATORS[kind]().sampler(market)


@pytest.mark.filterwarnings("error")
def test_a_factor_that_stands_still_for_long_is_refused_or_drawn_without_a_warning():
    """The yield of a bill at zero: nine of ten days, then 97 of 100, without a move."""
    rng = np.random.default_rng(5)
    for still in (0.9, 0.97):
        shocks = rng.standard_t(5, (500, 2)) * [0.02, 0.03]
        shocks[rng.random(500) < still, 0] = 0.0
        market = market_of(shocks, "pp")
        with pytest.raises(DataError, match="stands still"):
            simulate.RegimeSwitching().sampler(market)
        try:
            drawn = simulate.GarchT().sampler(market)(rng)
        except DataError as refused:
            assert "no volatility recursion fits" in str(refused)
        else:
            assert np.isfinite(drawn).all()
