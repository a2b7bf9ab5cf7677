"""Publishers without a network: histories made by hand, and a stand-in for yfinance's `Ticker`."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd

from backtest.data.screening import expected_days
from backtest.data.sources import Column, settings

NOW = datetime(2024, 3, 5, 9, tzinfo=UTC)
TODAY = NOW.date()

TYPICAL = {"USD": 100.0, "percent": 4.0, "points": 110.0}


def column_of(code: str) -> Column:
    """The settings' column of a ticker, series or heading."""
    return next(c for file in settings().files for c in file.columns if c.code == code)


def history_of(column: Column, today: date = TODAY, seed: int = 0) -> pd.DataFrame:
    """A whole history of a column, smooth enough for every check, in its usual range."""
    days = expected_days(column.calendar, column.starts, today - timedelta(days=1))
    level = 1.0 if column.code == "USDC-USD" else TYPICAL[column.unit]
    level = 20.0 if column.code == "^VIX" else level
    wiggle = np.random.default_rng(seed).uniform(-0.01, 0.01, len(days))
    frame = pd.DataFrame({"value": (level * (1 + wiggle)).round(6)}, index=days)
    if column.adjusted:
        frame["dividend"] = 0.0
        frame.iloc[60::63, 1] = 0.5
    return frame


class HandMade:
    """A publisher of given answers by code, or of whole histories; it counts what it is asked.

    An answer is a frame, an exception, or a list of them for one call after another.
    """

    def __init__(self, **answers):
        self.answers = {code.replace("_", "-"): answer for code, answer in answers.items()}
        self.asked: list[str] = []

    def history(self, column, today):
        self.asked.append(column.code)
        answer = self.answers.get(column.code)
        if isinstance(answer, list):
            answer = answer.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return history_of(column, today) if answer is None else answer


def everywhere(source) -> dict:
    """The same publisher under every name."""
    return dict.fromkeys(settings().publishers, source)


class FakeTicker:
    """Stands in for `yfinance.Ticker`: hands back what the test put in `answers`, call by call."""

    answers: list = []
    calls: list = []

    def __init__(self, code, session):
        self.code = code

    def history(self, **options):
        FakeTicker.calls.append((self.code, options))
        answer = FakeTicker.answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer() if callable(answer) else answer
