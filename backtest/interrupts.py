"""Requests to end: Ctrl-C, SIGTERM, a terminal that closes. They stop work, never its cleaning."""

import atexit
import os
import signal
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

REQUESTS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
finished: list[str] = []  # results of this command that are whole

_came: list[int] = []
_codes: list[int] = []
_holding: list[bool] = []


def listen() -> None:
    """Each request raises KeyboardInterrupt from now on; one ignored, as under nohup, stays so."""
    if threading.current_thread() is threading.main_thread():
        for number in REQUESTS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, _interrupt)
        sys.unraisablehook = _again


def listen_no_more() -> None:
    """What is left of the process is its end, which a second request must not break."""
    for number in REQUESTS:
        if signal.getsignal(number) is _interrupt:
            signal.signal(number, signal.SIG_IGN)


def came() -> bool:
    """True where this process was asked to end."""
    return bool(_came)


def last_words() -> tuple[int, str]:
    """Exit code and line of an interrupted command; the code is 128 and the signal's number."""
    code = 128 + (_came[0] if _came else signal.SIGINT)
    if _came:
        _codes.append(code)
    what = f"already written: {finished[-1]}" if finished else "no result was written"
    return code, f"interrupted; {what}"


@atexit.register  # before other modules do, so that it is run after theirs
def _leave() -> None:
    """The last that Python does: it would end by SIGINT where that met an `exec`, though caught."""
    if _codes:
        os._exit(_codes[-1])


@contextmanager
def held() -> Iterator[None]:
    """Requests wait for the block's end; processes that it starts never get any.

    Examples
    --------
    >>> with held():
    ...     print("renamed, whatever comes meanwhile")
    renamed, whatever comes meanwhile
    """
    before, mask = len(_came), signal.pthread_sigmask(signal.SIG_BLOCK, REQUESTS)
    _holding.append(True)  # another thread of this process may still be given the signal
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        _holding.pop()
    if len(_came) > before and not _holding:
        raise KeyboardInterrupt


def start_shielded(module: str) -> "subprocess.Popen[bytes]":
    """Start a module of ours in a process that gets no requests, with pipes to and from it.

    A Ctrl-C that goes to every process is this one's to answer, which ends the other.
    """
    places = os.pathsep.join(entry or os.getcwd() for entry in sys.path)
    with held():
        return subprocess.Popen(
            [sys.executable, "-P", "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": places},
        )


def _again(lost: Any) -> None:
    """A request that came where Python cannot raise, as in a finaliser, comes again in a moment."""
    if lost.exc_type is not KeyboardInterrupt:
        sys.__unraisablehook__(lost)
    elif _came:
        timer = threading.Timer(0.02, signal.raise_signal, (_came[0],))
        timer.daemon = True
        timer.start()


def _interrupt(number: int, frame: FrameType | None) -> None:
    _came.append(number)
    warnings.simplefilter("ignore")  # of libraries whose work is cut short
    if not _holding:
        raise KeyboardInterrupt
