"""How an exhibit is stored: its tables, its figures, its page and its manifest in one folder."""

import json
from pathlib import Path

from backtest.present.exhibit import Exhibit
from backtest.present.figure import write_figures
from backtest.present.folder import written_aside
from backtest.present.table import is_named


def write_exhibit(exhibit: Exhibit, out: Path, *, command: str) -> Path:
    """Store an exhibit in `out/<UTC>_<study>-<kind>_<hash8>/`, complete or not there at all.

    Tables as CSV, figures as SVG, PDF, PNG and CSV, manifest.json, study.toml and report.html.

    Raises
    ------
    ResultsError : the folder cannot be written; nothing half-made is left behind.
    """
    origin = exhibit.provenance
    name = f"{origin.name}-{exhibit.kind}_{origin.sha256[:8]}"
    with written_aside(out, name) as aside:
        folder = aside.folder
        for section in exhibit.sections:
            if section.table is not None:
                section.table.to_csv(
                    folder / f"{section.name}.csv",
                    index=is_named(section.table),
                    lineterminator="\n",
                )
        (folder / "study.toml").write_text(exhibit.text, encoding="utf-8")
        manifest = origin.to_json() | {"command": command, "written": aside.stamp}
        described = json.dumps(manifest, indent=2, ensure_ascii=False, default=str)
        (folder / "manifest.json").write_text(described + "\n", encoding="utf-8")
        write_page(exhibit, folder, command=command)
    return aside.final


def write_page(exhibit: Exhibit, folder: Path, *, command: str) -> None:
    """Write the figures and report.html of an exhibit; its numbers are stored elsewhere.

    command : what to type to get the same numbers.
    """
    from backtest.present.page import render_exhibit

    figures = [section.figure for section in exhibit.sections if section.figure is not None]
    files = write_figures(folder / "figures", figures) if figures else []
    page = render_exhibit(exhibit, files, command=command)
    (folder / "report.html").write_text(page, encoding="utf-8", newline="\n")
