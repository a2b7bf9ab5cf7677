"""The layouts that are recognised: by what, and which of their columns is the day's value."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from backtest.data.layouts.cells import Cells

# Of columns that may hold the value of a day, the first that a file has.
VALUES = (
    (
        "adj close",
        "adj_close",
        "adjclose",
        "adjusted close",
        "adjusted_close",
        "close",
        "<close>",
        "close/last",
    )
    + ("settle", "settlement", "px_last", "last price", "last", "price", "value", "kurs")
    + ("schlusskurs", "zamkniecie", "mid")
)
BARS = {"open", "high", "low", "close"}
TENOR = re.compile(r"\d{1,2}(?:\.\d)? (?:mo|month|yr|year)s?", re.IGNORECASE)
WITH_DIVIDENDS = "Adj Close: a dividend that was paid is no loss"


@dataclass(frozen=True)
class Layout:
    """How one publisher writes daily prices.

    Parameters
    ----------
    name : said aloud. recognise : whether cells are in this layout.
    columns : headings of the value, the first that is there; empty takes every column as a factor.
    order : of day and month. close : time of day that is a day's value, see `How`; zone : its zone.
    unit : of all values; empty is that of the factor. symbol : heading of tickers.
    """

    name: str
    recognise: Callable[[Cells, set[str]], bool]
    columns: tuple[str, ...] = VALUES
    order: str = ""
    close: str = ""
    zone: str = ""
    unit: str = ""
    symbol: str = ""
    note: str = ""


def _headless(*widths: int) -> Callable[[Cells, set[str]], bool]:
    return lambda cells, names: (
        not cells.has_headings
        and len(cells.headings) in widths
        and re.fullmatch(r"\d{10,19}", cells.rows[0][0]) is not None
    )


def _is_fred(cells: Cells, names: set[str]) -> bool:
    others = [h for place, h in enumerate(cells.headings) if place != cells.date]
    is_dated = cells.headings[cells.date] in ("DATE", "observation_date")
    return (
        is_dated
        and not names & BARS
        and all(re.fullmatch(r"[A-Z0-9_]+", heading) for heading in others)
    )


def _is_treasury(cells: Cells, names: set[str]) -> bool:
    return any(TENOR.fullmatch(heading) for heading in cells.headings)


# The first that recognises a file reads it: the more special come first.
LAYOUTS = (
    Layout("FRED", _is_fred, columns=()),
    Layout("Treasury.gov", _is_treasury, columns=(), order="month first", unit="percent"),
    Layout(
        "CoinGecko",
        lambda cells, names: "snapped_at" in names,
        columns=("price",),
        close="00:00",
        zone="UTC",
        note="a price at midnight closes the day before",
    ),
    Layout(
        "CryptoDataDownload",
        lambda cells, names: (
            any("cryptodatadownload" in title.lower() for title in cells.titles)
            or {"symbol", "date", *BARS} <= names
        ),
        columns=("close",),
        symbol="symbol",
    ),
    Layout(
        "Stooq",
        lambda cells, names: {"<ticker>", "<date>", "<close>"} <= names,
        columns=("<close>",),
        symbol="<ticker>",
    ),
    Layout(
        "Bloomberg",
        lambda cells, names: bool({"px_last", "last price"} & names),
        columns=("px_last", "last price"),
    ),
    Layout("yfinance, two lines of headings", lambda cells, names: bool(cells.over)),
    Layout("Binance klines", _headless(12), columns=("5",)),
    Layout(
        "Binance klines",
        lambda cells, names: bool({"open_time", "open time"} & names) and BARS <= names,
        columns=("close",),
    ),
    Layout("Kraken OHLC", _headless(7, 8), columns=("5",)),
    Layout(
        "Kraken OHLC",
        lambda cells, names: {"time", "vwap", *BARS} <= names,
        columns=("close",),
    ),
    Layout(
        "Yahoo history",
        lambda cells, names: bool({"adj close", "adj_close", "adjclose"} & names),
        note=WITH_DIVIDENDS,
    ),
    Layout(
        "a table of adjusted closes",
        lambda cells, names: bool({"adjusted close", "adjusted_close"} & names),
        note=WITH_DIVIDENDS,
    ),
    Layout("yfinance", lambda cells, names: {"stock splits", "close"} <= names, columns=("close",)),
    Layout(
        "Investing.com",
        lambda cells, names: {"price", "change %"} <= names,
        columns=("price",),
        order="month first",
    ),
    Layout(
        "Nasdaq.com",
        lambda cells, names: "close/last" in names,
        columns=("close/last",),
        order="month first",
    ),
    Layout("Stooq, or bars alike", lambda cells, names: BARS <= names, columns=("close",)),
    Layout(
        "Nasdaq Data Link",
        lambda cells, names: bool({"value", "settle"} & names),
        columns=("settle", "value"),
    ),
    Layout("a table of days and values", lambda cells, names: bool(set(VALUES) & names)),
    Layout("a wide table", lambda cells, names: cells.has_headings, columns=()),
)


def layout_of(cells: Cells) -> Layout | None:
    r"""The layout that a file is in; None for one without headings that nobody writes.

    Examples
    --------
    >>> from backtest.data.layouts.cells import cells_of
    >>> from backtest.data.layouts.how import How
    >>> layout_of(cells_of("observation_date,DGS10\n2024-03-15,4.31\n", "a.csv", How())).name
    'FRED'
    """
    names = set(cells.lowered)
    return next((layout for layout in LAYOUTS if layout.recognise(cells, names)), None)
