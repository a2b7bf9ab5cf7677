"""The supportable offset: how much less margin the data support, and how much of it is offset."""

from .granted import granted_and_supported
from .solve import just_covering
from .specification import specification_curve
from .stress import stressed_ladder
from .supportable import OffsetLadder, ladder_or_reason, supportable_offset

__all__ = [
    "OffsetLadder",
    "granted_and_supported",
    "just_covering",
    "ladder_or_reason",
    "specification_curve",
    "stressed_ladder",
    "supportable_offset",
]
