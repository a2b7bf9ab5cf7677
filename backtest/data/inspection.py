"""`backtest inspect`: how each file of a folder is read, and what an examination finds."""

from dataclasses import dataclass, field
from pathlib import Path

from backtest.data.columns import COLUMNS, YIELDS_FILE, factor_column
from backtest.data.examined import columns_to_examine
from backtest.data.foreign import Foreign, files_in
from backtest.data.layouts.reading import Reading
from backtest.data.own_file import headings_of, is_own
from backtest.data.raw_columns import Columns, SourceFile, raw_columns
from backtest.market.examination import Finding, examine
from backtest.market.tenors import tenor_years
from backtest.types import DataError


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
            *(
                f"{'impossible' if f.impossible else 'doubtful'}, {f.factor} {f.kind}: {f.sentence}"
                for f in found
            ),
            f"{len(self.columns)} factors, {len(found)} findings",
        ]


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
        raise DataError(f"{str(path)!r} holds no CSV, text or parquet file; give another.")
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
    inspection.columns = {n: c for n, c in sorted(inspection.columns.items()) if len(c[0])}
    inspection.findings = examine(columns_to_examine(inspection.columns))
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
