"""One row a (model, arrangement): margin, who loses, how often and how much a year, how surely."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from backtest.clearing.arrangement import SILOS
from backtest.clearing.ledger import BEARERS, CENT, FELLOW, FUND, OTHERS, UNCOVERED
from backtest.replay.protection.outcome import Outcome
from backtest.replay.protection.posted import Posted
from backtest.replay.protection.protect import Protection
from backtest.replay.protection.tabled import columns_of, tabled
from backtest.replay.protection.yearly import by_year, watched
from backtest.scores.money.level import mean_interval, ratio_interval
from backtest.scores.money.rare import RareMean, differs, event_rate, rare_difference, rare_mean
from backtest.types import FloatArray

# Names of what may happen on a day, with the column of `touched` and the bearer that pays.
HAPPENINGS = {"fellow": (0, FELLOW), "fund": (1, FUND), "uncovered": (3, UNCOVERED)}
FIRMS_FAIL = 2  # column of `touched`


@dataclass(frozen=True, eq=False)
class Losses:
    """What one bearer pays, by day; (days,) USD.

    Parameters
    ----------
    base : without defaults that come whatever prices do. drawn : expected on top, with them.
    once : `base` with each move of prices counted once of the close-outs that it is in.
    least : close-outs that any move is in. margin_days : of a year. closes : of the record a year.
    """

    base: FloatArray
    drawn: FloatArray
    once: FloatArray
    least: int
    margin_days: float
    closes: float

    @classmethod
    def of(cls, done: Protection, model: str, arrangement: str, *bearers: int) -> "Losses":
        """Losses of bearers, together and at all houses."""
        outcome, spans = done.outcomes[model, arrangement], done.spans
        by_house = outcome.base[:, :, bearers].sum(axis=2)
        paid, base = outcome.paid[:, :, bearers].sum(axis=(1, 2)), by_house.sum(axis=1)
        days = done.settings[arrangement].rules.assumptions.margin_days
        once = (by_house / spans).sum(axis=1)
        drawn, seen = paid - base, base >= CENT
        base, once = np.where(seen, base, 0.0), np.where(seen, once, 0.0)
        return cls(base, drawn, once, max(1, int(spans.min())), days, done.margined.closes(days))

    @property
    def yearly(self) -> FloatArray:
        """(days,) USD a year, whose mean over days is that of the record."""
        return by_year(self.once + self.drawn, self.once, horizon=1.0, margin_days=self.margin_days)

    @property
    def amount(self) -> RareMean:
        """USD a year; the evidence are the events without drawn defaults."""
        return rare_mean(np.maximum(self.yearly, 0.0), seen=self.base)

    @property
    def amount_drawn(self) -> RareMean:
        """The part of it that drawn defaults add; their probability is stated, so no evidence."""
        return rare_mean(self.margin_days * np.maximum(self.drawn, 0.0))

    @property
    def events(self) -> RareMean:
        """Events a year without drawn defaults."""
        return event_rate(self.base).times(self.closes)

    @property
    def horizon(self) -> float:
        """Close-outs that a move of prices is in, on average of those behind the amounts."""
        once = self.once.sum()
        return float(self.base.sum() / once if once > 0.0 else self.least)

    def times(self, touched: FloatArray, base_touched: FloatArray) -> float:
        """Times a year that something happens is expected, of its (days,) probabilities."""
        yearly = by_year(touched, base_touched, horizon=self.horizon, margin_days=self.margin_days)
        return float(yearly.mean())


def summary(done: Protection) -> pd.DataFrame:
    """One row a (model, arrangement); USD, and 95 % intervals over dates.

    `margin` mean USD that accounts post. For `fellow` (customers who did nothing), `fund` (the
    mutual fund) and `uncovered`: `_day` probability that the close-out of a day takes something of
    it; `_times` a year; `_usd` a year, `_low` and `_high` NaN where `_events` are too few for an
    interval; `_drawn` the part that drawn defaults add, with `_drawn_low` and `_drawn_high`;
    `_events` in the record that need no drawn default, `_events_year` with its interval, one-sided
    from 0 where none was seen; `_given` mean USD where there is a loss, with `_given_low` and
    `_given_high` as of `_usd`; `_largest` and `_date` of the worst close-out without drawn
    defaults; `_watched` USD a year at most, of accounts looked at on every day.
    `firms_fail` times a year. By bearer: USD a year.

    How a day becomes a year, and how often the intervals hold: docs/intervals.md.

    Examples
    --------
    >>> import backtest as bt, strategies as st
    >>> from backtest.clearing import Member, Structure
    >>> from backtest.replay.protection import protect
    >>> market = bt.load_market("sample", end="2018-12-31")
    >>> book = bt.Book.from_frame(pd.DataFrame({"UST10Y": [1e8], "BTC": [5e6]}, index=["fund"]))
    >>> done = protect(market, book, {"var": st.HistoricalVaR()}, Structure((Member("fund", "A"),)))
    >>> row = summary(done).loc["var", "silos"]
    >>> int(row["fellow_events"]), float(row["fellow_usd"])  # there are no fellow customers
    (0, 0.0)
    """
    rows = {}
    for key, outcome in done.outcomes.items():
        margin = mean_interval(Posted.of(done, *key).total)
        row: dict[str, object] = {**columns_of("margin", margin)}
        for name, (column, bearer) in HAPPENINGS.items():
            losses = Losses.of(done, *key, bearer)
            row |= _columns(name, losses, outcome, column, done.days)
        row["firms_fail"] = Losses.of(done, *key, *OTHERS).times(
            outcome.touched[:, FIRMS_FAIL], outcome.base_touched[:, FIRMS_FAIL]
        )
        rows[key] = row | {
            BEARERS[place]: float(Losses.of(done, *key, place).yearly.mean()) for place in OTHERS
        }
    return tabled(rows, "model", "arrangement")


def differences(done: Protection, *, against: str = SILOS) -> pd.DataFrame:
    """Each arrangement less another of the same model, paired by day; a row a (model, arrangement).

    `margin_saved` share of the other's mean margin with its interval; for `fellow`, `fund` and
    `uncovered` `_usd` more a year, with `_low` and `_high`, NaN where fewer than five events
    (`_events`) differ. Empty where the protection does not hold the other arrangement.
    """
    rows = {}
    for model, arrangement in done.outcomes:
        if arrangement == against or (model, against) not in done.outcomes:
            continue
        ours, theirs = (Posted.of(done, model, name).total for name in (arrangement, against))
        ratio, low, high = ratio_interval(ours, theirs)
        row = columns_of("margin_saved", (1.0 - ratio, 1.0 - high, 1.0 - low))
        for name, (_, bearer) in HAPPENINGS.items():
            one, other = (Losses.of(done, model, name, bearer) for name in (arrangement, against))
            more = rare_difference(one.yearly, other.yearly, seen=differs(one.base, other.base))
            row |= columns_of(f"{name}_usd", more.ends)
            row[f"{name}_events"] = more.events
        rows[model, arrangement] = row
    return tabled(rows, "model", "arrangement")


def _columns(
    name: str, losses: Losses, outcome: Outcome, column: int, days: pd.DatetimeIndex
) -> dict[str, object]:
    """Columns of one happening."""
    usd, amount = float(losses.yearly.mean()), losses.amount
    times = losses.times(outcome.touched[:, column], outcome.base_touched[:, column])
    # Ends of a loss given that there is one are those of the amount: that the number of events
    # varies too makes them wider.
    given = [end / times if times > 0.0 else np.nan for end in (usd, amount.low, amount.high)]
    worst = int(losses.base.argmax())
    seen = losses.base[worst] > 0.0
    watched_base = watched(losses.base, horizon=losses.least, margin_days=losses.closes)
    return {
        f"{name}_day": float(outcome.touched[:, column].mean()),
        f"{name}_times": times,
        f"{name}_usd": usd,
        f"{name}_low": amount.low,
        f"{name}_high": amount.high,
        **columns_of(f"{name}_drawn", losses.amount_drawn.ends),
        f"{name}_events": amount.events,
        **columns_of(f"{name}_events_year", losses.events.ends),
        **columns_of(f"{name}_given", (given[0], given[1], given[2])),
        f"{name}_largest": float(losses.base[worst]) if seen else np.nan,
        f"{name}_date": days[worst] if seen else pd.NaT,
        f"{name}_watched": watched_base + float(losses.margin_days * losses.drawn.mean()),
    }
