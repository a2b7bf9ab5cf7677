"""Files of a folder in other layouts than the project's own: which of them holds a factor."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from backtest.data.columns import FactorColumn, factor_column
from backtest.data.layouts.held import Reading
from backtest.data.layouts.how import AS_FRACTION, AS_PRICE, IN_PERCENT, How
from backtest.data.layouts.reading import read_bytes
from backtest.types import DataError, read_regular

ENDINGS = (".csv", ".txt", ".parquet", ".xlsx", ".xlsm", ".xls", ".zip", ".gz")
SAME = 1e-9  # relative; two files that differ by less say the same of a day
MOST_FILES = 2_000  # beyond them a folder is no folder of prices


def files_in(folder: Path) -> list[Path]:
    """The files of a folder that may hold prices, by name."""
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in ENDINGS)


@dataclass
class Foreign:
    """The files of a folder, each read once, as recognised or as a study says.

    Parameters
    ----------
    hows : by file name, what the study says of it.
    """

    folder: Path
    hows: Mapping[str, How] = field(default_factory=dict)
    readings: dict[str, Reading] = field(default_factory=dict)
    hashes: dict[str, str] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in self.hows:
            if not (self.folder / name).is_file():
                raise DataError(f"data.files names {name!r}, which {self.folder.name}/ has not.")

    def read(self, path: Path) -> Reading:
        """One file; DataError where it cannot be read."""
        if path.name not in self.readings:
            try:
                raw = read_regular(path)
            except OSError as error:
                raise DataError(f"cannot read {str(path)!r}: {error.strerror}.") from error
            self.hashes[path.name] = hashlib.sha256(raw).hexdigest()
            self.readings[path.name] = read_bytes(raw, path.name, self.hows.get(path.name))
        return self.readings[path.name]

    def holders(self, factor: str, *, own: str = "") -> list[Reading]:
        """The readings that hold a factor: those of which the study speaks come before others.

        own : file that the factor has in the project's own layout; it comes before others too.
        """
        said = [self.folder / name for name in self.hows]
        first = [self.folder / own] if own and (self.folder / own).is_file() else []
        for paths in (said, first, files_in(self.folder)[:MOST_FILES]):
            found = [r for r in map(self._tried, paths) if r is not None and factor in r.places]
            if found:
                return found
        return []

    def _tried(self, path: Path) -> Reading | None:
        if path.name not in self.readings and path.name not in self.reasons:
            try:
                self.read(path)
            except DataError as error:
                if path.name in self.hows:
                    raise
                self.reasons[path.name] = str(error)
        return self.readings.get(path.name)

    def column(self, factor: str, place: FactorColumn) -> tuple[pd.Series, FactorColumn]:
        """Values of a factor in the unit of the project's own files, and where they are.

        Files that follow each other, such as one a year or a month, are joined.

        Raises
        ------
        DataError : no file holds the factor, two do, or its unit is not said.
        """
        holders = self.holders(factor, own=place.file)
        if not holders:
            raise DataError(self._not_found(factor, place))
        pieces = [self.of(reading, factor, place)[0] for reading in holders]
        joined = pieces[0] if len(pieces) == 1 else _joined(factor, holders, pieces)
        file, heading = holders[0].file, holders[0].heading(factor)
        return joined.rename(heading), replace(place, file=file, column=heading)

    def of(
        self, reading: Reading, factor: str, place: FactorColumn | None = None
    ) -> tuple[pd.Series, FactorColumn]:
        """Values of a factor in one file, in the unit of the project's own files."""
        place = place or factor_column(factor)
        column, _ = reading.values(factor)
        heading = reading.heading(factor)
        values = (column * _share(reading, factor, place)).rename(heading)
        return values, replace(place, file=reading.file, column=heading)

    def _not_found(self, factor: str, place: FactorColumn) -> str:
        words = f"{self.folder.name}/ has no {place.file}; add it or leave its factor out."
        if place.file in self.reasons:
            return self.reasons[place.file]
        found = sorted(
            {name for r in self.readings.values() for name in r.factors if len(name) < 12}
        )
        if found:
            words += f" Its files hold {', '.join(found[:12])}{', ...' if len(found) > 12 else ''}."
        for file, reason in self.reasons.items():
            return f"{words} {file} was not read: {reason}"
        return words

    def lines(self, factors: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
        """How each file was read, of the factors taken from it."""
        return {file: self.readings[file].line(names) for file, names in factors.items()}


def _joined(factor: str, holders: list[Reading], pieces: list[pd.Series]) -> pd.Series:
    """One series of files that follow each other, or say the same of their common days."""
    whole = pd.concat(pieces)
    twice = whole[whole.index.duplicated(keep=False)]
    by_day = twice.groupby(level=0)
    differs = (by_day.max() - by_day.min()) > SAME * by_day.max().abs()
    if differs.any():
        names = " and ".join(reading.file for reading in holders[:2])
        day = differs.index[int(np.argmax(differs.to_numpy()))]
        raise DataError(
            f"{factor} is in {len(holders)} files ({names}) with different values "
            f"({day:%Y-%m-%d}, say); name one of them in data.files, or move the others away."
        )
    return whole[~whole.index.duplicated()].sort_index()


def _share(reading: Reading, factor: str, place: FactorColumn) -> float:
    """What the values are multiplied by to have the unit of the project's own files."""
    unit = reading.unit(factor)
    if not unit:
        raise DataError(
            f"{reading.file}: nobody says in what unit {factor} is; say unit in "
            f"[data.files.{reading.file!r}]."
        )
    units = AS_PRICE
    if place.unit == "percent":
        units = IN_PERCENT
    elif place.form == "funding":
        units = AS_FRACTION
    if unit not in units:
        raise DataError(
            f"{reading.file}: {factor} cannot be in {unit}; give one of {', '.join(units)} in "
            f"[data.files.{reading.file!r}]."
        )
    return units[unit]
