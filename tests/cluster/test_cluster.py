"""A cluster gives the bytes that one process gives, whatever becomes of its workers."""

import re
import shutil
import signal

import pytest

import backtest as bt
import strategies as st
from backtest.simulate import StationaryBootstrap
from backtest.types import StudyError
from tests.support.clusters import cluster
from tests.support.commands import backtest, one_line, write_prices, write_study
from tests.support.places import ROOT

BLOCKS = StationaryBootstrap(block_size=10)
MODELS = {
    "var": st.HistoricalVaR(lookback=60),
    "siloed": st.Siloed(base=st.HistoricalVaR(lookback=60)),
}
MINE = """
import numpy as np
from backtest.model import model

@model
class Flat:
    share: float = 0.1

    def margin(self, market, book, coverage):
        gross = np.abs(book.exposure).sum(axis=-1)
        return np.tile(self.share * gross, (len(market.dates), 1))
"""
DECLARED = """
[instruments.SOL]
kind = "coin"
factor = "ETH"
[books."declared"]
usd = { SOL = 1e6 }
[models.mine]
kind = "lent_model:Flat"
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with cluster(tmp_path_factory.mktemp("cluster")) as running:
        yield running


def saved(folder, market, book, **options) -> bytes:
    """The bytes of `monte_carlo.parquet`."""
    made = bt.monte_carlo(BLOCKS, market, book, MODELS, paths=12, seed=3, block=1, **options)
    return (made.save(folder) / "monte_carlo.parquet").read_bytes()


def test_one_process_two_workers_and_a_cluster_that_loses_one_give_the_same_bytes(
    running, tmp_path, small_market, small_book
):
    one = saved(tmp_path / "one", small_market, small_book)
    assert saved(tmp_path / "two", small_market, small_book, n_jobs=2) == one
    extra = running.add_worker()

    def lose_one(stage: str, share: float) -> None:
        if share >= 0.25 and extra.poll() is None:
            extra.send_signal(signal.SIGKILL)
            extra.wait()

    running.wait_for(3)
    with bt.on_cluster(running.address):
        there = saved(tmp_path / "there", small_market, small_book, progress=lose_one)
    assert extra.poll() == -signal.SIGKILL and there == one


@pytest.mark.slow
def test_what_tasks_share_is_made_again_where_every_worker_is_lost(
    tmp_path, small_market, small_book
):
    one = saved(tmp_path / "one", small_market, small_book)
    with cluster(tmp_path, workers=1) as running:

        def replace(stage: str, share: float) -> None:
            if share >= 0.25 and len(running.workers) == 1:
                running.workers[0].send_signal(signal.SIGKILL)
                running.add_worker()

        with bt.on_cluster(running.address):
            there = saved(tmp_path / "there", small_market, small_book, progress=replace)
        assert len(running.workers) == 2
    assert there == one


def test_models_of_the_user_and_declared_instruments_work_there(running, tmp_path):
    write_prices(tmp_path / "prices", days=200)
    (tmp_path / "lent_model.py").write_text(MINE)
    study = write_study(tmp_path)
    study.write_text(study.read_text() + DECLARED)
    command = ("run", "study.toml", "--paths", 4)
    here = backtest(*command, "--out", "here", cwd=tmp_path)
    there = backtest(*command, "--out", "there", "--dask", running.address, cwd=tmp_path)
    assert (here.returncode, there.returncode) == (0, 0), here.stderr + there.stderr
    for name in ("monte_carlo.parquet", "scores.parquet", "ladder.csv"):
        (first,), (second,) = ((tmp_path / out).glob(f"*/{name}") for out in ("here", "there"))
        assert first.read_bytes() == second.read_bytes(), name
    # The workers have run that module by now, and Python imports a module once a process.
    (tmp_path / "lent_model.py").write_text(MINE.replace("0.1", "0.2"))
    line = one_line(backtest(*command, "--dask", running.address, cwd=tmp_path))
    assert re.search(
        "worker tcp://.* has another module 'lent_model' than this process; copy", line
    )


def test_a_failure_carries_its_path_from_there_too(running, small_market, small_book):
    with bt.on_cluster(running.address), pytest.raises(FloatingPointError) as failure:
        bt.monte_carlo(BLOCKS, small_market, small_book, {"bad": Fails()}, paths=2, seed=3)
    assert "path 0, seed 3" in " / ".join(failure.value.__notes__)


@pytest.mark.slow
def test_a_scheduler_that_is_lost_is_one_line(tmp_path, small_market, small_book):
    with cluster(tmp_path) as running:

        def lose(stage: str, share: float) -> None:
            if share >= 0.25:
                running.scheduler.kill()

        with bt.on_cluster(running.address):
            with pytest.raises(StudyError, match="the scheduler at tcp://.* is lost; start it"):
                saved(tmp_path / "there", small_market, small_book, progress=lose)
    assert not (tmp_path / "there").exists()


class Fails:
    def margin(self, market, book, coverage):
        raise FloatingPointError("stumbled")


def test_other_code_and_more_threads_are_refused_by_name(tmp_path):
    for package in ("backtest", "strategies"):
        shutil.copytree(ROOT / package, tmp_path / "other" / package)
    with (tmp_path / "other" / "strategies" / "siloed.py").open("a") as file:
        file.write("# changed\n")
    with cluster(tmp_path, workers=0) as running:
        with pytest.raises(StudyError, match="has no workers; start some with `dask worker tcp"):
            with bt.on_cluster(running.address):
                pass
        other = running.add_worker(PYTHONPATH=str(tmp_path / "other"))
        with pytest.raises(StudyError, match=r"worker tcp://\S+ has code \w+, and this process"):
            with bt.on_cluster(running.address):
                pass
        other.kill()
        running.add_worker("--nthreads", "2")
        done = backtest("run", "--dask", running.address, cwd=tmp_path)
        assert "has 2 threads, and models are not asked in several at once" in one_line(done)


@pytest.mark.slow
def test_a_worker_of_other_code_that_joins_later_is_refused_too(tmp_path, small_market, small_book):
    for package in ("backtest", "strategies"):
        shutil.copytree(ROOT / package, tmp_path / "other" / package)
    with (tmp_path / "other" / "strategies" / "siloed.py").open("a") as file:
        file.write("# changed\n")
    for options, words in (
        ({"PYTHONPATH": str(tmp_path / "other")}, r"worker tcp://\S+ has code \w+, and this"),
        ({}, "has 2 threads, and models are not asked in several at once"),
    ):
        with cluster(tmp_path, workers=1) as running:

            def replace(stage: str, share: float, running=running, options=options) -> None:
                if share >= 0.25 and len(running.workers) == 1:
                    running.workers[0].send_signal(signal.SIGKILL)
                    running.add_worker(*([] if options else ["--nthreads", "2"]), **options)

            with bt.on_cluster(running.address), pytest.raises(StudyError, match=words):
                saved(tmp_path / "there", small_market, small_book, progress=replace)


@pytest.mark.parametrize(
    "address, words",
    [
        ("10.0.0.5", "the cluster's address is '10.0.0.5'; give the scheduler's, as tcp://"),
        ("tcp://here:99999", "the cluster's address is"),
        ("127.0.0.1:9", "no Dask scheduler answers at '127.0.0.1:9'; start one with `dask"),
    ],
)
def test_an_address_without_a_scheduler_is_one_line(address, words, tmp_path):
    done = backtest("run", "--dask", address, cwd=tmp_path)
    assert words in one_line(done) and not (tmp_path / "results").exists()


def test_workers_here_and_there_at_once_are_refused(tmp_path):
    done = backtest("run", "--dask", "127.0.0.1:9", "--n-jobs", 2, cwd=tmp_path)
    assert "--n-jobs counts workers of this machine; leave it out" in one_line(done)


def test_without_the_extra_the_line_says_how_to_get_it(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "dask", None)
    with pytest.raises(StudyError, match=r"run `pip install 'margin-backtest\[cluster\]'`"):
        with bt.on_cluster("127.0.0.1:9"):
            pass
