"""The supportable offset: how much less margin the data support, and how much of it is offset."""

from .supportable import OffsetLadder, supportable_offset

__all__ = ["OffsetLadder", "supportable_offset"]
