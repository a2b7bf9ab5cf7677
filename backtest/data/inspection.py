"""`backtest inspect`: how each file of a folder is read, and what an examination finds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from backtest.data.columns import COLUMNS, YIELDS_FILE, factor_column
from backtest.data.contract_files import read_contracts
from backtest.data.examined import columns_to_examine, levels_of, published
from backtest.data.foreign import Foreign, files_in
from backtest.data.layouts.held import Reading
from backtest.data.layouts.how import How
from backtest.data.own_file import headings_of, is_own
from backtest.data.raw_columns import Columns, SourceFile, raw_columns
from backtest.instruments.declared import terms_of_future
from backtest.market.examination import Accepted, Finding, examine, weighed
from backtest.market.tenors import tenor_years
from backtest.types import DataError, parse_day


@dataclass
class Inspection:
    """What was read and found.

    Parameters
    ----------
    lines : one a file, how it was read or why it was not.
    columns : of each factor, in the unit of the project's own files.
    findings : of the examination of all of them together.
    """

    lines: list[str] = field(default_factory=list)
    columns: Columns = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()

    @property
    def words(self) -> list[str]:
        """What a terminal shows: files, then findings, those that cannot be true first."""
        found = sorted(self.findings, key=lambda finding: not finding.impossible)
        return [
            *self.lines,
            *map(_words, found),
            f"{len(self.columns)} factors, {len(found)} findings",
        ]

    def examine(self, *, end: str | None = None, accept: Sequence[Accepted] = ()) -> None:
        """Look at the columns together; one with a value that cannot be is named and left out."""
        last = None if end is None else pd.Timestamp(parse_day(end, "end", DataError))
        for name, (column, place) in list(self.columns.items()):
            published_days = published(name, column)
            known = published_days if place.rolls else published_days.loc[:last]
            self.columns[name] = known, place
            try:
                levels_of(known, place)
            except DataError as error:
                self.lines.append(f"{name}: {error}")
                del self.columns[name]
        self.columns = {n: c for n, c in sorted(self.columns.items()) if len(c[0])}
        self.findings = weighed(examine(columns_to_examine(self.columns)), accept)


def _words(finding: Finding) -> str:
    if finding.accepted:
        words = f"accepted, {finding.factor} {finding.kind}: {finding.what}"
        return f"{words}; accepted because: {finding.accepted}"
    kind = "impossible" if finding.impossible else "doubtful"
    return f"{kind}, {finding.factor} {finding.kind}: {finding.sentence}"


def inspect(path: Path) -> Inspection:
    """Read a folder, or one file, and examine every factor in it; nothing else is run.

    Raises
    ------
    DataError : no such folder or file, or nothing in it that can be read.
    """
    if not path.exists():
        raise DataError(f"no file or folder {str(path)!r}; give a folder of prices or one file.")
    folder = path if path.is_dir() else path.parent
    inspection, foreign = Inspection(), Foreign(folder)
    others: dict[str, Reading] = {}  # by factor, of files in other layouts
    for file in files_in(folder) if path.is_dir() else [path]:
        try:
            others |= _read(file, foreign, inspection)
        except DataError as error:
            inspection.lines.append(f"{file.name}: not read; {error}")
    if not inspection.lines:
        raise DataError(f"{str(path)!r} holds no file of prices (.csv, .txt, .xlsx, .parquet).")
    for name in others.keys() - inspection.columns.keys():
        try:
            # Files that follow each other are joined, as a study does.
            inspection.columns[name] = (
                foreign.column(name, factor_column(name))
                if path.is_dir()
                else foreign.of(others[name], name)
            )
        except DataError as error:
            inspection.lines.append(f"{name}: {error}")
    inspection.examine()
    return inspection


def inspect_factors(
    folder: Path,
    factors: Sequence[str],
    *,
    files: Mapping[str, How],
    contracts: Mapping[str, str],
    accept: Sequence[Accepted] = (),
    end: str | None = None,
) -> Inspection:
    """Read the factors of a study, and those that convert or splice them, as the study says.

    See `load_market` for the arguments.

    Raises
    ------
    DataError : no such folder; a file that `files` names and that is not there or cannot be read.
    """
    if not folder.is_dir():
        raise DataError(f"source {str(folder)!r} is no folder, so there are no files to inspect.")
    inspection, foreign = Inspection(), Foreign(folder, files)
    files_read: dict[str, SourceFile] = {}
    names = dict.fromkeys(factors)
    for name in factors:
        place = factor_column(name)
        spliced = place.rolls and name not in contracts
        helpers = (place.fx, terms_of_future(name).reference if spliced else "")
        names |= dict.fromkeys(filter(None, helpers))
    for name in names:
        try:
            if name in contracts:
                settled, _ = read_contracts(name, folder / contracts[name])
                span = f"{settled.index[0]:%Y-%m-%d} .. {settled.index[-1]:%Y-%m-%d}"
                words = f"settlements of {len(settled.columns)} contracts, {span}"
                inspection.lines.append(f"{name}: {words}, in {contracts[name]}")
            else:
                inspection.columns |= raw_columns(foreign, (name,), {})
        except DataError as error:
            inspection.lines.append(f"{name}: {error}")
    raw_columns(foreign, tuple(inspection.columns), files_read)
    inspection.lines[:0] = [source.read_as for source in files_read.values()]
    inspection.examine(end=end, accept=accept)
    return inspection


def _read(file: Path, foreign: Foreign, inspection: Inspection) -> dict[str, Reading]:
    """One file: its line, and its columns where it is our own; else its factors."""
    own = own_factors(file)
    if own:
        files_read: dict[str, SourceFile] = {}
        inspection.columns |= raw_columns(foreign, own, files_read)
        inspection.lines += [source.read_as for source in files_read.values()]
        return {}
    reading = foreign.read(file)
    inspection.lines.append(reading.line())
    return dict.fromkeys(reading.factors, reading)


def own_factors(file: Path) -> tuple[str, ...]:
    """Factors of a file in the project's own layout; none of a file in another one.

    Examples
    --------
    >>> own_factors(Path("no_such_usd.csv"))
    ()
    """
    if not file.is_file() or file.suffix != ".csv":
        return ()
    if file.name == YIELDS_FILE:
        names = [name for name in headings_of(file) if tenor_years(name) is not None]
    else:
        names = [name for name, place in COLUMNS.items() if place.file == file.name]
        for ending, form in (("_usd", "{}"), ("_vol", "{}-VOL")):
            if file.stem.endswith(ending):
                names.append(form.format(file.stem.removesuffix(ending).upper()))
    return tuple(name for name in names if is_own(file, factor_column(name).column))
