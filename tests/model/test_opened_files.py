"""Files that models open by themselves: seen, named, hashed, and compared."""

import hashlib
import os
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import backtest as bt
from backtest.config.models import build_model
from backtest.model import opened_files
from backtest.model.opened_files import OpenedFile, placed, recording, watched
from backtest.replay.seal import read_manifest
from backtest.studies.compare.study import compare_runs
from backtest.studies.run.reproduce import compare_rerun
from backtest.studies.run.store import write_numbers
from backtest.studies.run.study import execute
from tests.model.test_user_models import TEN_LINES, write_own
from tests.support.commands import quiet, write_prices

READS = TEN_LINES.replace(
    "class", "from pathlib import Path\n\nTABLE = Path(__file__).parent / 'table.csv'\n\nclass"
).replace("        return required", "        return required * float(TABLE.read_text())")


@pytest.fixture(scope="module")
def prices(tmp_path_factory):
    return write_prices(tmp_path_factory.mktemp("prices"), days=300)


def opened_by(read):
    files = set()
    with recording(files), watched():
        read()
    return {os.path.basename(file.name): file for file in files}


def test_what_python_numpy_and_pandas_read_is_seen(tmp_path):
    frame = pd.DataFrame({"a": [1.0, 2.0]})
    frame.to_csv(tmp_path / "a.csv")
    np.save(tmp_path / "a.npy", frame.to_numpy())
    readers = {
        "a.csv": [
            lambda p: p.read_text(),
            pd.read_csv,
            lambda p: pd.read_csv(p, engine="python"),
            np.genfromtxt,
            lambda p: os.close(os.open(p, os.O_RDONLY)),
            lambda p: open(p, "r+").close(),
        ],
        "a.npy": [np.load, lambda p: np.load(p, mmap_mode="r"), np.fromfile],
    }
    for name, each in readers.items():
        content = (tmp_path / name).read_bytes()
        for read in each:
            file = opened_by(lambda n=name, r=read: r(tmp_path / n))[name]
            assert (file.sha256, file.size) == (hashlib.sha256(content).hexdigest(), len(content))


def test_what_is_written_or_belongs_to_python_is_not(tmp_path):
    def read():
        (tmp_path / "new.txt").write_text("x")
        for place in (pd.__file__, bt.__file__, os.devnull):
            open(place).close()
        with pytest.raises(OSError):
            open(tmp_path / "absent")

    assert opened_by(read) == {}
    files = set()
    with recording(files):  # no model is asked
        (tmp_path / "new.txt").read_text()
    assert files == set()


def test_packages_of_another_environment_on_the_path_are_no_inputs(tmp_path, monkeypatch):
    """A results folder of one study once listed numba's sources as differences of its study."""
    place = tmp_path / "lib" / "site-packages"
    (place / "some").mkdir(parents=True)
    (place / "some" / "data.txt").write_text("x")
    (tmp_path / "mine.txt").write_text("y")
    monkeypatch.setattr(sys, "path", [*sys.path, str(place)])
    opened_files._installed.cache_clear()
    try:
        files = opened_by(
            lambda: [p.read_text() for p in (place / "some" / "data.txt", tmp_path / "mine.txt")]
        )
    finally:
        opened_files._installed.cache_clear()
    assert [Path(name).name for name in files] == ["mine.txt"]


def test_a_file_that_changes_is_listed_with_both_contents(tmp_path):
    path = tmp_path / "a.csv"

    def read():
        for text in ("1", "22"):
            path.write_text(text)
            path.read_text()

    files = set()
    with recording(files), watched():
        read()
    assert sorted(file.size for file in files) == [1, 2]
    assert [file.name for file in placed(files, tmp_path)] == ["a.csv", "a.csv"]
    assert placed({OpenedFile("/x/y", "ab", 1)}, tmp_path)[0].name == "/x/y"


class Reads:
    def __init__(self, path):
        self.path = path

    def margin(self, market, book, coverage):
        rate = float(self.path.read_text())
        return np.full((len(market.dates), len(book.portfolios)), rate)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_workers_tell_what_they_opened(n_jobs, tmp_path, monkeypatch, small_market, small_book):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rate").write_text("5e6")
    study = bt.run(
        small_market, small_book, {"reads": Reads(tmp_path / "rate")}, audit=False, n_jobs=n_jobs,
        block=1,
    )  # fmt: skip
    sha256 = hashlib.sha256(b"5e6").hexdigest()
    assert study.provenance.opened == (OpenedFile("rate", sha256, 3),)


@pytest.fixture
def study(tmp_path, prices, monkeypatch):
    """A study whose model multiplies its margins by the number in a file beside it."""
    monkeypatch.setattr(sys, "path", sys.path.copy())
    study = write_own(tmp_path, prices, READS, kind="own_table:WorstOfYear")
    yield study
    del sys.modules["own_table"]


def stored(study, name):
    folder = study.parent / name
    folder.mkdir()
    write_numbers(execute(study, progress=quiet), folder)
    return folder


def test_a_doubled_table_is_another_input_and_reproduce_refuses_it(study, monkeypatch):
    table = study.parent / "table.csv"
    runs = []
    for factor in ("1", "2"):
        table.write_text(factor)
        runs.append(stored(study, f"times {factor}"))
    one, two = (read_manifest(run)[0] for run in runs)
    sha256 = [hashlib.sha256(text).hexdigest() for text in (b"1", b"2")]
    assert one.opened == (OpenedFile("table.csv", sha256[0], 1),) and one.sha256 != two.sha256
    assert ("a model opened table.csv", f"1 bytes, sha256 {sha256[0]}") in one.facts()
    differs = compare_runs(*runs, progress=quiet).inputs.query("differs")
    assert differs.loc['opened."table.csv".sha256', ["A", "B"]].tolist() == sha256
    assert set(differs.index) == {"sha256", 'opened."table.csv".sha256'}

    # The results folder holds the module, and a reader puts beside it what the module opens.
    with pytest.raises(bt.ResultsError, match="opened 'table.csv', which is not there; put"):
        compare_rerun(runs[0], data=None, progress=quiet)
    (runs[0] / "table.csv").write_text("2")
    with pytest.raises(bt.ResultsError, match=f"{sha256[0]} then, {sha256[1]} now; put the file"):
        compare_rerun(runs[0], data=None, progress=quiet)
    (runs[0] / "table.csv").write_text("1")
    table.write_text("1")
    assert compare_rerun(runs[0], data=None, progress=quiet) == []


def test_what_a_module_opens_as_it_loads_counts_too(tmp_path, prices, monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    monkeypatch.chdir(tmp_path)
    helper = "from pathlib import Path\nFACTOR = Path('factor.txt').read_text()\n"
    (tmp_path / "loads_helper.py").write_text(helper)
    (tmp_path / "factor.txt").write_text("1")
    (tmp_path / "loads.py").write_text("from loads_helper import FACTOR\n" + TEN_LINES)
    opened = set()
    for _ in range(2):  # Python loads it once; the second study still rests on those files
        with recording(opened):
            build_model({"kind": "loads:WorstOfYear"})
        names = [file.name for file in placed(opened, tmp_path)]
        assert names == ["factor.txt", "loads.py", "loads_helper.py"]
        opened = set()
