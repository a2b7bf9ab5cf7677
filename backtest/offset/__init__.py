"""The supportable offset: how much less margin the data support, and how much of it is offset."""

from .granted import granted_and_supported
from .solve import just_covering
from .specification import specification_curve
from .stress import stressed_ladder
from .supportable import OffsetLadder, supportable_offset

__all__ = [
    "OffsetLadder",
    "granted_and_supported",
    "just_covering",
    "specification_curve",
    "stressed_ladder",
    "supportable_offset",
]
