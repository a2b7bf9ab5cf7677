"""Figure: the steps from gross margin to the requirement, day by day."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from .exceedances import stress_days
from .offset_words import MINUS, fitted_label, offset_footnote, ranked_books
from .style import (
    COLOURS,
    DIVERSIFICATION,
    INK,
    LEGEND_COLUMNS,
    LINE,
    OFFSET,
    WIDTH,
    Caption,
    Sheet,
    legend_height,
    styled,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..offset_study import OffsetStudy

GROSS, REQUIRED = "gross", "required"
STEP_COLOURS = {"diversification": DIVERSIFICATION, "offset": OFFSET, "dependence": OFFSET}
OTHER_COLOURS = tuple(c for c in COLOURS if c not in (DIVERSIFICATION, OFFSET, "#000000"))
STRESS = "#b5b5b5"
COLUMNS = 2
PANEL, BELOW = 1.65, 0.3  # inches
LEFT, RIGHT, GAP = 0.72, 0.15, 0.2


def steps_from_gross_data(found: "OffsetStudy") -> pd.DataFrame:
    """Steps of the most detailed model by day, as shares of that day's gross; at most four books.

    Returns
    -------
    date, portfolio, model, a column a step that is ever taken, required; days without gross margin
    are left out.
    """
    model = max(found.steps_by_day, key=lambda key: len(found.steps_by_day[key].columns))[0]
    books = ranked_books(found, (book for name, book in found.steps_by_day if name == model))
    pieces = []
    for book in books:
        steps = found.steps_by_day[model, book]
        shares = steps[steps[GROSS] > 0].div(steps.loc[steps[GROSS] > 0, GROSS], axis=0)
        shares = shares.drop(columns=GROSS).reset_index()
        pieces.append(shares.assign(portfolio=book, model=model))
    table = pd.concat(pieces, ignore_index=True).fillna(0.0)
    taken = [step for step in _steps(table) if (table[step].abs() > 1e-9).any()]
    return table[["date", "portfolio", "model", *taken, REQUIRED]]


def steps_from_gross_caption(found: "OffsetStudy") -> Caption:
    """Title, footnote and alternative text."""
    data = steps_from_gross_data(found)
    model = data["model"].iloc[0]
    kind = found.manifest["study"]["models"][model]["kind"]
    note = (
        f"Model '{model}' ({kind}), of those that grant a reduction the one with most steps. Each "
        "day starts at 100, the silos' own margins summed (gross); each band is what one step "
        "takes off, and the line is the requirement. Where a step adds margin, its band is hatched "
        "and lies over the one before"
    )
    marked = _stress_days(data)
    if len(marked):
        months = ", ".join(dict.fromkeys(f"{day:%B %Y}" for day in marked))
        note += f". Vertical lines: days of stress ({months})"
        if found.market.simulated:
            note += ", laid over the simulated market as they happened"
    means = data.groupby("portfolio", sort=False)[[*_steps(data), REQUIRED]].mean()
    said = "; ".join(
        f"{book}: "
        + ", ".join(f"{step} {100 * share:.0f}".replace("-", MINUS) for step, share in row.items())
        for book, row in means.iterrows()
    )
    return Caption(
        "From the silos' own margins to the requirement, by day, % of gross",
        offset_footnote(found, note + "."),
        f"Bands through time, a panel a book. Mean shares of gross in percent. {said}.",
    )


@styled
def steps_from_gross(found: "OffsetStudy") -> "Axes":
    """Draw a panel a book: bands of the steps below 100 %, and the requirement, through time.

    Returns
    -------
    The first panel's Axes; `.figure.axes` holds all.
    """
    from matplotlib.dates import DateFormatter, YearLocator, date2num
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    data = steps_from_gross_data(found)
    steps = _steps(data)
    colours = _colours(steps)
    handles: list[Any] = [Patch(fc=colours[step], lw=0, label=step) for step in steps]
    handles.append(Line2D([], [], color=INK, lw=1.2, label=REQUIRED))
    if len(_stress_days(data)):
        handles.append(Line2D([], [], color=STRESS, lw=0.8, label="day of stress"))
    books = list(dict.fromkeys(data["portfolio"]))
    wide = min(COLUMNS, len(books))
    width = (WIDTH - LEFT - RIGHT - GAP * (wide - 1)) / wide
    names = [fitted_label(name, room=width, lines=2) for name in books]
    keys = legend_height(len(handles)) + 0.04
    above = LINE * max(name.count("\n") + 1 for name in names) + 0.1
    deep = -(-len(books) // COLUMNS)
    sheet = Sheet(
        steps_from_gross_caption(found),
        room=keys + deep * (above + PANEL + BELOW),
        simulated=found.market.simulated,
    )
    sheet.legend(handles, top=0.0, columns=LEGEND_COLUMNS, left=LEFT)
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
        level = np.full(len(own), 100.0)
        for step in steps:
            then = level + 100 * own[step].to_numpy()
            for where, hatch in ((then <= level, ""), (then > level, "//////")):
                panel.fill_between(own["date"], level, then, where=where, color=colours[step],
                                   hatch=hatch, edgecolor="white", lw=0, zorder=2)  # fmt: skip
            level = then
        panel.plot(own["date"], 100 * own[REQUIRED], color=INK, lw=1.2, zorder=4)
        for day in _stress_days(data):
            panel.axvline(date2num(day), color=STRESS, lw=0.8, zorder=3)  # type: ignore[no-untyped-call]
        panel.set_title(name, loc="left", linespacing=1.0, pad=4)
        panel.set_xlim(data["date"].min(), data["date"].max())
        panel.set_ylim(0, None)
        years = (data["date"].max() - data["date"].min()).days / 365.25
        panel.xaxis.set_major_locator(YearLocator(2 if years > 6 else 1))  # type: ignore[no-untyped-call]
        panel.xaxis.set_major_formatter(DateFormatter("%Y"))  # type: ignore[no-untyped-call]
        panel.tick_params(labelleft=column == 0)
        panel.grid(visible=True, axis="y")
        if column == 0:
            panel.set_ylabel("% of gross")
        panels.append(panel)
    return panels[0]


def _steps(data: pd.DataFrame) -> list[str]:
    return [str(c) for c in data if c not in ("date", "portfolio", "model", REQUIRED)]


def _colours(steps: list[str]) -> dict[str, str]:
    """The colours of diversification and offset everywhere; others in the palette's order."""
    others = iter(OTHER_COLOURS)
    return {step: STEP_COLOURS.get(step) or next(others, "#8a8a8a") for step in steps}


def _stress_days(data: pd.DataFrame) -> pd.DatetimeIndex:
    days = stress_days()
    return days[np.asarray((days >= data["date"].min()) & (days <= data["date"].max()))]
