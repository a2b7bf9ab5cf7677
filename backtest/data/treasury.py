"""Real US Treasury par yields 1990-01 to 2017-03, part of the package: no network is needed."""

import gzip
import io
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pandas as pd

from backtest.market.market import Market
from backtest.types import DataError, parse_day

CURVES = Path(__file__).with_name("treasury_curves.csv.gz")
UNBROKEN_FACTORS = ("3M", "2Y", "5Y", "10Y")  # 30Y was not published 2002-02 .. 2006-02
PERCENT = 100.0  # the file holds percent as published, markets hold decimals
SOURCE = (
    "US Treasury par yields (US Government figures, public domain), 1990-2017, carried over from "
    "zipline-reloaded 3.2.1 (Apache-2.0)"
)


@cache
def _curves() -> pd.DataFrame:
    """(days x tenors) percent, NaN where the Treasury published none."""
    return pd.read_csv(
        io.BytesIO(gzip.decompress(CURVES.read_bytes())), index_col="Date", parse_dates=["Date"]
    )


def treasury_market(*, factors: Sequence[str] | None = None, start: str | None = None) -> Market:
    """Real Treasury-only market: 1994, 1998, 2008 and 2013 are in it.

    Parameters
    ----------
    factors : any of 1M 3M 6M 1Y 2Y 3Y 5Y 7Y 10Y 20Y 30Y; None takes 3M 2Y 5Y 10Y, which have no
        gap. 30Y was not published from 2002-02-19 to 2006-02-08: start after that to use it.
    start : first day to keep (ISO date); None is the first day on which every factor has a yield.

    After the first complete day, days on which any factor was not published are left out and listed
    in `dropped`.

    Raises
    ------
    DataError : an unknown factor, a start that is no date or leaves no day, or a gap of more than
        14 calendar days between two complete days.

    Examples
    --------
    >>> treasury_market()
    <Market 6816 days 1990-01-02..2017-03-29, factors 3M 2Y 5Y 10Y>
    >>> treasury_market(factors=("10Y", "30Y"), start="2006-02-09").levels[0].round(4).tolist()
    [0.0454, 0.0451]
    """
    chosen = UNBROKEN_FACTORS if factors is None else tuple(factors)
    curves = _curves()
    for factor in chosen:
        if factor not in curves.columns:
            raise DataError(
                f"the treasury market has no factor {factor!r}; known: {', '.join(curves.columns)}."
            )
    frame = curves[list(chosen)] / PERCENT
    if start is not None:
        frame = frame[frame.index >= pd.Timestamp(parse_day(start, "start", DataError))]
    complete = frame.notna().all(axis=1)
    if not complete.any():
        raise DataError(
            f"no day from {start} on has {' '.join(chosen)}; the treasury market covers "
            f"{curves.index[0]:%Y-%m-%d} to {curves.index[-1]:%Y-%m-%d}."
        )
    return Market.from_frame(frame[complete.cummax()], source=SOURCE)
