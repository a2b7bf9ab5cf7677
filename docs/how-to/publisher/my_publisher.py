"""Daily closes of one publisher, as CSV."""  # GAP 1: who publishes what, and on which terms

import io
from dataclasses import dataclass
from datetime import date

import pandas as pd

from backtest.data.sources import Column
from backtest.data.web import Web
from backtest.types import DataError


@dataclass(frozen=True)
class MyPublisher:
    """One request for each series.

    Parameters
    ----------
    web : asks, with a pause between two requests. url : of the settings, with places to fill in.
    """

    web: Web
    url: str

    def history(self, column: Column, today: date) -> pd.DataFrame:
        """(days x value) in the unit of `column`, as published; NaN on days without a value.

        Nothing is filled and nothing dropped here: `backtest.data.screening` does that for every
        publisher, and says so.

        Raises
        ------
        DataError : an answer that is not the series asked for.
        """
        # GAP 2: the request for one series, from its first day on
        text = self.web.get(self.url.format(code=column.code, start=column.starts))
        # GAP 3: the answer as a frame: index days, one column 'value'
        try:
            table = pd.read_csv(io.StringIO(text), index_col="date", parse_dates=["date"])
            return table[["close"]].astype(float).set_axis(["value"], axis=1)
        except (KeyError, ValueError) as error:
            sent = (text.splitlines() or [""])[0][:60]
            raise DataError(f"MyPublisher sent no table of {column.code} but {sent!r}") from error
