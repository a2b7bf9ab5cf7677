"""The faults of public reports at every door: a folder, a frame, `fetch`, a table of given P&L."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

import backtest as bt
from backtest.data.columns import FUNDING_FILE, FUTURES_FILE, factor_column
from backtest.data.screening import screened
from backtest.market.calendars import sessions
from tests.support.publishers import column_of

DAYS = pd.DatetimeIndex(sessions("SIFMA", "2019-01-01", "2022-12-30"))
EVERY_DAY = pd.date_range("2019-01-01", "2022-12-31")
CODES = {"BTC": "BTC-USD", "ETH": "ETH-USD", "10Y": "DGS10", "VIX": "^VIX", "ZN": "ZN=F"}


def walk(seed, days, start, size):
    moves = np.random.default_rng(seed).standard_t(5, len(days)) * size
    return pd.Series(start * np.exp(np.cumsum(moves - moves.mean())), days).round(6)


def coin():
    return walk(1, EVERY_DAY, 20_000.0, 0.03)


def note():
    """A 10-year yield in percent within what it was in these years."""
    table = {2019: 2.1, 2020: 0.9, 2021: 1.45, 2022: 2.9}
    level = pd.Series(DAYS.year.map(table), DAYS, dtype=float).rolling(90, min_periods=1).mean()
    return (level + 0.05 * np.random.default_rng(2).standard_normal(len(DAYS))).round(2)


def changed(series, where, by):
    series = series.copy()
    series.loc[where] = series.loc[where] * by
    return series


def frozen(series):
    series = series.copy()
    series.iloc[860:891] = series.iloc[860]
    return series


def of_folder(tmp_path, columns):
    files = {}
    for name, series in columns.items():
        place = factor_column(name)
        files.setdefault(place.file, {})[place.column] = series
    for file, table in files.items():
        pd.DataFrame(table).rename_axis("Date").to_csv(tmp_path / file)
    return bt.load_market(tmp_path, factors=tuple(columns))


def of_frame(tmp_path, columns):
    share = {n: 0.01 if factor_column(n).unit == "percent" else 1.0 for n in columns}
    return bt.Market.from_frame(pd.DataFrame({n: share[n] * s for n, s in columns.items()}))


def of_fetch(tmp_path, columns):
    name, series = next(iter(columns.items()))
    column = column_of(CODES[name]).model_copy(
        update={"starts": date(2019, 1, 2), "unpublished": None}
    )
    kept, warnings = screened(pd.DataFrame({"value": series}), column, today=date(2022, 12, 31))
    if warnings:  # what is left out is named
        raise bt.DataError("; ".join(warnings))


BOTH, ALL = (of_folder, of_frame), (of_folder, of_frame, of_fetch)
SPIKE = changed(coin(), "2021-01-06", 0.01)
LATE = np.random.default_rng(3).standard_normal((3, len(EVERY_DAY)))
ONE, TWO = (
    pd.Series(100 * np.exp(np.cumsum(0.03 * (LATE[2] + 0.6 * x))), EVERY_DAY) for x in LATE[:2]
)
FUNDING = pd.Series(0.01 * (1 + np.sin(np.arange(len(EVERY_DAY)))), EVERY_DAY)
PRICES = np.round(64 * (110 + np.cumsum(note() - note().mean()) / 30)) / 64
TICKS = np.floor(PRICES) + PRICES % 1 * 0.32
DECIMALS = changed(note(), slice("2021", None), 0.01)
FAULTS = [
    ("filled over every day", {"10Y": note().reindex(EVERY_DAY).ffill().dropna()}, ALL, "weekend"),
    ("weekly", {"10Y": note()[::5]}, BOTH, "a value every 7 days"),
    ("weekly", {"10Y": note()[::5]}, (of_fetch,), "every 7 days"),
    ("one close by a hundred", {"BTC": SPIKE}, ALL, "on 2021-01-06 and back the next day"),
    ("frozen for 31 days", {"BTC": frozen(coin())}, ALL, "on 31 days in a row (2021-05-10"),
    ("dated a day late", {"BTC": ONE.shift(1).dropna(), "ETH": TWO}, (of_folder,), "BTC is dated"),
    ("dated a day late", {"BTC": ONE.shift(1)[1:], "ETH": TWO[1:]}, (of_frame,), "BTC is dated"),
    ("a price below zero", {"BTC": changed(coin(), "2020-04-20", -1.0)}, ALL, "on 2020-04-20 is -"),
    ("decimals from 2021", {"10Y": DECIMALS}, ALL, "in 2021, when"),
    ("32nds behind a point", {"ZN": TICKS}, (of_fetch,), "prices look like 32nds"),
    ("volatilities in decimals", {"VIX": walk(5, DAYS, 0.2, 0.05)}, BOTH, "look like decimals"),
    ("volatilities in decimals", {"VIX": walk(5, DAYS, 0.2, 0.05)}, (of_fetch,), "has its unit"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("columns", "door", "said"),
    [
        pytest.param(columns, door, said, id=f"{name}, {door.__name__}")
        for name, columns, doors, said in FAULTS
        for door in doors
    ],
)
def test_a_fault_is_named_at_each_door(columns, door, said, tmp_path):
    with pytest.raises(bt.DataError) as refused:
        door(tmp_path, columns)
    assert said in str(refused.value) and "\n" not in str(refused.value)


def test_faults_of_files_with_columns_of_their_own(tmp_path):
    files = {"btc_usd.csv": {"Close": coin()}, FUNDING_FILE: {"btc_perp_mean_per_8h": FUNDING}}
    files |= {FUTURES_FILE: {"ZN": TICKS}, "treasury_par_yields.csv": {"7Y": note()}}
    for file, table in files.items():
        pd.DataFrame(table).rename_axis("Date").to_csv(tmp_path / file)
    for factors, said in (
        (("BTC", "BTC-FUNDING"), "look like percent"),
        (("7Y", "ZN"), "like 32nds"),
    ):
        with pytest.raises(bt.DataError, match=said):
            bt.load_market(tmp_path, factors=factors)
    index = (1 + 3 * FUNDING).cumprod()
    for name, column, said in (
        ("BTC-FUNDING", index, "look like percent"),
        ("ZN", TICKS, "like 32nds"),
    ):
        with pytest.raises(bt.DataError, match=said):
            bt.Market.from_frame(pd.DataFrame({name: column}))


def test_bars_of_new_york_are_days_of_utc_or_refused(tmp_path):
    aware = coin().tz_localize("UTC").tz_convert("America/New_York")
    assert of_folder(tmp_path, {"BTC": aware}).level("BTC").tolist() == coin().tolist()
    column = column_of("BTC-USD").model_copy(update={"starts": date(2019, 1, 2)})
    kept, _ = screened(pd.DataFrame({"value": aware}), column, today=date(2022, 12, 31))
    assert kept["value"].iloc[-1] == coin()["2022-12-30"]
    with pytest.raises(bt.DataError, match="carries time zone America/New_York"):
        bt.Market.from_frame(pd.DataFrame({"BTC": aware}))
    with pytest.raises(bt.DataError, match="has 2 times of day; whose day they are"):
        bt.Market.from_frame(pd.DataFrame({"BTC": aware.tz_localize(None)}))


@pytest.mark.parametrize(
    ("days", "plant", "said"),
    [
        (EVERY_DAY[:300], "weekends", "repeat Friday's P&L on weekends"),
        (DAYS[::5], "", "a value every 7 days"),
        (DAYS[:300], "frozen", "has the same P&L on 31 days in a row"),
        (DAYS[:300], "", ""),
    ],
)
def test_given_margins_are_doubted(days, plant, said):
    pnl = pd.Series(np.random.default_rng(7).normal(size=len(days)), days)
    if plant == "weekends":
        pnl = pnl.where(days.day_of_week < 5).ffill()
    if plant == "frozen":
        pnl.iloc[100:131] = pnl.iloc[100]
    frame = pd.DataFrame({"date": days, "account": "A", "pnl": pnl.to_numpy(), "required": 3.0})
    doubts = bt.validate(frame, coverage=bt.Coverage(mpor=1)).provenance.given.doubts
    assert (said in " ".join(doubts)) if said else doubts == ()
