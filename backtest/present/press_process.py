"""The process of a press: `python -m backtest.present.press_process`, asked over pipes."""

import os
import pickle
import sys
import threading
from contextlib import suppress
from queue import SimpleQueue
from typing import Any

from backtest.present.press import answer_to
from backtest.present.rendering import load_writers


def read_requests(requests: "SimpleQueue[Any]") -> None:
    """Read requests from a thread, so that the process ends at once where who asks was killed."""
    with suppress(EOFError, OSError):
        while True:
            requests.put(pickle.load(sys.stdin.buffer))
    os._exit(0)


def serve() -> None:
    """Answer each request; what is printed meanwhile goes where errors go."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    requests: SimpleQueue[Any] = SimpleQueue()
    threading.Thread(target=read_requests, args=(requests,), daemon=True).start()
    load_writers()
    with suppress(BrokenPipeError):
        while True:
            pickle.dump(answer_to(requests.get()), answers)
            answers.flush()


if __name__ == "__main__":
    serve()
