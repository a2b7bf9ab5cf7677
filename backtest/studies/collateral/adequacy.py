"""Prices of collateral over all the days there are, and its haircuts held against them."""

from collections.abc import Container, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from backtest.account.adequacy import haircut_adequacy, moves
from backtest.account.assets import parse_asset
from backtest.account.haircuts import load_schedule, schedules_on
from backtest.account.mix import published_haircut
from backtest.data.csv_folder import read_column
from backtest.data.load import load_market
from backtest.market.checks import LONGEST_STEP
from backtest.market.episodes import EPISODES
from backtest.market.market import Market, tenor_years
from backtest.replay.origin import Prices
from backtest.replay.provenance import digest
from backtest.studies.inputs import Inputs
from backtest.studies.prices import said_of_files
from backtest.types import Progress, StudyError, counted, unheard

COINS = ("BTC", "ETH", "USDC")
# Treasury stress before there was a market for crypto, beside the episodes of the joint history.
WINDOWS: Mapping[str, tuple[str, str]] = {
    "Sep-Dec 2008": ("2008-09-01", "2008-12-31"),
    "May-Sep 2013": ("2013-05-01", "2013-09-30"),
    **EPISODES,
}


def adequacy_sources(inputs: Inputs) -> dict[tuple[str, str], Market | pd.Series]:
    """Prices by (asset, 'margin' or 'calendar'), over all the days that a folder holds.

    Crypto of a folder is taken on its own calendar days too. A Treasury is priced from the yields
    up to its tenor alone, so that its history is as long as they are.
    """
    market, folder = inputs.market, Path(inputs.config.data.source)
    # Each asset takes the longest history it has: haircuts are tested on rare moves, and the
    # joint history of all factors is shorter than that of most of them.
    is_folder, hows = folder.is_dir(), said_of_files(inputs.config)
    sources: dict[tuple[str, str], Market | pd.Series] = {}
    for coin in COINS:
        if is_folder and (folder / f"{coin.lower()}_usd.csv").is_file():
            sources[coin, "calendar"] = read_column(folder, coin, files=hows)
        if coin in market.factors:
            sources[coin, "margin"] = market
    tenors = {f: years for f in market.factors if (years := tenor_years(f)) is not None}
    for factor, years in tenors.items():
        asset = "BILL3M" if factor == "3M" else f"UST{factor}"
        # A bond pays twice a year, so only whole half-years can be priced as one.
        if factor != "3M" and 2 * years != int(2 * years):
            continue
        shorter = tuple(f for f, other_years in tenors.items() if other_years <= years)
        if is_folder:
            since = str(after_last_gap(read_column(folder, factor, files=hows)).date())
            sources[asset, "margin"] = load_market(
                folder,
                factors=shorter,
                start=since,
                calendar=inputs.config.clock.calendar,
                files=hows,
            )
        else:
            sources[asset, "margin"] = market
    return sources


def adequacy_by_schedule(
    sources: Mapping[tuple[str, str], Market | pd.Series],
    day: date,
    *,
    progress: Progress = unheard,
) -> pd.DataFrame:
    """`haircut_adequacy` of every asset against every schedule of a day that lists it."""
    tables = []
    for (asset, _), source in counted(progress, "haircut adequacy", sources.items(), len(sources)):
        for schedule in schedules_on(day):
            kind = load_schedule(schedule).kind
            if kind == "margin rate":
                continue
            try:
                rate = published_haircut(parse_asset(asset), (schedule,))
            except StudyError:  # the schedule does not list the asset
                continue
            table = haircut_adequacy(source, asset=asset, haircut=rate, windows=WINDOWS)
            table.insert(1, "schedule", schedule)
            table.insert(2, "kind", kind)
            tables.append(table)
    if not tables:
        raise StudyError("no schedule lists any asset of this market; add a factor such as BTC.")
    return pd.concat(tables, ignore_index=True)


def worst_by_month(
    sources: Mapping[tuple[str, str], Market | pd.Series], horizon: int, *, since: np.datetime64
) -> pd.DataFrame:
    """One row a (asset, month): worst move of `horizon` days that began in it, and its start."""
    tables = []
    for (asset, days), source in sources.items():
        if days == "margin" and (asset, "calendar") in sources:
            continue
        # Calendar days are preferred where they exist: margin days would miss moves at weekends.
        change, _ = moves(source, asset=asset, horizon=horizon)
        change = change.loc[pd.Timestamp(since) :]
        months = change.groupby(pd.DatetimeIndex(change.index).to_period("M"))
        day = months.idxmin()
        tables.append(
            pd.DataFrame(
                {
                    "asset": asset,
                    "days": days,
                    "month": day.index.astype(str),
                    "day": day.to_numpy(),
                    "worst": change.loc[day.to_numpy()].to_numpy(),
                }
            )
        )
    return pd.concat(tables, ignore_index=True)


def after_last_gap(column: pd.Series) -> pd.Timestamp:
    """First day after the last gap in the prices that is longer than a market may have."""
    days = pd.DatetimeIndex(column.index)
    steps = np.diff(days.to_numpy().astype("datetime64[D]")).astype(int)
    gaps = np.flatnonzero(steps > LONGEST_STEP)
    return days[gaps[-1] + 1 if len(gaps) else 0]


def read_from(asset: str, source: Market | pd.Series, inputs: Inputs) -> str:
    """Where the prices of one asset were read from, as a market says it."""
    if isinstance(source, Market):
        return source.source
    return f"{Path(inputs.config.data.source).name}/ ({asset.lower()}_usd.csv)"


def sample_line(spans: Mapping[str, Mapping[str, Any]], assets: Container[str]) -> str:
    """Files and days of the prices of some assets, for under a table of theirs.

    spans : by 'asset, margin days' or 'asset, calendar days': source, first, last and days.

    Examples
    --------
    >>> span = {"source": "data/ (y.csv)", "first": "1990-01-02", "last": "2006-02-08", "days": 9}
    >>> sample_line({"UST2Y, margin days": span, "UST5Y, margin days": span}, {"UST2Y", "UST5Y"})
    'data/ (y.csv): UST2Y, UST5Y 9 margin days 1990-01-02 .. 2006-02-08.'
    """
    # Assets that share files and days share a line of words.
    same: dict[tuple[str, str], list[str]] = {}
    for name, span in spans.items():
        asset, kind = name.split(", ")
        if asset in assets:
            words = f"{span['days']:,} {kind} {span['first']} .. {span['last']}"
            same.setdefault((span["source"], words), []).append(asset)
    lines = [f"{place}: {', '.join(a)} {words}" for (place, words), a in same.items()]
    return f"{'; '.join(lines)}." if lines else ""


def span_of(source: Market | pd.Series) -> dict[str, Any]:
    """First and last day, how many, and a sha256 of the values."""
    if isinstance(source, Market):
        p = Prices.of(source)
        return {
            "first": p.first, "last": p.last, "days": p.days, "levels_sha256": p.levels_sha256,
        }  # fmt: skip
    return {
        "first": f"{source.index[0]:%Y-%m-%d}",
        "last": f"{source.index[-1]:%Y-%m-%d}",
        "days": len(source),
        "levels_sha256": digest([source.index.astype(str).tolist(), source.tolist()]),
    }
