"""Figure: what each model covers against what it costs, and what the same coverage costs."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from backtest.present.figure import Canvas, Figure
from backtest.present.lettering import label_of
from backtest.present.marks import draw_allowed, model_keys
from backtest.present.naming import model_name
from backtest.present.numbers import MILLION, UNBOUNDED, interval, millions, percent, ratio
from backtest.present.sheet import LEGEND_COLUMNS, Caption, legend_height
from backtest.present.style import INK, ModelStyle, model_styles
from backtest.replay.study import Study
from backtest.scores.overlapping.slow_variance import effective_interval
from backtest.studies.run.figures.findings import cost_finding
from backtest.studies.run.figures.footnote import footnote
from backtest.types import FloatArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

POOLED = "all books pooled"
RATES = ("exceedance_rate", "exceedance_rate_low", "exceedance_rate_high")
EQUAL = ("equal_coverage", "equal_coverage_low", "equal_coverage_high")
MEAN = "mean_margin"
ROUND_STEPS = (1.0, 2.0, 5.0)
MOST_POINTS = 1000  # of single books a model; more only cover each other
INFINITE = "\N{INFINITY}"  # in a column of numbers
NO_MARGIN = "no margin to compare with"


def coverage_against_cost(study: Study) -> Figure:
    """Exceedance rate against mean margin; below it the mean margin at equal coverage.

    A row a (model, portfolio), a pooled row a model. Columns: cost as a multiple of the siloed
    model's, in USD m where the study has none; exceedance_rate with its 95 % interval;
    equal_coverage (with _low, _high) in USD m, whose interval is that of the margin and not of a
    ratio; worst_rate of the pooled rows, of the worst book at equal coverage. In pooled intervals
    days that cluster and books that share them count as less evidence (`rate_inflation`).

    Examples
    --------
    >>> import backtest as bt, strategies as st
    >>> market = bt.load_market("sample", end="2018-12-31")
    >>> frame = pd.DataFrame({"UST10Y": [1e8], "BTC": [5e6]}, index=["long both"])
    >>> study = bt.run(market, bt.Book.from_frame(frame, market), {"siloed": st.Siloed()})
    >>> figure = coverage_against_cost(study)
    >>> figure.data[["portfolio", "cost"]].values.tolist()
    [['all books pooled', 1.0], ['long both', 1.0]]
    >>> figure.draw().get_ylabel()
    'exceedance rate, %'
    """
    data = _data(study)
    return Figure(
        name="coverage_against_cost",
        data=data,
        caption=_caption(study, data),
        paint=lambda canvas: _paint(canvas, study, data),
        simulated=study.simulated,
    )


def _data(study: Study) -> pd.DataFrame:
    days, parts = study.scored, []
    loss = study.loss.loc[days].to_numpy()
    yardstick = study.provenance.siloed_model
    for model in study.models:
        # Books of one day share its prices: taken as independent they would make the interval too
        # narrow, so their exceedances count divided by the clustering of the pool.
        pool = study.pooled.loc[model].to_dict()
        marked = loss > study.required[model].loc[days].to_numpy()
        count, cells = int(marked.sum()), marked.size
        if study.own is not None:
            count, cells = int((marked & study.own).sum()), int(study.own.sum())
        low, high = effective_interval(count, cells, pool["inflation"])
        pool |= dict(zip(RATES, (count / cells, float(low), float(high)), strict=True))
        pooled = pd.DataFrame(pool, index=[POOLED])
        books = study.scores.loc[[model]].droplevel("model")
        for rows, tables in ((pooled, study.pooled), (books, study.scores)):
            base = None if yardstick is None else tables.loc[[yardstick]].set_axis(rows.index)
            parts.append(_points(model, rows, base))
    return pd.concat(parts, ignore_index=True)


def _points(model: str, scores: pd.DataFrame, base: pd.DataFrame | None) -> pd.DataFrame:
    """A point a row: rates as they are, mean margins as multiples of those of `base`, or in USD m.

    USD margins of books of different size cannot share an axis, so each is divided by the margin
    of the siloed model on the same book. Margins at equal coverage are of all books and stay USD:
    the interval of one margin over another point is no interval of their ratio.
    """
    unit = pd.Series(MILLION, index=scores.index) if base is None else base[MEAN]
    margins = ("equal_coverage_margin", *EQUAL[1:])
    worst = scores["worst_rate"] if "worst_rate" in scores else np.nan
    return pd.DataFrame(
        {
            "model": model,
            "portfolio": scores.index,
            "cost": _ratio(scores[MEAN], unit),
            **{name: scores[name].to_numpy(dtype=np.float64) for name in RATES},
            **{
                name: scores[margin].to_numpy(dtype=np.float64) / MILLION
                for name, margin in zip(EQUAL, margins, strict=True)
            },
            "worst_rate": np.asarray(worst, dtype=np.float64),
        }
    )


def _ratio(values: pd.Series, units: pd.Series) -> FloatArray:
    """Values / units, NaN where the unit is 0 or unbounded."""
    unit = units.to_numpy(dtype=np.float64)
    out = np.full(len(unit), np.nan)
    known = (unit > 0.0) & (unit < np.inf)
    return np.divide(values.to_numpy(dtype=np.float64), unit, out=out, where=known)


def _caption(study: Study, data: pd.DataFrame) -> Caption:
    pooled = data[data["portfolio"] == POOLED].set_index("model")
    books = len(study.loss.columns)
    allowed = 100 * (1 - study.provenance.confidence)
    note = (
        f"Large marks: all {books:,} books pooled, with 95 % intervals; small marks: single books"
        f"{_drawn_words(books)}. "
        f"Below: every model scaled once, in hindsight, to {allowed:g} % exceedances over "
        "all books; in-sample, the intervals are not of differences. Worst book: of all, the one "
        "with the highest exceedance rate at that scale."
    )
    currency = study.provenance.currency
    points = "; ".join(
        f"{model}: cost {ratio(row['cost'])}, exceedances "
        f"{interval(row, 'exceedance_rate', lambda x: percent(x, digits=2))}, margin at equal "
        f"coverage {_equal_words(row)} {currency} m, worst book then {percent(row['worst_rate'])}"
        for model, row in pooled.to_dict("index").items()
    )
    return Caption.of(
        cost_finding(pooled, currency=currency),
        measure="Exceedance rate against mean margin, and pooled mean margin at equal coverage",
        footnote=footnote(study, note),
        alt=f"Scatter of exceedance rate against mean margin ({_unit(study)}) with the "
        f"{allowed:g} % line, and bars of the mean margin at equal coverage. Pooled over {books} "
        f"books: {points}.",
    )


def _equal_words(row: Mapping[Any, Any]) -> str:
    """The margin at equal coverage with its interval, millions."""
    return interval({name: MILLION * row[name] for name in EQUAL}, EQUAL[0], millions)


def _unit(study: Study) -> str:
    yardstick = study.provenance.siloed_model
    if yardstick is None:
        return f"{study.provenance.currency} m"
    return f"multiple of {yardstick}"


def _paint(canvas: Canvas, study: Study, data: pd.DataFrame) -> "Axes":
    styles = model_styles(study.models)
    legend, bars = legend_height(len(styles)), 0.26 * len(styles)
    sheet = canvas(legend + 2.75 + 0.82 + bars + 0.42)
    sheet.legend(model_keys(styles, mec=INK, ms=7), top=0.0, columns=LEGEND_COLUMNS, left=0.62)
    scatter = sheet.panel(left=0.62, right=0.15, top=legend, height=2.75)
    _draw_scatter(scatter, data, styles, study)
    equal = sheet.panel(left=0.98, right=2.32, top=legend + 2.75 + 0.82, height=bars)
    pooled = data[data["portfolio"] == POOLED].set_index("model")
    # Drawn words are not reworded with the page: of a given table they speak of accounts at once.
    unit = "book" if study.provenance.given is None else "account"
    _draw_bars(equal, pooled, styles, study.provenance.currency, unit=unit)
    return scatter


def _draw_scatter(
    axes: "Axes", data: pd.DataFrame, styles: dict[str, ModelStyle], study: Study
) -> None:
    from matplotlib.patheffects import withStroke
    from matplotlib.ticker import NullFormatter

    # The dark outline keeps an error bar visible where it crosses marks of its own colour.
    halo = withStroke(linewidth=2.5, foreground=INK)
    books, pooled = data[data["portfolio"] != POOLED], data[data["portfolio"] == POOLED]
    for model, style in styles.items():
        rows = _drawn(books[(books["model"] == model) & (books["cost"] > 0)])
        axes.scatter(
            rows["cost"], 100 * rows["exceedance_rate"], s=11, marker=style.marker,
            facecolors="none", edgecolors=style.colour, linewidths=0.7, clip_on=False, zorder=2,
        )  # fmt: skip
        row = pooled[pooled["model"] == model].iloc[0]
        rate = 100 * row["exceedance_rate"]
        low, high = (100 * row[f"exceedance_rate_{end}"] for end in ("low", "high"))
        if np.isfinite(low):
            axes.errorbar(row["cost"], rate, yerr=[[max(rate - low, 0.0)], [max(high - rate, 0.0)]],
                          fmt="none", ecolor=style.colour, elinewidth=1.5, capthick=1.5,
                          capsize=3.5, zorder=4, path_effects=[halo])  # fmt: skip
        axes.scatter(row["cost"], rate, s=62, marker=style.marker, facecolors=style.colour,
                     edgecolors=INK, linewidths=0.9, clip_on=False, zorder=5)  # fmt: skip
    allowed = 100 * (1 - study.provenance.confidence)
    draw_allowed(axes, allowed, color=INK)
    axes.set_ylim(0, None)
    axes.set_ylabel("exceedance rate, %")
    # Multiples of one yardstick: on a logarithmic axis half and twice its cost are equally far.
    if (data["cost"] > 0).any():
        axes.set_xscale("log")
        axes.set_xticks(_round_ticks(*axes.get_xlim()))
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_xlabel(f"mean margin, {_unit(study)} (logarithmic)")
    else:
        axes.text(0.5, 0.5, NO_MARGIN, transform=axes.transAxes, ha="center", va="center")
        axes.set_xticks([])
        axes.set_xlabel(f"mean margin, {_unit(study)}")
    axes.grid(visible=True, which="major")


def _drawn_words(books: int) -> str:
    """That not all books are drawn, where they are too many."""
    return f", {MOST_POINTS:,} of {books:,} from worst to best" if books > MOST_POINTS else ""


def _drawn(rows: pd.DataFrame) -> pd.DataFrame:
    """The points of one model that are drawn: where there are many, evenly from worst to best."""
    if len(rows) <= MOST_POINTS:
        return rows
    ranked = rows.sort_values("exceedance_rate", ascending=False, kind="stable")
    return ranked.iloc[np.linspace(0, len(rows) - 1, MOST_POINTS).round().astype(int)]


def _round_ticks(low: float, high: float) -> list[float]:
    """1, 2 and 5 times powers of ten within the axis."""
    powers = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    ticks = [step * 10.0**power for power in powers for step in ROUND_STEPS]
    return [tick for tick in ticks if low <= tick <= high]


def _draw_bars(
    axes: "Axes",
    pooled: pd.DataFrame,
    styles: dict[str, ModelStyle],
    currency: str,
    *,
    unit: str,
) -> None:
    longest = 0.0
    for place, (model, style) in enumerate(styles.items()):
        row = pooled.loc[model].to_dict()
        value, low, high = (float(row[name]) for name in EQUAL)
        if not np.isfinite(value):
            why = NO_MARGIN if np.isnan(value) else "no scale reaches the coverage"
            axes.text(0, place, f" {why}", va="center")
            continue
        axes.barh(place, value, height=0.62, color=style.colour, hatch=style.hatch,
                  edgecolor="white", linewidth=0.0, zorder=2)  # fmt: skip
        longest = max(longest, value)
        if np.isfinite(low) and np.isfinite(high):
            axes.errorbar(value, place, xerr=[[max(value - low, 0)], [max(high - value, 0)]],
                          fmt="none", ecolor=INK, elinewidth=1.1, capsize=3, zorder=3)  # fmt: skip
            longest = max(longest, high)
        _write_column(axes, 0, place, _equal_words(row).replace(UNBOUNDED, INFINITE))
        _write_column(axes, 1, place, percent(row["worst_rate"]))
    _write_column(axes, 0, -0.75, f"{currency} m [95 %]", weight="bold")
    _write_column(axes, 1, -0.75, f"worst {unit}", weight="bold")
    axes.set_yticks(
        range(len(styles)), [label_of(model_name(m), width=14, lines=1) for m in styles]
    )
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(styles) - 0.5, -0.5)
    axes.set_xlim(0, 1.03 * longest or 1.0)
    axes.set_xlabel(f"mean margin per {unit} at equal coverage, {currency} m")
    axes.grid(visible=True, axis="x")


def _write_column(axes: "Axes", column: int, place: float, words: str, **text: Any) -> None:
    """Words in a column beside the bars."""
    axes.annotate(
        words, (1.0, place), xycoords=("axes fraction", "data"), xytext=(6 + 88 * column, 0),
        textcoords="offset points", va="center", annotation_clip=False, **text,
    )  # fmt: skip
