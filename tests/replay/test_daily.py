"""Daily numbers in a file are those in memory; what would not fit is refused before the work."""

import errno
import os
import re
import subprocess
import sys
from tempfile import NamedTemporaryFile

import numpy as np
import pandas as pd
import pytest

import backtest as bt
import strategies as st
from backtest import memory
from backtest.cli import main
from backtest.replay import daily, room
from backtest.replay.daily import IN_MEMORY, NUMBER, QUANTITIES, Daily, size_of_daily
from backtest.replay.daily_table import read_daily
from backtest.types import ResultsError, StudyError

MODELS = {
    "var": st.HistoricalVaR(lookback=60),
    "siloed": st.Siloed(base=st.HistoricalVaR(lookback=60)),
}


@pytest.fixture(scope="module")
def many_books(small_market):
    names = [f"book {n}" for n in range(8)]
    usd = {"UST10Y": np.linspace(-1e7, 1e7, 8), "BTC": np.linspace(1e6, 8e6, 8)}
    return bt.Book.from_frame(pd.DataFrame(usd, index=names), small_market)


@pytest.fixture
def always_in_a_file(monkeypatch):
    monkeypatch.setattr(daily, "IN_MEMORY", 0)


@pytest.fixture
def in_memory(small_market, many_books):
    return bt.run(small_market, many_books, MODELS)


def assert_same(one: bt.Study, other: bt.Study) -> None:
    loose = {"check_index_type": False, "check_freq": False}
    pd.testing.assert_frame_equal(one.scores, other.scores, check_exact=True)
    pd.testing.assert_frame_equal(one.pooled, other.pooled, check_exact=True)
    pd.testing.assert_frame_equal(one.loss, other.loss, check_exact=True, **loose)
    for name in QUANTITIES:
        frames, others = getattr(one, name), getattr(other, name)
        assert list(frames) == list(others) == list(MODELS)
        for model in frames:
            pd.testing.assert_frame_equal(frames[model], others[model], check_exact=True, **loose)


def test_a_file_changes_no_number(small_market, many_books, in_memory, always_in_a_file, tmp_path):
    in_file = bt.run(small_market, many_books, MODELS, block=3)
    assert_same(in_memory, in_file)
    in_file.save(tmp_path / "file")
    assert_same(in_memory, bt.Study.load(tmp_path / "file"))
    in_memory.save(tmp_path / "memory")
    assert_same(in_memory, bt.Study.load(tmp_path / "memory"))


def test_the_stored_table_is_the_tidy_one(in_memory, tmp_path, monkeypatch):
    whole = in_memory.to_frame()
    monkeypatch.setattr("backtest.replay.daily_table.ROWS", 100)  # many pieces
    in_memory.save(tmp_path)
    stored = pd.read_parquet(tmp_path / "daily.parquet")
    pd.testing.assert_frame_equal(whole, stored, check_exact=True, check_dtype=False)
    assert_same(in_memory, bt.Study.load(tmp_path))


@pytest.mark.parametrize(
    "other",
    [
        lambda rows: rows.iloc[:-1],
        lambda rows: rows.iloc[::-1],
        lambda rows: rows.assign(portfolio=rows["portfolio"].iloc[0]),
        lambda rows: rows.assign(model="var"),
        lambda rows: rows.assign(date=rows["date"].iloc[0]).sort_values("loss"),
        lambda rows: rows.assign(loss=rows["loss"].where(rows["model"] == "var", 0.0)),
        lambda rows: rows.iloc[:0],
    ],
)
def test_other_rows_are_no_study(in_memory, other):
    def read(rows: pd.DataFrame, folder):
        rows.to_parquet(folder, index=False)
        return read_daily(folder, in_memory.models, list(in_memory.loss.columns), width=256)

    with NamedTemporaryFile(suffix=".parquet") as file:
        read(in_memory.to_frame(), file.name)
        with pytest.raises(ResultsError, match="does not hold a row for each model, day"):
            read(other(in_memory.to_frame()), file.name)


class FullDisk:
    """A file that takes nothing more."""

    def seek(self, place: int) -> None:
        pass

    def write(self, content: bytes) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_is_one_line(always_in_a_file, monkeypatch, tmp_path):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    kept = Daily(pd.date_range("2024-01-01", periods=2), ["a"], ["var"], width=1)
    kept._file.close()
    kept._file = FullDisk()
    with pytest.raises(ResultsError, match="No space left on device; set TMPDIR"):
        kept.put("held", "var", 0, np.ones((2, 1)))


def test_what_does_not_fit_is_refused_with_the_estimate(small_market, many_books, monkeypatch):
    monkeypatch.setattr(memory, "memory_left", lambda: 1000.0)
    with pytest.raises(StudyError, match=r"8 portfolios under 2 models on .* need about 0\.0 GiB"):
        bt.run(small_market, many_books, MODELS)
    monkeypatch.setattr(memory, "memory_left", lambda: float("inf"))
    monkeypatch.setattr(room, "IN_MEMORY", 0)
    monkeypatch.setattr(room.shutil, "disk_usage", lambda folder: type("Disk", (), {"free": 1}))
    with pytest.raises(StudyError, match="on disk, and .* has 0.0; set TMPDIR"):
        bt.run(small_market, many_books, MODELS)


def test_absurd_paths_are_refused_before_the_work(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as left:
        main(["run", "--paths", "1000000000"])
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert left.value.code == 2
    assert re.search(r"the scores of 1,000,000,000 paths need about [\d,.]+ GiB", line)


def test_a_container_leaves_less_than_its_machine(tmp_path, monkeypatch):
    limit, use = tmp_path / "memory.max", tmp_path / "memory.stat"
    limit.write_text("1000000\n")
    use.write_text("anon 400000\nfile 500000\n")
    monkeypatch.setattr(memory, "CONTAINERS", [(str(limit), str(use), "anon")])
    assert memory.memory_left() == 600_000
    limit.write_text("max\n")
    assert memory.memory_left() > 1_000_000


GROWTH = """
import resource, sys
import numpy as np, pandas as pd
import backtest as bt, strategies as st
what, books, folder = sys.argv[1], int(sys.argv[2]), sys.argv[3]
market = bt.load_market("sample")
if what == "load":
    study = bt.Study.load(folder)
else:
    usd = {"UST10Y": np.linspace(-1e7, 1e7, books), "BTC": np.linspace(1e6, 8e6, books)}
    book = bt.Book.from_frame(pd.DataFrame(usd, index=[str(n) for n in range(books)]), market)
    look_backs = (("a", 250), ("b", 500), ("c", 750))
    models = {name: st.HistoricalVaR(lookback=days) for name, days in look_backs}
    study = bt.run(market, book, models, audit=False)
    study.save(folder)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, len(market.dates))
"""


@pytest.mark.slow
@pytest.mark.parametrize("books", [2000, 5000])  # the daily numbers in memory, and in a file
def test_memory_grows_by_less_than_was_estimated(books, tmp_path):
    def peak(what: str, books: int) -> tuple[int, int]:
        printed = subprocess.run(
            [sys.executable, "-c", GROWTH, what, str(books), str(tmp_path / str(books))],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        memory, days = map(int, printed.split())
        return memory, days

    few = 300
    for what in ("run", "load"):
        (small, _), (large, days) = peak(what, few), peak(what, books)
        in_file = size_of_daily(days, books, 3) > IN_MEMORY
        assert in_file == (books == 5000)
        kept = 0 if in_file else size_of_daily(days, books - few, 3)
        table = days * (books - few) * NUMBER
        assert (large - small - kept) / table < room.TABLES_AT_ONCE, what
