"""Figure: coverage and cost of each model over simulated histories, and in history itself."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from backtest.present.figure import Canvas, Figure
from backtest.present.marks import draw_allowed, model_keys
from backtest.present.numbers import MILLION, interval, percent, ratio
from backtest.present.sheet import LEGEND_COLUMNS, Caption, legend_height
from backtest.present.style import INK, model_styles
from backtest.replay.distribution import Distribution
from backtest.replay.study import Study
from backtest.studies.run.figures.findings import histories_finding
from backtest.studies.run.figures.footnote import eligible_portfolios
from backtest.types import FloatArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LEVEL = 0.95  # share of the paths inside an outline, and between low and high
MOST_DOTS = 200  # paths drawn as dots; outlines are computed from all paths
MEAN, HISTORY = "mean over paths", "history"
PANEL = 3.3  # inches


def monte_carlo_frontier(
    distribution: Distribution, study: Study, ladder: pd.DataFrame | None = None
) -> Figure:
    """Exceedance rate against mean margin: paths, their mean and 95 % outline, and history.

    ladder : from `OffsetLadder.to_frame`; the footnote then counts the observed exceedances.

    A row a (model, mean | history | path).
    cost : mean margin over the books, as a multiple of the siloed model's on the same path, USD m
    where the study has none. exceedance_rate : mean over the books. The row of the mean has the
    95 % range of each, `over_allowed`, the share of paths whose rate is above 1 - confidence, and
    the semi-axes (cost, exceedance_rate) x 2 of the ellipse about it that holds 95 % of the paths.

    Examples
    --------
    >>> import backtest as bt, strategies as st
    >>> market = bt.load_market("sample", end="2018-12-31")
    >>> book = bt.Book.from_frame(pd.DataFrame({"UST10Y": [1e8], "BTC": [5e6]}, index=["p"]))
    >>> models = {"siloed": st.Siloed()}
    >>> mc = bt.monte_carlo(bt.StationaryBootstrap(block_size=20), market, book, models, paths=2)
    >>> figure = monte_carlo_frontier(mc, bt.run(market, book, models))
    >>> figure.data[["what", "cost"]].values.tolist()
    [['mean over paths', 1.0], ['history', 1.0], ['path 0', 1.0], ['path 1', 1.0]]
    >>> figure.draw().get_xlabel()
    'mean margin, multiple of siloed on the same path'
    """
    data = _data(distribution, study)
    return Figure(
        name="monte_carlo_frontier",
        data=data,
        caption=_caption(distribution, study, ladder, data),
        paint=lambda canvas: _paint(canvas, distribution, study, data),
        simulated=True,
    )


def _data(distribution: Distribution, study: Study) -> pd.DataFrame:
    cost, rate = _cost(distribution, study), distribution.score("exceedance_rate").mean(axis=2)
    edges = [(1.0 - LEVEL) / 2.0, (1.0 + LEVEL) / 2.0]
    allowed = 1.0 - distribution.provenance.confidence
    history = _history(distribution, study)
    rows: list[dict[Any, Any]] = []
    for m, model in enumerate(distribution.models):
        # Cost and coverage of a path are correlated. Two separate intervals would hide it, so
        # the row has the ellipse of the pair as well.
        center, axes = outline(np.column_stack([cost[:, m], rate[:, m]]))
        row: dict[str, Any] = {"model": model, "what": MEAN}
        for name, mean, draws in (
            ("cost", center[0], cost[:, m]), ("exceedance_rate", center[1], rate[:, m]),
        ):  # fmt: skip
            low, high = np.quantile(draws, edges)
            row |= {name: mean, f"{name}_low": low, f"{name}_high": high}
        row |= {"over_allowed": float((rate[:, m] > allowed).mean())}
        for i in range(2):
            row |= {f"axis_{i + 1}_cost": axes[0, i], f"axis_{i + 1}_exceedance_rate": axes[1, i]}
        rows.append(row)
        if model in history.index:
            rows.append({"model": model, "what": HISTORY} | history.loc[model].to_dict())
        rows += [
            {"model": model, "what": f"path {p}", "cost": c, "exceedance_rate": r}
            for p, (c, r) in enumerate(zip(cost[:MOST_DOTS, m], rate[:MOST_DOTS, m], strict=True))
        ]
    return pd.DataFrame(rows)


def outline(points: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Centre and semi-axes (2, 2 axes) of an ellipse shaped by the covariance of (paths, 2) points.

    Its size is such that it holds 95 % of the points; nothing is assumed normal. A coordinate that
    does not vary makes it a line.

    Examples
    --------
    >>> corners = np.array([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0], [2.0, 2.0]])
    >>> center, axes = outline(corners)
    >>> center.tolist(), np.hypot(*axes).round(3).tolist()
    ([1.0, 1.0], [1.414, 1.414])
    """
    center = points.mean(axis=0)
    away = points - center
    # Cost and rate differ in size by orders of magnitude: both are scaled to unit deviation, so
    # that rounding in one does not look like variance in the other.
    unit = away.std(axis=0)
    unit[unit <= 1e-12 * np.maximum(np.abs(center), 1e-300)] = 0.0
    scaled = np.divide(away, unit, out=np.zeros_like(away), where=unit > 0)
    values, vectors = np.linalg.eigh(scaled.T @ scaled / len(points))
    values = np.where(values > 1e-9, values, 0.0)
    coordinates = np.divide(
        scaled @ vectors, np.sqrt(values), out=np.zeros_like(scaled), where=values > 0
    )
    radius = np.quantile(np.hypot(*coordinates.T), LEVEL)
    return center, unit[:, None] * vectors * np.sqrt(values) * radius


