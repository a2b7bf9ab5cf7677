"""Finished cells of a grid, kept until all are there, so that an interrupted one can go on.

A folder `<UTC>_<study>-grid_<hash8>.cells` holds what all cells depend on, and two files a cell.
"""

import hashlib
import io
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import TypeAdapter

from backtest.interrupts import finished, held
from backtest.model.opened_files import OpenedFile
from backtest.present.folder import lock_folder
from backtest.studies.grid.cell import FAILED, CellResult, Facts
from backtest.types import ResultsError, read_regular, shown

BASIS, ENDING = "grid.json", ".cells"
MOST_CHANGES = 3  # that one line names


class KeptCells:
    """The finished cells of a folder, by number.

    Parameters
    ----------
    folder : of the cells. total : cells of the grid.
    """

    def __init__(self, folder: Path, total: int) -> None:
        self.folder, self.total = folder, total
        self.facts: dict[int, Facts] = {}
        for number in range(1, total + 1):
            with suppress(OSError, ValueError, KeyError, TypeError):  # half written is not finished
                facts = self._read(number)
                _check_opened(folder, facts)
                self.facts[number] = facts

    def add(self, number: int, result: CellResult) -> None:
        """Keep a finished cell: the table first, then its facts with the table's hash.

        Raises
        ------
        ResultsError : the disk is full, or the folder is gone.
        """
        content = io.BytesIO()
        result.table.to_parquet(content, index=False, compression="zstd")
        table = content.getvalue()
        facts = asdict(result.facts) | {"table": hashlib.sha256(table).hexdigest()}
        try:
            self._write(self._file(number, "parquet"), table)
            with held():  # a cell on the disk is one that is counted and named
                self._write(self._file(number, "json"), json.dumps(facts).encode())
                self.facts[number] = self._read(number)
                words = f"{len(self.facts)} of {self.total} cells"
                finished.append(f"{words}; --resume {self.folder} goes on")
        except OSError as error:
            raise ResultsError(
                f"cannot keep a cell in {str(self.folder)!r}: {error.strerror}; make room, then go "
                f"on with --resume {self.folder}"
            ) from error

    def table(self) -> pd.DataFrame:
        """The rows of all cells, in their order, the reasons of those without numbers last."""
        files = (self._file(number, "parquet") for number in sorted(self.facts))
        table = pd.concat([pd.read_parquet(file) for file in files], ignore_index=True)
        return table[[*table.columns.drop(FAILED), FAILED]]

    def remove(self) -> None:
        """Remove the cells, and the folder with them unless somebody put more into it."""
        with suppress(OSError), held():
            for file in (*self.folder.glob("cell-*"), self.folder / BASIS):
                file.unlink()
            self.folder.rmdir()

    def _file(self, number: int, kind: str) -> Path:
        return self.folder / f"cell-{number:04d}.{kind}"

    def _read(self, number: int) -> Facts:
        """Facts of a finished cell; ValueError where its table is not the one that was written."""
        entries = json.loads(read_regular(self._file(number, "json")))
        table = read_regular(self._file(number, "parquet"))
        if entries.pop("table") != hashlib.sha256(table).hexdigest():
            raise ValueError("another table")
        return TypeAdapter(Facts).validate_python(entries)

    def _write(self, file: Path, content: bytes) -> None:
        aside = file.with_name(f"{file.name}.tmp")
        aside.write_bytes(content)
        with held():
            os.replace(aside, file)


@contextmanager
def kept_cells(
    out: Path, name: str, basis: Mapping[str, Any], *, total: int, resume: Path | None
) -> Iterator[KeptCells]:
    """The finished cells of a new folder in `out`, or of the one that is gone on with.

    It stays where the block ends early, unless no cell is finished, so that nothing is lost.

    basis : everything that the cells depend on, as tables.

    Raises
    ------
    ResultsError : the folder holds no cells, cells of other inputs, or another process works on it.
    """
    if resume is None:
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
        folder = out / f"{stamp}_{name}{ENDING}"
        with held():
            folder.mkdir(parents=True)
            (folder / BASIS).write_text(json.dumps(basis, indent=2, default=str), encoding="utf-8")
    else:
        folder = resume
        _check_basis(folder, basis)
    try:
        lock = lock_folder(folder)
    except BlockingIOError:
        raise ResultsError(
            f"another process computes the cells of {str(folder)!r}; wait for its end."
        ) from None
    kept = None
    try:
        kept = KeptCells(folder, total)
        yield kept
    finally:
        with held():
            if resume is None and (kept is None or not kept.facts):
                shutil.rmtree(folder, ignore_errors=True)  # made here, so nobody's
            if lock is not None:
                os.close(lock)


def _check_basis(folder: Path, basis: Mapping[str, Any]) -> None:
    """Refuse cells of another study, of other prices or of other code, and say what changed."""
    try:
        before = json.loads(read_regular(folder / BASIS))
        if not isinstance(before, dict):
            raise ValueError("no table")
    except (OSError, ValueError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not what a grid wrote"
        raise ResultsError(
            f"{str(folder)!r} holds no cells of a grid ({BASIS}: {reason}); give the folder "
            f"'...{ENDING}' that an interrupted grid named."
        ) from error
    now = json.loads(json.dumps(basis, default=str))
    changes = list(_changes(before, now))
    if changes:
        more = f" and {len(changes) - MOST_CHANGES} more" if len(changes) > MOST_CHANGES else ""
        raise ResultsError(
            f"{str(folder)!r} holds cells of other inputs: {'; '.join(changes[:MOST_CHANGES])}"
            f"{more}. Put that back, or run the grid without --resume."
        )


def _changes(before: Any, now: Any, place: str = "") -> Iterator[str]:
    """What differs between two tables, by dotted name."""
    if isinstance(before, dict) and isinstance(now, dict):
        for key in before | now:
            yield from _changes(before.get(key), now.get(key), f"{place}.{key}".removeprefix("."))
    elif before != now:
        yield f"{place} was {shown(before)} and is {shown(now)}"


def _check_opened(folder: Path, facts: Facts) -> None:
    """Refuse to go on where a file that a model opened is another by now."""
    for file in facts.opened:
        try:
            same = OpenedFile.of(file.name).sha256 == file.sha256
        except OSError:
            same = False
        if not same:
            raise ResultsError(
                f"{str(folder)!r} holds cells whose model opened {file.name!r}, which has changed; "
                "put the file back, or run the grid without --resume."
            )
