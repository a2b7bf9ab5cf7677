"""Which figures a study, an offset study and simulated histories have."""

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from backtest.present.figure import Drawing, FigureFiles, write_drawings
from backtest.replay.distribution import Distribution
from backtest.replay.study import Study
from backtest.studies.run.figures.coverage_cost import (
    coverage_against_cost,
    coverage_against_cost_caption,
    coverage_against_cost_data,
)
from backtest.studies.run.figures.exceedances import (
    exceedance_timeline,
    exceedance_timeline_caption,
    exceedance_timeline_data,
)
from backtest.studies.run.figures.ladder import (
    offset_ladder,
    offset_ladder_caption,
    offset_ladder_data,
)
from backtest.studies.run.figures.monte_carlo import (
    monte_carlo_frontier,
    monte_carlo_frontier_caption,
    monte_carlo_frontier_data,
)
from backtest.studies.run.figures.treasury_share import (
    treasury_share_sweep,
    treasury_share_sweep_caption,
    treasury_share_sweep_data,
)

if TYPE_CHECKING:
    pass


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
    return write_drawings(folder, _figures(study, ladder, sweep), simulated=study.simulated)


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
    figure = Drawing(
        "monte_carlo_frontier",
        lambda: monte_carlo_frontier(distribution, study, ladder=ladder),
        monte_carlo_frontier_caption(distribution, study, ladder=ladder),
        monte_carlo_frontier_data(distribution, study),
    )
    return write_drawings(folder, [figure], simulated=True)[0]


def _figures(study: Study, ladder: pd.DataFrame, sweep: pd.DataFrame | None) -> list[Drawing]:
    """Name, drawing, words and numbers of each figure the study has."""
    figures: list[Drawing] = [
        Drawing(
            "coverage_against_cost",
            lambda: coverage_against_cost(study),
            coverage_against_cost_caption(study),
            coverage_against_cost_data(study),
        )
    ]
    if len(ladder):
        figures.append(
            Drawing(
                "offset_ladder",
                lambda: offset_ladder(study, ladder),
                offset_ladder_caption(study, ladder),
                offset_ladder_data(study, ladder).rename_axis("portfolio"),
            )
        )
    figures.append(
        Drawing(
            "exceedance_timeline",
            lambda: exceedance_timeline(study),
            exceedance_timeline_caption(study),
            exceedance_timeline_data(study),
        )
    )
    if sweep is not None:
        figures.append(
            Drawing(
                "treasury_share_sweep",
                lambda: treasury_share_sweep(study, sweep),
                treasury_share_sweep_caption(study, sweep),
                treasury_share_sweep_data(study, sweep),
            )
        )
    return figures
