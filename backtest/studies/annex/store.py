"""An annex as a folder: the documents, the figures with their numbers, the manifest."""

import json
import shutil
from pathlib import Path

import pandas as pd

from backtest.present.csv_table import write_csv
from backtest.present.document import Numbers, Picture, Tabular, write_document
from backtest.present.exhibit import Exhibit
from backtest.present.folder import results_folder
from backtest.replay.seal import sha256_of
from backtest.studies.annex.document import annex_document
from backtest.studies.annex.results import FIGURES, stem
from backtest.studies.annex.study import Annex
from backtest.studies.annex.texts import start_texts
from backtest.types import ResultsError

STEM = "annex"
KINDS = ("svg", "pdf", "png", "csv")


def write_annex(annex: Annex, exhibit: Exhibit, out: Path, *, command: str) -> Path:
    """Write `out/<UTC>_annex_<hash8>/`, complete or not there at all.

    annex.docx, annex.pdf, annex.html and annex.typ, figures/ with a CSV beside each figure,
    references.csv with the name and number of every figure and table, and manifest.json. The same
    results, texts and options make the same files, but for the command line in the manifest. Texts
    that are missing are made empty, for the author; none is written over.

    Raises
    ------
    ResultsError : the folder cannot be written, or a figure was changed meanwhile.
    """
    document = annex_document(annex)
    numbers = Numbers.of(document)
    # First, so that no finished annex is left where the author's folder cannot be written.
    example = next(
        (b.name for b in document.blocks if isinstance(b, Picture | Tabular)), "results-a"
    )
    start_texts(annex.texts, [page.topic for page in annex.pages], example=example)
    with results_folder(out, f"{STEM}_{annex.sha256[:8]}") as folder:
        (folder.partial / FIGURES).mkdir()
        _copy_figures(annex, folder.partial)
        write_document(document, folder.partial, STEM)
        listed = references_table(numbers)
        write_csv(listed, folder.partial / "references.csv", read_again=False, index=True)
        origin = exhibit.provenance.to_json() | {"command": command, "written": folder.stamp}
        text = json.dumps(origin, indent=2, ensure_ascii=False)
        (folder.partial / "manifest.json").write_text(text + "\n", encoding="utf-8")
    return folder.final


def references_table(numbers: Numbers) -> pd.DataFrame:
    """A row a figure and table: its name, its number and its caption."""
    rows = [*numbers.figures, *numbers.tables]
    return pd.DataFrame(
        {"number": [label for _, label, _ in rows], "caption": [words for *_, words in rows]},
        index=pd.Index([name for name, *_ in rows], name="name"),
    )


def _copy_figures(annex: Annex, folder: Path) -> None:
    for source in annex.sources:
        for figure in source.record.figures:
            for kind in KINDS:
                name = f"{FIGURES}/{figure.name}.{kind}"
                target = folder / f"{stem(figure, source)}.{kind}"
                shutil.copyfile(source.folder / name, target)
                if sha256_of(target) != source.record.files[name]:
                    raise ResultsError(
                        f"{name} of {str(source.folder)!r} was changed while it was copied."
                    )