def _cost(distribution: Distribution, study: Study) -> FloatArray:
    """(paths, models) mean margin over the books, divided by the siloed model's if it was run."""
    margin: FloatArray = distribution.score("mean_margin").mean(axis=2)
    yardstick = _yardstick(distribution, study)
    if yardstick is None:
        return margin / MILLION
    return margin / margin[:, [distribution.models.index(yardstick)]]


def _yardstick(distribution: Distribution, study: Study) -> str | None:
    siloed = study.provenance.siloed_model
    return siloed if siloed in distribution.models else None


def _history(distribution: Distribution, study: Study) -> pd.DataFrame:
    """Cost and exceedance rate of the same books in history, by model."""
    books = list(distribution.portfolios)
    scores = study.scores[study.scores.index.get_level_values("portfolio").isin(books)]
    means = scores.groupby(level="model", sort=False)[["mean_margin", "exceedance_rate"]].mean()
    yardstick = _yardstick(distribution, study)
    unit = MILLION if yardstick is None else float(means["mean_margin"][yardstick])
    return means.assign(cost=means["mean_margin"] / unit)[["cost", "exceedance_rate"]]


def _caption(
    distribution: Distribution, study: Study, ladder: pd.DataFrame | None, data: pd.DataFrame
) -> Caption:
    origin = distribution.provenance
    fitted = origin.prices
    paths, books = len(distribution.scores), len(distribution.portfolios)
    counts = distribution.score("observations")
    few, many = int(counts.min()), int(counts.max())
    days = f"{few:,}" if few == many else f"{few:,} to {many:,}"
    note = (
        f"{paths:,} simulated histories, every model on the same ones; {books} books pooled. Small "
        f"marks: paths{f' (the first {MOST_DOTS})' if paths > MOST_DOTS else ''}; large: their "
        f"mean; ellipses hold {100 * LEVEL:g} % of the paths, cost and coverage jointly; hollow: "
        "history itself. The spread is of histories of this length, not the error of the mean. "
        f"{_information(ladder)}"
    )
    footnote = (
        f"{note} Source: simulated histories fitted to {fitted.sentence()}, {fitted.first} to "
        f"{fitted.last}; {origin.simulator}, seed {origin.seed}; n = {days} scored days a path; "
        f"{origin.held_to.sentence()}. {origin.models_sentence()} {origin.software.sentence()}."
    )
    allowed = 100 * (1 - origin.confidence)
    models = "; ".join(
        f"{row['model']}: cost {interval(row, 'cost', ratio)}, exceedances "
        f"{interval(row, 'exceedance_rate', lambda x: percent(x, digits=2))}, above {allowed:g} % "
        f"on {percent(row['over_allowed'], digits=0)} of the paths"
        for row in data[data["what"] == MEAN].to_dict("records")
    )
    means = data[data["what"] == MEAN].set_index("model")
    return Caption.of(
        histories_finding(means, paths=paths, allowed=1 - origin.confidence),
        measure="Exceedance rate against mean margin over simulated histories",
        footnote=footnote,
        alt=f"Clouds of {paths:,} simulated histories, exceedance rate against mean margin "
        f"({_unit(distribution, study)}), with the {allowed:g} % line. {models}.",
    )


