"""Daily closes from Yahoo through yfinance, imported only when it is used.

`Ticker.history` is asked, not `download`: in yfinance 1.7.0 `download` catches every error of a
ticker, 429 among them, and returns an empty frame; it also starts threads and shuffles columns.
Yahoo's terms allow personal use: what is fetched stays in the git-ignored cache.
"""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from backtest.data.sources import Column
from backtest.data.web import HostError, RateLimited, Sleep
from backtest.types import DataError


class Yahoo:
    """One ticker at a time, raw closes, dividends where a column asks for them.

    folder : where yfinance keeps its cookies and time zones. It is ours alone, for a database
        shared with other programs gets locked. timeout, pause : seconds.
    """

    def __init__(self, folder: Path, *, timeout: float, pause: float, sleep: Sleep) -> None:
        self.folder, self.timeout, self.pause, self.sleep = folder, timeout, pause, sleep
        self.asked = False

    def history(self, column: Column, today: date) -> pd.DataFrame:
        """(days x value[, dividend]) as Yahoo has them, NaN where it has a row without a close.

        Raises
        ------
        RateLimited : 429. HostError : no connection.
        DataError : no row (yfinance need not raise then), no Close, or anything yfinance raises.
        """
        if self.asked:
            self.sleep(self.pause)
        self.asked = True
        frame = _flat(self._ask(column), column.code)
        if frame.empty:
            raise DataError(f"Yahoo sent no row for {column.code}")
        wanted = {"Close": "value"} | ({"Dividends": "dividend"} if column.adjusted else {})
        for name in wanted:
            if name not in frame.columns or frame[name].isna().all():
                known = ", ".join(map(str, frame.columns))
                raise DataError(f"Yahoo sent no {name} for {column.code}, only {known}")
        return frame[list(wanted)].rename(columns=wanted)

    def _ask(self, column: Column) -> pd.DataFrame:
        with _quiet():
            import yfinance
            from yfinance.exceptions import YFRateLimitError

            self.folder.mkdir(parents=True, exist_ok=True)
            yfinance.set_tz_cache_location(str(self.folder))
            yfinance.config.debug.hide_exceptions = False  # or a failure is an empty frame
            try:
                frame: Any = yfinance.Ticker(column.code).history(
                    start=column.starts.isoformat(),
                    interval="1d",
                    auto_adjust=False,  # adjusted closes are rewritten by every dividend
                    actions=column.adjusted is not None,
                    keepna=True,  # a session without a close is to be seen, not swallowed
                    timeout=self.timeout,
                )
            except YFRateLimitError as error:
                raise RateLimited from error
            except OSError as error:  # curl_cffi and requests derive theirs from it
                raise HostError(f"cannot reach Yahoo ({_first_line(error)})") from error
            except Exception as error:
                # yfinance raises whatever a changed answer breaks in it: KeyError, JSON errors.
                raise DataError(
                    f"Yahoo sent nothing usable for {column.code} "
                    f"({type(error).__name__}: {_first_line(error)})"
                ) from error
        return pd.DataFrame() if frame is None else frame


def _flat(frame: pd.DataFrame, code: str) -> pd.DataFrame:
    """Columns by price name alone; yfinance may head even one ticker (Price, Ticker)."""
    if not isinstance(frame.columns, pd.MultiIndex):
        return frame
    ticker = "Ticker" if "Ticker" in frame.columns.names else frame.columns.nlevels - 1
    sent = set(frame.columns.get_level_values(ticker))
    if sent != {code}:
        raise DataError(f"Yahoo sent {', '.join(sorted(map(str, sent)))} when asked for {code}")
    return frame.droplevel(ticker, axis=1)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without yfinance's log lines and the pandas deprecations it sets off; ours stay errors."""
    logger = logging.getLogger("yfinance")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            warnings.simplefilter("ignore", FutureWarning)
            warnings.simplefilter("ignore", ResourceWarning)
            yield
    finally:
        logger.setLevel(level)


def _first_line(error: BaseException) -> str:
    """What went wrong, without curl's advice on where to read about it."""
    return (str(error).splitlines() or [type(error).__name__])[0].split(". See ")[0]
