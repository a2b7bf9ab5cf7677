"""Days as files write them: ISO, US and European, epochs, serial numbers; the ambiguous refused."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from backtest.types import BoolArray, DataError, shown

NUMERIC = re.compile(r"(\d{1,2})([/.\-])(\d{1,2})\2(\d{4}|\d{2})")
EPOCH = re.compile(r"\d{10}(?:\.\d+)?|\d{13}|\d{16}|\d{19}")
ISO = re.compile(
    r"(?:19|2[01])\d\d([-/.]?)(?:0?[1-9]|1[0-2])\1(?:0?[1-9]|[12]\d|3[01])"
    r"(?:[ T]\d\d:?\d\d(?::?\d\d(?:\.\d+)?)?)? ?(?:Z|UTC|[+-]\d\d:?\d\d)?"
)
MONTH = re.compile(
    r"(?:[A-Za-z]{3,9}\.? \d{1,2},? \d{4}|\d{1,2}[- ][A-Za-z]{3,9}\.?[- ]\d{4}|"
    r"\d{1,2}-[A-Za-z]{3}-\d{2})"
)
SERIAL = re.compile(r"[2-7]\d{4}(?:\.0+)?")  # days since 1899-12-30, as Excel counts: 1954 .. 2118
EXCEL_ZERO = pd.Timestamp("1899-12-30")
ZONED = r"^(.*?\d\d) ?(Z|UTC|[+-]\d\d:?\d\d)$"  # after a time of day
TIME = re.compile(
    r"[ T](?P<hour>\d{1,2}):?(?P<minute>\d\d)(?::?(?P<second>\d\d(?:\.\d+)?))?"
    r"(?: ?(?P<half>[AP])M)?$"
)
SHAPES = (EPOCH, SERIAL, ISO, NUMERIC, MONTH)


def looks_like_a_day(cell: str) -> bool:
    """Whether a cell may be a day.

    Examples
    --------
    >>> [looks_like_a_day(c) for c in ("2024-03-15", "3/15/2024", "1710460800000", "4.25", "10 Yr")]
    [True, True, True, False, False]
    """
    bare = TIME.sub("", cell) if NUMERIC.match(cell) else cell
    return any(shape.fullmatch(bare) for shape in SHAPES)


@dataclass(frozen=True)
class Stamps:
    """Moments as the file writes them, and how far its zone is from UTC; None if unsaid."""

    local: pd.DatetimeIndex
    offset: pd.TimedeltaIndex | None = None


def stamps_of(
    cells: Sequence[str], lines: Sequence[int], file: str, *, order: str = "", form: str = ""
) -> Stamps:
    """Moments of a column of dates.

    order : 'month first' or 'day first' where the layout says it. form : of strptime.

    Raises
    ------
    DataError : a cell that is no day, or days that can be read in two ways: both are shown.

    Examples
    --------
    >>> stamps_of(["01/02/2024"], [2], "a.csv")
    Traceback (most recent call last):
    ...
    backtest.types.DataError: a.csv: 01/02/2024 may be 2024-01-02 or 2024-02-01, and no other row \
