"""A market: levels of every factor on every margin day, its calendar, its episodes of stress."""

from .calendars import Calendar, Clock, MarginCalendar, is_session, sessions
from .checks import LONGEST_STEP, YIELD_RANGE
from .market import Adjustment, Kind, Market, tenor_years

__all__ = [
    "Adjustment",
    "Calendar",
    "Clock",
    "Kind",
    "LONGEST_STEP",
    "MarginCalendar",
    "Market",
    "YIELD_RANGE",
    "is_session",
    "sessions",
    "tenor_years",
]
