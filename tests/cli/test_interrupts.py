"""Requests to end at moments that matter: while loading, renaming, cleaning, starting workers."""

import os
import resource
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from tests.signals.kills import ASKED, processes_of

NOTHING = "backtest: interrupted; no result was written\n"

COMMAND = """
import os, shutil, signal, sys
from pathlib import Path

def asked_at(module, name, *, before=(), after=()):
    "Let a function of a module be met by signals, before and after its work."
    real = getattr(module, name)
    def met(*arguments, **named):
        for number in before:
            signal.raise_signal(number)
        given = real(*arguments, **named)
        for number in after:
            signal.raise_signal(number)
        return given
    setattr(module, name, met)

def work():
    from backtest.present.folder import results_folder
    with results_folder(Path("results"), "small") as folder:
        (folder.partial / "a.txt").write_text("whole")
        {inside}
    {after}

import backtest.cli
import backtest.__main__
from backtest.cli import ends
backtest.cli.main = lambda: ends.end(work)
{first}
backtest.__main__.main()
"""


def run(folder: Path, code: str, **options) -> subprocess.CompletedProcess[str]:
    (folder / "asked.py").write_text(code)
    return subprocess.run(
        [sys.executable, "-m", "asked"],  # as `python -m backtest`: -c ends in another way
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        # Tests that run in the background of a shell hand on a Ctrl-C that is ignored.
        preexec_fn=partial(listening, **options),
    )


def listening(ignored: tuple[int, ...] = (), most: int = resource.RLIM_INFINITY) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    for number in ASKED:
        signal.signal(number, signal.SIG_IGN if number in ignored else signal.SIG_DFL)


def command(first: str = "", inside: str = "pass", after: str = "pass") -> str:
    return COMMAND.format(first=first, inside=inside, after=after)


@pytest.mark.parametrize("number, code", ASKED.items())
def test_each_request_has_its_code_and_leaves_nothing(tmp_path, number, code):
    done = run(tmp_path, command(inside=f"signal.raise_signal({number})"))
    assert (done.returncode, done.stderr) == (code, NOTHING)
    assert list((tmp_path / "results").iterdir()) == []


def test_a_second_request_does_not_stop_the_cleaning(tmp_path):
    first = "asked_at(shutil, 'rmtree', before=[signal.SIGINT, signal.SIGTERM])"
    done = run(tmp_path, command(first, inside="signal.raise_signal(signal.SIGTERM)"))
    assert (done.returncode, done.stderr) == (143, NOTHING)
    assert list((tmp_path / "results").iterdir()) == []


def test_a_second_request_does_not_stop_the_end(tmp_path):
    first = "import atexit; atexit.register(signal.raise_signal, signal.SIGINT)"
    done = run(tmp_path, command(first, inside="signal.raise_signal(signal.SIGINT)"))
    assert (done.returncode, done.stderr) == (130, NOTHING)


@pytest.mark.parametrize(
    "first, after",
    [
        ("asked_at(os, 'rename', before=[signal.SIGINT])", "pass"),
        ("asked_at(os, 'rename', after=[signal.SIGINT])", "pass"),
        ("", "signal.raise_signal(signal.SIGINT)"),
    ],
    ids=["before it is renamed", "after it was renamed", "while it is shown"],
)
def test_a_result_that_is_whole_is_kept_and_named(tmp_path, first, after):
    done = run(tmp_path, command(first, after=after))
    (written,) = (tmp_path / "results").iterdir()
    assert done.returncode == 130
    assert done.stderr == f"backtest: interrupted; already written: results/{written.name}\n"
    assert (written / "a.txt").read_text() == "whole" and written.suffix != ".partial"


def test_a_request_under_another_name_is_one(tmp_path):
    """Libraries give an interrupt other names, as pandas does while it is imported."""
    inside = """
        try:
            signal.raise_signal(signal.SIGTERM)
        except KeyboardInterrupt as error:
            raise ImportError("numpy failed to load") from error"""
    done = run(tmp_path, command(inside=inside))
    assert (done.returncode, done.stderr) == (143, NOTHING)


