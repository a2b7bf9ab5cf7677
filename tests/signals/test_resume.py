"""What is killed leaves nothing that looks finished, and goes on to the same bytes."""

import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.signals.kills import processes_of
from tests.support.commands import backtest, write_prices, write_study

NAMES = ("monte_carlo.parquet", "monte_carlo_pooled.parquet")
SCRIPT = [sys.executable, "-m", "tests.signals.long_run"]
COMMAND = [sys.executable, "-m", "backtest", "run", "study.toml", "--paths", "300", "--out"]


def killed_after(seconds: float, words: list[str], folder: Path, said: str = "") -> None:
    """Start a command, and kill it so many seconds after it said something; no worker is left."""
    with open(folder / "said.txt", "w") as file:
        running = subprocess.Popen(
            words, cwd=folder, stdout=file, stderr=subprocess.DEVNULL, start_new_session=True
        )
    while said not in (folder / "said.txt").read_text() and running.poll() is None:
        time.sleep(0.005)
    time.sleep(seconds)
    running.send_signal(signal.SIGKILL)
    running.wait()
    deadline = time.monotonic() + 20.0
    while processes_of(running.pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not processes_of(running.pid)


def results_in(out: Path) -> list[Path]:
    """Folders that look finished; each is."""
    left = [place for place in out.iterdir() if place.suffix not in (".partial", ".blocks")]
    for place in left:
        assert (place / NAMES[0]).is_file(), place
    return left


def gone_on(words: list[str], out: Path, folder: Path, resume: list[str]) -> Path:
    """The results folder of a command that goes on with what a killed one left in `out`."""
    before = results_in(out) if out.exists() else []
    kept = sorted(out.glob("*.blocks")) if out.exists() else []
    more = [*resume, str(kept[0])] if kept and any(kept[0].glob("block-*.npz")) else []
    done = subprocess.run(
        [*words, str(out), *more], cwd=folder, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr
    (made,) = set(results_in(out)) - set(before)
    return made


def bytes_of(results: Path) -> list[bytes]:
    return [(results / name).read_bytes() for name in NAMES]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    return bytes_of(gone_on(SCRIPT, folder / "out", folder, []))


@pytest.mark.parametrize(
    "share",
    [0.5, *(pytest.param(share, marks=pytest.mark.slow) for share in (0.1, 0.9))],
)
def test_a_kill_among_the_blocks_loses_none_that_was_finished(share, whole, tmp_path):
    words = [*SCRIPT, "out"]
    killed_after(0.0, words, tmp_path, f"Monte Carlo paths {share}")
    (kept,) = (tmp_path / "out").glob("*.blocks")
    assert len(list(kept.glob("block-*.npz"))) >= 40 * share - 1 or results_in(tmp_path / "out")
    assert bytes_of(gone_on(SCRIPT, tmp_path / "out", tmp_path, [])) == whole


@pytest.mark.slow
def test_a_command_killed_at_thirty_random_moments_goes_on_to_the_same_bytes(tmp_path):
    write_prices(tmp_path / "prices")
    write_study(tmp_path)
    began = time.monotonic()
    right = bytes_of(gone_on(COMMAND, tmp_path / "whole", tmp_path, []))
    life, generator = time.monotonic() - began, random.Random(7)
    for number in range(30):
        out = tmp_path / f"out-{number}"
        words = [*COMMAND, out.name, "--n-jobs", str(1 + number % 2)]
        killed_after((number + generator.random()) / 30 * life, words, tmp_path)
        assert bytes_of(gone_on(COMMAND, out, tmp_path, ["--resume"])) == right, number
        assert not list(out.glob("*.partial")), number


@pytest.mark.parametrize(
    "most, words",
    [
        (1, "cannot keep blocks in 'results': File too large"),  # what blocks depend on
        (3, "cannot keep a block in .*: File too large; mend that, then start again"),
        (20, "cannot write results to .*File too large; finished paths are kept: --resume"),
    ],
)
def test_a_disk_that_fills_up_is_one_line(most, words, tmp_path):
    """No file may have more than so many kB."""
    write_prices(tmp_path / "prices", days=200)
    write_study(tmp_path)
    command = f"ulimit -f {most}; exec {' '.join([*COMMAND, 'results'])}"
    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True)
    *before, line = done.stderr.splitlines()
    assert done.returncode == 2 and re.search(words, line), done.stderr
    assert all("kernels" in other for other in before)  # machine code that could not be kept either
    assert not results_in(tmp_path / "results")
    kept = list((tmp_path / "results").glob("*.blocks"))
    assert list((tmp_path / "results").iterdir()) == kept and len(kept) == (most == 20)


@pytest.mark.slow
def test_two_runs_into_one_folder_both_finish(tmp_path):
    write_prices(tmp_path / "prices", days=200)
    write_study(tmp_path)
    both = [
        subprocess.Popen([*COMMAND, "results"], cwd=tmp_path, stdout=subprocess.DEVNULL)
        for _ in range(2)
    ]
    assert [one.wait(240) for one in both] == [0, 0]
    first, second = results_in(tmp_path / "results")
    assert bytes_of(first) == bytes_of(second)
    assert not list((tmp_path / "results").glob("*.blocks"))


@pytest.mark.parametrize(
    "number, code",
    [(signal.SIGINT, 130), pytest.param(signal.SIGTERM, 143, marks=pytest.mark.slow)],
)
def test_an_interrupted_run_names_its_folder_and_the_command_to_go_on(number, code, tmp_path):
    write_prices(tmp_path / "prices", days=200)
    write_study(tmp_path)
    words = [*COMMAND, "results", "--n-jobs", "2"]
    words[words.index("300")] = "20000"
    with open(tmp_path / "said.txt", "w") as file:
        running = subprocess.Popen(
            words, cwd=tmp_path, stderr=file, stdout=subprocess.DEVNULL, start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )  # fmt: skip
    while not list((tmp_path / "results").glob("*.blocks/block-*.npz")):
        assert running.poll() is None
        time.sleep(0.01)
    os.killpg(running.pid, number)
    assert running.wait(60) == code
    (line,) = (tmp_path / "said.txt").read_text().splitlines()
    (kept,) = (tmp_path / "results").glob("*.blocks")
    assert line.startswith("backtest: interrupted; already written: ")
    assert line.endswith(f" of 20,000 paths; --resume {kept.relative_to(tmp_path)} goes on")
    done = backtest("run", "study.toml", "--paths", 20, "--resume", kept, "--out", "results",
                    cwd=tmp_path)  # fmt: skip
    assert done.returncode == 0 and not kept.exists(), done.stderr
