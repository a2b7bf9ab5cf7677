"""The page of an exhibit: one HTML file that needs nothing else, no script, no font, no network."""

from collections.abc import Sequence

from backtest.present.exhibit import Exhibit
from backtest.present.rendering import FigureFiles
from backtest.present.table import TextTable
from backtest.present.templates import drawn, environment

TEMPLATE = "exhibit.html.j2"


def render_exhibit(exhibit: Exhibit, figures: Sequence[FigureFiles], *, command: str) -> str:
    """Render an exhibit as one HTML page without scripts; every text is escaped.

    figures : from `write_figures`; each goes to the section that shows it.
    command : what to type to get the same numbers.

    Raises
    ------
    ResultsError : a figure cannot be read.
    """
    facts = exhibit.facts or exhibit.provenance.facts()
    page = (
        environment()
        .get_template(TEMPLATE)
        .render(
            exhibit=exhibit,
            drawings={figure.name: (figure, drawn(figure.svg)) for figure in figures},
            facts=TextTable.of_facts(
                "What it takes to get the same numbers", [("command", command), *facts]
            ),
        )
    )
    return page + "\n"
