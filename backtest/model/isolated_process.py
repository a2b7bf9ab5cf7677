"""The process of an isolated model: `python -m backtest.model.isolated_process`, asked by a pipe.

It is told one day after another and answers with the last row of what the model gives for the
market up to there. It may not write files, reach the network or start processes, so that nothing
of one history is left for the next. Python's audit hooks enforce that, which stop a careless model
and a curious one, but are no wall: code that calls the system by itself gets around them.
"""

import os
import pickle
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from backtest.book.book import Book
from backtest.book.coverage import Coverage
from backtest.estimators.fits import Certificates, counting_fits
from backtest.market.market import Market
from backtest.model.asking import answer_of, can_travel, required_margin
from backtest.model.opened_files import OpenedFile, recording, watched
from backtest.model.protocol import Parts

REFUSED = ("os.", "socket.", "subprocess.", "shutil.", "sqlite3.", "pty.")
HARMLESS = ("os.listdir", "os.scandir", "os.walk", "os.fwalk", "os.listxattr", "os.getxattr")
COMPILED = ("__pycache__", "kernels-")  # folders of machine code, in which numba writes


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    """Refuse what changes anything outside the process."""
    if event == "open":
        path, mode, flags = arguments
        writes = flags & os.O_ACCMODE != os.O_RDONLY if mode is None else set(mode) & set("wax+")
        if not writes or isinstance(path, int) or os.fsdecode(path) == os.devnull:
            return
        arguments = (path,)
    elif not event.startswith(REFUSED) or event in HARMLESS:
        return
    places = [os.fsdecode(a) for a in arguments if isinstance(a, (str, bytes, os.PathLike))]
    if not places or not all(map(_is_machine_code, places)):
        raise PermissionError(f"an isolated model may not do this: {event} {arguments}")


def _is_machine_code(place: str) -> bool:
    """Whether a place lies in a folder in which numba keeps compiled functions."""
    return any(part.startswith(COMPILED) for part in Path(place).parts[-3:])


class _History:
    """The days told so far."""

    def __init__(self, first: Market) -> None:
        self.market = first

    def tell(self, date: np.datetime64, levels: np.ndarray, traded: np.ndarray | None) -> None:
        """Add a day, unless it is the last one already."""
        market = self.market
        if date == market.dates[-1]:
            return
        both = None
        if market.traded is not None and traded is not None:
            both = np.vstack([market.traded, traded])
        self.market = replace(
            market,
            dates=np.append(market.dates, date),
            levels=np.vstack([market.levels, levels]),
            traded=both,
        )


def _last_row(model: Any, method: str, market: Market, book: Book, coverage: Coverage) -> Any:
    """The last row of the margin, or of the parts."""
    if method == "margin":
        return required_margin(model, market, book, coverage)[-1]
    parts: Parts = answer_of(model, "parts", market, book, coverage)
    steps = {step: values[-1] for step, values in parts.steps.items()}
    return Parts(parts.silos, parts.by_silo[-1], steps)


def serve() -> None:
    """Answer until told None."""
    # What a model prints must not end among the answers: it goes where errors go.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    questions = sys.stdin.buffer

    def answer(message: Any) -> None:
        pickle.dump(message, answers)
        answers.flush()

    steps, pickled, method, past, book, coverage = pickle.load(questions)
    for function, arguments in steps:  # what names mean, and whence code comes, as in a worker
        function(*arguments)
    opened: set[OpenedFile] = set()
    fits: Certificates = {}
    with recording(opened):
        sys.addaudithook(_hook)
        try:
            with watched():
                model = pickle.loads(pickled)
        except Exception as error:
            answer(error if can_travel(error) else RuntimeError(f"{type(error)}: {error}"))
            return
        history = _History(past)
        answer(None)
        while (day := pickle.load(questions)) is not None:
            history.tell(*day)
            try:
                # The fits of the last day are those of the whole history, each counted once.
                with watched(), counting_fits() as fits:
                    answer(_last_row(model, method, history.market, book, coverage))
            except Exception as error:
                answer(error if can_travel(error) else RuntimeError(f"{type(error)}: {error}"))
    answer((opened, fits))


if __name__ == "__main__":
    with suppress(EOFError, BrokenPipeError):  # who asked was killed
        serve()
