"""Which figures an offset study has."""

from typing import TYPE_CHECKING

from backtest.present.figure import Drawing
from backtest.studies.offset.figures.granted import (
    granted_against_supported,
    granted_against_supported_caption,
    granted_against_supported_data,
)
from backtest.studies.offset.figures.specification import (
    specification_curve,
    specification_curve_caption,
    specification_curve_data,
)
from backtest.studies.offset.figures.steps import (
    steps_from_gross,
    steps_from_gross_caption,
    steps_from_gross_data,
)
from backtest.studies.offset.figures.stressed_ladder import (
    stressed_ladder,
    stressed_ladder_caption,
    stressed_ladder_data,
)

if TYPE_CHECKING:
    from backtest.studies.offset.study import OffsetStudy


def offset_drawings(found: "OffsetStudy") -> list[Drawing]:
    """Figures of an offset study: stresses, specifications, granted credit, steps by day.

    A figure whose table has no row is left out.
    """
    figures: list[Drawing] = []
    if len(found.stressed):
        figures.append(
            Drawing(
                "stressed_ladder",
                lambda: stressed_ladder(found),
                stressed_ladder_caption(found),
                stressed_ladder_data(found),
            )
        )
    if len(found.specifications):
        figures.append(
            Drawing(
                "specification_curve",
                lambda: specification_curve(found),
                specification_curve_caption(found),
                specification_curve_data(found),
            )
        )
    if len(found.granted):
        figures.append(
            Drawing(
                "granted_against_supported",
                lambda: granted_against_supported(found),
                granted_against_supported_caption(found),
                granted_against_supported_data(found),
            )
        )
    if found.steps_by_day:
        figures.append(
            Drawing(
                "steps_from_gross",
                lambda: steps_from_gross(found),
                steps_from_gross_caption(found),
                steps_from_gross_data(found),
            )
        )
    return figures
