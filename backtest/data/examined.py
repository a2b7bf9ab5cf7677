"""The columns of a folder's files as an examination takes them, in the unit of a market."""

import numpy as np

from backtest.data.raw_columns import Columns
from backtest.market.examination import Column, role_of


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
