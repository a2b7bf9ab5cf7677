"""Figure of one simulator: how moves cluster in the data and on its paths."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from backtest.present.figure import Canvas, Figure
from backtest.present.panels import PanelGrid
from backtest.present.sheet import Caption
from backtest.present.style import COLOURS, INK, SOFT
from backtest.simulate.own_facts import MEMORY
from backtest.studies.simulate.figures import BAND, RIGHT
from backtest.studies.simulate.study import SimulateStudy
from backtest.studies.simulate.words import footnote

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_PANELS = 4  # in a row


def clustering_by_lag(study: SimulateStudy) -> Figure:
    """A panel a factor: autocorrelation of |x| by lag, the data on the band of the paths."""
    ((_, judged),) = study.judged.items()
    data = cluster_data(judged.diagnosis.facts)
    return Figure(
        name="clustering_by_lag",
        data=data,
        caption=Caption.of(
            cluster_finding(data),
            measure="Autocorrelation of |x| by lag in days, a panel a factor",
            footnote="Bars: 5 to 95 % of the paths, the stroke their mean. Dots: the data, filled "
            f"where they lie outside. {footnote(study)}",
            alt="Bars and dots by lag, a panel a factor.",
        ),
        paint=lambda canvas: _paint_clustering(canvas, data),
        simulated=True,
    )


def cluster_data(facts: pd.DataFrame) -> pd.DataFrame:
    """Row a (factor, lag): autocorrelation of |x| in the data and over the paths."""
    table = facts.loc[[MEMORY]].reset_index()
    table = table[table["fact"].str.contains("|x|", regex=False) & table["kept"].notna()]
    table["lag"] = table["fact"].str.rsplit(" ", n=1).str[-1].astype(int)
    return table[["of", "lag", "data", "mean", "low", "high", "kept"]].reset_index(drop=True)


def cluster_finding(data: pd.DataFrame) -> str:
    """In how many cases the data cluster more, or less, than nearly all paths.

    Examples
    --------
    >>> rows = {"data": [0.2, 0.1, 0.0], "low": [0.0] * 3, "high": [0.1] * 3, "kept": [0.0, 1, 1]}
    >>> cluster_finding(pd.DataFrame(rows))
    'Moves of the data cluster more than the band of the paths in 1 of 3 cases, less in none'
    """
    lost = data[data["kept"] == 0.0]
    more, less = (int((lost["data"] > lost["high"]).sum()), int((lost["data"] < lost["low"]).sum()))
    return (
        f"Moves of the data cluster more than the band of the paths in {more or 'none'} of "
        f"{len(data)} cases, less in {less or 'none'}"
    )


def _paint_clustering(canvas: Canvas, data: pd.DataFrame) -> "Axes":
    factors = list(dict.fromkeys(data["of"]))
    grid = PanelGrid(
        columns=min(MOST_PANELS, max(len(factors), 1)), left=0.55, right=RIGHT, gap=0.14,
        height=1.05, above=0.22, below=0.4,
    )  # fmt: skip
    _, panels = grid.panels(canvas, len(factors), keys=0.0)
    lags = sorted(data["lag"].unique())
    for place, (axes, factor) in enumerate(zip(panels, factors, strict=True)):
        rows = data[data["of"] == factor].set_index("lag").reindex(lags)
        x = np.arange(len(lags))
        axes.axhline(0.0, color=INK, lw=0.6, zorder=1)
        axes.bar(x, rows["high"] - rows["low"], bottom=rows["low"], width=0.5, color=BAND,
                 zorder=2)  # fmt: skip
        axes.hlines(rows["mean"], x - 0.25, x + 0.25, color=SOFT, lw=1.0, zorder=3)
        for kept, face in ((1.0, "white"), (0.0, COLOURS[4])):
            chosen = rows["kept"].to_numpy() == kept
            axes.plot(x[chosen], rows["data"].to_numpy()[chosen], marker="o", ls="", ms=4.5,
                      mec=COLOURS[4], mfc=face, mew=1.0, zorder=4)  # fmt: skip
        axes.set_title(str(factor), color=INK, pad=3)
        axes.set_xticks(x, [str(lag) for lag in lags])
        axes.set_xlim(-0.6, len(lags) - 0.4)
        if place % grid.columns == 0:
            axes.set_ylabel("autocorrelation")
        if place + grid.columns >= len(factors):
            axes.set_xlabel("lag")
    return panels[0]
