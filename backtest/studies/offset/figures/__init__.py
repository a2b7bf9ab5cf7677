"""Figures of the offset study."""

from typing import TYPE_CHECKING

from backtest.present.figure import Figure
from backtest.studies.offset.figures.granted import granted_against_supported
from backtest.studies.offset.figures.specification import specification_curve
from backtest.studies.offset.figures.steps import steps_from_gross
from backtest.studies.offset.figures.stressed_ladder import stressed_ladder

if TYPE_CHECKING:
    from backtest.studies.offset.study import OffsetStudy


def offset_figures(study: "OffsetStudy") -> tuple[Figure, ...]:
    """Figures of an offset study: stresses, specifications, granted credit, steps by day.

    A figure whose table has no row, or no estimate, is left out.
    """
    estimated = len(study.specifications) and study.specifications["dependence"].notna().any()
    return (
        *([stressed_ladder(study)] if len(study.stresses) else []),
        *([specification_curve(study)] if estimated else []),
        *([granted_against_supported(study)] if len(study.credit) else []),
        *([steps_from_gross(study)] if study.steps_by_day else []),
    )
