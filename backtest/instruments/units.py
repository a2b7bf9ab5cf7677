"""What one unit of an instrument is worth: positions are given in USD, face, contracts or coins."""

import numpy as np

from backtest.instruments.protocol import Instrument
from backtest.market.market import Market
from backtest.types import Days, StudyError

USD = "usd"
UNITS = (USD, "face", "contracts", "coins")


def usd_of_unit(instrument: Instrument, unit: str, market: Market) -> Days:
    """(days,) USD of notional of one unit at each close.

    unit : 'usd', or one that the instrument's `usd_of_units` knows; an instrument without that
        method is held in USD alone.

    Raises
    ------
    StudyError : the instrument is not counted in this unit.

    Examples
    --------
    >>> import pandas as pd
    >>> from backtest.instruments import parse_instrument
    >>> frame = pd.DataFrame({"ZN": [110.0], "BTC": [60_000.0]}, index=["2024-01-02"])
    >>> market = Market.from_frame(frame)
    >>> usd_of_unit(parse_instrument("ZN"), "contracts", market).tolist()
    [110000.0]
    >>> usd_of_unit(parse_instrument("BTC"), "face", market)
    Traceback (most recent call last):
    ...
    backtest.types.StudyError: 'BTC' is not counted in 'face'; give coins or usd.
    """
    if unit == USD:
        return np.ones(len(market.dates))
    counted = getattr(instrument, "usd_of_units", None)
    known: dict[str, Days] = {} if counted is None else counted(market)
    if unit not in known:
        raise StudyError(
            f"{instrument.name!r} is not counted in {unit!r}; give {' or '.join([*known, USD])}."
        )
    return known[unit]
