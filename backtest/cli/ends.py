"""How a command ends: an exit code that means one thing, and one line that says why."""

import errno
import logging
import os
import re
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable
from contextlib import suppress
from enum import IntEnum
from pathlib import Path
from typing import Any, NoReturn

import typer

from backtest.interrupts import came, finished, last_words, listen_no_more
from backtest.types import MOST_SHOWN, BacktestError


class ExitCode(IntEnum):
    """What a command's exit code means."""

    DONE = 0
    FAILED = 1  # a gate of the study, a rerun that gave other numbers, a known answer missed
    BAD_INPUT = 2
    FAULT = 3  # of the program
    HUNG_UP = 128 + signal.SIGHUP
    INTERRUPTED = 128 + signal.SIGINT
    TERMINATED = 128 + signal.SIGTERM


MOST_IN_LINE = 1000  # characters
LONG_QUOTATION = re.compile(rf"(?<!\w)'([^'/]{{{MOST_SHOWN}}})[^'/]{{4,}}'(?!\w)")


def end(command: Callable[[], Any]) -> NoReturn:
    """Run a command and end the process with its code; a fault's traceback goes into a file."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a terminal of few characters shows '?' for the rest
            stream.reconfigure(errors="replace")
    # It tells of fonts and of a home that cannot be written, which no user of ours asked for.
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    finished.clear()
    try:
        try:
            code = command()
        finally:
            listen_no_more()
    except KeyboardInterrupt:
        code = ExitCode.INTERRUPTED
    except Exception as error:
        # A request can come out of a library, or of workers it ended, as an error of theirs.
        code = ExitCode.INTERRUPTED if came() else _say_error(error)
    if code == ExitCode.INTERRUPTED:
        number, line = last_words()
        code = _say(ExitCode(number), line)
    sys.exit(code if isinstance(code, int) else ExitCode.DONE)


def _say_error(error: Exception) -> ExitCode:
    """Say what failed, and give its code."""
    if isinstance(error, BacktestError):
        return _say(ExitCode.BAD_INPUT, str(error))
    if isinstance(error, OSError):
        return _say(ExitCode.BAD_INPUT, _of_system(error))
    if isinstance(error, MemoryError):
        return _say(ExitCode.BAD_INPUT, f"not enough memory: {error}; ask for less at once.")
    if hasattr(error, "format_message"):  # of the command line's parser
        return _say(ExitCode.BAD_INPUT, f"{error.format_message()} See `backtest --help`.")
    return _say(ExitCode.FAULT, _fault(error))


def _of_system(error: OSError) -> str:
    """What the system refused, and to what; errors without a file are of stdout or the folder."""
    if error.filename:
        return f"cannot use {error.filename}: {error.strerror or error}."
    if error.errno == errno.ENOENT:
        return "the folder that you are in is gone; change to another."
    return f"cannot write to the screen: {error.strerror or error}."


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


def _say(code: ExitCode, message: str) -> ExitCode:
    """One line of printed characters on stderr, and the code whatever becomes of the streams."""
    line = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in " ".join(message.split()))
    with suppress(OSError):  # a terminal that was closed, a full disk: nobody can be told
        typer.echo(f"backtest: {_shortened(line)}", err=True)
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except OSError:  # Python would try again at its end, and fail with a code of its own
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    return code


def _shortened(line: str) -> str:
    """A line without the middle of what is too long for one: a user's value, a model's words.

    Examples
    --------
    >>> len(_shortened(f"kind '{'x' * 5000}' is none.")), len(_shortened("so " * 5000))
    (98, 1003)
    """
    # Paths stay whole: a user may want to copy them.
    line = LONG_QUOTATION.sub(r"'\1...'", " ".join(map(_short_word, line.split(" "))))
    return line if len(line) <= MOST_IN_LINE else f"{line[:700]}...{line[-300:]}"


def _short_word(word: str) -> str:
    if len(word) <= MOST_SHOWN + 4 or "/" in word:
        return word
    end = word[len(word.rstrip("'\".,:;)")) :]
    return f"{word[:MOST_SHOWN]}...{end[:4]}"
