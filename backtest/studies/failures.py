"""A model that fails: one line for the user, and the traceback in a file."""

import tempfile
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from backtest.model.asking import asked_of
from backtest.types import BacktestError


class ModelFailure(BacktestError):
    """A model of a study raised an error; `traceback_text` is for its author."""

    def __init__(self, message: str, traceback_text: str = "") -> None:
        super().__init__(message)
        self.traceback_text = traceback_text


def failure(error: Exception, names: Sequence[str]) -> BacktestError:
    """The error that a user sees of a model that raised; its own where that is one line already.

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
    traceback_text = "".join(traceback.format_exception(error))
    return ModelFailure(f"{line} ({where})." if where else f"{line}.", traceback_text)


def with_traceback_file(model_failure: ModelFailure, out: Path) -> ModelFailure:
    """The failure with its traceback written to `out`, or to a temporary file, and the file named.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> raised = ModelFailure("model 'x' failed: KeyError: 1.", "...")
    >>> with TemporaryDirectory() as folder:
    ...     words = str(with_traceback_file(raised, Path(folder)))
    >>> words.endswith("-traceback.txt")
    True
    """
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
    file = out / f"{stamp}-traceback.txt"
    try:
        out.mkdir(parents=True, exist_ok=True)
        file.write_text(model_failure.traceback_text, encoding="utf-8")
    except OSError:
        with tempfile.NamedTemporaryFile(
            "w", prefix="backtest-", suffix="-traceback.txt", delete=False, encoding="utf-8"
        ) as elsewhere:
            elsewhere.write(model_failure.traceback_text)
        file = Path(elsewhere.name)
    return ModelFailure(f"{model_failure} Traceback: {file}", model_failure.traceback_text)
