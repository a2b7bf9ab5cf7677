"""Write a document as Word, PDF and HTML beside its figures."""

from datetime import UTC, datetime
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from backtest.present.document.model import Document, pictures_missing
from backtest.present.document.numbering import Numbers
from backtest.types import ResultsError

EXTRA = {"docx": "python-docx", "typst": "typst"}  # module -> package
FIRST_DAY = datetime(1980, 1, 1, tzinfo=UTC)  # of what a zip file can hold


def need_report_extra() -> None:
    """Refuse before any work where Word and PDF files cannot be written.

    Raises
    ------
    ResultsError : the extra is not installed, or cannot be loaded.
    """
    missing = [package for module, package in EXTRA.items() if find_spec(module) is None]
    if missing:
        raise ResultsError(
            f"{' and '.join(missing)} not installed, which Word and PDF files are written with; "
            "run `pip install 'margin-backtest[report]'`."
        )
    for module, package in EXTRA.items():
        try:
            import_module(module)
        except (ImportError, OSError) as error:
            raise ResultsError(
                f"{package}, which Word and PDF files are written with, is installed but cannot be "
                f"loaded ({' '.join(str(error).split())}); install it again for this Python."
            ) from error


def write_document(document: Document, folder: Path, stem: str) -> tuple[Path, ...]:
    """Write `<stem>.docx`, `.pdf`, `.html`, and `.typ`, from which the PDF can be made again.

    folder : holds the files of the figures already; the document names them relative to it.
    The same document makes the same bytes.

    Raises
    ------
    ResultsError : the extra 'report' is not installed, or a figure's file is missing.
    """
    need_report_extra()
    for name in pictures_missing(document, folder):
        raise ResultsError(f"the document's figure {name} is not in {str(folder)!r}.")
    from backtest.present.document.html import html_page
    from backtest.present.document.pdf import compile_pdf
    from backtest.present.document.typst_source import typst_source
    from backtest.present.document.word import word_file

    numbers, when = Numbers.of(document), moment(document.stamp)
    files = {kind: folder / f"{stem}.{kind}" for kind in ("docx", "pdf", "html", "typ")}
    files["html"].write_text(html_page(document, numbers, folder), encoding="utf-8", newline="\n")
    source = typst_source(document, numbers, folder, when)
    files["typ"].write_text(source, encoding="utf-8", newline="\n")
    files["pdf"].write_bytes(compile_pdf(files["typ"], when))
    files["docx"].write_bytes(word_file(document, numbers, folder, when))
    return tuple(files.values())


def moment(stamp: str) -> datetime:
    """The time of a stamp such as those that results folders begin with.

    Examples
    --------
    >>> moment("20260629T120000Z").isoformat(), moment("").year
    ('2026-06-29T12:00:00+00:00', 1980)
    """
    if not stamp:
        return FIRST_DAY
    when = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    return max(when, FIRST_DAY)