decides; say date_format = "%m/%d/%Y" or "%d/%m/%Y" in [data.files."a.csv"].
    """
    column, offset = pd.Series(list(cells), dtype=str), None
    if form:
        moments = pd.to_datetime(column, format=form, errors="coerce")
    elif SERIAL.fullmatch(cells[0]):
        days = pd.to_numeric(column, errors="coerce")
        moments = EXCEL_ZERO + pd.to_timedelta(days.where(days.between(2e4, 8e4)), unit="D")
    elif EPOCH.fullmatch(cells[0]):
        moments, offset = _epochs(column), pd.TimedeltaIndex(np.zeros(len(column), "m8[s]"))
    elif NUMERIC.match(cells[0]):
        days = _numeric(column.str.replace(TIME, "", regex=True), lines, file, order)
        moments = days + _times(column)
    elif MONTH.fullmatch(cells[0]):
        tidy = column.str.replace(r"[.,]", "", regex=True).str.replace("-", " ")
        moments = pd.to_datetime(tidy, format="mixed", errors="coerce")
        moments = _not_to_come(moments, column.str.contains(r"-\d\d$"))
    else:
        moments, offset = _iso(column)
    if moments.isna().any():
        at = int(np.argmax(moments.isna().to_numpy()))
        raise DataError(
            f"{file} line {lines[at]}: date {shown(cells[at])} is not a day as in the rows above; "
            "mend it, or say date_format in data.files."
        )
    return Stamps(pd.DatetimeIndex(moments), offset)


def _epochs(column: pd.Series) -> pd.Series:
    """Seconds, milli-, micro- or nanoseconds, each row by its length: Binance changed in 2025."""
    number = pd.to_numeric(column.where(column.str.fullmatch(EPOCH)), errors="coerce")
    digits = column.str.split(".").str[0].str.len()
    seconds = number / 10.0 ** (3 * ((digits - 10) // 3).clip(lower=0))
    return pd.to_datetime(seconds.round(), unit="s", errors="coerce")


def _iso(column: pd.Series) -> tuple[pd.Series, pd.TimedeltaIndex | None]:
    """Moments, and their zones where every row has one."""
    sound = column.where(column.str.fullmatch(ISO))
    zoned = sound.where(sound.str.len() > len("2024-01-01")).str.extract(ZONED)
    offset = None
    if zoned[1].notna().all():
        signed = zoned[1].replace({"Z": "+00:00", "UTC": "+00:00"}).str.replace(":", "")
        minutes = 60 * signed.str[:3].astype(int) + (signed.str[0] + signed.str[3:]).astype(int)
        sound, offset = zoned[0], pd.TimedeltaIndex(pd.to_timedelta(minutes, unit="min"))
    sound = sound.str.replace(
        r"^(\d{4})[/.](\d{1,2})[/.](\d{1,2})",
        lambda m: f"{m[1]}-{int(m[2]):02}-{int(m[3]):02}",
        regex=True,
    )
    return pd.to_datetime(sound, format="ISO8601", errors="coerce"), offset


def _times(column: pd.Series) -> pd.Series:
    """Time of day behind a day, also as Excel writes it ('0:00', '4:00 PM'); 0 where none is."""
    parts = column.str.extract(TIME)
    hour, minute, second = (pd.to_numeric(parts[n]).fillna(0) for n in ("hour", "minute", "second"))
    in_half = parts["half"].notna()
    is_sound = (hour < 24) & (minute < 60) & (second < 60) & (~in_half | (hour <= 12))
    hour = hour.where(~in_half, hour % 12 + 12 * (parts["half"] == "P")).where(is_sound)
    return pd.to_timedelta(3600 * hour + 60 * minute + second, unit="s")


def _numeric(column: pd.Series, lines: Sequence[int], file: str, order: str) -> pd.Series:
    """Days written in digits, the year last."""
    parts = column.str.extract(rf"^{NUMERIC.pattern}$")
    one, two, year = pd.to_numeric(parts[0]), pd.to_numeric(parts[2]), parts[3]
    day_first, month_first = bool((one > 12).any()), bool((two > 12).any())
    if day_first and month_first:
        at, other = (int(np.argmax((number > 12).to_numpy())) for number in (one, two))
        raise DataError(
            f"{file} writes days in two ways: {column[at]} (line {lines[at]}) has the day first, "
            f"{column[other]} (line {lines[other]}) the month; export it with ISO dates."
        )
    if not day_first and not month_first:
        day_first = (order or _order(parts, one, two, file)) == "day first"
    day, month = (one, two) if day_first else (two, one)
    year = year.where(year.str.len() == 4, "20" + year)
    moments = pd.to_datetime(
        pd.DataFrame({"year": pd.to_numeric(year), "month": month, "day": day}), errors="coerce"
    )
    return _not_to_come(moments, parts[3].str.len() == 2)


def _not_to_come(moments: pd.Series, has_two_digits: pd.Series) -> pd.Series:
    """Days whose years in two digits are of the last hundred years."""
    is_late = has_two_digits & (moments > pd.Timestamp.now() + pd.Timedelta(days=366))
    return moments.where(~is_late, moments - pd.DateOffset(years=100))


def _order(parts: pd.DataFrame, one: pd.Series, two: pd.Series, file: str) -> str:
    """Which comes first where no row has a number above twelve."""
    mark = str(parts[1].iloc[0])
    if mark == "." or (one == two).all():  # nobody writes months first between points
        return "day first"
    at = int(np.argmax((one != two).to_numpy()))
    year, style = parts[3][at], "%Y" if len(parts[3][at]) == 4 else "%y"
    full = year if style == "%Y" else f"20{year}"
    raise DataError(
        f"{file}: {parts[0][at]}{mark}{parts[2][at]}{mark}{year} may be "
        f"{full}-{one[at]:02.0f}-{two[at]:02.0f} or {full}-{two[at]:02.0f}-{one[at]:02.0f}, and no "
        f'other row decides; say date_format = "%m{mark}%d{mark}{style}" or '
        f'"%d{mark}%m{mark}{style}" in [data.files."{file}"].'
    )


def days_of(
    stamps: Stamps, file: str, *, zone: str = "", close: str = ""
) -> tuple[pd.DatetimeIndex, BoolArray]:
    """The day of each stamp, and which stamps are a day's value.

    zone : in which stamps without a zone are written; others are taken to it. close : see `How`.

    Midnight of the stamps' own zone begins their day, else midnight of UTC does: crypto bars that
    are stamped at 20:00 in New York begin the next day. Where all have one other time of day, such
    as 16:00, it is the close.

    Raises
    ------
    DataError : stamps at other times of day, and nobody says which of them is the close.

    Examples
    --------
    >>> stamps = stamps_of(["2020-03-11 20:00:00-04:00"], [2], "btc.csv")
    >>> days_of(stamps, "btc.csv")[0].astype(str).tolist()
    ['2020-03-12']
    """
    local, offset = stamps.local, stamps.offset
    if zone:
        aware = (
            local.tz_localize(
                zone, ambiguous=np.ones(len(local), bool), nonexistent="shift_forward"
            )
            if offset is None
            else (local - offset).tz_localize("UTC").tz_convert(zone)
        )
        local, utc = aware.tz_localize(None), aware.tz_convert("UTC").tz_localize(None)
        offset = pd.TimedeltaIndex(local - utc)
    every = np.ones(len(local), dtype=np.bool_)
    if close:
        taken = np.asarray(local - local.normalize() == pd.Timedelta(f"{close}:00"))
        days = local.normalize()
        return (days - pd.Timedelta(days=1) if close == "00:00" else days), taken
    return _days(local, offset, file), every


def _days(local: pd.DatetimeIndex, offset: pd.TimedeltaIndex | None, file: str) -> pd.DatetimeIndex:
    """Days of stamps that have one time of day."""
    if (local == local.normalize()).all():
        return local
    if offset is not None:
        utc = local - offset
        new_york = utc.tz_localize("UTC").tz_convert("America/New_York").tz_localize(None)
        for moments in (utc, new_york):
            if (moments == moments.normalize()).all():
                return pd.DatetimeIndex(moments)
    if len((local - local.normalize()).unique()) == 1:
        return local.normalize()
    day = local.normalize()[local.normalize().duplicated()]
    what = f"has several rows on {day[0]:%Y-%m-%d}" if len(day) else "has stamps at many times"
    raise DataError(
        f'{file} {what}; give a value a day, or say close = "HH:MM" (and time_zone) in '
        f'[data.files."{file}"].'
    )
