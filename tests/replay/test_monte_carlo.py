"""Monte Carlo: the same numbers whatever the workers, paired paths, failures with their place."""

import gc
import json
import tracemalloc

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import backtest as bt
import strategies as st
from backtest.replay.distribution import COLUMNS, POOLED, Distribution
from backtest.replay.monte_carlo import path_market
from backtest.simulate import Spliced, StationaryBootstrap
from backtest.types import StudyError
from tests.support.worlds import BLOCKS, EXAMPLES

MODELS = {
    "siloed": st.Siloed(base=st.HistoricalVaR(lookback=60)),
    "var": st.HistoricalVaR(lookback=60),
    "again": st.HistoricalVaR(lookback=60),
}


@pytest.fixture(scope="module")
def seven(small_market, small_book) -> Distribution:
    """Seven paths, three models, two of them the same."""
    return bt.monte_carlo(BLOCKS, small_market, small_book, MODELS, paths=7, seed=3)


def assert_identical(one: Distribution, other: Distribution) -> None:
    assert_array_equal(one.scores, other.scores)
    assert_array_equal(one.pooled, other.pooled)
    assert_array_equal(one.range_acted, other.range_acted)


@pytest.mark.parametrize(("n_jobs", "block"), [(1, 1), (1, 3), (1, 100), (2, 1), (2, 4)])
def test_neither_workers_nor_blocks_change_a_bit(n_jobs, block, seven, small_market, small_book):
    again = bt.monte_carlo(
        BLOCKS, small_market, small_book, MODELS, paths=7, seed=3, n_jobs=n_jobs, block=block
    )
    assert_identical(seven, again)


@pytest.mark.parametrize(
    "kind",
    ["garch_t", "dcc_t", "regime_switching", "t_copula", "correlation_stress", "sample_generator"]
    + ["jumps", "weekend_variance"],
)
def test_workers_change_no_bit_of_a_simulator_with_matrices(kind, small_market, small_book):
    one, two = (
        bt.monte_carlo(
            EXAMPLES[kind], small_market, small_book, MODELS, paths=4, n_jobs=jobs, block=1
        )
        for jobs in (1, 2)
    )
    assert_identical(one, two)
    assert len(np.unique(one.score("mean_margin")[:, 0, 0])) == 4


@pytest.mark.parametrize("width", [1, 3])
def test_portfolios_margined_in_blocks_change_no_number(
    width, seven, small_market, small_book, monkeypatch
):
    monkeypatch.setattr("backtest.replay.margins.BLOCK", width)
    again = bt.monte_carlo(BLOCKS, small_market, small_book, MODELS, paths=7, seed=3)
    # A product of matrices with other rows may end in another last digit, as in `run`.
    assert_allclose(again.scores, seven.scores, rtol=1e-12)
    assert_allclose(again.pooled, seven.pooled, rtol=1e-12)
    assert again.provenance.fits == seven.provenance.fits


def test_fewer_paths_are_the_first_of_more(seven, small_market, small_book):
    fewer = bt.monte_carlo(BLOCKS, small_market, small_book, MODELS, paths=3, seed=3)
    assert_array_equal(fewer.scores, seven.scores[:3])
    other = bt.monte_carlo(BLOCKS, small_market, small_book, MODELS, paths=3, seed=4)
    assert not np.array_equal(fewer.scores, other.scores, equal_nan=True)


def test_a_path_replayed_alone_by_run_has_the_scores_that_monte_carlo_gave_it(
    seven, small_market, small_book
):
    market = path_market(BLOCKS, small_market, seed=3, path=5)
    study = bt.run(market, small_book, MODELS, audit=False)
    for m, name in enumerate(MODELS):
        table = study.scores.loc[name]
        for c, column in enumerate(COLUMNS):
            assert_array_equal(table[column].to_numpy(float), seven.scores[5, m, :, c])
        for c, column in enumerate(POOLED):
            assert study.pooled.loc[name, column] == seven.pooled[5, m, c]


def test_spliced_futures_are_scored_alone_from_the_market_s_last_day(small_market, small_book):
    last = str(small_market.dates[-1])
    future = Spliced(days=40, base=BLOCKS)
    models = {"var": MODELS["var"]}
    alone = bt.monte_carlo(future, small_market, small_book, models, paths=3, score_from=last)
    # From the last close on, the loss of which needs two more days.
    assert (alone.score("observations") == 40 - 2 + 1).all()
    first = bt.run(small_market, small_book, models, audit=False).required["var"].iloc[-1]
    for path in range(3):
        market = path_market(future, small_market, seed=0, path=path)
        required = bt.run(market, small_book, models, audit=False).required["var"]
        assert_allclose(required.loc[last], first, rtol=1e-9)
    whole = bt.monte_carlo(future, small_market, small_book, models, paths=3)
    assert (whole.score("observations") > 200).all()


