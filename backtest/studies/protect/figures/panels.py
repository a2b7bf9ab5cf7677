"""What the figures of a protection share: panels of models, looks and names of arrangements."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from backtest.clearing.arrangement import ARRANGEMENTS
from backtest.present.figure import Canvas
from backtest.present.lettering import fitted_label
from backtest.present.naming import model_name
from backtest.present.panels import PanelGrid
from backtest.present.sheet import LINE
from backtest.present.style import COLOURS, LINES, MARKERS, ModelStyle

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from backtest.present.inset import Inset
    from backtest.present.sheet import Sheet

MOST = 4  # panels of models
SHORT = {
    "silos": "silos",
    "house pooled": "house pooled",
    "customers gross, segregated": "gross, segregated",
    "customers gross, commingled": "gross, commingled",
    "customers omnibus, segregated": "omnibus, segregated",
    "customers omnibus, commingled": "omnibus, commingled",
}
LEFT = 1.38  # inches, for names of arrangements
BLACK = 6  # place of black in `COLOURS`


def arrangement_styles(names: Iterable[str]) -> dict[str, ModelStyle]:
    """Looks of arrangements, those of silos black; the same in every study."""
    order = list(ARRANGEMENTS)
    places = [BLACK, 0, 1, 4, 2, 3]
    return {
        name: ModelStyle(
            COLOURS[places[order.index(name)]], MARKERS[order.index(name)],
            LINES[order.index(name)], "",
        )
        for name in names
    }  # fmt: skip


def shown_models(models: Sequence[str]) -> list[str]:
    """The models that have a panel: the first four."""
    return list(models)[:MOST]


def left_out(models: Sequence[str]) -> str:
    """Words on models that have no panel; they are in the table beside the figure."""
    rest = len(models) - MOST
    return f" {rest} more models are in the tables alone." if rest > 0 else ""


def row_panels(
    canvas: Canvas, models: Sequence[str], arrangements: Sequence[str], *, keys: float
) -> "tuple[Sheet | Inset, dict[str, Axes]]":
    """A panel a model, two in a row, whose rows are arrangements from the top down."""
    columns = min(2, len(models))
    grid = PanelGrid(
        columns=columns, left=LEFT, right=0.2, gap=0.3, height=0.2 * len(arrangements) + 0.1,
        above=LINE + 0.1, below=0.46,
    )  # fmt: skip
    sheet, panels = grid.panels(canvas, len(models), keys=keys)
    for axes, model in zip(panels, models, strict=True):
        name = fitted_label(model_name(model), room=grid.places[0].width, lines=1)
        axes.set_title(name, loc="left", pad=4)
        axes.set_yticks(range(len(arrangements)), [SHORT[name] for name in arrangements])
        axes.set_ylim(len(arrangements) - 0.45, -0.55)
        axes.tick_params(axis="y", length=0)
        axes.grid(visible=True, axis="x")
    return sheet, dict(zip(models, panels, strict=True))
