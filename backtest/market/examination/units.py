"""Units by size: against the years, the siblings, and what such series can be."""

from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files

import numpy as np
import pandas as pd

from backtest.market.examination.column import Column
from backtest.market.examination.finding import Finding, iso
from backtest.market.tenors import tenor_years
from backtest.types import BoolArray, FloatArray

FEWEST = 60  # values without which a size says nothing
FEWEST_OF_YEAR = 20
OVERNIGHT, BILL = ("SOFR", "DFF"), 0.25  # rates that stay near the bill of a quarter of a year
SHORTEST, NEAR = 1.0, 3.0  # years of maturity whose size siblings tell; factor of their own
APART = 30.0  # factor between maturities so near, beyond which the unit differs
LONG_TENOR, DECIMAL_BELOW, DECIMAL_DAYS = 5.0, 0.0025, 20  # no long yield stayed below .25 percent
POINT, SHARE_OF_POINTS = 0.0099, 0.02  # no par yield since 1990 moved by a point on any day
SCALES = (100.0, 1e4)  # decimals read as percent, and once more
MARGIN = 0.001  # beyond the range of a year
TOO_SMALL, INSIDE = 5.0, 0.8  # factor below the range; share of days within it once rescaled
VOLATILITY = (0.03, 3.0)  # an index of implied volatility has its median within
FUNDING = (1e-6, 0.005)  # a day, fraction: medians of .04 % and 180 % a year
OFF_TICK, SHARE_OFF = 0.01, 0.01  # of a tick, for files of few digits; share of days off it
THIRTY_SECONDS = 0.325  # a file of 32nds written behind a point has no larger fraction


@cache
def yields_by_year() -> pd.DataFrame:
    """(years x (tenor, end)) lowest and highest US par yield of each year, in decimals."""
    with (files("backtest") / "market" / "yields_by_year.csv").open(encoding="utf-8") as lines:
        return pd.read_csv(lines, comment="#", index_col=0, header=[0, 1]) / 100.0


def check_units(column: Column) -> Iterator[Finding]:
    """The size of a column by what such a series can be."""
    check = {"volatility": _volatility, "funding": _funding, "price": _points}
    check |= {"yield": _yields, "rate": _overnight}
    if column.role in check:
        yield from check[column.role](column)


def _yields(column: Column) -> Iterator[Finding]:
    tenor = tenor_years(column.factor) or 0.0
    largest = float(column.levels.max()) if len(column) else 1.0
    in_decimals = "write percent (4.25 means 4.25 %)" if column.percent else "multiply by 100"
    if tenor >= LONG_TENOR and len(column) >= DECIMAL_DAYS and largest < DECIMAL_BELOW:
        words = f"never above {column.shown(largest)} in {len(column):,} days"
        yield _unit(column, f"{column.name} is {words}: yields look like decimals", in_decimals)
        return
    if len(column) >= FEWEST:
        share = float((np.abs(column.moves) >= POINT).mean())
        if share > SHARE_OF_POINTS:
            yield _unit(
                column,
                f"{column.name} moves by a point ({POINT:.0%}) or more on {share:.0%} of days: its "
                "yields look like percent; frames hold decimals (0.0425 is 4.25 %)",
                "divide by 100",
            )
            return
    yield from _by_year(column, tenor)


def _overnight(column: Column) -> Iterator[Finding]:
    """An overnight rate beside the bills of its years."""
    if column.factor in OVERNIGHT:
        yield from _by_year(column, BILL)


def _by_year(column: Column, tenor: float) -> Iterator[Finding]:
    """Values far below the range of their years, within which they lie when they are rescaled.

    Percent read as decimals shows in moves of whole points, see above.
    """
    low, high, known = _range(column, tenor)
    for year in np.unique(column.days[known].astype("datetime64[Y]")):
        of_year = known & (column.days.astype("datetime64[Y]") == year)
        values = column.levels[of_year]
        if len(values) < FEWEST_OF_YEAR:
            continue

        bounds = low[of_year], high[of_year]
        if TOO_SMALL * np.median(values) > np.median(low[of_year]):
            continue
        fitting = [scale for scale in SCALES if _inside(values * scale, *bounds) > INSIDE]
        if fitting:
            middle = float(np.median(values))
            yield _unit(
                column,
                f"{column.name} has a median of {column.shown(middle)} in {year}, when such yields "
                f"were {100 * np.median(low[of_year] + MARGIN):.2f} to "
                f"{100 * np.median(high[of_year] - MARGIN):.2f} percent",
                f"multiply by {fitting[0]:g}",
            )
            return


def _inside(values: FloatArray, low: FloatArray, high: FloatArray) -> float:
    return float(((values > low) & (values < high)).mean())


