"""How an exhibit is stored: its tables, its figures, its page and its manifest in one folder."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from backtest.present.csv_table import write_csv
from backtest.present.exhibit import Exhibit
from backtest.present.figure import write_figures
from backtest.present.folder import results_folder
from backtest.present.record import record_of, write_record
from backtest.present.table import is_named


def write_exhibit(
    exhibit: Exhibit,
    out: Path,
    *,
    command: str,
    sources: Callable[[Path], None] | None = None,
) -> Path:
    """Store an exhibit in `out/<UTC>_<study>-<kind>_<hash8>/`, complete or not there at all.

    Tables as CSV, figures as SVG, PDF, PNG and CSV, manifest.json, study.toml and report.html.

    sources : writes what else is needed to get the numbers again into the folder that it is given.

    Raises
    ------
    ResultsError : the folder cannot be written; no incomplete folder is left behind.
    """
    origin = exhibit.provenance
    name = f"{origin.name}-{exhibit.kind}_{origin.sha256[:8]}"
    with results_folder(out, name) as folder:
        write_tables(exhibit, folder.partial)
        (folder.partial / "study.toml").write_text(exhibit.text, encoding="utf-8")
        if sources is not None:
            sources(folder.partial)
        manifest = origin.to_json() | {"command": command, "written": folder.stamp}
        text = json.dumps(manifest, indent=2, ensure_ascii=False, default=str)
        (folder.partial / "manifest.json").write_text(text + "\n", encoding="utf-8")
        # All that is there by now is sealed by the page, as no manifest seals it.
        files = sorted(file for file in folder.partial.rglob("*") if file.is_file())
        beside = [file.relative_to(folder.partial).as_posix() for file in files]
        write_page(exhibit, folder.partial, command=command, beside=beside)
    return folder.final


def write_tables(exhibit: Exhibit, folder: Path) -> None:
    """Write the numbers behind the tables of an exhibit, a CSV a section."""
    for section in exhibit.sections:
        if section.table is not None:
            path = folder / f"{section.name}.csv"
            write_csv(section.table, path, index=is_named(section.table))


def write_page(exhibit: Exhibit, folder: Path, *, command: str, beside: Sequence[str] = ()) -> None:
    """Write report.html, page.json and the figures of an exhibit; its tables are there already.

    command : what to type to get the same numbers. beside : files whose sha256 page.json holds too.
    """
    from backtest.present.page import render_exhibit

    figures = [section.figure for section in exhibit.sections if section.figure is not None]
    if figures:
        write_figures(folder / "figures", figures, press=exhibit.press, progress=exhibit.progress)
    page = render_exhibit(exhibit, folder / "figures", command=command)
    (folder / "report.html").write_text(page, encoding="utf-8", newline="\n")
    write_record(record_of(exhibit, folder, command=command, beside=beside), folder)
