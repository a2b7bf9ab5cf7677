"""Figures: free functions from a result to matplotlib Axes, each with its caption and its data.

matplotlib is loaded when a figure is drawn, not when this package is imported.
"""

from backtest.present.figure import Drawing, FigureFiles, write_drawings
from backtest.present.sheet import Caption
from backtest.studies.offset.figures.granted import (
    granted_against_supported,
    granted_against_supported_caption,
    granted_against_supported_data,
)
from backtest.studies.offset.figures.specification import (
    specification_curve,
    specification_curve_caption,
    specification_curve_data,
)
from backtest.studies.offset.figures.steps import (
    steps_from_gross,
    steps_from_gross_caption,
    steps_from_gross_data,
)
from backtest.studies.offset.figures.stressed_ladder import (
    stressed_ladder,
    stressed_ladder_caption,
    stressed_ladder_data,
)
from backtest.studies.offset.figures.written import offset_drawings
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
from backtest.studies.run.figures.written import write_figures, write_monte_carlo_figure

__all__ = [
    "Caption",
    "Drawing",
    "FigureFiles",
    "coverage_against_cost",
    "coverage_against_cost_caption",
    "coverage_against_cost_data",
    "exceedance_timeline",
    "exceedance_timeline_caption",
    "exceedance_timeline_data",
    "granted_against_supported",
    "granted_against_supported_caption",
    "granted_against_supported_data",
    "monte_carlo_frontier",
    "monte_carlo_frontier_caption",
    "monte_carlo_frontier_data",
    "offset_drawings",
    "offset_ladder",
    "offset_ladder_caption",
    "offset_ladder_data",
    "specification_curve",
    "specification_curve_caption",
    "specification_curve_data",
    "steps_from_gross",
    "steps_from_gross_caption",
    "steps_from_gross_data",
    "stressed_ladder",
    "stressed_ladder_caption",
    "stressed_ladder_data",
    "treasury_share_sweep",
    "treasury_share_sweep_caption",
    "treasury_share_sweep_data",
    "write_drawings",
    "write_figures",
    "write_monte_carlo_figure",
]