def _range(column: Column, tenor: float) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Range of the years of each day, between the maturities around the tenor."""
    table = yields_by_year()
    tenors = np.array(
        sorted({tenor_years(str(name)) or 0.0 for name in table.columns.get_level_values(0)})
    )
    names = {tenor_years(str(name)): str(name) for name in table.columns.get_level_values(0)}
    at = int(np.clip(np.searchsorted(tenors, tenor), 0, len(tenors) - 1))
    around = {
        names[tenors[at]],
        names[tenors[max(at - 1, 0)] if tenors[at] > tenor else tenors[at]],
    }
    years = column.days.astype("datetime64[Y]").astype(int) + 1970
    rows = table.reindex(years)
    low = rows[[(name, "low") for name in around]].min(axis=1).to_numpy() - MARGIN
    high = rows[[(name, "high") for name in around]].max(axis=1).to_numpy() + MARGIN
    return low, high, ~np.isnan(low)


def _volatility(column: Column) -> Iterator[Finding]:
    if not len(column):
        return
    size = float(np.median(column.levels))
    low, high = VOLATILITY
    if not low <= size <= high:
        looks = "decimals" if size < low else "percent"
        yield _unit(
            column,
            f"{column.name} has a median of {column.shown(size)}: volatilities look like {looks}",
            "write percent (18 means 18 %)" if column.percent else "frames hold .18 for 18 %",
        )


def _funding(column: Column) -> Iterator[Finding]:
    if not len(column):
        return
    size = float(np.median(np.abs(column.levels)))
    low, high = FUNDING
    if size > high or (size < low and len(column) >= FEWEST):
        looks = "percent" if size > high else "hundredths of fractions"
        yield _unit(
            column,
            f"{column.name} has a median of {size:.2g}, {size:.2%} a day: rates look like {looks}",
            "write fractions (0.0001 means 0.01 %)",
        )


def _points(column: Column) -> Iterator[Finding]:
    """Prices off their tick; 32nds written behind a point, with no fraction above .31."""
    if column.tick is not None:
        ticks = column.levels / column.tick
        off = np.abs(ticks - ticks.round()) > OFF_TICK
        if off.mean() > SHARE_OFF:
            at = int(np.argmax(off))
            yield _unit(
                column,
                f"{column.name}: {off.mean():.0%} of prices are no whole ticks of {column.tick:g} "
                f"({column.levels[at]:g} on {column.days[at]}): adjusted, or in another unit",
                "give prices as traded, or leave tick out",
            )
    if len(column) < FEWEST or not 20.0 < float(np.median(column.levels)) < 500.0:
        return
    largest = float((column.levels % 1.0).max())
    # From one whole point to the next, decimals pass through every fraction.
    crosses = np.unique(np.floor(column.levels)).size > 1
    if crosses and 0.0 < largest < THIRTY_SECONDS:
        yield _unit(
            column,
            f"{column.name} has no fraction above {largest:g} in {len(column):,} days: prices look "
            "like 32nds behind a point",
            "write decimals (110-16 is 110.5), or say unit = '32nds' in data.files",
        )


def _unit(column: Column, what: str, advice: str) -> Finding:
    return Finding(column.factor, "unit", (), what, advice, impossible=True)


def check_sibling_units(columns: Sequence[Column]) -> Iterator[Finding]:
    """Days on which a yield is a hundredth or a hundredfold of the maturities near its own."""
    curve = {tenor_years(c.factor) or 0.0: c for c in columns if c.role == "yield"}
    for tenor, column in curve.items():
        # Bills were a hundredth of bonds from 2009 to 2015.
        near = [c for t, c in curve.items() if SHORTEST <= t and 1 / NEAR <= t / tenor <= NEAR]
        if tenor < SHORTEST or len(near) < 2:
            continue
        series = [pd.Series(c.levels, c.days) for c in near if c is not column]
        siblings = pd.concat(series, axis=1, join="inner").reindex(column.days)
        own, low, high = column.levels, siblings.min(axis=1), siblings.max(axis=1)
        tiny = (own > 0.0) & (own * APART < low) & (own * 100.0 < 3.0 * high)
        huge = (own > APART * high) & (own < 300.0 * high) & (high > 0.0)
        for wrong, scale in ((tiny, "hundredth"), (huge, "hundredfold")):
            if wrong.sum() >= FEWEST_OF_YEAR:
                yield _beside(column, np.asarray(wrong), scale, low.to_numpy(), high.to_numpy())


def _beside(
    column: Column, wrong: BoolArray, scale: str, low: FloatArray, high: FloatArray
) -> Finding:
    at = int(np.argmax(wrong))
    return Finding(
        column.factor,
        "unit",
        iso(column.days[wrong]),
        f"{column.name} is {column.shown(column.levels[at])} on {column.days[at]}, some {scale} of "
        f"maturities near it ({100 * low[at]:.2f} to {100 * high[at]:.2f} percent), and so on "
        f"{wrong.sum():,} days",
        "write one unit on every day",
        impossible=True,
    )
