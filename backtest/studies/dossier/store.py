"""The results folder of a dossier: page, tables, documents to sign, and the file of fields."""

import json
import re
from pathlib import Path

from backtest.present.csv_table import write_csv
from backtest.present.document import Document, moment, write_document
from backtest.present.exhibit import Exhibit
from backtest.present.folder import results_folder
from backtest.present.store import write_page
from backtest.present.table import is_named
from backtest.studies.dossier.document import as_document
from backtest.studies.dossier.study import Dossier

FIELDS, STEM = "fields.toml", "dossier"
STAMP = re.compile(r"\d{8}T\d{6}Z")


def write_results(dossier: Dossier, exhibit: Exhibit, out: Path, *, command: str) -> Path:
    """The folder `<UTC>_<study>-dossier_<hash8>/`, complete or not there at all.

    `fields.toml` in it is the file that was given, verbatim, or else a template with this dossier's
    keys. A folder is new each time, so nobody's statements are written over.

    Raises
    ------
    ResultsError : the folder cannot be written.
    """
    origin = exhibit.provenance
    name = f"{origin.name}-{exhibit.kind}_{origin.sha256[:8]}"
    with results_folder(out, name) as folder:
        for section in exhibit.sections:
            if section.table is not None:
                path = folder.partial / f"{section.name}.csv"
                write_csv(section.table, path, index=is_named(section.table))
        (folder.partial / FIELDS).write_text(exhibit.text, encoding="utf-8")
        manifest = origin.to_json() | {"command": command, "written": folder.stamp}
        text = json.dumps(manifest, indent=2, ensure_ascii=False, default=str)
        (folder.partial / "manifest.json").write_text(text + "\n", encoding="utf-8")
        write_page(exhibit, folder.partial, command=command)
        write_document(_document(dossier, exhibit), folder.partial, STEM)
    return folder.final


def _document(dossier: Dossier, exhibit: Exhibit) -> Document:
    """The document, dated by the newest of its folders: the same evidence makes the same bytes."""
    stamps = [str(folder.manifest.get("written", "")) for folder in dossier.folders]
    newest = max((stamp for stamp in stamps if _is_time(stamp)), default="")
    folders = "; ".join(folder.label for folder in dossier.folders)
    return as_document(exhibit, stamp=newest, subtitle=f"Evidence: {folders}")


def _is_time(stamp: str) -> bool:
    """Whether a manifest's stamp is one, and of a time that there is."""
    try:
        return bool(STAMP.fullmatch(stamp) and moment(stamp))
    except ValueError:
        return False
