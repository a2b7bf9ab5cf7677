"""Numbers as files write them: either decimal mark, thousands, currency signs, 32nds, blanks."""

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd

from backtest.types import DataError, FloatArray, shown
from backtest.workbook import Real

BLANKS = frozenset(
    ("", ".", "-", "--", "null", "nan", "none", "na", "n/a", "n.a.", "#n/a", "#n/a n/a", "nd")
    + ("#value!", "#div/0!", "#ref!", "#name?", "#num!")
)
PERCENT_IN = {"": 1.0, "percent": 1.0, "decimal": 0.01, "fraction": 0.01, "basis points": 100.0}
SIGNS = r"[$€£¥%\s\u00a0\u202f']"
# A blank or an apostrophe between digits that is before no group of three, or behind four.
TORN = r"\d[\s\u00a0\u202f']+(?:\d{1,2}(?:\D|$)|\d{4})|\d{4}[\s\u00a0\u202f']+\d"
GROUPS = r"[+-]?\d{{1,3}}(?:{mark}\d{{3}})+"  # 1,234 or 1,234,567
PLAIN = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?"
TICKS = re.compile(r"(\d{1,3})[-'’](\d{2})([0-35-8+]?)")
EIGHTHS = {"": 0, "0": 0, "1": 1, "2": 2, "3": 3, "5": 4, "+": 4, "6": 5, "7": 6, "8": 7}
POINT_TICKS = re.compile(r"(\d{1,3})(?:\.(\d{1,2})([0-35-8+])?)?")


def numbers_of(
    cells: Sequence[str],
    lines: Sequence[int],
    where: str,
    *,
    decimal: str = "",
    thousands: str = "",
    separator: str = ",",
    unit: str = "",
) -> tuple[FloatArray, int]:
    """Values of a column, NaN where it is blank, and how many blanks there are.

    Raises
    ------
    DataError : a cell that is no number, or numbers that can be read in two ways: both are shown.

    Examples
    --------
    >>> numbers_of(["1.234,5", "", "987,25"], [2, 3, 4], "a.csv: Kurs", separator=";")[0].tolist()
    [1234.5, nan, 987.25]
    >>> numbers_of(["110-16+"], [2], "zn.csv: Last")[0].tolist()
    [110.515625]
    """
    raw = pd.Series(list(cells), dtype=str)
    blank = raw.str.lower().isin(BLANKS)
    filled = raw[~blank]
    share = _share_of_percent(filled, where, unit)
    if unit == "32nds" or (len(filled) and filled.str.fullmatch(TICKS).all()):
        values = filled.map(lambda text: _ticks(text))
    else:
        # Text beside the numbers of a workbook does not say what their points are.
        is_text = np.array([not isinstance(cell, Real) for cell in cells], bool)[~blank]
        bare = filled.str.replace(SIGNS, "", regex=True)
        text = bare[is_text].where(~filled[is_text].str.contains(TORN))
        text = _with_a_point(text, where, decimal, thousands, separator)
        bare = text.reindex(bare.index).where(is_text, bare)
        values = pd.to_numeric(bare.where(bare.str.fullmatch(PLAIN)), errors="coerce")
    if values.isna().any() or np.isinf(values.astype(float)).any():
        wrong = values.isna() | np.isinf(values.astype(float))
        at = int(wrong.index[int(np.argmax(wrong.to_numpy()))])
        raise DataError(
            f"{where.partition(':')[0]} line {lines[at]}:{where.partition(':')[2]} is "
            f"{shown(cells[at])}, not a number; mend it, or say its marks in data.files."
        )
    out = np.full(len(raw), np.nan)
    out[~blank.to_numpy()] = share * values.to_numpy(dtype=np.float64)
    return out, int(blank.sum())


def _with_a_point(
    bare: pd.Series, where: str, decimal: str, thousands: str, separator: str
) -> pd.Series:
    """Numbers without marks between thousands; none where such a mark parts no group of three."""
    if not decimal:
        decimal, thousands = _marks(bare.dropna(), where, thousands, separator)
    if thousands:
        grouped = f"{GROUPS.format(mark=re.escape(thousands))}(?:{re.escape(decimal)}\\d*)?"
        is_sound = ~bare.str.contains(thousands, regex=False) | bare.str.fullmatch(grouped)
        bare = bare.where(is_sound).str.replace(thousands, "", regex=False)
    if decimal != ".":
        bare = bare.str.replace(".", "x", regex=False).str.replace(decimal, ".", regex=False)
    return bare


def _share_of_percent(filled: pd.Series, where: str, unit: str) -> float:
    """What numbers with a percent sign are multiplied by to be in a unit: the sign says theirs."""
    signed = filled.str.endswith("%")
    if not signed.any():
        return 1.0
    if not signed.all() or unit not in PERCENT_IN:
        other = "others have none" if not signed.all() else f"its unit is {unit}"
        raise DataError(
            f"{where} is {filled[signed].iloc[0]} on one day, and {other}; write all values in one "
            "unit."
        )
    return PERCENT_IN[unit]


def _marks(bare: pd.Series, where: str, thousands: str, separator: str) -> tuple[str, str]:
    """Decimal mark, and mark between thousands, of a column of numbers."""
    comma, point = bare.str.contains(",", regex=False), bare.str.contains(".", regex=False)
    both = bare[comma & point]
    if len(both):
        is_last = both.iloc[0].rfind(",") > both.iloc[0].rfind(".")
        return (",", ".") if is_last else (".", ",")
    if not comma.any():
        whole = bare.str.fullmatch(GROUPS.format(mark=r"\."))
        if separator == ";" and not thousands and len(bare) and whole.all():
            raise _two_readings(bare.iloc[0], ".", where)
        return ".", thousands
    if thousands:
        return ".", thousands
    if separator == ";":  # where Excel separates by semicolons, its decimal mark is the comma
        return ",", ""
    grouped = bare[comma].str.fullmatch(GROUPS.format(mark=","))
    if not grouped.all():
        return ",", ""
    if bare[comma].str.count(",").max() > 1:
        return ".", ","
    raise _two_readings(bare[comma].iloc[0], ",", where)


def _two_readings(text: str, mark: str, where: str) -> DataError:
    file = where.partition(":")[0]
    return DataError(
        f"{where} is {text}, which may be {text.replace(mark, '')} or {text.replace(mark, '.')}, "
        f'and no other row decides; say decimal or thousands in [data.files."{file}"].'
    )


def _ticks(text: str) -> float:
    """A price in points and 32nds: 110-16+ or, behind a point, 110.165.

    A third digit is the fraction of a 32nd, cut off after one decimal: 5 is a half, 2 a quarter.

    Examples
    --------
    >>> _ticks("110-16+"), _ticks("110.162"), _ticks("110.1")
    (110.515625, 110.5078125, 110.3125)
    """
    match = TICKS.fullmatch(text) or POINT_TICKS.fullmatch(text)
    if match is None:
        return np.nan
    ticks = int((match[2] or "0").ljust(2, "0")) + EIGHTHS[match[3] or ""] / 8
    return int(match[1]) + ticks / 32 if ticks < 32 else np.nan
