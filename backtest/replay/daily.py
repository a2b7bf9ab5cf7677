"""Daily numbers of a study, kept by blocks of portfolios: in memory, or in a file where many."""

import os
import weakref
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryFile, gettempdir

import numpy as np
import pandas as pd

from backtest.replay.scorecard import blocks
from backtest.types import DaysByPortfolios, FloatArray, ResultsError

QUANTITIES = ("required", "held", "call", "shortfall")
IN_MEMORY = 2**30  # bytes of daily numbers; more go to a file
NUMBER = np.dtype(np.float64).itemsize


class Daily:
    """(days, portfolios) USD of every quantity and model, written and read by blocks.

    A file has no name, so that the system removes it with the process, however that ends.

    Parameters
    ----------
    days, portfolios : labels of rows and columns. models : names. width : portfolios a block.

    Examples
    --------
    >>> daily = Daily(pd.date_range("2024-01-02", periods=2), ["a", "b", "c"], ["var"], width=2)
    >>> for block, columns in enumerate(daily.blocks):
    ...     daily.put("held", "var", block, np.arange(6.0).reshape(2, 3)[:, columns])
    >>> daily.array("held", "var").tolist()
    [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]
    """

    def __init__(
        self,
        days: pd.DatetimeIndex,
        portfolios: Sequence[str],
        models: Sequence[str],
        *,
        width: int,
    ) -> None:
        self.days, self.portfolios, self.models = days, pd.Index(portfolios), tuple(models)
        self.blocks = list(blocks(len(portfolios), width))
        self._arrays: dict[tuple[str, str, int], FloatArray] = {}
        self._last: tuple[tuple[str, str], FloatArray] | None = None
        size = size_of_daily(len(days), len(portfolios), len(models))
        self._file = None if size <= IN_MEMORY else TemporaryFile(dir=scratch_folder())
        if self._file is not None:
            weakref.finalize(self, self._file.close)

    def put(self, quantity: str, model: str, block: int, values: DaysByPortfolios) -> None:
        """Keep one block of one quantity of one model.

        Raises
        ------
        ResultsError : the file cannot be written.
        """
        if self._file is None:
            self._arrays[quantity, model, block] = values
            return
        try:
            self._file.seek(self._offset(quantity, model, block))
            self._file.write(np.ascontiguousarray(values).data)
            self._file.flush()
        except OSError as error:
            raise ResultsError(
                f"cannot keep daily numbers in {str(scratch_folder())!r}: {error.strerror}; set "
                "TMPDIR to a folder with more room."
            ) from error

    def put_all(self, quantity: str, model: str, values: DaysByPortfolios) -> None:
        """Keep all blocks of one quantity of one model."""
        for block, columns in enumerate(self.blocks):
            self.put(quantity, model, block, values[:, columns])

    def block(self, quantity: str, model: str, block: int) -> DaysByPortfolios:
        """One block, (days, portfolios of the block)."""
        if self._file is None:
            return self._arrays[quantity, model, block]
        shape = len(self.days), self.blocks[block].stop - self.blocks[block].start
        self._file.seek(self._offset(quantity, model, block))
        content = self._file.read(shape[0] * shape[1] * NUMBER)
        return np.frombuffer(content).reshape(shape)

    def array(self, quantity: str, model: str) -> DaysByPortfolios:
        """All blocks side by side, (days, portfolios); the last one asked for is kept."""
        if self._last is None or self._last[0] != (quantity, model):
            self._last = None  # let go before the next is read
            values = np.empty((len(self.days), len(self.portfolios)))
            for block, columns in enumerate(self.blocks):
                values[:, columns] = self.block(quantity, model, block)
            self._last = (quantity, model), values
        return self._last[1]

    def frames(self, quantity: str) -> "DailyFrames":
        """A frame by model."""
        return DailyFrames(self, quantity)

    def _offset(self, quantity: str, model: str, block: int) -> int:
        """Where a block begins in the file: one table after another, each by blocks."""
        table = QUANTITIES.index(quantity) * len(self.models) + self.models.index(model)
        before = table * len(self.portfolios) + self.blocks[block].start
        return before * len(self.days) * NUMBER


class DailyFrames(Mapping[str, pd.DataFrame]):
    """One quantity as a (days x portfolios) frame by model, each read when it is asked for."""

    def __init__(self, daily: Daily, quantity: str) -> None:
        self._daily, self._quantity = daily, quantity

    def __getitem__(self, model: str) -> pd.DataFrame:
        if model not in self._daily.models:
            raise KeyError(model)
        values = self._daily.array(self._quantity, model)
        return pd.DataFrame(
            values, index=self._daily.days, columns=self._daily.portfolios, copy=False
        )

    def __iter__(self) -> Iterator[str]:
        return iter(self._daily.models)

    def __len__(self) -> int:
        return len(self._daily.models)


def size_of_daily(days: int, portfolios: int, models: int) -> int:
    """Bytes of the daily numbers of a study.

    Examples
    --------
    >>> size_of_daily(2_500, 10_000, 4) / 1e9
    3.2
    """
    return days * portfolios * models * len(QUANTITIES) * NUMBER


def scratch_folder() -> Path:
    """Folder of large unnamed files: TMPDIR where it is set, else one on disk before one in memory.

    Many systems keep /tmp in memory, which is what the file is to spare.
    """
    on_disk = Path("/var/tmp")
    if "TMPDIR" not in os.environ and on_disk.is_dir() and os.access(on_disk, os.W_OK | os.X_OK):
        return on_disk
    return Path(gettempdir())
