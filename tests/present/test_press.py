"""The process that writes figures: the same bytes, its faults are raised, it outlives nobody."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import joblib
import psutil
import pytest
from matplotlib.artist import Artist
from matplotlib.figure import Figure

from backtest.present.press import Drawn, Press, files_of, second_press
from backtest.present.sheet import Caption
from backtest.types import ResultsError
from tests.support import presented
from tests.support.places import ROOT

WORDS = Caption("It rises", "note", "a line")
SECONDS = 20.0  # a machine under load is slow

two_cores = pytest.mark.skipif(joblib.cpu_count() < 2, reason="one core: no second process")


@pytest.fixture
def press() -> Iterator[Press]:
    with second_press() as press:
        assert press is not None
        yield press


def drawings(names: list[str]) -> Iterator[Drawn]:
    for name in names:
        figure = presented.FIGURES[name]()
        yield name, figure.draw().figure, figure.caption  # type: ignore[misc]


@two_cores
def test_files_are_the_same_bytes_whoever_writes_them(
    press: Press, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ["coverage_against_cost", "margin_against_loss", "power"]
    alone = dict(files_of(drawings(names), None))
    assert set(alone) == {f"{name}.{kind}" for name in names for kind in ("svg", "pdf", "png")}
    begun, begin = [], Press.begin

    def noted(self: Press, drawing: bytes, kind: str, name: str, caption: Caption) -> None:
        begun.append(f"{name}.{kind}")
        begin(self, drawing, kind, name, caption)

    monkeypatch.setattr(Press, "begin", noted)
    assert dict(files_of(drawings(names), press)) == alone
    # Every file by the press as well, whatever the machine's load left to it.
    monkeypatch.setattr(Press, "is_free", lambda self: True)
    assert dict(files_of(drawings(names), press)) == alone
    assert set(begun) == set(alone)


def refusing(self: Artist, renderer: Any) -> None:
    raise ArithmeticError("this line cannot be drawn")


@two_cores
def test_a_fault_of_a_drawing_is_raised_and_says_where(
    press: Press, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Press, "is_free", lambda self: True)
    page = Figure()
    page.add_artist(type("Refusing", (Artist,), {"draw": refusing})())
    with pytest.raises(ArithmeticError, match="cannot be drawn") as caught:
        list(files_of([("one", page, WORDS)], press))
    assert caught.value.__notes__ == ["figure one.png, in the process that writes figures"]


@two_cores
def test_a_process_that_was_killed_is_one_line(press: Press) -> None:
    press._child.kill()
    press._child.wait()
    with pytest.raises(ResultsError, match="ended with code -9 at one.png; memory may") as caught:
        list(files_of([("one", Figure(), WORDS)], press))
    assert "\n" not in str(caught.value)


def test_one_that_ended_in_the_middle_of_an_answer_is_one_line() -> None:
    code = (
        "import pickle, sys; pickle.load(sys.stdin.buffer)\n"
        "sys.stdout.buffer.write(pickle.dumps(b'x' * 1000)[:500])"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        press = Press(child)
        press.begin(b"", "png", "one", WORDS)
        with pytest.raises(ResultsError, match="ended with code 0 at one.png; memory may"):
            list(press.fetch())


@two_cores
def test_it_ends_with_who_started_it_even_if_that_is_killed() -> None:
    code = (
        "import time; from backtest.present.press import second_press\n"
        "with second_press() as press: print(press._child.pid, flush=True); time.sleep(60)"
    )
    for number in (signal.SIGKILL, signal.SIGINT):
        with subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            cwd=ROOT,
        ) as starter:  # fmt: skip
            assert starter.stdout is not None
            child = int(starter.stdout.readline())
            starter.send_signal(number)
            starter.wait()
        end = time.monotonic() + SECONDS
        while time.monotonic() < end and is_running(child):
            time.sleep(0.05)
        assert not is_running(child)


def is_running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_one_core_has_no_second_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joblib, "cpu_count", lambda: 1)
    with second_press() as press:
        assert press is None