def _information(ladder: pd.DataFrame | None) -> str:
    """Words: paths add no information beyond the exceedances of the history they resample."""
    words = (
        "Paths come from one history: however many, they add no information beyond the exceedances "
        "observed in it"
    )
    pools = pd.DataFrame() if ladder is None else ladder.dropna(subset=["total"])
    if not len(pools):
        return f"{words}."
    pools = pools.loc[eligible_portfolios(pools.index)]
    counts, effective = pools["exceedances"], pools["effective"]
    number = "-".join(dict.fromkeys(f"{n:.0f}" for n in (counts.min(), counts.max())))
    return (
        f"{words}: {number} for each pooled book at its equal-coverage scale, worth "
        f"{effective.min():.0f} to {effective.max():.0f} independent ones."
    )


def _unit(distribution: Distribution, study: Study) -> str:
    yardstick = _yardstick(distribution, study)
    return "USD m" if yardstick is None else f"multiple of {yardstick} on the same path"


def _paint(canvas: Canvas, distribution: Distribution, study: Study, data: pd.DataFrame) -> "Axes":
    # Models keep the colours they have in the figures of the study itself.
    of_study = model_styles(study.models)
    styles = {model: of_study[model] for model in distribution.models}
    legend = legend_height(len(styles))
    sheet = canvas(legend + PANEL + 0.42)
    sheet.legend(model_keys(styles, mec=INK, ms=7), top=0.0, columns=LEGEND_COLUMNS, left=0.62)
    axes = sheet.panel(left=0.62, right=0.15, top=legend, height=PANEL)
    # An ellipse is the unit circle stretched along its two semi-axes.
    angle = np.linspace(0.0, 2.0 * np.pi, 181)
    circle = np.stack([np.cos(angle), np.sin(angle)])
    for model, style in styles.items():
        rows = data[data["model"] == model].set_index("what")
        dots = rows[rows.index.str.startswith("path ")]
        axes.scatter(dots["cost"], 100 * dots["exceedance_rate"], s=8, marker=style.marker,
                     facecolors=style.colour, linewidths=0, alpha=0.5, zorder=2)  # fmt: skip
        mean = rows.loc[MEAN]
        spread = np.array(
            [[mean[f"axis_{i}_{name}"] for i in (1, 2)] for name in ("cost", "exceedance_rate")]
        )
        line = np.array([[mean["cost"]], [mean["exceedance_rate"]]]) + spread @ circle
        axes.plot(line[0], 100 * line[1], color=style.colour, ls=style.line, lw=1.6, zorder=4)
        axes.scatter(mean["cost"], 100 * mean["exceedance_rate"], s=50, marker=style.marker,
                     facecolors=style.colour, edgecolors=INK, linewidths=0.9, zorder=6)  # fmt: skip
        if HISTORY in rows.index:
            point = rows.loc[HISTORY]
            axes.scatter(point["cost"], 100 * point["exceedance_rate"], s=42, marker=style.marker,
                         facecolors="white", edgecolors=style.colour, linewidths=1.4,
                         zorder=7)  # fmt: skip
    draw_allowed(axes, 100 * (1 - distribution.provenance.confidence))
    axes.set_ylim(0, None)
    axes.set_ylabel("exceedance rate, %")
    axes.set_xlabel(f"mean margin, {_unit(distribution, study)}")
    axes.grid(visible=True)
    return axes
