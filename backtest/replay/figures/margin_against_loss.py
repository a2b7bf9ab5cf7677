"""Figure: the margin of one portfolio, the loss that followed, and when it was not enough."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from backtest.present.figure import Canvas, Figure
from backtest.present.lettering import drawable, label_of
from backtest.present.naming import brief, least_to_most, model_name
from backtest.present.numbers import millions
from backtest.present.panels import PanelGrid
from backtest.present.sheet import LEGEND_COLUMNS, Caption, legend_height
from backtest.present.style import INK, ModelStyle, model_styles
from backtest.replay.figures.through_time import (
    NAMES,
    draw_time_axis,
    name_stress_days,
    stress_days_of,
    stress_key,
    stress_words,
)
from backtest.replay.worst import selection, worst_rows
from backtest.types import FloatArray, StudyError, shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from backtest.replay.study import Study

TOGETHER = 3  # models whose lines one panel holds
MOST_PANELS = 6
UNITS = ((1e5, 1e6, " m"), (1e2, 1e3, " k"), (0.0, 1.0, ""))  # from what amount, its unit
LOSS = "#7d7d7d"


def margin_against_loss(
    study: "Study", portfolio: str, models: str | Iterable[str] | None = None
) -> Figure:
    """Margin by day as a line a model, losses over the MPOR as sticks, exceedances marked.

    Up to three models share a panel; of more, each has its own. A row a (date, model) that is
    scored: date, portfolio, model, loss, required (USD), exceeded; gains are losses below zero,
    which are not drawn.

    Parameters
    ----------
    models : names of models; None for all, or the six worst of more.

    Raises
    ------
    StudyError : no such portfolio or model.

    Examples
    --------
    >>> import backtest as bt, strategies as st
    >>> market = bt.load_market("sample", end="2018-12-31")
    >>> frame = pd.DataFrame({"UST10Y": [1e8], "BTC": [5e6]}, index=["long both"])
    >>> study = bt.run(market, bt.Book.from_frame(frame, market), {"var": st.HistoricalVaR()})
    >>> figure = margin_against_loss(study, "long both")
    >>> int(figure.data["exceeded"].sum()) == study.summary()["exceedances"].item()
    True
    >>> figure.draw().get_ylabel()
    'USD m'
    """
    _check(portfolio, study.loss.columns, "portfolio")
    names = _models(study, portfolio, models)
    data = _data(study, portfolio, names)
    return Figure(
        name="margin_against_loss",
        data=data,
        caption=_caption(study, portfolio, data, chosen=models is None),
        paint=lambda canvas: _paint(canvas, study, data),
        simulated=study.simulated,
    )


def _check(name: str, known: Iterable[Any], what: str) -> None:
    names = [str(k) for k in known]
    if name not in names:
        close = get_close_matches(str(name), names, n=3) or names[:3]
        raise StudyError(f"the study has no {what} {name!r}; nearest: {', '.join(close)}.")


def _models(study: "Study", portfolio: str, models: str | Iterable[str] | None) -> list[str]:
    """The models to draw, in the order of the study where none are named."""
    if models is None:
        rows = study.scores[study.scores.index.get_level_values("portfolio") == portfolio]
        worst = {str(model) for model, _ in worst_rows(rows, MOST_PANELS)}
        return [model for model in study.models if model in worst]
    names = [models] if isinstance(models, str) or not isinstance(models, Iterable) else [*models]
    if not all(isinstance(name, str) for name in names):
        raise StudyError(
            f"models is {shown(models)}; give a name, a list of names, or None for all."
        )
    names = list(dict.fromkeys(names))
    if not names:
        raise StudyError("models is empty; name at least one, or leave it out for all.")
    for name in names:
        _check(name, study.models, "model")
    return names


def _data(study: "Study", portfolio: str, models: Sequence[str]) -> pd.DataFrame:
    days, place = study.scored, study.loss.columns.get_loc(portfolio)
    loss = study.loss.loc[days, portfolio].to_numpy(np.float64)
    own = np.ones(len(days), bool) if study.own is None else study.own[:, place]
    tables = []
    for model in models:
        required = study.required[model].loc[days, portfolio].to_numpy(np.float64)
        table = pd.DataFrame({"date": days, "portfolio": portfolio, "model": model})
        table = table.assign(loss=loss, required=required, exceeded=loss > required)
        tables.append(table[own])
    return pd.concat(tables, ignore_index=True)


def _caption(study: "Study", portfolio: str, data: pd.DataFrame, *, chosen: bool) -> Caption:
    """The words; of models that nobody chose by name, how many are left out."""
    models = list(dict.fromkeys(data["model"]))
    left_out = chosen and len(models) < len(study.models)
    note = f"{selection(len(models), len(study.models), 'models')}. " if left_out else ""
    note += (
        "A stick on day t: the loss over the MPOR that follows t, against what was required at t; "
        "a mark where it is more. Losses overlap, so one move can mark several days; gains are not "
        "drawn"
    )
    note += "; each panel has its own scale" if len(models) > TOGETHER else ""
    note += stress_words(stress_days_of(study), simulated=study.simulated)
    counts = data.groupby("model", sort=False)["exceeded"].sum()
    top: Any = data.loc[int(data["loss"].argmax())]
    words = ", ".join(f"{model} {count}" for model, count in counts.items())
    days, currency = data["date"].nunique(), study.provenance.currency
    often = least_to_most(counts.rename(index=model_name), lambda count: f"{count:,.0f}")
    allowed = int(study.scores["allowed"].xs(portfolio, level="portfolio").iloc[0])
    return Caption.of(
        f"{brief(portfolio)}: the loss exceeded the margin on {often} of {days:,} days; "
        f"{allowed:,} allowed",
        measure=f"Margin against loss over the MPOR, {currency}, by day: {portfolio}",
        footnote=f"{note}. {study.provenance.footnote()}",
        alt=f"Lines of the margin of {portfolio} through {days:,} days, above sticks of its "
        f"losses. Exceedances by model: {words}. The largest loss is {millions(top['loss'])}m "
        f"{currency} on {top['date']:%Y-%m-%d}.",
    )


def _paint(canvas: Canvas, study: "Study", data: pd.DataFrame) -> "Axes":
    from matplotlib.lines import Line2D

    models = list(dict.fromkeys(data["model"]))
    of_study = model_styles(study.models)
    styles = {model: of_study[model] for model in models}
    highest = max(0.0, *(float(data[name].max()) for name in ("loss", "required")))
    size, unit = next((size, words) for least, size, words in UNITS if highest >= least)
    unit = study.provenance.currency + unit
    groups = [models] if len(models) <= TOGETHER else [[model] for model in models]
    stress = stress_days_of(study)
    counts = data.groupby("model", sort=False)["exceeded"].sum()
    handles = [
        Line2D([], [], color=s.colour, ls=s.line, lw=1.3, marker=s.marker, ms=4.5, mfc="none",
               label=_key(model, int(counts[model])))
        for model, s in styles.items()
    ]  # fmt: skip
    handles += [Line2D([], [], color=LOSS, lw=0.8, label="loss"), *stress_key(stress)]
    several = len(groups) > 1
    grid = PanelGrid(
        left=0.62, right=0.12, height=1.05 if several else 2.6,
        above=0.19 if several else 0.04, below=0.07,
    )  # fmt: skip
    columns = min(LEGEND_COLUMNS, 3)
    keys = legend_height(-(-len(handles) // columns) * LEGEND_COLUMNS) + 0.02
    names = NAMES if len(stress) else 0.0
    sheet, panels = grid.panels(canvas, len(groups), keys=keys + names, end=0.17, share=False)
    sheet.legend(handles, top=0.0, columns=columns, left=grid.left)
    for axes, group in zip(panels, groups, strict=True):
        rows = data[data["model"].isin(group)]
        _draw(axes, rows, {model: styles[model] for model in group}, study, size)
        draw_time_axis(axes, study.scored, stress)
        # A margin of many times the losses would flatten them in every panel but its own.
        axes.set_ylim(0, 1.06 * max(0.0, *rows[["loss", "required"]].max()) / size or 1.0)
        axes.set_ylabel(unit)
        axes.tick_params(labelbottom=axes is panels[-1])
        if several:
            axes.set_title(drawable(model_name(group[0])), loc="left", pad=3)
    name_stress_days(panels[0], stress, width=grid.places[0].width, lift=14.0 if several else 3.0)
    return panels[0]


def _key(model: str, count: int) -> str:
    return label_of(f"{model_name(model)}: {count:,} exceeded", width=34, lines=1)


def _draw(
    axes: "Axes", data: pd.DataFrame, styles: dict[str, ModelStyle], study: "Study", size: float
) -> None:
    """Sticks, lines and marks of the models that share a panel."""
    for place, (model, style) in enumerate(styles.items()):
        # On days that an account has not, its line breaks.
        rows = data[data["model"] == model].set_index("date").reindex(study.scored)
        loss, required = (rows[name].to_numpy(np.float64) / size for name in ("loss", "required"))
        if not place:
            axes.plot(*sticks(study.scored, loss), color=LOSS, lw=0.5, zorder=1)
        axes.plot(study.scored, required, color=style.colour, ls=style.line, lw=1.1, zorder=4)
        out = rows["exceeded"].fillna(False).to_numpy(bool)
        # Marks of models that fail on one day lie around each other.
        axes.plot(study.scored[out], loss[out], ls="", marker=style.marker, ms=3.2 + 1.8 * place,
                  mfc="none", mec=style.colour, mew=0.9, zorder=5 + place)  # fmt: skip
        axes.plot(*sticks(study.scored[out], loss[out]), color=INK, lw=0.5, zorder=2)
    axes.grid(visible=True, axis="y")


def sticks(days: pd.DatetimeIndex, heights: FloatArray) -> tuple[Any, FloatArray]:
    """Sticks from zero up as one line with gaps, which a file holds in one short path."""
    up = heights > 0
    ends = np.stack([np.zeros(up.sum()), heights[up], np.full(up.sum(), np.nan)], axis=1)
    return np.repeat(days[up].to_numpy(), 3), ends.ravel()
