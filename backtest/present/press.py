"""A second process that turns drawings into files, while this one computes and draws the next.

It is started with a command, so that it has loaded matplotlib when the first figure is drawn. What
it writes is what this process would write, byte for byte, so it does not matter who takes a file.
"""

import pickle
import select
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import cloudpickle

from backtest.interrupts import held, start_shielded
from backtest.present.rendering import KINDS, file_of
from backtest.present.sheet import Caption
from backtest.types import ResultsError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Drawn = tuple[str, "Figure", Caption]  # name, matplotlib's figure, its words


class Press:
    """The process: one file at a time, its content asked for and fetched over pipes."""

    def __init__(self, child: "subprocess.Popen[bytes]") -> None:
        assert child.stdin is not None and child.stdout is not None
        self._child, self._asks, self._gives = child, child.stdin, child.stdout
        self._file = ""  # that it is at work on

    def is_free(self) -> bool:
        """Whether a file can be asked for without a wait."""
        return not self._file or bool(select.select([self._gives], [], [], 0.0)[0])

    def begin(self, drawing: bytes, kind: str, name: str, caption: Caption) -> None:
        """Ask for a file of a pickled drawing; the file before must have been fetched."""
        self._file = f"{name}.{kind}"
        try:
            pickle.dump((drawing, kind, name, caption), self._asks)
            self._asks.flush()
        except OSError as error:
            raise self._ended() from error

    def fetch(self) -> Iterator[tuple[str, bytes]]:
        """Name and content of the file that was begun, once it is there; nothing if none was."""
        if not self._file:
            return
        try:
            content = pickle.load(self._gives)
        except (EOFError, pickle.UnpicklingError) as error:  # the latter of half an answer
            raise self._ended() from error
        if isinstance(content, Exception):
            content.add_note(f"figure {self._file}, in the process that writes figures")
            raise content
        name, self._file = self._file, ""
        yield name, content

    def _ended(self) -> ResultsError:
        code = self._child.wait()
        return ResultsError(
            f"the process that writes figures ended with code {code} at {self._file}; memory may "
            "have run out. Run the command again with more."
        )


@contextmanager
def second_press() -> Iterator[Press | None]:
    """A press until the block's end; none where the machine has one core."""
    import joblib

    if joblib.cpu_count() < 2:
        yield None
        return
    child = start_shielded("backtest.present.press_process")
    try:
        yield Press(child)
    finally:
        with held():
            child.kill()
            child.wait()
            for pipe in (child.stdin, child.stdout):
                with suppress(OSError):  # what the process did not read is of no use
                    if pipe is not None:
                        pipe.close()


def files_of(drawings: Iterable[Drawn], press: Press | None) -> Iterator[tuple[str, bytes]]:
    """Name and content of each file of each drawing: the press takes one whenever it is free.

    drawings : drawn one by one, while the press is at work.
    """
    for name, drawing, caption in drawings:
        pickled = b"" if press is None else cloudpickle.dumps(drawing)
        for kind in KINDS:
            if press is not None and press.is_free():
                yield from press.fetch()
                press.begin(pickled, kind, name, caption)
            else:
                yield f"{name}.{kind}", file_of(drawing, kind, name, caption)
    if press is not None:
        yield from press.fetch()


def answer_to(request: tuple[bytes, str, str, Caption]) -> Any:
    """What the press answers: the content of a file, or what went wrong."""
    drawing, kind, name, caption = request
    try:
        return file_of(pickle.loads(drawing), kind, name, caption)
    except Exception as error:
        with suppress(Exception):  # one that cannot be sent is told in words
            pickle.loads(pickle.dumps(error))
            return error
        return RuntimeError(f"{type(error).__name__}: {error}")
