"""The PDF of a document: tagged for screen readers, fonts in it, the same bytes every time."""

from datetime import datetime
from pathlib import Path

from backtest.types import ResultsError


def compile_pdf(source: Path, when: datetime) -> bytes:
    """Compile a file of Typst; what it names lies in its folder, and nothing is fetched.

    Raises
    ------
    ResultsError : Typst refuses the document.
    """
    import matplotlib
    import typst

    fonts = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    try:
        content = typst.compile(
            str(source),
            root=str(source.parent),
            font_paths=[str(fonts)],
            ignore_system_fonts=True,  # the same type on every machine
            format="pdf",
            # PDF/UA-1: tags, title, language, and a description of every figure.
            pdf_standards=["ua-1"],
            timestamp=int(when.timestamp()),
        )
    except typst.TypstError as error:
        raise ResultsError(f"{source.name} cannot be made a PDF: {error}") from error
    return content
