"""The page of an exhibit: its sections one after another, with what it takes to rerun it."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from backtest.present.rendering import FigureFiles
from backtest.present.templates import drawn, environment

if TYPE_CHECKING:
    from backtest.present.exhibit import Exhibit

TEMPLATE = "exhibit.html.j2"


def render_exhibit(
    exhibit: "Exhibit", figures: Sequence[FigureFiles], *, manifest: Mapping[str, Any]
) -> str:
    """Render an exhibit as one HTML page without scripts; every text is escaped.

    figures : from `write_figures`; one for each section that has a figure.

    Raises
    ------
    ResultsError : a figure cannot be read.
    """
    drawings = {figure.name: (figure, drawn(figure.svg)) for figure in figures}
    page = (
        environment()
        .get_template(TEMPLATE)
        .render(
            title=exhibit.title,
            caption=exhibit.caption,
            simulated=exhibit.simulated,
            standing=exhibit.standing,
            sections=exhibit.sections,
            drawings=drawings,
            facts=_facts(manifest),
        )
    )
    return page + "\n"


def _facts(manifest: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What it takes to get the same numbers."""
    data = manifest.get("data")
    prices = (
        []
        if data is None
        else [
            ("Source", str(data["source"])),
            ("Days", f"{data['days']:,} margin days {data['first']} .. {data['last']}"),
            ("Dropped days", f"{data['dropped_count']}"),
            ("sha256 of the levels", str(data["levels_sha256"])),
        ]
    )
    versions = manifest["software"].items()
    return [
        ("Command", str(manifest["command"])),
        *prices,
        ("sha256 of study and levels" if prices else "sha256", str(manifest["sha256"])),
        ("Software", ", ".join(f"{name} {value}" for name, value in versions)),
    ]
