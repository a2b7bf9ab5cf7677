"""The statistics of procyclicality and coverage that Glinz (2023) published, computed by our model.

He margins one future by a filtered historical simulation in the form of Eurex Clearing's Prisma
(`strategies.eurex`), limits its procyclicality in six ways, and prints fourteen statistics of each
over four periods and for each decay of the filter's weights. What his description does not say, and
his numbers depend on:

- The mean over buckets is weighted by their returns: 500 days are 167, 167 and 166 of them. That of
  the floor is not, but its three buckets have 84 returns each.
- A burn-in of 200 days gives a bucket 66 returns, with weights whose divisor is that of 66 2/3.
- Days without a price are margined, and then left out of every statistic (`WITHOUT_PRICE`).
- A loss is compared with the margin three rows before it: where a day between was left out, that is
  a margin of four days before.
- The '30-day' rise is over 20 rows; cap, release of the buffer, limit of speed and floor are those
  of the whole history, also on its first day.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd
from scipy.special import chdtri

from backtest.book.book import Book
from backtest.book.coverage import Coverage
from backtest.market.market import Market
from backtest.scores.exceedances.counts import unconditional_statistic
from backtest.types import BoolArray, Dates, Days, StudyError
from strategies.eurex import EurexLike
from strategies.overlays.buffer import margin_with_buffer
from strategies.overlays.speed import limited_margin

Side = Literal["long", "short"]
SIDES: dict[Side, float] = {"long": 1.0, "short": -1.0}  # USD held

FUTURE = "FUTURE"
TERMS = EurexLike(stress=(), parameters="eurex_like/2022")
PERIODS = {
    "all": ("2001-03-20", "2023-01-01"),
    "covid": ("2020-01-01", "2020-12-31"),
    "financialcrisis": ("2007-06-01", "2009-03-31"),
    "dotcom": ("2001-03-20", "2003-04-01"),
}
# Before this day history is too short for the model's terms: it is margined on shorter ones.
REGULAR = np.datetime64("2007-04-20")
# Days of his data with a return of zero and no price, which he does not list. Left out of the mean
# margins of all years, these meet the printed ones to 1e-13 at all ten decays. Of the sets tried
# (12 or 11 of the 24 and 31 December outside crises, and one or two of any other days) one
# other does too: it has 2011-01-03, whose margin is that of 2010-12-31, in its place. A file of his
# (fesx_margin.csv, in svensglinz/BA_Thesis) has a price on the former and none on the latter.
WITHOUT_PRICE = np.array(
    ["2007-05-28"]
    + [
        f"{year}-12-{day}"
        for year in (2007, 2008, 2009, 2010, 2012, 2013, 2015, 2019, 2020)
        for day in (24, 31)
    ],
    dtype="datetime64[D]",
)
SPEED_DAYS = 20  # also those of what he calls the 30-day rise
WINDOW = 750  # days of each of Kupiec's tests
CONFIDENCE = 0.99


@dataclass(frozen=True, eq=False)
class Margins:
    """Margins (days,) and returns over the MPOR that end on each day, for the side held."""

    dates: Dates
    margin: Days
    returns: Days

    def between(self, first: str, last: str) -> "Margins":
        """Those of a period, both ends included."""
        begin, end = np.datetime64(first), np.datetime64(last)
        return self.on((self.dates >= begin) & (self.dates <= end))

    def on(self, days: BoolArray) -> "Margins":
        """Those of some days."""
        return Margins(self.dates[days], self.margin[days], self.returns[days])

    def exceeding(self, step: int) -> tuple[Days, Days]:
        """Margin, and the loss that ends `step` rows later, where the loss is larger."""
        margin, loss = self.margin[:-step], -self.returns[step:]
        beyond = margin < loss
        return margin[beyond], loss[beyond]


def procyclicality_statistics(
    returns: pd.DataFrame,
    stress_days: pd.DataFrame,
    decays: Sequence[float],
    *,
    side: Side = "long",
    group: str = "PEQ01",
    without_price: Dates = WITHOUT_PRICE,
) -> pd.DataFrame:
    """Statistics of seven variants of margin over four periods, a row for each of them and decay.

    Parameters
    ----------
    returns : columns `date` and `log_return`, daily.
    stress_days : columns `DATE`, `CONF_LEVEL` (per cent), `LIQ_GROUP` and `GROUP`, of which the
        days of a group are a spell without a gap.
    decays : of the filter's weights. side : of the position. group : the liquidation group.
    without_price : days that are left out of statistics.

    Returns
    -------
    Columns statistic, value, variant, period, decay. Without an exceedance its mean sizes are NaN,
    its largest shortfall inf and its largest loss to margin -inf. 'kpf' is 1 where no 750 days
    reject 99 % for too many exceedances, else 0.

    Raises
    ------
    StudyError : another side, a missing column, a group with no days or with a gap in a spell,
        returns that begin too late or end too soon.

    References
    ----------
    Glinz, S. (2023). Margin procyclicality during Covid-19: drivers, impact and solutions.
    Bachelor's thesis, University of St. Gallen; calculations_fesx_long.r and _short.r.
    """
    if side not in SIDES:
        raise StudyError(f"side is {side!r}; known: {', '.join(SIDES)}.")
    _check_columns(returns, "returns", ("date", "log_return"))
    _check_columns(stress_days, "stress days", ("DATE", "CONF_LEVEL", "LIQ_GROUP", "GROUP"))
    market, windows = _market(returns), _windows(stress_days, group)
    book = Book.from_frame(pd.DataFrame({FUTURE: [SIDES[side]]}, index=[side]))
    floor = _stress_floor(market, book, windows, _level(stress_days, group, market))
    rows: list[tuple[str, float, str, str, float]] = []
    for decay in decays:
        baseline, step = _baseline(market, book, decay)
        priced = baseline.on(~np.isin(baseline.dates, without_price))
        variants = _variants(priced, floor)
        for name, margins in variants.items():
            for period, ends in PERIODS.items():
                values = statistics(margins.between(*ends), step)
                rows += [(key, value, name, period, decay) for key, value in values.items()]
            rows.append(("kpf", float(_passes(margins, step)), name, "all", decay))
    return pd.DataFrame(rows, columns=["statistic", "value", "variant", "period", "decay"])


def statistics(margins: Margins, step: int) -> dict[str, float]:
    """Coverage, cost and procyclicality of one series; sizes in shares of the notional.

    Examples
    --------
    >>> days = np.arange("2024-03-01", "2024-03-26", dtype="datetime64[D]")
    >>> rising = Margins(days, np.linspace(0.1, 0.2, 25), np.linspace(0.0, -0.24, 25))
    >>> found = statistics(rising, 3)
    >>> found["N_observations"], found["n_breaches"], round(found["peak_to_through"], 6)
    (22.0, 9.0, 2.0)
    """
    margin, loss = margins.exceeding(step)
    observations, beyond = len(margins.margin) - step, len(loss)
    none = beyond == 0
    path = margins.margin

    def largest_rise(days: int) -> float:
        return float(np.max(path[days:] / path[:-days]))

    return {
        "n_breaches": float(beyond),
        "N_observations": float(observations),
        "perc_breaches": beyond / observations,
        "conf_level": 1.0 - beyond / observations,
        "avg_shortfall": np.nan if none else float(np.mean(margin - loss)),
        "max_shortfall": np.inf if none else float(np.min(margin - loss)),
        "costs": float(np.mean(path)),
        "peak_to_through": float(np.max(path / np.minimum.accumulate(path))),
        "max_1d": largest_rise(1),
        "max_5d": largest_rise(5),
        "max_30d": largest_rise(SPEED_DAYS),
        "max_ltm": -np.inf if none else float(np.max(loss / margin)),
        "avg_ltm": np.nan if none else float(np.mean(loss / margin)),
    }


def _variants(baseline: Margins, floor: float) -> Mapping[str, Margins]:
    """The baseline and its six mitigations, whose limits are taken from the whole of the series.

    No house could have known them: here they are statistics of the past, in `strategies.overlays`
    what a house knows on the day.
    """
    path = baseline.margin
    floored = np.maximum(path, floor)
    cap = np.quantile(floored, 0.95)
    anchor = np.quantile(path, 0.99) / 1.25 / 1.25
    up = float(np.quantile(path[SPEED_DAYS:] / path[:-SPEED_DAYS], 0.99)) - 1.0

    def slowed(margin: Days) -> Days:
        limited = limited_margin(margin[:, None], up=up, down=1.0, days=SPEED_DAYS)
        return limited[:, 0]

    paths = {
        "baseline": path,
        "speed": slowed(path),
        "floor": floored,
        "cap": np.minimum(path, cap),
        "buffer": margin_with_buffer(path, np.full_like(path, anchor), size=0.25),
        "cap_floor": np.minimum(floored, cap),
        "speed_floor": slowed(floored),
    }
    return {name: replace(baseline, margin=margin) for name, margin in paths.items()}


def _passes(margins: Margins, step: int) -> bool:
    """Whether no window rejects, at 99 %, that 99 % of losses are covered, for too many beyond.

    The latest days, whose loss is not known, count as covered.
    """
    beyond = np.zeros(len(margins.margin), dtype=np.int64)
    beyond[:-step] = margins.margin[:-step] < -margins.returns[step:]
    total = np.concatenate([[0], np.cumsum(beyond)])
    counts = total[WINDOW:] - total[:-WINDOW]
    ratio = unconditional_statistic(counts, np.full_like(counts, WINDOW), confidence=CONFIDENCE)
    enough = counts / WINDOW < 1.0 - CONFIDENCE
    return bool(np.all((ratio < chdtri(1, 1.0 - CONFIDENCE)) | enough))


def _baseline(market: Market, book: Book, decay: float) -> tuple[Margins, int]:
    """Margins without a mitigation from 2001 on, and the days of their MPOR."""
    regular = replace(TERMS, decay=decay)
    early = replace(regular, lookback=500, burn_in=200, demeaned=False)
    step, coverage = regular.terms.mpor, Coverage()
    last_early = int(np.searchsorted(market.dates, REGULAR)) - 1
    margin = np.full(len(market.dates), np.nan)
    margin[: last_early + 1] = early.margin(market.until(last_early), book, coverage)[:, 0]
    margin[last_early + 1 :] = regular.margin(market, book, coverage)[last_early + 1 :, 0]
    returns = np.full(len(market.dates), np.nan)
    level = market.level(FUTURE)
    returns[step:] = (level[step:] / level[:-step] - 1.0) * book.exposure[0, 0]
    margins = Margins(market.dates, margin, returns).between(*PERIODS["all"])
    if len(margins.margin) <= WINDOW or np.isnan(margins.margin).any():
        raise StudyError(
            f"returns from {market.dates[0]} to {market.dates[-1]} do not margin every day of "
            f"{PERIODS['all'][0]} to {PERIODS['all'][1]}; give them from 1998 to 2022."
        )
    return margins, step


def _stress_floor(
    market: Market, book: Book, windows: tuple[tuple[str, str], ...], confidence: float
) -> float:
    """The floor, as it is known on the last day, when all stress has been seen."""
    model = replace(TERMS, stress=windows, stress_confidence=confidence)
    return float(model.stress_floor(market, book, Coverage())[-1, 0])


def _check_columns(frame: pd.DataFrame, what: str, needed: tuple[str, ...]) -> None:
    missing = [name for name in needed if name not in frame]
    if missing:
        raise StudyError(f"the table of {what} has no column {missing[0]!r}; it needs {needed}.")


def _market(returns: pd.DataFrame) -> Market:
    """A market of the future alone, whose level is 1 on the day before the first return."""
    days = pd.to_datetime(returns["date"]).to_numpy().astype("datetime64[D]")
    growth = np.exp(np.concatenate([[0.0], np.cumsum(returns["log_return"].to_numpy())]))
    return Market(
        dates=np.concatenate([days[:1] - 1, days]),
        factors=(FUTURE,),
        levels=growth[:, None],
        kinds=("price",),
        source="daily logarithmic returns",
    ).until(PERIODS["all"][1])


def _windows(stress_days: pd.DataFrame, group: str) -> tuple[tuple[str, str], ...]:
    """First and last day of every spell of a liquidation group."""
    days = stress_days.loc[stress_days["LIQ_GROUP"] == group]
    if days.empty:
        known = ", ".join(sorted(stress_days["LIQ_GROUP"].unique()))
        raise StudyError(f"no stress days of liquidation group {group!r}; known: {known}.")
    windows = []
    for name, spell in pd.to_datetime(days["DATE"]).groupby(days["GROUP"]):
        if (spell.max() - spell.min()).days + 1 != len(spell):
            raise StudyError(
                f"the stress days of {group}, spell {name}, have gaps; give those of each spell "
                "a number of their own."
            )
        windows.append((f"{spell.min():%Y-%m-%d}", f"{spell.max():%Y-%m-%d}"))
    return tuple(sorted(windows))


def _level(stress_days: pd.DataFrame, group: str, market: Market) -> float:
    """Confidence of the floor: that of the latest stress day with a return, of all levels."""
    days = stress_days.loc[stress_days["LIQ_GROUP"] == group]
    dates = pd.to_datetime(days["DATE"]).to_numpy().astype("datetime64[D]")
    traded = np.isin(dates, market.dates)
    if not traded.any():
        raise StudyError(
            f"no stress day of {group} has a return up to {market.dates[-1]}; give returns that "
            "reach into a spell of stress."
        )
    return float(days["CONF_LEVEL"].to_numpy()[traded][np.argmax(dates[traded])]) / 100.0
