"""A figure inside a user's own Axes: the sheet's panels and legends, in the place of those Axes."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from backtest.present.lettering import POINTS, fold_text
from backtest.present.sheet import (
    FRAMELESS,
    LINE,
    MARGIN,
    TITLE_POINTS,
    WATERMARK,
    WIDTH,
    Caption,
)
from backtest.present.style import INK, SOFT

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axes._base import _AxesBase
    from matplotlib.backend_bases import RendererBase
    from matplotlib.gridspec import SubplotSpec
    from matplotlib.transforms import Bbox

Bounds = tuple[float, float, float, float]  # left, bottom, width, height


class Inset:
    """The place of a user's Axes, with the methods of a `Sheet`: inches become shares of the place.

    The first panel is the Axes themselves: they shrink within their place to make room for legends
    and further panels, as they do for a colour bar. Further panels are their inset Axes.

    Parameters
    ----------
    axes : where to draw.
    """

    def __init__(self, axes: "Axes") -> None:
        self.axes = axes
        self.room = 1.0
        self.first: Bounds | None = None
        self._legends: list[tuple[list[Any], float, float, int]] = []

    def of_height(self, room: float) -> "Inset":
        """The place, for content that is `room` inches high on a sheet."""
        self.room = room
        return self

    def panel(
        self, *, left: float, right: float, top: float, height: float, sharey: "Axes | None" = None
    ) -> "Axes":
        """The user's Axes at the first call, then Axes inset beside them."""
        width, bottom = WIDTH - left - right, self.room - top - height
        bounds = (left / WIDTH, bottom / self.room, width / WIDTH, height / self.room)
        # Inset Axes are placed in shares of the first panel, which is smaller than the place.
        if self.first is not None:
            x, y = self._in_first(bounds[0], bounds[1])
            size = bounds[2] / self.first[2], bounds[3] / self.first[3]
            return self.axes.inset_axes((x, y, *size), sharey=sharey)
        self.first = bounds
        self.axes.set_axes_locator(_PlaceLocator(self.axes, bounds))
        self.axes.spines[["top", "right"]].set_visible(False)
        self.axes.tick_params(labelsize=POINTS)
        for axis in (self.axes.xaxis, self.axes.yaxis):
            axis.label.set_fontsize(POINTS)
        return self.axes

    def legend(self, handles: Sequence[Any], *, top: float, columns: int, left: float) -> None:
        """Keep a legend until `finish`: it is added to the first panel, which may not exist yet."""
        self._legends.append((list(handles), left, top, columns))

    def text(self, words: str, *, middle: float, top: float) -> None:
        """Write a line centred on `middle` inches from the left, `top` inches from the top."""
        x, y = self._at(middle, top)
        self.axes.text(x, y, words, transform=self.axes.transAxes, ha="center", va="top")

    def finish(self, caption: Caption, *, simulated: bool) -> None:
        """Add legends, title and measure above the place; for simulated prices the watermark."""
        from matplotlib.legend import Legend

        for handles, left, top, columns in self._legends:
            self.axes.add_artist(
                Legend(
                    self.axes, handles, [handle.get_label() for handle in handles],
                    loc="upper left", bbox_to_anchor=self._at(left, top),
                    bbox_transform=self.axes.transAxes, ncols=columns, **FRAMELESS,
                )
            )  # fmt: skip
        # The title is as wide as the place on paper, whatever the size of the user's figure.
        figure, place = self.axes.figure, self.axes.get_position(original=True)
        width = place.width * figure.bbox.width / figure.dpi - 2 * MARGIN
        measure = fold_text(caption.measure, room=width, size=POINTS)
        title = fold_text(caption.heading(simulated), room=width, size=TITLE_POINTS, weight="bold")
        below = 72 * LINE * len(measure.splitlines())
        lines: tuple[tuple[str, float, dict[str, Any]], ...] = (
            (measure, 4.0, {"size": POINTS, "color": SOFT, "linespacing": 1.25}),
            (title, 4.0 + below, {"size": TITLE_POINTS, "color": INK, "weight": "bold"}),
        )
        for words, lift, style in lines:
            self.axes.annotate(
                words, self._at(MARGIN, 0.0), xycoords="axes fraction", xytext=(0, lift),
                textcoords="offset points", va="bottom", annotation_clip=False, **style,
            )  # fmt: skip
        if simulated:
            x, y = self._at(WIDTH / 2, self.room / 2)
            self.axes.text(x, y, "SIMULATED", transform=self.axes.transAxes, **WATERMARK)

    def _at(self, x: float, top: float) -> tuple[float, float]:
        """Inches from the left and from the top of the place, as shares of the first panel."""
        return self._in_first(x / WIDTH, 1.0 - top / self.room)

    def _in_first(self, x: float, y: float) -> tuple[float, float]:
        assert self.first is not None  # every figure has a panel
        left, bottom, width, height = self.first
        return (x - left) / width, (y - bottom) / height


class _PlaceLocator:
    """Locator that keeps Axes in a part of the place that a layout assigns to them."""

    def __init__(self, axes: "Axes", bounds: Bounds) -> None:
        self.axes = axes
        self.bounds = bounds

    def __call__(self, axes: "_AxesBase", renderer: "RendererBase | None") -> "Bbox":
        from matplotlib.transforms import Bbox

        place, (left, bottom, width, height) = axes.get_position(original=True), self.bounds
        return Bbox.from_bounds(
            place.x0 + left * place.width,
            place.y0 + bottom * place.height,
            width * place.width,
            height * place.height,
        )

    def get_subplotspec(self) -> "SubplotSpec | None":
        """Cell of the user's grid; layouts of matplotlib skip Axes whose locator names none."""
        return self.axes.get_subplotspec()
