"""The page of an exhibit: one HTML file that needs nothing else, no script, no font, no network."""

from pathlib import Path
from typing import TYPE_CHECKING

from backtest.present.exhibit import Exhibit
from backtest.present.table import TextTable
from backtest.types import ResultsError

if TYPE_CHECKING:
    from markupsafe import Markup

TEMPLATE = "exhibit.html.j2"


def render_exhibit(exhibit: Exhibit, figures: Path | None, *, command: str) -> str:
    """Render an exhibit as one HTML page without scripts; every text is escaped.

    figures : folder that `write_figures` filled with the figures of all sections; None leaves
        figures out.
    command : what to type to get the same numbers.

    Raises
    ------
    ResultsError : a figure cannot be read.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,  # a name without a value is an error, not an empty text
        trim_blocks=True,
        lstrip_blocks=True,
    )
    facts = [("command", command), *(exhibit.facts or exhibit.provenance.facts())]
    names = (section.figure.name for section in exhibit.sections if section.figure is not None)
    page = templates.get_template(TEMPLATE).render(
        exhibit=exhibit,
        drawings={} if figures is None else {n: _inline_svg(figures / f"{n}.svg") for n in names},
        facts=TextTable.of_facts("What it takes to get the same numbers", facts),
    )
    return page + "\n"


def _inline_svg(file: Path) -> "Markup":
    """A drawing that the template puts into the page without escaping it."""
    from markupsafe import Markup

    # `accessible_svg` wrote the file and has escaped users' text in it already.
    try:
        return Markup(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ResultsError(f"cannot read the figure {str(file)!r}: {error.strerror}.") from error
