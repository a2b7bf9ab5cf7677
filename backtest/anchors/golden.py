"""Files of others' inputs and printed answers, where a user has them: found by name, and read."""

import csv
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from backtest.anchors.anchor import AnchorSet, is_missing
from backtest.types import DataError, read_regular, shown

INSIDE = "anchors"  # a folder of series may have its anchors in one of this name
OR = " or "  # between a file's name and one that will do in its place


@dataclass(frozen=True)
class Held:
    """A set whose data may not ship.

    Parameters
    ----------
    title : what it is. main : name of the file that leads, with one '*', in any number of versions.
    beside : names of the further files that a version needs, given what the star stands for.
    read : the set of one version, from the paths of its files by name, `main` first.
    """

    title: str
    main: str
    beside: Callable[[str], tuple[str, ...]]
    read: Callable[[str, list[Path]], AnchorSet]

    def star(self, path: Path) -> str:
        """What the star of `main` stands for in a path; nothing where there is no star.

        Examples
        --------
        >>> held = Held("", "simm/ore_*_crif.csv", lambda star: (), lambda star, paths: None)
        >>> held.star(Path("there/simm/ore_simm26_crif.csv"))
        'simm26'
        """
        before, _, after = re.sub(r"\[.*?\]", "", self.main.rpartition("/")[2]).partition("*")
        return path.name[len(before) : len(path.name) - len(after)]


@dataclass(frozen=True)
class Golden:
    """A folder in the layout of the held sets, and those that belong to it."""

    folders: tuple[Path, ...]

    @classmethod
    def of(cls, folder: str | Path) -> "Golden":
        """The folder, its `anchors`, and what is above where it is itself called that.

        Raises
        ------
        DataError : there is no such folder.
        """
        path = Path(folder)
        if not path.is_dir():
            raise DataError(f"{path} is no folder; give one that holds published numbers.")
        above = (path.resolve().parent,) if path.resolve().name == INSIDE else ()
        return cls((path, *filter(Path.is_dir, (path / INSIDE,)), *above))

    def versions(self, held: Held) -> list[Path]:
        """Every leading file of a set, by name; the same name further on is the same set."""
        found: dict[str, Path] = {}
        for folder in self.folders:
            for path in sorted(folder.glob(held.main)):
                found.setdefault(path.name, path)
        return [found[name] for name in sorted(found)]

    def path(self, names: str) -> Path | None:
        """The first file of a name, or of one after an 'or'; None where there is none."""
        for name in names.split(OR):
            for folder in self.folders:
                for path in sorted(folder.glob(name)):
                    return path
        return None


@dataclass(frozen=True)
class Table:
    """Rows of a file as they are printed, each with its number in the file."""

    file: str
    rows: list[tuple[int, dict[str, str]]]

    @classmethod
    def read(cls, path: Path, columns: tuple[str, ...]) -> "Table":
        """A CSV file with a head; a '#' before the first name is taken off.

        Raises
        ------
        DataError : no text, no head with these columns, no row, or a row of another length.
        """
        try:
            lines = list(csv.reader(text_of(path).splitlines()))
        except csv.Error as error:
            raise DataError(f"{path.name} is no CSV ({error}); give the file as it was.") from None
        head = [name.strip().lstrip("#") for name in lines[0]] if lines else []
        for column in columns:
            if head.count(column) != 1:
                raise DataError(
                    f"{path.name} has {head.count(column)} columns {column!r}; give it one, in its "
                    "first row."
                )
        rows = []
        for place, cells in enumerate(lines[1:], start=2):
            if not cells:
                continue
            if len(cells) != len(head):
                raise DataError(
                    f"{path.name}, row {place} has {len(cells)} cells where the head has "
                    f"{len(head)}; mend or take it out."
                )
            rows.append((place, dict(zip(head, map(str.strip, cells), strict=True))))
        if not rows:
            raise DataError(f"{path.name} has no row under its head; give the whole file.")
        return cls(path.name, rows)

    def __iter__(self) -> Iterator[tuple[int, dict[str, str]]]:
        return iter(self.rows)

    def number(self, place: int, row: Mapping[str, str], column: str) -> float:
        """A cell that must be a finite number.

        Raises
        ------
        DataError : it is none.
        """
        return finite(row[column], f"{self.file}, row {place}: {column}")

    def printed(self, place: int, row: Mapping[str, str], column: str) -> str:
        """A cell with a published number, as printed; NA or Inf where the source has no value.

        Raises
        ------
        DataError : it is neither.
        """
        if not is_missing(row[column]) and row[column].lstrip("+-").lower() != "inf":
            self.number(place, row, column)
        return row[column].removesuffix(".0")


def finite(value: object, what: str) -> float:
    """A value that must be a finite number.

    Raises
    ------
    DataError : it is none.

    Examples
    --------
    >>> finite("1e3", "pnl.csv, row 2: PLAmount")
    1000.0
    """
    try:
        found = float(value) if isinstance(value, str | int | float) else float("nan")
    except ValueError:
        found = float("nan")
    if not isfinite(found) or isinstance(value, bool):
        raise DataError(f"{what} is {shown(value)}; give a number.")
    return found


def text_of(path: Path) -> str:
    """The text of a file.

    Raises
    ------
    DataError : it is no text in UTF-8. OSError : it cannot be read.
    """
    try:
        return read_regular(path).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise DataError(f"{path.name} is no text in UTF-8; give the file as it was.") from None


def json_of(path: Path, kind: type) -> Any:
    """The content of a JSON file, its numbers as they are printed there.

    kind : what it must be, a list or a dict.

    Raises
    ------
    DataError : it is no JSON, or another kind.
    """
    try:
        content = json.loads(text_of(path), parse_float=Printed, parse_int=Printed)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path.name} is no JSON ({error}); give the whole file.") from None
    if not isinstance(content, kind):
        raise DataError(f"{path.name} holds a {type(content).__name__}; give a {kind.__name__}.")
    return content


class Printed(str):
    """A number of a JSON file as it is printed: 14200000000.0 has no digit after the point.

    Examples
    --------
    >>> Printed("14200000000.0"), Printed("0.5")
    ('14200000000', '0.5')
    """

    def __new__(cls, text: str) -> "Printed":
        """The text, without a point that Python puts after every whole number."""
        return super().__new__(cls, text.removesuffix(".0"))
