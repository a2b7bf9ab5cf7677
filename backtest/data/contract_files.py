"""Front-month prices from the settlements of single contracts: no splice has to be found.

Where a user has the contracts themselves, the move of each day is that of the contract that was
held over it. A contract is left at the close of its last trading day; from then on prices are those
of the next one, times what one contract was worth in the other at that close.
"""

import hashlib
import io
import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd

from backtest.data.rolls import MONTH_CODES, contract_name, last_trading_days
from backtest.instruments.declared import terms_of_future
from backtest.market.market import Adjustment
from backtest.types import DataError, read_regular

COLUMNS = ("Date", "Contract", "Settle")


def read_contracts(code: str, path: Path) -> tuple[pd.DataFrame, dict[str, str]]:
    """Settlements of the contracts of one future, and the sha256 of each file read, by name.

    Parameters
    ----------
    code : of the future, 'ZN'.
    path : one CSV with columns Date, Contract, Settle, a row a day and contract ('ZNH24'); or a
        folder of CSVs with columns Date, Settle, each named after its contract (ZNH24.csv). Dates
        are ISO.

    Returns
    -------
    (days, contracts) settlements, NaN where a contract has none; contracts in the order of their
    last trading days.

    Raises
    ------
    DataError : a file, column, contract, date or value that cannot be used: its line.
    """
    paths = sorted(path.glob("*.csv")) if path.is_dir() else [path]
    if not paths or not all(p.is_file() for p in paths):
        raise DataError(f"contracts of {code}: no CSV at {path.name!r}; mend its path.")
    try:
        contents = {p: read_regular(p) for p in paths}
    except OSError as error:
        raise DataError(f"cannot read {error.filename!r}: {error.strerror}.") from error
    hashes = {p.name: hashlib.sha256(content).hexdigest() for p, content in contents.items()}
    rows = pd.concat([_rows(code, p, c, one_contract=path.is_dir()) for p, c in contents.items()])
    twice = rows.duplicated(["Date", "Contract"])
    if twice.any():
        first = rows[twice].iloc[0]
        raise DataError(
            f"contracts of {code}: {first['Contract']} has two settlements on "
            f"{first['Date']:%Y-%m-%d}; leave one."
        )
    table = rows.pivot_table(index="Date", columns="Contract", values="Settle")
    contracts: list[str] = sorted(map(str, table.columns), key=_month)
    return table[contracts], hashes


def _rows(code: str, path: Path, content: bytes, *, one_contract: bool) -> pd.DataFrame:
    """Date, Contract, Settle of one file, checked."""
    try:
        rows = pd.read_csv(io.BytesIO(content), dtype=str, keep_default_na=False)
    except (ValueError, pd.errors.ParserError) as error:
        raise DataError(f"{path.name} is not a CSV table; export it again.") from error
    if one_contract:
        rows["Contract"] = path.stem
    for column in COLUMNS:
        if column not in rows:
            raise DataError(
                f"{path.name} has no column {column!r}; it has {', '.join(map(str, rows.columns))}."
            )
    rows = rows[list(COLUMNS)]
    settle = pd.to_numeric(rows["Settle"], errors="coerce")
    checked = {
        "Date": pd.to_datetime(rows["Date"], format="%Y-%m-%d", errors="coerce"),
        "Contract": rows["Contract"].where(rows["Contract"].str.fullmatch(_pattern(code))),
        "Settle": settle.where((settle > 0) & np.isfinite(settle)),
    }
    needs = ("a day YYYY-MM-DD", f"a contract such as {code}H24", "a price above zero")
    for (column, values), need in zip(checked.items(), needs, strict=True):
        if values.isna().any():
            row = int(np.argmax(values.isna().to_numpy()))
            raise DataError(
                f"{path.name} line {row + 2}: {column} is {rows[column].iloc[row]!r}; give {need}."
            )
    return pd.DataFrame(checked)


def _pattern(code: str) -> str:
    """Contracts of a future: its code, the letter of a delivery month, two digits of the year."""
    cycle = "".join(MONTH_CODES[month - 1] for month in terms_of_future(code).cycle)
    return f"{re.escape(code)}[{cycle}][0-9]{{2}}"


def _month(contract: str) -> pd.Period:
    """Delivery month of a contract; years 70 to 99 are of the last century."""
    year = int(contract[-2:])
    month = MONTH_CODES.index(contract[-3]) + 1
    return pd.Period(year=year + (1900 if year >= 70 else 2000), month=month, freq="M")


def front_months(code: str, settlements: pd.DataFrame) -> tuple[pd.Series, list[Adjustment]]:
    """Prices of the front month without splice jumps; what was taken out at each change.

    Parameters
    ----------
    settlements : (days, contracts) as `read_contracts` has them.

    Raises
    ------
    DataError : a contract of the cycle that is missing between two others, or one without a
        settlement on the day on which it is taken or left.

    Examples
    --------
    >>> days = pd.DatetimeIndex(["2024-03-19", "2024-03-20", "2024-03-21"])
    >>> table = pd.DataFrame({"ZNH24": [110.0, 111.0, np.nan], "ZNM24": [108.9, 109.989, 110.0]},
    ...                      index=days)
    >>> price, changes = front_months("ZN", table)
    >>> price.round(3).tolist(), changes[0].reason, round(changes[0].jump, 6)
    ([110.0, 111.1, 111.111], 'end of ZNH24, from its settlements', -0.01)
    """
    terms, contracts = terms_of_future(code), list(settlements.columns)
    first, last = _month(contracts[0]), _month(contracts[-1])
    expiries = last_trading_days(terms, first.start_time, last.end_time.normalize())
    names = [contract_name(code, terms, day) for day in expiries]
    missing = [name for name in names if name not in contracts]
    if missing:
        raise DataError(
            f"contracts of {code}: {missing[0]} is missing between {contracts[0]} and "
            f"{contracts[-1]}; add it."
        )
    days = pd.DatetimeIndex(settlements.index)
    pieces, changes, ratio, begin = [], [], 1.0, 0
    for (contract, following), expiry in zip(pairwise(names), expiries, strict=False):
        end = int(days.searchsorted(expiry, side="right"))
        if end == 0:
            continue
        if end == len(days):
            names = names[: names.index(contract) + 1]
            break
        close, next_close = settlements[[contract, following]].iloc[end - 1]
        for name, value in ((contract, close), (following, next_close)):
            if np.isnan(value):
                raise DataError(
                    f"contracts of {code}: {name} has no settlement on {days[end - 1]:%Y-%m-%d}, "
                    f"the day on which {contract} is left; add it."
                )
        pieces.append(settlements[contract].iloc[begin:end] / ratio)
        jump = float(next_close / close - 1.0)
        day = days[end].to_datetime64().astype("datetime64[D]")
        changes.append(Adjustment(code, day, jump, f"end of {contract}, from its settlements"))
        ratio, begin = ratio * (1.0 + jump), end
    pieces.append(settlements[names[-1]].iloc[begin:] / ratio)
    return pd.concat(pieces).dropna().rename(code), changes
