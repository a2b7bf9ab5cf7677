"""Figure: margin through one episode of stress, of a base model alone and with tools over it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from backtest.market.episodes import EPISODES
from backtest.present.figure import Canvas, Figure
from backtest.present.lettering import label_of
from backtest.present.naming import brief, least_to_most, model_name, span
from backtest.present.numbers import MILLION, percent
from backtest.present.sheet import LEGEND_COLUMNS, Caption, legend_height
from backtest.present.style import INK, SOFT, model_styles
from backtest.replay.figures.margin_against_loss import LOSS, sticks
from backtest.replay.figures.through_time import draw_time_axis, stress_days_of, stress_words
from backtest.replay.study import Study
from backtest.studies.run.figures.footnote import footnote
from backtest.types import StudyError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BEFORE, AFTER = pd.Timedelta(days=30), pd.Timedelta(days=60)  # around the episode
HEIGHT, LEFT, RIGHT = 2.9, 0.62, 0.15  # inches
LEVELS = 3  # lines of labels over the panel


def margin_through_stress(
    study: Study,
    portfolio: str,
    base: str,
    tools: Sequence[str],
    *,
    episode: str = "March 2020",
) -> Figure:
    """Margin by day through one episode, a line a model, over the losses that followed.

    A row a (date, model) that is scored: date, portfolio, model, loss, required (USD), exceeded.

    Parameters
    ----------
    base : the model that the tools are laid over. tools : models with it as their base.
    episode : a name of `backtest.market.episodes.EPISODES`.

    Raises
    ------
    StudyError : no day of the episode is scored.

    Examples
    --------
    >>> import backtest as bt, strategies as st
    >>> market = bt.load_market("sample", end="2020-12-31")
    >>> frame = pd.DataFrame({"BTC": [1e8]}, index=["coin"])
    >>> models = {"var": st.HistoricalVaR(), "buffer": st.Buffer()}
    >>> study = bt.run(market, bt.Book.from_frame(frame, market), models, audit=False)
    >>> figure = margin_through_stress(study, "coin", "var", ["buffer"])
    >>> figure.data["model"].unique().tolist(), figure.draw().get_ylabel()
    (['var', 'buffer'], 'USD m')
    """
    data = _data(study, portfolio, [base, *tools], episode)
    return Figure(
        name="margin_through_stress",
        data=data,
        caption=_caption(study, data, base, episode),
        paint=lambda canvas: _paint(canvas, study, data),
        simulated=study.simulated,
    )


def _data(study: Study, portfolio: str, models: Sequence[str], episode: str) -> pd.DataFrame:
    first, last = (pd.Timestamp(day) for day in EPISODES[episode])
    days = study.scored
    if not ((days >= first) & (days <= last)).any():
        raise StudyError(f"no day of {episode} is scored; draw an episode that the study has.")
    days = days[(days >= first - BEFORE) & (days <= last + AFTER)]
    loss = study.loss.loc[days, portfolio].to_numpy(np.float64)
    tables = []
    for model in models:
        required = study.required[model].loc[days, portfolio].to_numpy(np.float64)
        table = pd.DataFrame({"date": days, "portfolio": portfolio, "model": model})
        tables.append(table.assign(loss=loss, required=required, exceeded=loss > required))
    return pd.concat(tables, ignore_index=True)


def rise_through(margin: "pd.Series[float]", episode: str) -> float:
    """Relative rise of a margin from before an episode to its highest within it and after.

    margin : by date, up to where the rise may end. Before: the last day before the episode, or
    the first day there is.

    Examples
    --------
    >>> days = pd.to_datetime(["2020-02-27", "2020-02-28", "2020-03-12", "2020-04-01"])
    >>> round(rise_through(pd.Series([3.0, 2.0, 2.5, 2.2], days), "March 2020"), 6)
    0.25
    """
    first, margin = pd.Timestamp(EPISODES[episode][0]), margin.dropna()
    before, after = margin[margin.index < first], margin[margin.index >= first]
    if not len(after):
        return float("nan")
    start = float(before.iloc[-1] if len(before) else after.iloc[0])
    return float(after.max()) / start - 1.0 if start > 0.0 else float("nan")


def stress_rises(data: pd.DataFrame, episode: str) -> "pd.Series[float]":
    """`rise_through` of each model; data : a row a (date, model), required."""
    return pd.Series(
        {
            str(model): rise_through(rows.set_index("date")["required"], episode)
            for model, rows in data.groupby("model", sort=False)
        }
    )


def stress_finding(data: pd.DataFrame, base: str, episode: str) -> str:
    """How much margin rises through the episode and how often it is exceeded, with and without."""
    rises = stress_rises(data, episode).rename(index=model_name)
    counts = data.groupby("model", sort=False)["exceeded"].sum().rename(index=model_name)
    own, alone = model_name(base), brief(model_name(base), most=20)
    tools = rises.drop(own).dropna()
    text = f"Through {episode} margin rises by {percent(rises[own], digits=0)} with {alone} alone"
    if len(tools):
        text += f", by {least_to_most(tools, lambda rise: percent(rise, digits=0))} with a tool"
    text += f"; days exceeded: {counts[own]:,} alone"
    others = counts.drop(own)
    if len(others):
        text += f", {span(others.min(), others.max(), lambda days: f'{days:,.0f}')} with one"
    return text


def _caption(study: Study, data: pd.DataFrame, base: str, episode: str) -> Caption:
    note = (
        "A stick on day t: the loss over the MPOR that follows t, against what was required at t; "
        "a hollow mark where it is more. Losses overlap, so one move can mark several days; gains "
        "are not drawn. The rise is from the last day before the month to the highest margin "
        "drawn after it began. Margins as required, not scaled to equal coverage"
    )
    drawn = stress_days_of(study)
    drawn = drawn[(drawn >= data["date"].min()) & (drawn <= data["date"].max())]
    note += stress_words(drawn, simulated=study.simulated)
    rises = stress_rises(data, episode)
    counts = data.groupby("model", sort=False)["exceeded"].sum()
    words = "; ".join(
        f"{model}: rises by {percent(rises[model])}, exceeded on {counts[model]:,} days"
        for model in rises.index
    )
    portfolio = data["portfolio"].iloc[0]
    return Caption.of(
        stress_finding(data, base, episode),
        measure=f"Margin against loss over the MPOR, {study.provenance.currency} m, {episode} and "
        f"the weeks around it: {portfolio}",
        footnote=footnote(study, f"{note}."),
        alt=f"Lines of margin over sticks of losses. {words}.",
    )


def _paint(canvas: Canvas, study: Study, data: pd.DataFrame) -> "Axes":
    from matplotlib import dates as time
    from matplotlib.lines import Line2D

    of_study = model_styles(study.models)
    styles = {model: of_study[model] for model in dict.fromkeys(data["model"])}
    days = pd.DatetimeIndex(data["date"].unique())
    stress = stress_days_of(study).intersection(days)
    handles: list[Any] = [
        Line2D([], [], color=s.colour, ls=s.line, lw=1.5, marker=s.marker, ms=4.5, mfc="none",
               label=label_of(model_name(model), width=30, lines=1))
        for model, s in styles.items()
    ]  # fmt: skip
    handles.append(Line2D([], [], color=LOSS, lw=1.2, label="loss"))
    keys = legend_height(len(handles)) + (0.13 * LEVELS if len(stress) else 0.0)
    sheet = canvas(keys + HEIGHT + 0.32)
    sheet.legend(handles, top=0.0, columns=LEGEND_COLUMNS, left=LEFT)
    axes = sheet.panel(left=LEFT, right=RIGHT, top=keys, height=HEIGHT)
    for place, (model, style) in enumerate(styles.items()):
        rows = data[data["model"] == model]
        loss, required = (
            rows[name].to_numpy(np.float64) / MILLION for name in ("loss", "required")
        )
        if not place:
            axes.plot(*sticks(days, loss), color=LOSS, lw=1.6, zorder=1)
        axes.plot(days, required, color=style.colour, ls=style.line, lw=1.5, zorder=4)
        out = rows["exceeded"].to_numpy(bool)
        axes.plot(days[out], loss[out], ls="", marker=style.marker, ms=4.0 + 2.2 * place,
                  mfc="none", mec=style.colour, mew=1.0, zorder=5 + place)  # fmt: skip
    draw_time_axis(axes, days, stress)
    axes.xaxis.get_offset_text().set_visible(False)  # the year is in the line under the title
    for place, day in enumerate(stress):
        axes.annotate(
            f"{day.day} {day:%b}", (float(time.date2num(day)), 1.0),  # type: ignore[no-untyped-call]
            xycoords=("data", "axes fraction"), xytext=(0, 2 + 9 * (place % LEVELS)),
            textcoords="offset points", ha="center", va="bottom", color=SOFT,
            annotation_clip=False,
        )  # fmt: skip
    axes.set_ylim(0, 1.06 * max(0.0, *data[["loss", "required"]].max()) / MILLION or 1.0)
    axes.set_ylabel(f"{study.provenance.currency} m")
    axes.axhline(0, color=INK, lw=0.7)
    axes.grid(visible=True, axis="y")
    return axes
