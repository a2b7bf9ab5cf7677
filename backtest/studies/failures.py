"""A model that fails: one line and a traceback in a file, or left out where the study allows it."""

import tempfile
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from backtest.model.protocol import asked_of
from backtest.types import BacktestError


class ModelFailure(BacktestError):
    """A model of a study raised: what, where, and the traceback in `story`."""

    def __init__(self, message: str, story: str = "") -> None:
        super().__init__(message)
        self.story = story


def failure(error: Exception, names: Sequence[str]) -> BacktestError:
    """What is said of a model that raised; its own words where they are one line already.

    Parameters
    ----------
    error : marked by the model that was asked (see `asked_of`). names : of that model in the study.
    """
    if isinstance(error, BacktestError):
        return error
    who = f"model {' and '.join(map(repr, names))}" if names else f"the model {asked_of(error)}"
    notes = getattr(error, "__notes__", [])
    where = "; ".join(note for note in notes if not note.startswith(who))
    line = f"{who} failed: {type(error).__name__}: {str(error).strip() or 'no message'}"
    story = "".join(traceback.format_exception(error))
    return ModelFailure(f"{line} ({where})." if where else f"{line}.", story)


def with_story(told: ModelFailure, out: Path) -> ModelFailure:
    """The failure with its traceback written to `out`, or to a temporary file, and the file named.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     told = with_story(ModelFailure("model 'x' failed: KeyError: 1.", "..."), Path(folder))
    >>> str(told).endswith("-traceback.txt")
    True
    """
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
    file = out / f"{stamp}-traceback.txt"
    try:
        out.mkdir(parents=True, exist_ok=True)
        file.write_text(told.story, encoding="utf-8")
    except OSError:
        with tempfile.NamedTemporaryFile(
            "w", prefix="backtest-", suffix="-traceback.txt", delete=False, encoding="utf-8"
        ) as elsewhere:
            elsewhere.write(told.story)
        file = Path(elsewhere.name)
    return ModelFailure(f"{told} Traceback: {file}", told.story)
