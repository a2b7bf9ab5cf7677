"""Figures of a run."""

import pandas as pd

from backtest.present.figure import Figure
from backtest.replay.study import Study
from backtest.studies.run.figures.coverage_cost import coverage_against_cost
from backtest.studies.run.figures.exceedances import exceedance_timeline
from backtest.studies.run.figures.ladder import offset_ladder
from backtest.studies.run.figures.treasury_share import treasury_share_sweep


def run_figures(
    study: Study, ladder: pd.DataFrame, sweep: pd.DataFrame | None
) -> tuple[Figure, ...]:
    """The figures that a study has, in the order in which they are read.

    ladder : from `OffsetLadder.to_frame`; without rows its figure is left out.
    sweep : from the study of Treasury shares; None leaves its figure out.

    Examples
    --------
    >>> import backtest as bt, strategies as st
    >>> market = bt.load_market("sample", end="2018-12-31")
    >>> frame = pd.DataFrame({"UST10Y": [1e8]}, index=["long"])
    >>> study = bt.run(market, bt.Book.from_frame(frame, market), {"var": st.HistoricalVaR()})
    >>> [figure.name for figure in run_figures(study, pd.DataFrame(), None)]
    ['coverage_against_cost', 'exceedance_timeline']
    """
    return (
        coverage_against_cost(study),
        *([offset_ladder(study, ladder)] if len(ladder) else []),
        exceedance_timeline(study),
        *([] if sweep is None else [treasury_share_sweep(study, sweep)]),
    )
