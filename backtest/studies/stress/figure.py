"""Figure: how far away the most plausible move is that uses each margin up."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from backtest.present.figure import Canvas, Figure
from backtest.present.lettering import fitted_label
from backtest.present.marks import model_keys
from backtest.present.numbers import ratio
from backtest.present.sheet import LEGEND_COLUMNS, Caption, legend_height
from backtest.present.style import FAINT, INK, model_styles
from backtest.stress import StressResult
from backtest.studies.stress.tables import FIRST, JOINT, MARGIN, nearest

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NAME = "reverse_stress"
MOST = 20  # rows, as far as the layers of firms leave room for accounts
LEAST = 8  # accounts
COLUMNS = ["whose", "model", "distance", "as_far"]
NORMAL = 2.3263478740408408  # standard deviations of a normal loss that 99 % of days stay within
ROW, LEFT, RIGHT = 0.3, 2.35, 0.2  # inches


def has_distances(result: StressResult) -> bool:
    """Whether some joint move uses something up, so that there is a figure to draw."""
    rows = result.reverse
    return bool(len(rows) and (rows["reached"] & (rows["direction"] == JOINT)).any())


def reverse_stress(result: StressResult, footnote: str, *, simulated: bool) -> Figure:
    """Distance of the joint move for each book or layer, by model; where `has_distances`.

    A row a (what is used up, model): `whose`, `model`, `distance` in standard deviations, `as_far`
    the share of days of the history that moved as far. NaN where no move uses it up.

    footnote : source, window, standard.
    """
    accounts, layers = _data(result)
    count = accounts["whose"].nunique()
    last = layers.drop_duplicates(["name", "model"], keep="last")
    room = max(LEAST, MOST - layers["whose"].nunique())
    shown = accounts["whose"].unique()[:room]
    nearest_ones = accounts[accounts["whose"].isin(shown)]
    data = pd.concat([nearest_ones, layers], ignore_index=True)[COLUMNS]
    return Figure(
        name=NAME,
        data=data,
        caption=_caption(data, footnote, (len(shown), count), _finding(accounts, last)),
        paint=lambda canvas: _paint(canvas, data),
        simulated=simulated,
    )


def _data(result: StressResult) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Margins of accounts, those used up soonest first; then the layers of firms, in their order.

    The margin of a firm's first account is that of an account, and is left out.
    """
    table = nearest(result)[["distance", "as_far"]].reset_index()
    of_account = (table["level"] == "account") & (table["layer"] == MARGIN)
    of_firm = (table["level"] == "firm") & (table["layer"] != FIRST)
    table["whose"] = table["name"].where(of_account, table["name"] + ": " + table["layer"])
    accounts, layers = table[of_account], table[of_firm]
    soonest = accounts.groupby("whose")["distance"].min().fillna(np.inf)
    order = accounts["whose"].map(soonest)
    accounts = accounts.assign(order=order).sort_values(["order", "whose"], kind="stable")
    return accounts, layers.sort_values("name", kind="stable")


def _finding(accounts: pd.DataFrame, last: pd.DataFrame) -> str:
    """The nearest move of any account, and of the last layer of any firm."""
    margin, behind = (rows["distance"].dropna().min() for rows in (accounts, last))
    all_behind = "all that stands behind a firm's margins"
    if np.isnan(margin):
        if np.isnan(behind):
            return "No move within the search uses a margin up"
        return f"A move {ratio(behind)} standard deviations away uses up {all_behind}"
    nearest_move = f"A move {ratio(margin)} standard deviations away uses a margin up"
    return nearest_move + ("" if np.isnan(behind) else f", one {ratio(behind)} away {all_behind}")


def _caption(data: pd.DataFrame, footnote: str, counts: tuple[int, int], finding: str) -> Caption:
    known = data.dropna(subset=["distance"])
    first: Any = known.iloc[int(known["distance"].to_numpy().argmin())]
    missing = int(data["distance"].isna().sum())
    kept, count = counts
    words = [
        "Distance is Mahalanobis', by the deviations and correlations of all moves over the "
        "longest MPOR up to the day of the test; losses are repriced in full.",
        f"Line: a normal loss stays within {NORMAL:.2f} deviations on 99 % of days.",
        f"No move within the search uses up {missing:,} of them." if missing else "",
        f"Of {count:,} accounts the {kept} nearest." if kept < count else "",
    ]
    return Caption.of(
        finding,
        measure="Distance of the nearest move that uses a margin up, standard deviations",
        footnote=" ".join(filter(None, [*words, footnote])),
        alt=f"Dots by book and model; nearest {first['whose']} under {first['model']} at "
        f"{ratio(float(first['distance']))}.",
    )


def _paint(canvas: Canvas, data: pd.DataFrame) -> "Axes":
    names = list(dict.fromkeys(data["whose"]))
    styles = model_styles(list(dict.fromkeys(data["model"])))
    keys = legend_height(len(styles)) + 0.06
    sheet = canvas(keys + ROW * len(names) + 0.55)
    axes = sheet.panel(left=LEFT, right=RIGHT, top=keys, height=ROW * len(names) + 0.08)
    sheet.legend(model_keys(styles, mec=INK, ms=6), top=0.0, columns=LEGEND_COLUMNS, left=0.3)
    axes.axvline(NORMAL, color=FAINT, lw=0.8, ls="--", zorder=1)
    spread = np.linspace(-0.28, 0.28, len(styles)) if len(styles) > 1 else [0.0]
    for offset, (model, style) in zip(spread, styles.items(), strict=True):
        rows = data[(data["model"] == model) & data["distance"].notna()]
        axes.scatter(
            rows["distance"], [names.index(n) + offset for n in rows["whose"]], s=26,
            marker=style.marker, facecolors=style.colour, edgecolors=INK, linewidths=0.5,
            zorder=3, clip_on=False,
        )  # fmt: skip
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_yticks(range(len(names)), [fitted_label(n, room=LEFT - 0.15, lines=1) for n in names])
    axes.tick_params(axis="y", length=0)
    axes.set_xlim(left=0.0)
    axes.set_xlabel("standard deviations")
    axes.grid(visible=True, axis="x")
    return axes
