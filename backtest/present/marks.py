"""What several figures draw alike: keys of models, the rate that is allowed, minus signs."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from backtest.present.lettering import MINUS, label_of
from backtest.present.naming import model_name
from backtest.present.style import INK, ModelStyle

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.lines import Line2D


def model_keys(
    styles: Mapping[str, ModelStyle], *, line: bool = False, **options: Any
) -> list["Line2D"]:
    """Entries of a legend, one a model: its mark, on its line where `line` is set.

    options : of matplotlib's Line2D, such as `ms`.

    Examples
    --------
    >>> from backtest.present.style import model_styles
    >>> [key.get_label() for key in model_keys(model_styles(["siloed", "var"]))]
    ['siloed', 'var']
    """
    from matplotlib.lines import Line2D

    return [
        Line2D([], [], color=style.colour, marker=style.marker, ls=style.line if line else "",
               label=label_of(model_name(model), width=30, lines=1), **options)
        for model, style in styles.items()
    ]  # fmt: skip


def draw_allowed(axes: "Axes", allowed: float, **text: Any) -> None:
    """A dashed line at the exceedance rate that the standard allows, percent, and its value.

    text : options of matplotlib's annotation.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> axes = Figure().subplots()
    >>> draw_allowed(axes, 1.0)
    >>> axes.texts[0].get_text()
    '1 % allowed'
    """
    axes.axhline(allowed, color=INK, lw=0.9, ls=(0, (4, 2)), zorder=3)
    # The value lies over the marks, on a white ground that lets them shine through.
    axes.annotate(
        f"{allowed:g} % allowed", (1.0, allowed), xycoords=("axes fraction", "data"),
        xytext=(0, 2), textcoords="offset points", ha="right", va="bottom", zorder=8,
        bbox={"boxstyle": "square,pad=0.05", "fc": "white", "ec": "none", "alpha": 0.8}, **text,
    )  # fmt: skip


def sign_ticks(axis: "Axis") -> None:
    """Write the numbers of an axis with a minus sign, not a hyphen.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> axes = Figure().subplots()
    >>> sign_ticks(axes.xaxis)
    >>> axes.xaxis.get_major_formatter()(-0.5)
    '−0.5'
    """
    axis.set_major_formatter(lambda value, _: f"{value:g}".replace("-", MINUS))
