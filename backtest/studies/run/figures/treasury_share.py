"""Figure: margin at equal coverage, and what of its reduction is offset, by Treasury share."""

from typing import TYPE_CHECKING

import pandas as pd

from backtest.present.figure import Canvas, Figure
from backtest.present.lettering import points
from backtest.present.marks import model_keys
from backtest.present.numbers import MILLION, percent
from backtest.present.panels import columns_of
from backtest.present.sheet import LEGEND_COLUMNS, Caption, legend_height
from backtest.present.style import DIVERSIFICATION, INK, OFFSET, TOTAL, ModelStyle, model_styles
from backtest.replay.study import Study
from backtest.studies.run.figures.findings import sweep_finding
from backtest.studies.run.figures.footnote import footnote

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PANEL = 1.75  # inches, as below
LEFT, RIGHT, GAP = 0.78, 0.2, 0.3
PARTS = {
    "total": (TOTAL, "-", "total reduction"),
    "diversification": (DIVERSIFICATION, "--", "diversification"),
    "dependence": (OFFSET, "-.", "offset (dependence)"),
}


def treasury_share_sweep(study: Study, sweep: pd.DataFrame) -> Figure:
    """A column a side: equal-coverage margin by model above, the three reductions below.

    `margin` is the equal-coverage margin in % of the gross, USD m where that is unknown: the gross
    is a setting of the study file, and a study run from Python has none.

    Examples
    --------
    >>> import backtest as bt, strategies as st
    >>> market = bt.load_market("sample", end="2018-12-31")
    >>> frame = pd.DataFrame({"UST10Y": [1e8]}, index=["long"])
    >>> study = bt.run(market, bt.Book.from_frame(frame, market), {"var": st.HistoricalVaR()})
    >>> flat = {"equal_coverage_margin": 2e6, "total": 0.1, "diversification": 0.1}
    >>> points = [{"side": "long", "share": s, "model": "var"} | flat for s in (0.0, 1.0)]
    >>> figure = treasury_share_sweep(study, pd.DataFrame(points).assign(dependence=0.0))
    >>> figure.data["margin"].tolist(), figure.draw().get_title("left")
    ([2.0, 2.0], 'long')
    """
    gross = _gross(study)
    unit = MILLION if gross is None else gross / 100
    data = sweep.assign(margin=sweep["equal_coverage_margin"] / unit)
    return Figure(
        name="treasury_share_sweep",
        data=data,
        caption=_caption(study, data),
        paint=lambda canvas: _paint(canvas, study, data),
        simulated=study.simulated,
    )


def _sweep_table(study: Study) -> dict[str, object]:
    return study.provenance.study.get("sweep") or {}


def _gross(study: Study) -> float | None:
    gross = _sweep_table(study).get("gross")
    return float(gross) if isinstance(gross, int | float) else None


def _caption(study: Study, data: pd.DataFrame) -> Caption:
    crypto = _sweep_table(study).get("crypto")
    gross = _gross(study)
    legs = "One Treasury leg, long on the left and short on the right" + (
        f"; the rest of the gross is long {crypto}" if crypto else "; the other leg is long"
    )
    if gross is not None:
        legs += f"; {gross / MILLION:g}m USD gross"
    note = (
        f"{legs}. Every point is scaled on its own, in hindsight, to the coverage standard: "
        "in-sample, on about one day in a hundred. Point estimates of the reduction, no bounds."
    )
    estimates = data.drop_duplicates(["side", "share"]).dropna(subset=["total"])
    sides = []
    for side, rows in estimates.groupby("side", sort=False):
        top = rows.iloc[int(rows["total"].argmax())]
        sides.append(
            f"{side}: the total reduction is largest, {percent(top['total'])}, at a Treasury "
            f"share of {percent(top['share'], digits=0)}; offset there "
            f"{points(top['dependence'])} %, over all shares "
            f"{points(rows['dependence'].min())} to {points(rows['dependence'].max())} %"
        )
    return Caption.of(
        sweep_finding(data),
        measure="Margin at equal coverage, and what pooling saves, by Treasury share",
        footnote=footnote(study, note),
        alt=f"Lines over the Treasury share from 0 to 100 %. {'; '.join(sides)}.",
    )


def _paint(canvas: Canvas, study: Study, data: pd.DataFrame) -> "Axes":
    from matplotlib.lines import Line2D

    styles = model_styles(study.models)
    first, second = legend_height(len(styles)) + 0.19, 0.52
    sheet = canvas(first + 2 * PANEL + second + 0.4)
    keys = model_keys(styles, line=True, ms=4)
    sheet.legend(keys, top=0.0, columns=LEGEND_COLUMNS, left=LEFT)
    sheet.legend(
        [Line2D([], [], color=c, ls=ls, lw=1.6, label=label) for c, ls, label in PARTS.values()],
        top=first + PANEL + 0.26, columns=3, left=LEFT,
    )  # fmt: skip
    top_panels: list[Axes] = []
    low_panels: list[Axes] = []
    sides = list(dict.fromkeys(data["side"]))
    columns = columns_of(len(sides), left=LEFT, right=RIGHT, gap=GAP)
    for side, column in zip(sides, columns, strict=True):
        rows = data[data["side"] == side]
        above, below = (
            sheet.panel(left=column.left, right=column.right, top=top, height=PANEL,
                        sharey=next(iter(panels), None))
            for panels, top in ((top_panels, first), (low_panels, first + PANEL + second))
        )  # fmt: skip
        _draw_margins(above, rows, styles)
        _draw_parts(below, rows.drop_duplicates("share"))
        above.set_title(side, loc="left", weight="bold")
        for panel in (above, below):
            panel.set_xlim(0, 100)
            panel.set_xticks([0, 25, 50, 75, 100])
            panel.tick_params(labelleft=column is columns[0])
            panel.grid(visible=True)
        below.set_xlabel("Treasury share of the gross, %")
        top_panels.append(above)
        low_panels.append(below)
    gross = _gross(study)
    top_panels[0].set_ylim(0, None)
    top_panels[0].set_ylabel(
        "equal-coverage margin,\n" + ("USD m" if gross is None else "% of the gross")
    )
    low_panels[0].set_ylabel("reduction, %")
    return top_panels[0]


def _draw_margins(axes: "Axes", rows: pd.DataFrame, styles: dict[str, ModelStyle]) -> None:
    for place, (model, style) in enumerate(styles.items()):
        line = rows[rows["model"] == model].sort_values("share")
        axes.plot(
            100 * line["share"], line["margin"], color=style.colour, ls=style.line,
            marker=style.marker, ms=4, lw=1.2,
            markevery=(place, max(len(styles), 2)),  # models lie close: marks take turns
        )  # fmt: skip


def _draw_parts(axes: "Axes", estimates: pd.DataFrame) -> None:
    line = estimates.sort_values("share")
    axes.axhline(0, color=INK, lw=0.7)
    for part, (colour, dashes, _) in PARTS.items():
        axes.plot(100 * line["share"], 100 * line[part], color=colour, ls=dashes, lw=1.6)
