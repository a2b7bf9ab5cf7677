"""Exit codes that mean one thing each, whatever happens."""

import importlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import joblib
import pytest

from backtest.cli import ends
from backtest.types import StudyError
from backtest.workers import in_parallel
from tests.support.commands import backtest


def raising(error):
    def command():
        raise error

    return command


@pytest.mark.parametrize(
    "error, code, words",
    [
        (StudyError("no such model 'x'."), 2, "no such model 'x'."),
        (PermissionError(13, "Permission denied", "a.csv"), 2, "cannot use a.csv: Permission"),
        (BrokenPipeError(32, "Broken pipe"), 2, "cannot write to the screen: Broken pipe."),
        (KeyError("rise_30"), 3, "a fault of the program, not of your input: KeyError: 'rise_30'."),
        (KeyboardInterrupt(), 130, "interrupted; no result was written"),
    ],
)
def test_each_error_has_its_code_and_one_line(capsys, error, code, words):
    with pytest.raises(SystemExit) as end:
        ends.end(raising(error))
    said = capsys.readouterr().err
    assert end.value.code == code
    assert said.startswith(f"backtest: {words}") and said.count("\n") == 1


def test_the_traceback_of_a_fault_is_in_the_file_it_names(capsys):
    with pytest.raises(SystemExit):
        ends.end(raising(KeyError("rise_30")))
    file = Path(capsys.readouterr().err.split(" and ")[-1].strip().rstrip("."))
    assert "raise error" in file.read_text() and "KeyError: 'rise_30'" in file.read_text()
    file.unlink()


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_a_terminal_of_few_characters_shows_what_it_can(tmp_path, encoding):
    done = subprocess.run(
        [sys.executable, "-m", "backtest", "models"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONIOENCODING": encoding},
        capture_output=True,
    )
    assert done.returncode == 0 and done.stderr == b""
    assert b"historical_var" in done.stdout


def test_more_workers_than_cores_are_capped_and_said(tmp_path):
    done = backtest("run", "no-such.toml", "--n-jobs", 10_000, cwd=tmp_path)
    first, last = done.stderr.splitlines()
    assert first.startswith("--n-jobs 10000: this machine has ") and "no-such.toml" in last


WORKERS = """
import sys, time, joblib
from backtest.workers import in_parallel

def sleep(name):
    open(name, "w").close()
    time.sleep(60)

list(in_parallel((joblib.delayed(sleep)(n) for n in sys.argv[1:]), n_jobs=2))
"""


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="one core has no workers")
def test_a_killed_command_leaves_no_worker(tmp_path):
    files = [tmp_path / "a", tmp_path / "b"]
    running = subprocess.Popen([sys.executable, "-c", WORKERS, *map(str, files)], cwd=tmp_path)
    deadline = time.monotonic() + 60.0
    while not all(f.exists() for f in files) and time.monotonic() < deadline:
        time.sleep(0.1)
    workers = [int(pid) for pid in children(running.pid)]
    assert len(workers) >= 2
    running.send_signal(signal.SIGKILL)
    running.wait()
    deadline = time.monotonic() + 20.0
    while any(alive(pid) for pid in workers) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not [pid for pid in workers if alive(pid)]


def children(pid: int) -> list[str]:
    tasks = Path(f"/proc/{pid}/task").glob("*/children")  # whichever thread started them
    return [child for task in tasks for child in task.read_text().split()]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split(") ")[1][0] != "Z"
    except OSError:
        return False


def test_workers_find_a_module_that_lies_where_they_were_not_started(tmp_path, monkeypatch):
    list(in_parallel((joblib.delayed(abs)(x) for x in (-1, -2)), n_jobs=2))
    (tmp_path / "module_of_a_study.py").write_text("def half(x):\n    return x / 2\n")
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    half = importlib.import_module("module_of_a_study").half
    assert list(in_parallel((joblib.delayed(half)(x) for x in (2, 4)), n_jobs=2)) == [1.0, 2.0]


@pytest.mark.parametrize("streams", ["2>/dev/full", ">/dev/full 2>/dev/full", ">&- 2>&-"])
def test_the_code_is_the_same_where_nothing_can_be_printed(tmp_path, streams):
    command = f"{sys.executable} -m backtest run no-such.toml {streams}"
    assert subprocess.run(command, shell=True, cwd=tmp_path).returncode == 2


def test_a_folder_that_is_gone_is_said(tmp_path):
    command = f"rmdir {tmp_path}; {sys.executable} -m backtest models"
    done = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr == "backtest: the folder that you are in is gone; change to another.\n"


@pytest.mark.parametrize(
    "message",
    [f"kind '{'x' * 5000}' is none.", f"title is '{'a b ' * 500}'; cut it.", f"E: {'a' * 200}."],
)
def test_a_long_value_is_cut_and_the_rest_of_the_line_stays(capsys, message):
    with pytest.raises(SystemExit):
        ends.end(raising(StudyError(message)))
    said = capsys.readouterr().err
    assert len(said) < 140 and said.split()[1] == message.split()[0]
    assert said.endswith(message[-1] + "\n")


def test_a_path_is_not_cut(capsys):
    with pytest.raises(SystemExit):
        ends.end(raising(StudyError(f"cannot read '{'folder/' * 20}'.")))
    assert "folder/" * 20 in capsys.readouterr().err


def test_too_little_memory_is_no_fault_of_the_program(capsys):
    with pytest.raises(SystemExit) as end:
        ends.end(raising(MemoryError("Unable to allocate 7 TiB")))
    assert end.value.code == 2 and "not enough memory" in capsys.readouterr().err
