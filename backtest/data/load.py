"""`load_market`: a market by its name, from a folder, or a Market itself."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from backtest.data.clocks import on_sessions
from backtest.data.csv_folder import read_folder
from backtest.data.layouts.how import How
from backtest.data.raw_columns import SourceFile
from backtest.market.calendars import Clock, MarginCalendar
from backtest.market.earlier import Earlier
from backtest.market.examination import Accepted
from backtest.market.market import Market
from backtest.types import DataError, parse_day

SOURCES = ("sample", "treasury")  # that need no folder
DEFAULT_FACTORS = ("3M", "2Y", "5Y", "10Y", "30Y", "BTC", "ETH")


def load_market(
    source: str | Path | Market,
    *,
    factors: tuple[str, ...] | None = None,
    start: str | None = None,
    end: str | None = None,
    clock: Clock = "business",
    calendar: MarginCalendar = "data",
    contracts: Mapping[str, str] | None = None,
    files: Mapping[str, How] | None = None,
    accept: Sequence[Accepted] = (),
    earlier: bool = False,
) -> Market:
    """Load the market of `source`: 'sample' (SIMULATED), 'treasury', a CSV folder, or a Market.

    factors : factors to load; None takes the default of the source (folders: 3M 2Y 5Y 10Y 30Y BTC
        ETH). Treasury factors alone use the whole Treasury history.
    start, end : first and last day to keep, ISO.
    clock : 'business', the move over a weekend is one step; '24/7', every calendar day is a margin
        day, and Treasuries keep their level on days on which they do not trade.
    calendar : the calendar whose sessions are the margin days; 'data' takes the days with data.
    contracts : of a folder, by future ('ZN'): the CSV or folder with the settlements of its
        contracts, which then replace the front-month file.
    files : of a folder, by file name: how a file is read that would not be recognised.
    accept : of a folder, findings of the examination that are true, with the reason.
    earlier : of a folder: keep what single factors have before the window, for look-backs and
        stressed periods of positions that need no younger factor (see `Market.before`).

    Raises
    ------
    DataError : see `csv_folder`, `clocks` and `Market`; a source without closes at weekends.

    Examples
    --------
    >>> load_market("treasury").factors
    ('3M', '2Y', '5Y', '10Y')
    """
    return load_with_sources(
        source,
        factors=factors,
        start=start,
        end=end,
        clock=clock,
        calendar=calendar,
        contracts=contracts,
        files=files,
        accept=accept,
        earlier=earlier,
    )[0]


def load_with_sources(
    source: str | Path | Market,
    *,
    factors: tuple[str, ...] | None = None,
    start: str | None = None,
    end: str | None = None,
    clock: Clock = "business",
    calendar: MarginCalendar = "data",
    contracts: Mapping[str, str] | None = None,
    files: Mapping[str, How] | None = None,
    accept: Sequence[Accepted] = (),
    earlier: bool = False,
) -> tuple[Market, list[SourceFile]]:
    """`load_market`, with the files (name, sha256) from which the levels were read."""
    sources: list[SourceFile] = []
    twice = [f for f in factors or () if (factors or ()).count(f) > 1]
    if twice:
        raise DataError(f"factors name {twice[0]!r} twice; name each once.")
    if isinstance(source, Market):
        market = _pick(source, factors)
    elif str(source) == "sample":
        from backtest.data.sample import sample_market

        market = _pick(sample_market(), factors)
    elif str(source) == "treasury":
        from backtest.data.treasury import treasury_market

        market = treasury_market(factors=factors, start=start)
    else:
        market, sources = read_folder(
            Path(source),
            factors or DEFAULT_FACTORS,
            start=start,
            end=end,
            clock=clock,
            contracts=contracts,
            files=files,
            accept=accept,
            earlier=earlier,
        )
    options = {"contracts": contracts, "files": files, "accept": accept, "earlier": earlier}
    for name, given in options.items():
        if given and not sources:
            raise DataError(
                f"source {str(source)!r} has no {name}; data.{name} needs a folder of CSV files."
            )
    if earlier and (clock, calendar) != ("business", "data"):
        raise DataError(
            "data.earlier needs [clock] kind = 'business' and calendar = 'data', not "
            f"{clock!r} and {calendar!r}; leave one of them out."
        )
    if clock == "24/7" and market.traded is None:
        raise DataError(
            f"source {str(source)!r} has business days only; the 24/7 clock needs a folder of CSV "
            "files with closes at weekends."
        )
    return on_sessions(_window(market, start, end), calendar), sources


def _pick(market: Market, factors: tuple[str, ...] | None) -> Market:
    if factors is None:
        return market
    columns = [market.column(f) for f in factors]
    return replace(
        market,
        factors=factors,
        levels=market.levels[:, columns],
        kinds=tuple(market.kinds[c] for c in columns),
        adjusted=tuple(a for a in market.adjusted if a.factor in factors),
        findings=tuple(f for f in market.findings if f.factor in factors),
        traded=None if market.traded is None else market.traded[:, columns],
        before=None
        if market.before is None
        else Earlier(market.before.dates, market.before.levels[:, columns]),
    )


def _window(market: Market, start: str | None, end: str | None) -> Market:
    """The days from `start` to `end`, both included."""
    low = market.dates[0] if start is None else parse_day(start, "start", DataError)
    high = market.dates[-1] if end is None else parse_day(end, "end", DataError)
    keep = (market.dates >= low) & (market.dates <= high)
    if market.traded is not None:  # a market begins on a day on which every factor trades
        keep &= np.maximum.accumulate(keep & market.trades(market.factors))
    if not keep.any():
        raise DataError(
            f"no day between {low} and {high}; the market has {market.dates[0]} .. "
            f"{market.dates[-1]}."
        )
    inside = (market.dropped >= low) & (market.dropped <= high)
    return replace(
        market.rows(keep),
        dropped=market.dropped[inside],
        adjusted=tuple(a for a in market.adjusted if a.date <= high),
    )
