"""The supportable offset: the reduction of margin that the data support, and its offset part."""

from backtest.offset.credit_granted import granted_and_supported
from backtest.offset.ladder import OffsetLadder
from backtest.offset.solve import just_covering
from backtest.offset.specification import specification_curve
from backtest.offset.stress import stressed_ladder
from backtest.offset.supportable import ladder_or_reason, supportable_offset

__all__ = [
    "OffsetLadder",
    "granted_and_supported",
    "just_covering",
    "ladder_or_reason",
    "specification_curve",
    "stressed_ladder",
    "supportable_offset",
]
