"""Stress in market history: windows by name, and the days of the largest moves."""

from collections.abc import Mapping
from importlib.resources import files

import pandas as pd

# Stress episodes of the joint history, first and last day (see simulate/stress_days.csv).
EPISODES: Mapping[str, tuple[str, str]] = {
    "March 2020": ("2020-03-01", "2020-03-31"),
    "May 2021": ("2021-05-01", "2021-05-31"),
    "June 2022": ("2022-06-01", "2022-06-30"),
    "November 2022": ("2022-11-01", "2022-11-30"),
    "March 2023": ("2023-03-01", "2023-03-31"),
    "August 2024": ("2024-08-01", "2024-08-31"),
}
# What each month of stress is remembered for.
REMEMBERED: Mapping[str, str] = {
    "March 2020": "pandemic",
    "May 2021": "crypto sell-off",
    "June 2022": "inflation, Celsius",
    "November 2022": "FTX",
    "March 2023": "SVB",
    "August 2024": "yen carry trade",
    "October 2025": "tariffs",
}


def remembered_windows() -> dict[str, tuple[str, str]]:
    """First and last day of each month of stress that figures of the record draw.

    Examples
    --------
    >>> remembered_windows()["October 2025"]
    ('2025-10-01', '2025-10-31')
    """
    months = {name: pd.Period(pd.Timestamp(f"1 {name}"), "M") for name in REMEMBERED}
    return {
        name: (f"{month.start_time:%Y-%m-%d}", f"{month.end_time:%Y-%m-%d}")
        for name, month in months.items()
    }


def stress_days() -> pd.DatetimeIndex:
    """Days on which Treasuries or crypto moved most, as `simulate/stress_days.csv` lists them."""
    text = files("backtest") / "simulate" / "stress_days.csv"
    with text.open(encoding="utf-8") as lines:
        return pd.DatetimeIndex(pd.read_csv(lines, comment="#", parse_dates=["date"])["date"])
