"""The columns of a folder's files as an examination and a market take them."""

import numpy as np
import pandas as pd

from backtest.data.columns import FactorColumn
from backtest.data.csv_checks import PRICE_RANGE
from backtest.data.derived import funding_index, realised_volatility
from backtest.data.raw_columns import Columns
from backtest.market.checks import YIELD_RANGE
from backtest.market.examination import Column, role_of
from backtest.types import DataError

# The H.15 copy has 30-year values for the years in which the Treasury published none (the bond was
# discontinued). They are extrapolations and are not used.
NO_30Y = (np.datetime64("2002-02-19"), np.datetime64("2006-02-08"))


def columns_to_examine(raw: Columns) -> list[Column]:
    """Every column that was read, as its file has it; of a realised volatility, its price.

    raw : values in the unit of the project's own files, none missing.
    """
    columns = []
    for factor, (series, place) in raw.items():
        name = factor.removesuffix("-REALISED") if place.form == "realised" else factor
        if name != factor and name in raw:
            continue
        is_percent = place.unit == "percent"
        share = 0.01 if is_percent else float(place.payments) if place.form == "funding" else 1.0
        columns.append(
            Column(
                name,
                series.index.to_numpy().astype("datetime64[D]"),
                share * series.to_numpy(dtype=np.float64),
                role_of(name, is_yield=place.kind == "yield"),
                where=f"{place.file}: {series.name}",
                percent=is_percent,
                tick=place.tick,
            )
        )
    return columns


def published(factor: str, column: pd.Series) -> pd.Series:
    """The column without values that nobody published."""
    if factor != "30Y":
        return column
    days = column.index.to_numpy()
    return column[(days < NO_30Y[0]) | (days > NO_30Y[1])]


def levels_of(column: pd.Series, place: FactorColumn) -> pd.Series:
    """Convert a column of a file to the levels of its factor.

    Raises
    ------
    DataError : a value that no such factor can have.
    """
    if place.form == "funding":
        return funding_index(place.payments * column)
    if place.kind == "yield":
        return _percent(column, place)
    price = _price(column, place)
    return realised_volatility(price) if place.form == "realised" else price


def _percent(column: pd.Series, place: FactorColumn) -> pd.Series:
    """Convert yields from percent to decimals; an error shows the percent of the file."""
    low, high = (100 * edge for edge in YIELD_RANGE)
    wrong = ~column.between(low, high)
    if wrong.any():
        day = column.index[int(np.argmax(wrong.to_numpy()))]
        raise DataError(
            f"{place.file}: {column.name} on {day:%Y-%m-%d} is {column[day]:g} percent; "
            f"yields must lie in {low:g} .. {high:g} (4.25 means 4.25 %). Check its unit."
        )
    return column / 100.0


def _price(column: pd.Series, place: FactorColumn) -> pd.Series:
    """Prices of a column; a column in percent is converted to decimals."""
    low, high = PRICE_RANGE
    wrong = ~column.between(low, high)
    if wrong.any():
        day = column.index[int(np.argmax(wrong.to_numpy()))]
        advice = (
            f"a price must lie in {low:g} .. {high:g}. Mend or remove that row."
            if column[day] > 0
            else "moves here are relative, which no model or shock can take of a price that is not "
            "above zero. Mend a slip; where the price is true, end the study before that day."
        )
        raise DataError(
            f"{place.file}: {column.name} on {day:%Y-%m-%d} is {column[day]:g}; {advice}"
        )
    return column / 100.0 if place.unit == "percent" else column
