"""False alarms of the examination of prices on clean files, and how many planted faults it finds.

Windows that begin in odd years were used to set its limits; what is printed comes from windows that
begin in even years: `python -m tests.tools.examination_rates`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from backtest.data.columns import FUTURES_FILE, YIELDS_FILE, factor_column
from backtest.market.examination import Column, examine
from backtest.market.examination.column import role_of
from tests.support.places import PRICES

Prices = dict[str, pd.Series]
Plant = Callable[[Prices, np.random.Generator], None]
YEARS = 4  # of a window, as long as those of the reports from which the faults come
GROUP = ("3M", "2Y", "5Y", "10Y", "30Y", "BTC", "ETH", "SPY", "VIX")
SINGLE = ("1M", "6M", "1Y", "3Y", "7Y", "20Y", "SOFR", "DFF", "BTC_CME", "USDC", "ZT", "ZF", "ZN")
SINGLE += ("ZB", "BTC-FUNDING", "BTC-FUNDING-BITMEX", "BIL", "SHY", "IEI", "IEF", "TLT", "TIP")
FIRST_COIN = 2014  # before it a venue that was closed for days was most of the market


def clean_prices() -> Prices:
    """Every factor of the files, in the unit of a market; front months with their splices."""
    prices: Prices = {}
    etfs = pd.read_csv(PRICES / "treasury_etfs_adjclose.csv", index_col=0, parse_dates=True)
    for name in (*GROUP, *SINGLE):
        if name in etfs.columns and name != "SPY":
            prices[name] = etfs[name].dropna()
            continue
        place = factor_column(name)
        table = pd.read_csv(PRICES / place.file, index_col=0, parse_dates=True)
        share = place.payments / (100.0 if place.unit == "percent" else 1.0)
        prices[name] = (share * table[place.column]).dropna()
    assert {factor_column(n).file for n in ("10Y", "ZN")} == {YIELDS_FILE, FUTURES_FILE}
    prices["30Y"] = prices["30Y"][prices["30Y"].index >= "2006-02-09"]
    return prices


def columns_of(prices: Prices) -> list[Column]:
    """As a folder or a frame hands them to the examination."""
    return [
        Column(
            name,
            series.index.to_numpy().astype("datetime64[D]"),
            series.to_numpy(dtype=np.float64),
            role_of(name, is_yield=name[0].isdigit() or name in ("SOFR", "DFF")),
        )
        for name, series in prices.items()
    ]


def windows(prices: Prices, parity: int) -> Iterator[tuple[int, Prices]]:
    """The group's prices over four years, from each year of one parity."""
    for year in range(2014 + parity, 2024, 2):
        yield (
            year,
            {
                name: prices[name].loc[str(year) : str(year + YEARS - 1)]
                for name in GROUP
                if len(prices[name].loc[str(year) : str(year + YEARS - 1)]) > 250 * YEARS * 0.9
            },
        )


@dataclass(frozen=True)
class Fault:
    """A fault, planted in the prices of one factor.

    at_report : True at the size of the report from which it comes.
    kinds : of finding that count as found.
    """

    name: str
    factors: tuple[str, ...]
    plant: Callable[[str], Plant]
    kinds: frozenset[str]
    at_report: bool = False


def _day(series: pd.Series, rng: np.random.Generator, after: int = 0) -> int:
    return int(rng.integers(70, len(series) - 70 - after))


def filled(days: str) -> Callable[[str], Plant]:
    """Values carried forward over all days, weekdays or the weekends of a coin."""

    def of(factor: str) -> Plant:
        def plant(prices: Prices, rng: np.random.Generator) -> None:
            series = prices[factor]
            every = pd.date_range(series.index[0], series.index[-1], freq=days)
            if factor in ("BTC", "ETH"):
                series = series[series.index.day_of_week < 5]
            prices[factor] = series.reindex(every.union(series.index)).ffill()

        return plant

    return of


def weekly(part: float) -> Callable[[str], Plant]:
    """One value a week, in a part of the window."""

    def of(factor: str) -> Plant:
        def plant(prices: Prices, rng: np.random.Generator) -> None:
            series = prices[factor]
            first = int(rng.integers(0, int((1 - part) * len(series)) + 1))
            inside = np.zeros(len(series), bool)
            inside[first : first + int(part * len(series))] = True
            keep = ~inside | (series.index.day_of_week == 4)
            prices[factor] = series[keep]

        return plant

    return of


