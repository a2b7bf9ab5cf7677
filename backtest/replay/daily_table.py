"""The daily numbers of a study as one long table: a row a (model, date, portfolio)."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from backtest.replay.daily import QUANTITIES, Daily
from backtest.types import FloatArray, Progress, ResultsError, counted, unheard

if TYPE_CHECKING:
    import pyarrow as pa

    from backtest.replay.study import Study

COLUMNS = ("date", "model", "portfolio", *QUANTITIES, "loss")
ROWS = 2**20  # written or read at a time


def daily_tables(study: "Study") -> Iterator[pd.DataFrame]:
    """The rows of `Study.to_frame` in pieces of some `ROWS`, each of one model and whole days."""
    days, portfolios = study.loss.index.to_numpy(), list(study.loss.columns)
    step = max(1, ROWS // len(portfolios))
    models = pd.CategoricalDtype(list(study.models))
    books = pd.CategoricalDtype(portfolios)
    frames: list[FloatArray] = []
    for number, model in enumerate(study.models):
        frames.clear()  # let go before the next model is read
        frames += (getattr(study, name)[model].to_numpy() for name in QUANTITIES)
        for start in range(0, len(days), step):
            rows = slice(start, start + step)
            count = len(days[rows])
            codes = np.tile(np.arange(len(portfolios)), count)
            yield pd.DataFrame(
                {
                    "date": np.repeat(days[rows], len(portfolios)),
                    # As text, names would take more room than the numbers.
                    "model": pd.Categorical.from_codes(np.full(len(codes), number), dtype=models),
                    "portfolio": pd.Categorical.from_codes(codes, dtype=books),
                    **{
                        name: values[rows].ravel()
                        for name, values in zip(QUANTITIES, frames, strict=True)
                    },
                    "loss": study.loss.to_numpy()[rows].ravel(),
                }
            )


def write_daily(study: "Study", file: Path, *, progress: Progress = unheard) -> None:
    """Write the table piece by piece, so that no more than one model is in memory.

    progress : told of the stage 'writing'.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    writer = None
    try:
        pieces = daily_tables(study)
        for piece in counted(progress, "writing", pieces, len(study.models)):
            table = pa.Table.from_pandas(piece, preserve_index=False)
            # A dictionary of daily numbers, no two alike, would cost time and room.
            writer = writer or pq.ParquetWriter(
                file,
                table.schema,
                compression="zstd",
                use_dictionary=["date", "model", "portfolio"],
            )
            writer.write_table(table)
    finally:
        if writer is not None:
            writer.close()


def read_daily(
    file: Path, models: Sequence[str], portfolios: Sequence[str], *, width: int
) -> tuple[Daily, pd.DataFrame]:
    """The daily numbers that `write_daily` wrote, one model in memory at a time, and the loss.

    models, portfolios : as the rows are ordered. width : portfolios a block of what is read.

    Raises
    ------
    ResultsError : the rows are not those of these models and portfolios, day by day.
    """
    import pyarrow.parquet as pq

    # What is read ahead stays until the last row is read: in the end it is the whole file.
    with pq.ParquetFile(file, pre_buffer=False) as stored:
        days, rest = divmod(stored.metadata.num_rows, max(1, len(models) * len(portfolios)))
        if rest or not days:
            raise _other_rows(file)
        rows = days * len(portfolios)
        dates, loss = np.empty(days, dtype="M8[s]"), np.empty(rows)
        daily: Daily | None = None
        values: dict[str, FloatArray] = {}
        for number, first, piece in _cut(stored.iter_batches(ROWS, columns=list(COLUMNS)), rows):
            if first == 0:
                values.clear()  # let go before the next model is read
                values |= {name: np.empty(rows) for name in QUANTITIES}
            here = slice(first, first + len(piece))
            day, place = np.divmod(np.arange(here.start, here.stop), len(portfolios))
            if number == 0:
                dates[day[place == 0]] = piece["date"].to_numpy()[place == 0]
            if (
                (_places(piece["model"], models) != number).any()
                or (_places(piece["portfolio"], portfolios) != place).any()
                or (piece["date"].to_numpy() != dates[day]).any()
            ):
                raise _other_rows(file)
            for name, target in values.items():
                target[here] = piece[name].to_numpy()
            lost = piece["loss"].to_numpy(dtype=np.float64)
            if number == 0:
                loss[here] = lost
            elif not np.array_equal(lost, loss[here], equal_nan=True):  # of all models the same
                raise _other_rows(file)
            if here.stop == rows:
                daily = daily or Daily(pd.DatetimeIndex(dates), portfolios, models, width=width)
                for name, array in values.items():
                    daily.put_all(name, models[number], array.reshape(days, -1))
    if daily is None:
        raise _other_rows(file)
    frame = pd.DataFrame(
        loss.reshape(days, -1), index=daily.days, columns=daily.portfolios, copy=False
    )
    return daily, frame


def _cut(batches: Iterable["pa.RecordBatch"], rows: int) -> Iterator[tuple[int, int, pd.DataFrame]]:
    """Pieces with the number of their model, of `rows` each, and their first row in it."""
    position = 0
    for batch in batches:
        table = batch.to_pandas()
        while len(table):
            number, first = divmod(position, rows)
            piece, table = table.iloc[: rows - first], table.iloc[rows - first :]
            yield number, first, piece
            position += len(piece)


def _places(column: pd.Series, names: Sequence[str]) -> NDArray[np.intp]:
    """Place of each row's name among `names`; -1 where it is none of them."""
    labels = pd.Categorical(column)
    places = np.append(pd.Index(names).get_indexer(labels.categories), -1)
    return np.asarray(places[labels.codes])


def _other_rows(file: Path) -> ResultsError:
    return ResultsError(
        f"{str(file)!r} does not hold a row for each model, day and portfolio of the study; put "
        "the file back or run the study again."
    )
