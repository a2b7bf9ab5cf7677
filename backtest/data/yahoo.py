"""Daily closes from Yahoo through yfinance, which is imported only when it is used.

`Ticker.history` is called and not `download`: in yfinance 1.7.0 `download` catches every error of a
ticker, 429 among them, and returns an empty frame; it also starts threads and shuffles columns.
Yahoo's terms allow personal use: the data stay in the cache, which git ignores.
"""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from backtest.data.guards import MOST_BYTES, HostError
from backtest.data.sources import Column
from backtest.data.web import RateLimited, Sleep
from backtest.types import DataError


class Yahoo:
    """Raw closes of one ticker at a time, with dividends where a column needs them.

    folder : where yfinance keeps its cookies and time zones. No other program uses it, because a
        database that programs share can be locked. timeout, pause : seconds.
    """

    def __init__(self, folder: Path, *, timeout: float, pause: float, sleep: Sleep) -> None:
        self.folder, self.timeout, self.pause, self.sleep = folder, timeout, pause, sleep
        self.has_asked = False
        self.session: Any = None

    def history(self, column: Column, today: date) -> pd.DataFrame:
        """(days x value[, dividend]) as Yahoo has them, NaN for a row without a close.

        Raises
        ------
        RateLimited : 429. HostError : no connection.
        DataError : no row (yfinance may not raise then), no Close, or any other error of yfinance.
        """
        if self.has_asked:
            self.sleep(self.pause)
        self.has_asked = True
        frame = _flat(self._ask(column), column.code)
        if frame.empty:
            raise DataError(f"Yahoo sent no row for {column.code}")
        columns = {"Close": "value"} | ({"Dividends": "dividend"} if column.adjusted else {})
        for name in columns:
            if name not in frame.columns or frame[name].isna().all():
                headings = ", ".join(map(str, frame.columns))
                raise DataError(f"Yahoo sent no {name} for {column.code}, only {headings}")
        return frame[list(columns)].rename(columns=columns)

    def _ask(self, column: Column) -> pd.DataFrame:
        with _quiet():
            import yfinance
            from yfinance.exceptions import YFRateLimitError

            self.folder.mkdir(parents=True, exist_ok=True)
            self.session = self.session or guarded_session()
            yfinance.set_tz_cache_location(str(self.folder))
            yfinance.config.debug.hide_exceptions = False  # else a failure gives an empty frame
            try:
                frame: Any = yfinance.Ticker(column.code, session=self.session).history(
                    start=column.starts.isoformat(),
                    interval="1d",
                    auto_adjust=False,  # adjusted closes are rewritten by every dividend
                    actions=column.adjusted is not None,
                    keepna=True,  # the screening must see a session without a close
                    timeout=self.timeout,
                )
            except YFRateLimitError as error:
                raise RateLimited from error
            except OSError as error:  # errors of curl_cffi and requests are OSErrors
                raise HostError(f"cannot reach Yahoo ({_first_line(error)})") from error
            except Exception as error:
                # When Yahoo changes its answer, yfinance raises any error: KeyError, JSON.
                raise DataError(
                    f"Yahoo sent nothing usable for {column.code} "
                    f"({type(error).__name__}: {_first_line(error)})"
                ) from error
        return pd.DataFrame() if frame is None else frame


def guarded_session() -> Any:
    """What yfinance asks with: only https, answers no longer than `MOST_BYTES` once unpacked.

    Its timeout is one for a whole answer already. None where curl is not installed, with which
    yfinance does without.
    """
    try:
        from curl_cffi import CurlOpt
        from curl_cffi.requests import Session
    except ImportError:
        return None
    bounds = {CurlOpt.MAXFILESIZE_LARGE: MOST_BYTES, CurlOpt.PROTOCOLS_STR: b"https"}
    return Session(impersonate="chrome", curl_options=bounds)


def _flat(frame: pd.DataFrame, code: str) -> pd.DataFrame:
    """Columns by price name alone; yfinance may use (Price, Ticker) even for one ticker."""
    if not isinstance(frame.columns, pd.MultiIndex):
        return frame
    ticker = "Ticker" if "Ticker" in frame.columns.names else frame.columns.nlevels - 1
    sent = set(frame.columns.get_level_values(ticker))
    if sent != {code}:
        raise DataError(f"Yahoo sent {', '.join(sorted(map(str, sent)))} when asked for {code}")
    return frame.droplevel(ticker, axis=1)


@contextmanager
def _quiet() -> Iterator[None]:
    """Hide yfinance's log lines and the pandas deprecations that it causes."""
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
    """First line of an error, without curl's reference to its manual."""
    return (str(error).splitlines() or [type(error).__name__])[0].split(". See ")[0]