def scaled(by: float, days: int | None) -> Callable[[str], Plant]:
    """Values times a number, on some days or from one day on (0: all days)."""

    def of(factor: str) -> Plant:
        def plant(prices: Prices, rng: np.random.Generator) -> None:
            series = prices[factor].copy()
            if days == 0:
                prices[factor] = series * by
                return
            first = _day(series, rng)
            last = len(series) if days is None else first + days
            series.iloc[first:last] *= by
            prices[factor] = series

        return plant

    return of


def frozen(days: int) -> Callable[[str], Plant]:
    """One value for some days in a row."""

    def of(factor: str) -> Plant:
        def plant(prices: Prices, rng: np.random.Generator) -> None:
            series = prices[factor].copy()
            first = _day(series, rng, days)
            series.iloc[first : first + days] = series.iloc[first]
            prices[factor] = series

        return plant

    return of


def shifted(days: int, years: int | None = None) -> Callable[[str], Plant]:
    """Dated late by some of the factor's own days, always or for some years from the first on."""

    def of(factor: str) -> Plant:
        def plant(prices: Prices, rng: np.random.Generator) -> None:
            late = prices[factor].shift(days)
            if years is not None:
                after = prices[factor].index.year >= prices[factor].index[0].year + years
                late = pd.concat([late[~after], prices[factor][after]])
            prices[factor] = late.dropna()

        return plant

    return of


def interpolated(factor: str) -> Plant:
    """Weekly values joined by straight lines."""

    def plant(prices: Prices, rng: np.random.Generator) -> None:
        series = prices[factor]
        keep = series[series.index.day_of_week == 4]
        prices[factor] = keep.reindex(series.index).interpolate("time").dropna()

    return plant


def in_ticks(factor: str) -> Plant:
    """32nds written behind a point."""

    def plant(prices: Prices, rng: np.random.Generator) -> None:
        whole = np.floor(prices[factor])
        prices[factor] = whole + np.floor((prices[factor] - whole) * 64) / 2 / 100

    return plant


def stale_curve(days: int) -> Callable[[str], Plant]:
    """All maturities repeat a day."""

    def of(factor: str) -> Plant:
        def plant(prices: Prices, rng: np.random.Generator) -> None:
            first = _day(prices["10Y"], rng, days)
            for name in [name for name in prices if name[0].isdigit()]:
                series = prices[name].copy()
                series.iloc[first : first + days] = series.iloc[first]
                prices[name] = series

        return plant

    return of


def twin(other: str) -> Callable[[str], Plant]:
    """The values of another factor."""

    def of(factor: str) -> Plant:
        def plant(prices: Prices, rng: np.random.Generator) -> None:
            prices[factor] = prices[other].copy()

        return plant

    return of


