"""How a command ends: an exit code that means one thing, and one line that says why."""

import os
import signal
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable
from enum import IntEnum
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import typer

from backtest.types import BacktestError


class ExitCode(IntEnum):
    """What a command's exit code means."""

    DONE = 0
    FAILED = 1  # a gate of the study, a rerun that gave other numbers, or a self-check
    BAD_INPUT = 2
    FAULT = 3  # of the program
    INTERRUPTED = 128 + signal.SIGINT
    TERMINATED = 128 + signal.SIGTERM


_signals: list[int] = []  # that ended this process


def end(command: Callable[[], Any]) -> NoReturn:
    """Run a command and end the process with its code; a fault's traceback goes into a file."""
    _prepare()
    try:
        code = command()
    except BacktestError as error:
        _say(ExitCode.BAD_INPUT, str(error))
    except KeyboardInterrupt:
        code = ExitCode.INTERRUPTED
    except OSError as error:
        what = f"use {error.filename}" if error.filename else "write to the screen"
        _say(ExitCode.BAD_INPUT, f"cannot {what}: {error.strerror or error}.")
    except Exception as error:
        if hasattr(error, "format_message"):  # of the command line's parser
            _say(ExitCode.BAD_INPUT, f"{error.format_message()} See `backtest --help`.")
        _say(ExitCode.FAULT, _fault(error))
    if code == ExitCode.INTERRUPTED:
        code = ExitCode.TERMINATED if signal.SIGTERM in _signals else ExitCode.INTERRUPTED
        _say(code, "interrupted; no result was written")
    sys.exit(code if isinstance(code, int) else ExitCode.DONE)


def _prepare() -> None:
    """A request to end is like Ctrl-C, and a terminal of few characters shows '?' for the rest."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _interrupt)


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    _signals.append(number)
    raise KeyboardInterrupt


def _fault(error: Exception) -> str:
    """What is said of an error that no input should cause, and where its traceback is."""
    place = f"{type(error).__name__}: {error}".rstrip(".")
    with tempfile.NamedTemporaryFile(
        "w", prefix="backtest-", suffix="-traceback.txt", delete=False, encoding="utf-8"
    ) as file:
        file.write("".join(traceback.format_exception(error)))
    return (
        f"a fault of the program, not of your input: {place}. Please report it with what you typed "
        f"and {Path(file.name)}."
    )


def _say(code: ExitCode, message: str) -> NoReturn:
    """One line of printed characters on stderr, and the code whatever becomes of stdout."""
    line = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in " ".join(message.split()))
    typer.echo(f"backtest: {line}", err=True)
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:  # Python would try again at its end, and fail with a code of its own
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)