@pytest.mark.slow
def test_the_memory_of_many_paths_is_that_of_few(small_market, small_book):
    short, models = small_market.until(119), {"var": MODELS["var"]}

    def peak(paths: int) -> int:
        gc.collect()
        tracemalloc.start()
        made = bt.monte_carlo(
            BLOCKS, short, small_book, models, paths=paths, block=5,
            progress=lambda what, share: gc.collect(),  # what waits to be collected is not kept
        )  # fmt: skip
        high = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return high - made.scores.nbytes - made.pooled.nbytes

    peak(5)
    assert peak(200) < 1.2 * peak(20)


def test_progress_ends_at_one_and_never_falls(small_market, small_book):
    seen: list[float] = []
    bt.monte_carlo(
        BLOCKS, small_market, small_book, {"var": MODELS["var"]}, paths=5, block=2,
        progress=lambda what, share: seen.append(share),
    )  # fmt: skip
    assert seen == [0.0, 0.4, 0.8, 1.0]


def test_equal_models_differ_by_exactly_nothing(seven):
    table = seven.differences("var", "again")
    assert (table.to_numpy() == 0.0).all()
    region = seven.joint_region("var", "again", "bond only")
    assert region.center.tolist() == [0.0, 0.0, 0.0] and region.holds(np.zeros(3))


def test_a_distribution_is_saved_whole(tmp_path, seven):
    folder = seven.save(tmp_path / "deep" / "mc")
    tidy = pd.read_parquet(folder / "monte_carlo.parquet")
    assert len(tidy) == 7 * 3 * 4
    picked = tidy.query("path == 5 and model == 'var' and portfolio == 'steepener'")
    assert_array_equal(picked[list(COLUMNS)].to_numpy()[0], seven.scores[5, 1, 1])
    origin = json.loads((folder / "monte_carlo.json").read_text())["provenance"]
    assert origin["simulator"] == "StationaryBootstrap(block_size=10)"
    assert (origin["seed"], origin["paths"]) == (3, 7)
    assert origin["data"]["days"] == 260
    summary = pd.read_csv(folder / "monte_carlo.csv", index_col=[0, 1])
    assert_allclose(summary["missed"], seven.summary()["missed"])
    assert pd.read_csv(folder / "frontier.csv")["model"].tolist() == list(MODELS)
    again = Distribution.load(folder)
    assert again is not None and (again.models, again.portfolios) == (
        seven.models,
        seven.portfolios,
    )
    assert_identical(again, seven)
    assert again.provenance == seven.provenance
    assert Distribution.load(tmp_path) is None


class Stumbles:
    """Fails on markets whose last price is in the upper half."""

    def margin(self, market: bt.Market, book: bt.Book, coverage: bt.Coverage) -> np.ndarray:
        if market.levels[-1, -1] > 100.0:
            raise FloatingPointError("stumbled")
        return np.ones((len(market.dates), len(book.portfolios)))


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_failure_carries_its_model_path_and_seed(n_jobs, small_market, small_book):
    ends = [path_market(BLOCKS, small_market, seed=3, path=i).levels[-1, -1] for i in range(6)]
    first = next(i for i, end in enumerate(ends) if end > 100.0)
    with pytest.raises(FloatingPointError, match="stumbled") as failure:
        bt.monte_carlo(
            BLOCKS, small_market, small_book, {"ok": MODELS["var"], "bad": Stumbles()},
            paths=6, seed=3, n_jobs=n_jobs, block=6,
        )  # fmt: skip
    notes = " / ".join(failure.value.__notes__)
    assert "model 'bad'" in notes
    assert f"path {first}, seed 3, StationaryBootstrap(block_size=10)" in notes


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"paths": 0}, "paths is 0; give a whole number, 1 or more"),
        ({"paths": 2.5}, "paths is 2.5"),
        ({"paths": True}, "paths is True"),
        ({"block": 0}, "block is 0"),
        ({"block": -5}, "block is -5"),
        ({"n_jobs": 0}, "n_jobs is 0"),
        ({"seed": -1}, "seed is -1"),
        ({"models": {}}, "names no model"),
        ({"score_from": "2099-01-01"}, "after the last day that can be scored"),
        ({"score_from": "soon"}, "give a day as YYYY-MM-DD"),
    ],
)
def test_bad_input_is_one_clear_line(wrong, message, small_market, small_book):
    asked = {"models": {"var": MODELS["var"]}, "paths": 2} | wrong
    models = asked.pop("models")
    with pytest.raises(StudyError, match=message):
        bt.monte_carlo(BLOCKS, small_market, small_book, models, **asked)


def test_a_simulator_that_cannot_be_fitted_fails_before_any_path(small_market, small_book):
    with pytest.raises(bt.types.DataError, match="needs 61"):
        bt.monte_carlo(StationaryBootstrap(), small_market.until(30), small_book, MODELS, paths=2)