def test_a_request_that_comes_where_nothing_can_be_raised_is_not_lost(tmp_path):
    """As in the callbacks of weak references, on which figures lean."""
    inside = """
        class Last:
            def __del__(self):
                signal.raise_signal(signal.SIGTERM)
        Last()
        import time
        time.sleep(20)"""
    done = run(tmp_path, command(inside=inside))
    assert (done.returncode, done.stderr) == (143, NOTHING)


def test_a_request_in_code_made_on_the_fly_has_the_same_code(tmp_path):
    """Python ends by SIGINT where an `exec`, as of dataclasses, was interrupted, though caught."""
    done = run(tmp_path, command(inside="exec('signal.raise_signal(signal.SIGTERM)')"))
    assert (done.returncode, done.stderr) == (143, NOTHING)


def test_what_is_ignored_stays_ignored(tmp_path):
    """As SIGHUP under nohup."""
    code = command(inside="signal.raise_signal(signal.SIGHUP)")
    done = run(tmp_path, code, ignored=(signal.SIGHUP,))
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("number, code", ASKED.items())
def test_a_request_while_the_command_line_is_loaded_is_one_line(tmp_path, number, code):
    loading = f"""
import signal, sys
import backtest.__main__

class Asking:
    def find_spec(self, name, path=None, target=None):
        if name == "typer":
            signal.raise_signal({number})

sys.meta_path.insert(0, Asking())
backtest.__main__.main()
"""
    done = run(tmp_path, loading)
    assert (done.returncode, done.stderr, done.stdout) == (code, NOTHING, "")


WORKERS = """
import backtest.interrupts  # first, as in the command
import sys, time, joblib
import backtest.cli
from backtest.workers import in_parallel
from backtest.cli import ends

def sleep(name):
    open(name, "w").close()
    time.sleep(60)

def work():
    list(in_parallel((joblib.delayed(sleep)(n) for n in sys.argv[1:]), n_jobs=2))

import backtest.__main__
backtest.cli.main = lambda: ends.end(work)
backtest.__main__.main()
"""


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="one core has no workers")
@pytest.mark.parametrize("number, code", [*ASKED.items(), (signal.SIGKILL, -signal.SIGKILL)])
def test_a_request_to_all_processes_ends_all_of_them_quietly(tmp_path, number, code):
    """As a terminal and a batch system ask: workers say nothing, and nothing stays in memory."""
    files = [tmp_path / "a", tmp_path / "b"]
    running = subprocess.Popen(
        [sys.executable, "-c", WORKERS, *map(str, files)],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=listening,
    )
    until(lambda: all(f.exists() for f in files))
    if number == signal.SIGKILL:
        running.kill()  # itself alone: its workers see that it is gone
    else:
        os.killpg(running.pid, number)
    out, errors = running.communicate(timeout=30)
    assert until(lambda: not processes_of(running.pid))
    assert (running.returncode, out) == (code, "")
    assert number == signal.SIGKILL or errors == NOTHING
    assert not [p for p in Path("/dev/shm").glob("*") if f"-{running.pid}-" in p.name]


def until(true, seconds: float = 30.0) -> bool:
    deadline = time.monotonic() + seconds
    while not true() and time.monotonic() < deadline:
        time.sleep(0.05)
    return true()


def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path):
    """No file may grow beyond 10 kB, as on a disk that fills up."""
    inside = "(folder.partial / 'b.txt').write_bytes(bytes(100_000))"
    done = run(tmp_path, command(inside=inside), most=10_000)
    assert done.returncode == 2
    assert done.stderr == (
        "backtest: cannot write results in 'results': File too large; choose another with --out.\n"
    )
    assert list((tmp_path / "results").iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_code_is_given_where_nothing_can_be_said(tmp_path):
    code = "import os, sys; os.dup2(os.open('/dev/full', os.O_WRONLY), 2)\n" + command(
        inside="signal.raise_signal(signal.SIGTERM)"
    )
    assert run(tmp_path, code).returncode == 143
