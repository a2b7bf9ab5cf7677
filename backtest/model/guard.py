"""Code of a user's own while it runs: it ends neither the program nor the wait for it unsaid.

A module may call `sys.exit` or `os._exit`, where the command would end with code 0 and without a
result; wait for ever as it is imported; or leave the program in another folder.
"""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

from backtest.types import StudyError

SECONDS_TO_LOAD = 60.0  # libraries of machine learning take twenty
SECONDS_TO_OBEY = 5.0  # then a module that caught its own time-out is ended

_end_process = os._exit


class _TooLong(BaseException):
    """Raised in code that loads for too long; code may well catch an Exception."""


@contextmanager
def contained() -> Iterator[None]:
    """What would end the program is a RuntimeError; afterwards the present folder is as before.

    A KeyboardInterrupt stays one: it is the user's.

    Examples
    --------
    >>> try:
    ...     with contained():
    ...         os._exit(0)
    ... except RuntimeError as error:
    ...     print(error)
    it left with exit code 0
    """
    process, thread, outer = os.getpid(), threading.get_ident(), os._exit
    folder = None

    def leave(status: int) -> NoReturn:
        # Children of a fork, and the thread that watches over a worker, have to end like this.
        if (os.getpid(), threading.get_ident()) != (process, thread):
            _end_process(status)
        raise SystemExit(status)

    with suppress(OSError):  # it may be gone
        folder = os.getcwd()
    os._exit = leave
    try:
        yield
    except SystemExit as error:
        raise RuntimeError(f"it left with exit code {error.code!r}") from error
    except KeyboardInterrupt:
        raise
    except Exception as error:
        try:
            str(error)
        except Exception:
            raise RuntimeError(f"{type(error).__name__}, whose text cannot be written") from None
        raise
    except BaseException as error:  # such as a panic of Rust code
        raise RuntimeError(f"{type(error).__name__}: {error}") from error
    finally:
        os._exit = outer
        if folder is not None:
            with suppress(OSError):
                os.chdir(folder)


@contextmanager
def time_limit(what: str) -> Iterator[None]:
    """Raise StudyError where the code inside takes longer than `SECONDS_TO_LOAD`.

    Only Python's main thread can be told; in others code may take as long as it likes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    message = (
        f"{what} was not done after {SECONDS_TO_LOAD:g} s; move what takes long, or waits, from "
        "the module into `margin`."
    )
    told: list[int] = []

    def tell(number: int, frame: FrameType | None) -> NoReturn:
        if told:
            os.write(2, f"backtest: {message}\n".encode())
            _end_process(2)
        told.append(number)
        raise _TooLong

    handler = signal.signal(signal.SIGALRM, tell)
    timer = signal.setitimer(signal.ITIMER_REAL, SECONDS_TO_LOAD, SECONDS_TO_OBEY)
    try:
        yield
    except _TooLong:
        raise StudyError(message) from None
    finally:
        signal.setitimer(signal.ITIMER_REAL, *timer)
        signal.signal(signal.SIGALRM, handler)