YIELDS, COINS = ("2Y", "5Y", "10Y", "30Y"), ("BTC", "ETH")
DAYS = frozenset({"weekends", "holidays", "step"})
LINES, STALE = frozenset({"interpolated"}), frozenset({"frozen", "stale curve"})
UNIT, BREAK = frozenset({"unit", "break"}), frozenset({"reversal", "break", "unit"})
RUN, LAG = frozenset({"frozen"}), frozenset({"dates"})
FAULTS = (
    Fault("filled over every calendar day", ("3M", *YIELDS, "SPY"), filled("D"), DAYS, True),
    Fault("filled over every weekday", ("3M", *YIELDS, "SPY"), filled("B"), DAYS),
    Fault("weekends filled", COINS, filled("D"), DAYS),
    Fault("weekly", ("3M", *YIELDS), weekly(1.0), DAYS, True),
    Fault("weekly for half a year", (*YIELDS, "SPY"), weekly(0.125), DAYS),
    Fault("interpolated from weeks", (*YIELDS, "SPY", "BTC"), interpolated, LINES),
    Fault("one close / 100", (*COINS, "SPY"), scaled(0.01, 1), BREAK, True),
    Fault("one close x 10", (*COINS, "SPY", "VIX"), scaled(10.0, 1), BREAK),
    Fault("one close x 1.5", (*COINS, "SPY"), scaled(1.5, 1), BREAK),
    Fault("one close x 1.2", ("SPY",), scaled(1.2, 1), BREAK),
    Fault("one yield / 10", YIELDS, scaled(0.1, 1), BREAK),
    Fault("one yield x 1.5", YIELDS, scaled(1.5, 1), BREAK),
    Fault("split 2:1", ("SPY", *COINS), scaled(0.5, None), BREAK),
    Fault("split 3:2", ("SPY",), scaled(2 / 3, None), BREAK),
    Fault("redenominated 1000:1", COINS, scaled(1000.0, None), BREAK),
    Fault("frozen 31 days", (*COINS, "SPY", *YIELDS), frozen(31), RUN, True),
    Fault("frozen 10 days", (*COINS, "SPY", *YIELDS), frozen(10), STALE),
    Fault("frozen 6 days", (*COINS, "SPY"), frozen(6), RUN),
    Fault("whole curve stale 3 days", ("10Y",), stale_curve(3), STALE),
    Fault("a day late", (*COINS, *YIELDS, "SPY", "VIX"), shifted(1), LAG, True),
    Fault("a day early", (*COINS, *YIELDS, "SPY", "VIX"), shifted(-1), LAG),
    Fault("two days late", (*COINS, *YIELDS, "SPY", "VIX"), shifted(2), LAG),
    Fault("a day late for the first year", (*COINS, *YIELDS, "SPY", "VIX"), shifted(1, 1), LAG),
    Fault("all of it percent for decimals", ("3M", *YIELDS, "VIX"), scaled(100.0, 0), UNIT, True),
    Fault("all of it decimals for percent", (*YIELDS, "VIX"), scaled(0.01, 0), UNIT, True),
    Fault("all of it basis points", YIELDS, scaled(1e4, 0), UNIT),
    Fault("decimals from a day on", YIELDS, scaled(0.01, None), UNIT, True),
    Fault("decimals for 60 days", YIELDS, scaled(0.01, 60), UNIT),
    Fault("another factor's values", ("ETH",), twin("BTC"), frozenset({"twins"})),
)  # fmt: skip


def found(clean: Prices, fault: Fault, factor: str, rng: np.random.Generator) -> bool:
    """Whether a planted fault is found: a finding of its kind that clean prices do not have."""
    before = {(f.factor, f.kind, f.days) for f in examine(columns_of(clean))}
    prices = dict(clean)
    fault.plant(factor)(prices, rng)
    return any(
        f.kind in fault.kinds and (f.factor, f.kind, f.days) not in before
        for f in examine(columns_of(prices))
    )


def catch_rates(parity: int, seed: int = 0) -> pd.DataFrame:
    """Planted and found, by fault."""
    prices, rows = clean_prices(), []
    for fault in FAULTS:
        planted = caught = 0
        missed = []
        for year, window in windows(prices, parity):
            for factor in fault.factors:
                if factor in window:
                    planted += 1
                    ok = found(window, fault, factor, np.random.default_rng([seed, year]))
                    caught += ok
                    missed += [] if ok else [f"{factor} {year}"]
        rows.append((fault.name, fault.at_report, planted, caught, ", ".join(missed)))
    table = pd.DataFrame(rows, columns=["fault", "at report's size", "planted", "found", "missed"])
    return table.set_index("fault")


def false_alarms(parity: int) -> pd.DataFrame:
    """Findings on clean files in years of one parity, by factor: in a study, and read alone.

    In a study means among all factors or among those of the group: siblings excuse or accuse.
    """
    prices = clean_prices()
    group = {name: prices[name] for name in GROUP}
    together = [f for one in (prices, group) for f in examine(columns_of(one))]
    rows = []
    for name, series in prices.items():
        years = {year for year in series.index.year if year % 2 == parity}
        counts = []
        for findings in (together, examine(columns_of({name: series}))):
            mine = {(f.kind, f.days[:1]) for f in findings if f.factor == name}
            counts.append(sorted(key for key in mine if int(key[1][0][:4]) % 2 == parity))
        which = "; ".join(f"{kind} {day[0]}" for kind, day in sorted({*counts[0], *counts[1]}))
        rows.append((name, len(years), len(counts[0]), len(counts[1]), which))
    table = pd.DataFrame(rows, columns=["factor", "years", "in a study", "alone", "which"])
    return table.set_index("factor")


if __name__ == "__main__":
    import sys

    PARITY = 1 if "--tune" in sys.argv else 0
    print(false_alarms(PARITY).to_string())
    print(catch_rates(PARITY).to_string())
