"""Finished blocks of a long computation, kept until all are there, so that it can go on.

A folder `<UTC>_<study>_<hash8>.blocks` holds what all blocks depend on, and a file a block: numpy
arrays and one table of facts, without pickles. The file's name has the sha256 of its content, so a
block is there whole under its name or not at all.
"""

import hashlib
import io
import json
import os
import re
import shutil
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from backtest.interrupts import finished, held
from backtest.model.opened_files import OpenedFile
from backtest.present.folder import lock_folder
from backtest.types import Progress, ResultsError, read_regular, shown

NAME = re.compile(r"block-(\d+)-([0-9a-f]{64})\.npz")
BASIS, ENDING, FACTS, UNIT = "basis.json", ".blocks", "facts", "unit"
MOST_CHANGES = 3  # that one line names
MOST_BYTES = 2**34  # of a block: it came from memory


@dataclass(frozen=True, eq=False)
class Block:
    """A finished block.

    Parameters
    ----------
    arrays : its numbers, by name. facts : what is known beside them, as JSON holds it.
    opened : files that models opened for it.
    """

    arrays: Mapping[str, np.ndarray[Any, Any]]
    facts: Mapping[str, Any]
    opened: frozenset[OpenedFile] = field(default_factory=frozenset)

    def content(self) -> bytes:
        """The block as a file holds it."""
        table = {"facts": self.facts, "opened": [asdict(file) for file in sorted(self.opened)]}
        facts = np.frombuffer(json.dumps(table).encode(), np.uint8)
        file = io.BytesIO()
        np.savez(file, allow_pickle=False, **{FACTS: facts}, **self.arrays)
        return file.getvalue()

    @classmethod
    def of(cls, content: bytes) -> "Block":
        """What `content` made; ValueError, KeyError or BadZipFile of any other bytes.

        Examples
        --------
        >>> again = Block.of(Block({"scores": np.array([0.1, np.nan])}, {"paths": 2}).content())
        >>> again.arrays["scores"], again.facts
        (array([0.1, nan]), {'paths': 2})
        """
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        table = json.loads(arrays.pop(FACTS).tobytes())
        return cls(arrays, table["facts"], frozenset(OpenedFile(**of) for of in table["opened"]))


class KeptBlocks:
    """The finished blocks of a folder.

    Parameters
    ----------
    folder : of the blocks. unit : what a message counts, such as 'paths'. total : of these.
    """

    def __init__(self, folder: Path, unit: str, total: int) -> None:
        self.folder, self.unit, self.total = folder, unit, total
        names = ((NAME.fullmatch(file.name), file) for file in folder.iterdir())
        self._files = {int(name[1]): file for name, file in names if name}
        self._counts: dict[int, int] = {}
        self._said = ""

    @property
    def any(self) -> bool:
        """Whether some block is finished."""
        return bool(self._files)

    def read(self, number: int) -> Block | None:
        """The finished block of this number; None where there is none, or one that is damaged.

        Raises
        ------
        ResultsError : a file that a model opened for it is another by now.
        """
        file = self._files.get(number)
        if file is None:
            return None
        try:
            content = read_regular(file, most=MOST_BYTES)
            if hashlib.sha256(content).hexdigest() != file.stem.split("-")[2]:
                return None
            block = Block.of(content)
        except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile):
            return None
        self._check_opened(block)
        return block

    def add(self, number: int, block: Block, *, count: int = 1) -> None:
        """Keep a finished block; `count` units are in it.

        Raises
        ------
        ResultsError : the disk is full, or the folder is gone.
        """
        content = block.content()
        sha256 = hashlib.sha256(content).hexdigest()
        file = self.folder / f"block-{number:08d}-{sha256}.npz"
        aside = file.with_suffix(".tmp")
        try:
            aside.write_bytes(content)
            with held():  # a block on the disk is one that is counted and named
                os.replace(aside, file)
                former = self._files.get(number)
                if former is not None and former != file:
                    former.unlink(missing_ok=True)
                self._files[number] = file
                self.count(number, count)
        except OSError as error:
            then = f"go on with --resume {self.folder}" if self.any else "start again."
            raise ResultsError(
                f"cannot keep a block in {str(self.folder)!r}: {error.strerror}; mend that, then "
                f"{then}"
            ) from error

    def count(self, number: int, units: int) -> None:
        """Count the units of a finished block, for what is said where the command is ended."""
        self._counts[number] = units
        with suppress(ValueError):
            finished.remove(self._said)
        words = f"{sum(self._counts.values()):,} of {self.total:,} {self.unit}"
        self._said = f"{words}; --resume {self.folder} goes on"
        finished.append(self._said)

    @contextmanager
    def until_stored(self) -> Iterator[None]:
        """Remove the blocks once the `with` has stored their result; where it fails, name them."""
        try:
            yield
        except ResultsError as error:
            raise ResultsError(
                f"{str(error).rstrip('.')}; finished {self.unit} are kept: --resume {self.folder}"
            ) from error
        self.remove()

    def remove(self) -> None:
        """Remove the blocks, and the folder with them unless somebody put more into it."""
        with suppress(ValueError):
            finished.remove(self._said)
        with suppress(OSError), held():
            for file in (*self.folder.glob("block-*"), self.folder / BASIS):
                file.unlink()
            self.folder.rmdir()

    def _check_opened(self, block: Block) -> None:
        """Refuse to go on where a file that a model opened is another by now."""
        for file in block.opened:
            try:
                same = OpenedFile.of(file.name).sha256 == file.sha256
            except OSError:
                same = False
            if not same:
                raise ResultsError(
                    f"{str(self.folder)!r} holds {self.unit} whose model opened {file.name!r}, "
                    "which has changed; put the file back, or start without --resume."
                )


