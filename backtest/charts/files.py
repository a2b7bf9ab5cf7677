"""Figures as files: SVG, PDF, PNG, and the numbers they show; the same bytes every time."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from ..distribution import Distribution
from ..results import Study
from ..types import ResultsError
from .coverage_cost import (
    coverage_against_cost,
    coverage_against_cost_caption,
    coverage_against_cost_data,
)
from .exceedances import (
    exceedance_timeline,
    exceedance_timeline_caption,
    exceedance_timeline_data,
)
from .granted import (
    granted_against_supported,
    granted_against_supported_caption,
    granted_against_supported_data,
)
from .ladder import offset_ladder, offset_ladder_caption, offset_ladder_data
from .monte_carlo import (
    monte_carlo_frontier,
    monte_carlo_frontier_caption,
    monte_carlo_frontier_data,
)
from .specification import (
    specification_curve,
    specification_curve_caption,
    specification_curve_data,
)
from .stressed_ladder import stressed_ladder, stressed_ladder_caption, stressed_ladder_data
from .style import Caption, settings
from .treasury_share import (
    treasury_share_sweep,
    treasury_share_sweep_caption,
    treasury_share_sweep_data,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ..offset_study import OffsetStudy

_Figure = tuple[str, Callable[[], "Axes"], Caption, pd.DataFrame]

RESOLUTION = 300  # dots per inch of the PNG


@dataclass(frozen=True)
class FigureFiles:
    """One figure on disk: its files and its words."""

    name: str
    caption: Caption
    svg: Path
    pdf: Path
    png: Path
    csv: Path


def write_figures(
    folder: str | Path, study: Study, ladder: pd.DataFrame, sweep: pd.DataFrame | None
) -> list[FigureFiles]:
    """Write every figure of a study as SVG, PDF (Type 42), PNG (300 dpi) and CSV.

    Parameters
    ----------
    folder : created where it is missing.
    ladder : from `OffsetLadder.to_frame`; without rows its figure is left out.
    sweep : from `treasury_share_sweep`; None leaves its figure out.

    Raises
    ------
    ResultsError : the folder cannot be written.

    Examples
    --------
    >>> import backtest as bt, strategies as st, tempfile
    >>> market = bt.load_market("sample", end="2018-12-31")
    >>> frame = pd.DataFrame({"UST10Y": [1e8]}, index=["long"])
    >>> study = bt.run(market, bt.Book.from_frame(frame, market), {"var": st.HistoricalVaR()})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     [figure.name for figure in write_figures(folder, study, pd.DataFrame(), None)]
    ['coverage_against_cost', 'exceedance_timeline']
    """
    return _write(folder, _figures(study, ladder, sweep), simulated=study.simulated)


def write_offset_figures(folder: str | Path, found: "OffsetStudy") -> list[FigureFiles]:
    """Write the figures of an offset study: stresses, specifications, granted credit.

    A figure whose table has no row is left out. Files as `write_figures` makes them.

    Raises
    ------
    ResultsError : the folder cannot be written.
    """
    figures: list[_Figure] = []
    if len(found.stressed):
        figures.append(
            (
                "stressed_ladder",
                lambda: stressed_ladder(found),
                stressed_ladder_caption(found),
                stressed_ladder_data(found),
            )
        )
    if len(found.specifications):
        figures.append(
            (
                "specification_curve",
                lambda: specification_curve(found),
                specification_curve_caption(found),
                specification_curve_data(found),
            )
        )
    if len(found.granted):
        figures.append(
            (
                "granted_against_supported",
                lambda: granted_against_supported(found),
                granted_against_supported_caption(found),
                granted_against_supported_data(found),
            )
        )
    return _write(folder, figures, simulated=found.market.simulated)


def write_monte_carlo_figure(
    folder: str | Path, distribution: Distribution, study: Study, ladder: pd.DataFrame
) -> FigureFiles:
    """Write the figure of simulated histories; its table is marked simulated, whatever the data.

    ladder : from `OffsetLadder.to_frame`, for the number of exceedances behind the paths; may be
        without rows.

    Raises
    ------
    ResultsError : the folder cannot be written.
    """
    figure = (
        "monte_carlo_frontier",
        lambda: monte_carlo_frontier(distribution, study, ladder=ladder),
        monte_carlo_frontier_caption(distribution, study, ladder=ladder),
        monte_carlo_frontier_data(distribution, study),
    )
    return _write(folder, [figure], simulated=True)[0]


def _figures(study: Study, ladder: pd.DataFrame, sweep: pd.DataFrame | None) -> list[_Figure]:
    """Name, drawing, words and numbers of each figure the study has."""
    figures: list[_Figure] = [
        (
            "coverage_against_cost",
            lambda: coverage_against_cost(study),
            coverage_against_cost_caption(study),
            coverage_against_cost_data(study),
        )
    ]
    if len(ladder):
        figures.append(
            (
                "offset_ladder",
                lambda: offset_ladder(study, ladder),
                offset_ladder_caption(study, ladder),
                offset_ladder_data(study, ladder).rename_axis("portfolio"),
            )
        )
    figures.append(
        (
            "exceedance_timeline",
            lambda: exceedance_timeline(study),
            exceedance_timeline_caption(study),
            exceedance_timeline_data(study),
        )
    )
    if sweep is not None:
        figures.append(
            (
                "treasury_share_sweep",
                lambda: treasury_share_sweep(study, sweep),
                treasury_share_sweep_caption(study, sweep),
                treasury_share_sweep_data(study, sweep),
            )
        )
    return figures


def _write(folder: str | Path, figures: list[_Figure], *, simulated: bool) -> list[FigureFiles]:
    """Draw and write each figure, and its table with a column that says whether it is simulated."""
    target = Path(folder)
    written = []
    try:
        target.mkdir(parents=True, exist_ok=True)
        for name, draw, caption, data in figures:
            figure = draw().figure
            files = FigureFiles(
                name, caption, *(target / f"{name}.{end}" for end in ("svg", "pdf", "png", "csv"))
            )
            _save(figure, files)  # type: ignore[arg-type]
            data.assign(simulated=simulated).to_csv(
                files.csv,
                index=data.index.name is not None,
                float_format="%.10g",
                lineterminator="\n",
            )
            written.append(files)
    except OSError as error:
        raise ResultsError(f"cannot write figures to {str(target)!r}: {error}.") from error
    return written


def _save(figure: "Figure", files: FigureFiles) -> None:
    """Write the three renderings; dates and random ids, which differ each time, are left out."""
    from matplotlib import rc_context

    words = files.caption
    with settings(), rc_context({"svg.hashsalt": files.name}):
        buffer = BytesIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None})
        svg = accessible_svg(buffer.getvalue().decode("utf-8"), files.name, words)
        files.svg.write_text(svg, encoding="utf-8", newline="\n")
        figure.savefig(
            files.pdf, format="pdf", metadata={"CreationDate": None, "Title": words.title}
        )
        figure.savefig(
            files.png,
            format="png",
            dpi=RESOLUTION,
            metadata={"Software": None, "Title": words.title, "Description": words.alt},
        )


def accessible_svg(svg: str, name: str, caption: Caption) -> str:
    """Make an SVG that can stand inside a page: named, described, its ids and style its own.

    matplotlib's prolog, metadata (which point to web addresses) and its style sheet (which would
    style the whole page) go; the ids are prefixed, so that two figures in one page do not share
    clip paths.

    Examples
    --------
    >>> drawn = '<?xml version="1.0"?><svg width="1pt"><g id="a"/><use xlink:href="#a"/></svg>'
    >>> print(accessible_svg(drawn, "one", Caption("What", "note", "a < b")))
    <svg role="img" aria-labelledby="one-title one-desc" width="1pt">
    <title id="one-title">What</title>
    <desc id="one-desc">a &lt; b</desc><g id="one-a"/><use xlink:href="#one-a"/></svg>
    """
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<style.*?</style>\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\bid="', f'id="{name}-', svg)
    svg = re.sub(r'href="#', f'href="#{name}-', svg)
    svg = re.sub(r"url\(#", f"url(#{name}-", svg)
    head, body = svg.split(">", 1)
    named = f'<svg role="img" aria-labelledby="{name}-title {name}-desc"'
    head = head.replace("<svg", named, 1)
    if "xmlns=" in head:
        head += ' style="stroke-linejoin: round; stroke-linecap: butt"'
    return (
        f'{head}>\n<title id="{name}-title">{escape(caption.title)}</title>\n'
        f'<desc id="{name}-desc">{escape(caption.alt)}</desc>{body}'
    )
