"""An examination of prices: what cannot be true is refused, what is doubtful is listed and kept.

It reads whole histories, later days too: it says something about data, and no margin sees it.
"""

from backtest.market.examination.column import Column, role_of
from backtest.market.examination.examine import CHECKS, KINDS, examine, judged, weighed
from backtest.market.examination.finding import Accepted, Finding
from backtest.market.examination.records import examine_records

__all__ = [
    "CHECKS",
    "KINDS",
    "Accepted",
    "Column",
    "Finding",
    "examine",
    "examine_records",
    "judged",
    "role_of",
    "weighed",
]