@contextmanager
def kept_blocks(
    out: Path,
    name: str,
    basis: Mapping[str, Any],
    *,
    unit: str,
    total: int,
    resume: Path | None,
    progress: Progress,
) -> Iterator[KeptBlocks]:
    """The finished blocks of a new folder in `out`, or of the one that is gone on with.

    It stays where the block ends early, unless nothing is finished, so that nothing is lost.

    name : of the study, with a hash of the basis. basis : everything that blocks depend on.
    unit, total : what is counted, and how many there will be.

    Raises
    ------
    ResultsError : the folder holds no blocks, those of another command or of other inputs, or
        another process works on it.
    """
    basis = {UNIT: unit, **basis}  # blocks of two commands on one study depend on the same
    if resume is None:
        for left in sorted(out.glob(f"*_{name}{ENDING}")):
            progress(f"finished {unit} of this study are in {left}: --resume {left}", 1.0)
        folder = _new_folder(out, name, basis)
    else:
        folder = resume
        _check_basis(folder, basis, unit)
    try:
        lock = lock_folder(folder)
    except BlockingIOError:
        raise ResultsError(
            f"another process computes the {unit} of {str(folder)!r}; wait for its end."
        ) from None
    kept = KeptBlocks(folder, unit, total)
    progress(f"finished {unit}: --resume {folder} would go on", 1.0)
    try:
        yield kept
    finally:
        with held():
            if resume is None and not kept.any:
                shutil.rmtree(folder, ignore_errors=True)  # made here, so nobody's
            if lock is not None:
                os.close(lock)


def _new_folder(out: Path, name: str, basis: Mapping[str, Any]) -> Path:
    """A folder of blocks that no other run has, with what they depend on."""
    while True:
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
        folder = out / f"{stamp}_{name}{ENDING}"
        with suppress(FileExistsError), held():
            try:
                folder.mkdir(parents=True)
                text = json.dumps(basis, indent=2, default=str)
                (folder / BASIS).write_text(text, encoding="utf-8")
            except FileExistsError:
                raise
            except OSError as error:
                shutil.rmtree(folder, ignore_errors=True)
                raise ResultsError(
                    f"cannot keep blocks in {str(out)!r}: {error.strerror}; choose another with "
                    "--out."
                ) from error
            return folder


def _check_basis(folder: Path, basis: Mapping[str, Any], unit: str) -> None:
    """Refuse blocks of another study, of other prices or of other code, and say what changed."""
    try:
        before = json.loads(read_regular(folder / BASIS))
        if not isinstance(before, dict):
            raise ValueError("no table")
    except (OSError, ValueError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not what a command wrote"
        raise ResultsError(
            f"{str(folder)!r} holds no finished {unit} ({BASIS}: {reason}); give the folder "
            f"'...{ENDING}' that an interrupted command named."
        ) from error
    if before.get(UNIT) != unit:
        raise ResultsError(
            f"{str(folder)!r} holds {shown(before.get(UNIT))} and not {unit}; give it to the "
            "command that named it."
        )
    now = json.loads(json.dumps(basis, default=str))
    changes = list(_changes(before, now))
    if changes:
        more = f" and {len(changes) - MOST_CHANGES} more" if len(changes) > MOST_CHANGES else ""
        raise ResultsError(
            f"{str(folder)!r} holds {unit} of other inputs: {'; '.join(changes[:MOST_CHANGES])}"
            f"{more}. Put that back, or start without --resume."
        )


def _changes(before: Any, now: Any, place: str = "") -> Iterator[str]:
    """What differs between two tables, by dotted name."""
    if isinstance(before, dict) and isinstance(now, dict):
        for key in before | now:
            yield from _changes(before.get(key), now.get(key), f"{place}.{key}".removeprefix("."))
    elif before != now:
        yield f"{place} was {shown(before)} and is {shown(now)}"
