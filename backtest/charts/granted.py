"""Figure: the reduction that models granted, beside the one that the data then supported."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from .exceedances import stress_days
from .offset_words import MINUS, fitted_label, offset_footnote, points, ranked_books
from .style import INK, OFFSET, TOTAL, WIDTH, Caption, Sheet, label_of, model_styles, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..offset_study import OffsetStudy

SUPPORTED = {
    "supported total": (TOTAL, "-", "supported: total reduction"),
    "supported dependence": (OFFSET, "-", "supported: offset (dependence)"),
}
COLUMNS = 2
STRESS = "#b5b5b5"
PANEL, BELOW = 1.65, 0.3  # inches
LEFT, RIGHT, GAP = 0.72, 0.15, 0.2


def granted_against_supported_data(found: "OffsetStudy") -> pd.DataFrame:
    """Pick the rows of the figure: date, portfolio, series, share; at most four books.

    Days on which a series has no value are left out.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> granted = pd.DataFrame({"portfolio": ["pool"] * 2, "share": [float("nan"), 0.3]})
    >>> found = SimpleNamespace(granted=granted, manifest={"study": {"books": {}}})
    >>> granted_against_supported_data(found)["share"].tolist()
    [0.3]
    """
    table = found.granted.dropna(subset=["share"])
    books = ranked_books(found, table["portfolio"])
    return table[table["portfolio"].isin(books)].reset_index(drop=True)


def granted_against_supported_caption(found: "OffsetStudy") -> Caption:
    """Title, footnote and alternative text."""
    data = granted_against_supported_data(found)
    models = _models(data)
    rolling = found.manifest.get("rolling")
    behind = (
        f"the {rolling['window']} scored days"
        if rolling
        else "a rolling window of the latest scored days"
    )
    note = (
        "Granted: 1 less the model's requirement over the sum of the silos' margins, each day. "
        f"Supported: point estimates at equal coverage from {behind} whose losses were known by "
        "the date, so that both were on the table that day; each rests on a handful of "
        "exceedances, has no bound, and shares most of its days with its neighbours"
    )
    marked = _stress_days(data)
    if len(marked):
        months = ", ".join(dict.fromkeys(f"{day:%B %Y}" for day in marked))
        note += f". Vertical lines: days of stress ({months})"
        if found.market.simulated:
            note += ", laid over the simulated market as they happened"
    books = []
    for name, own in data.groupby("portfolio", sort=False):
        series = {s: x["share"] for s, x in own.groupby("series", sort=False)}
        said = [f"{model} granted {_span(series[model])} %" for model in models if model in series]
        if "supported total" in series:
            said.append(f"supported total {_span(series['supported total'])} %")
            offset = series["supported dependence"]
            said.append(f"supported offset {points(offset.min())} to {points(offset.max())} points")
        books.append(f"{name}: {', '.join(said)}")
    return Caption(
        "Reduction granted by the models, and reduction supported by the data then at hand",
        offset_footnote(found, note + ".", models=True),
        f"Lines through time, a panel a book. {'; '.join(books)}.",
    )


@styled
def granted_against_supported(found: "OffsetStudy") -> "Axes":
    """Draw a panel a book: granted shares by model, supported total and offset, through time.

    Returns
    -------
    The first panel's Axes; `.figure.axes` holds all.
    """
    from matplotlib.dates import DateFormatter, YearLocator, date2num
    from matplotlib.lines import Line2D

    data = granted_against_supported_data(found)
    styles = model_styles(list(found.manifest["study"]["models"]))
    models = _models(data)
    books = ranked_books(found, data["portfolio"])
    handles = [
        Line2D(
            [],
            [],
            color=styles[m].colour,
            ls=styles[m].line,
            lw=1.3,
            label=label_of(f"granted by '{m}'", width=30, lines=1),
        )
        for m in models
    ] + [Line2D([], [], color=c, ls=ls, lw=2.0, label=words) for c, ls, words in SUPPORTED.values()]
    if len(_stress_days(data)):
        handles.append(Line2D([], [], color=STRESS, lw=0.8, label="day of stress"))
    wide = min(COLUMNS, len(books))
    width = (WIDTH - LEFT - RIGHT - GAP * (wide - 1)) / wide
    names = [fitted_label(name, room=width, lines=2) for name in books]
    keys = 0.17 * -(-len(handles) // 3) + 0.08
    above = 0.145 * max(name.count("\n") + 1 for name in names) + 0.1
    deep = -(-len(books) // COLUMNS)
    sheet = Sheet(
        granted_against_supported_caption(found),
        room=keys + deep * (above + PANEL + BELOW),
        simulated=found.market.simulated,
    )
    sheet.legend(handles, top=0.0, columns=3, left=LEFT)
    panels: list[Axes] = []
    for place, (book, name) in enumerate(zip(books, names, strict=True)):
        row, column = divmod(place, COLUMNS)
        left = LEFT + column * (width + GAP)
        panel = sheet.panel(
            left=left, right=WIDTH - left - width, height=PANEL,
            top=keys + row * (above + PANEL + BELOW) + above,
            sharey=panels[0] if panels else None,
        )  # fmt: skip
        own = data[data["portfolio"] == book]
        panel.axhline(0, color=INK, lw=0.7)
        for day in _stress_days(data):
            panel.axvline(date2num(day), color=STRESS, lw=0.8, zorder=1)  # type: ignore[no-untyped-call]
        for model in models:
            line = own[own["series"] == model]
            panel.plot(line["date"], 100 * line["share"], color=styles[model].colour,
                       ls=styles[model].line, lw=1.3, zorder=4)  # fmt: skip
        for series, (colour, dashes, _) in SUPPORTED.items():
            line = own[own["series"] == series]
            panel.plot(line["date"], 100 * line["share"], color=colour, ls=dashes, lw=2.0, zorder=3)
        panel.set_title(name, loc="left", linespacing=1.0, pad=4)
        panel.set_xlim(data["date"].min(), data["date"].max())
        years = (data["date"].max() - data["date"].min()).days / 365.25
        panel.xaxis.set_major_locator(YearLocator(2 if years > 6 else 1))  # type: ignore[no-untyped-call]
        panel.xaxis.set_major_formatter(DateFormatter("%Y"))  # type: ignore[no-untyped-call]
        panel.yaxis.set_major_formatter(lambda value, _: f"{value:g}".replace("-", MINUS))
        panel.tick_params(labelleft=column == 0)
        panel.grid(visible=True, axis="y")
        if column == 0:
            panel.set_ylabel("share of silos'\nmargins, %", linespacing=1.15)
        panels.append(panel)
    return panels[0]


def _models(data: pd.DataFrame) -> list[str]:
    return [str(s) for s in dict.fromkeys(data["series"]) if s not in SUPPORTED]


def _stress_days(data: pd.DataFrame) -> pd.DatetimeIndex:
    days = stress_days()
    return days[np.asarray((days >= data["date"].min()) & (days <= data["date"].max()))]


def _span(shares: "pd.Series[float]") -> str:
    return f"{100 * shares.min():.0f} to {100 * shares.max():.0f}".replace("-", MINUS)
