"""A move of prices is lost once a year's worth of it, however long each house closes out."""

import numpy as np
import pandas as pd
import pytest

from backtest.book.book import Book
from backtest.book.coverage import Coverage
from backtest.clearing import Firm, Member, Structure
from backtest.clearing.arrangement import ARRANGEMENTS
from backtest.clearing.ledger import BEARERS, OTHERS
from backtest.market.market import Market
from backtest.replay.protection import Protection, protect
from backtest.replay.protection.summary import Losses, summary

BONDS, COIN = {"UST10Y": 3e7}, {"BTC": 1e6}
NOBODY = Firm(capital=0.0, default_rate=0.0)


class Fixed:
    """A margin that never changes: half a per cent of gross positions."""

    def margin(self, market, book, coverage):
        return np.tile(0.005 * np.abs(book.exposure).sum(axis=1), (len(market.dates), 1))


def closed_out(market: Market, legs: dict, mpor, *, safe: str = "") -> Protection:
    """Every account at a firm of its own without capital; `safe` has all it may need."""
    frame = pd.DataFrame.from_dict(legs, orient="index").fillna(0.0)
    members = [
        Member(name, name, resources=1e12 if name == safe else 0.0, default_rate=0.0)
        for name in legs
    ]
    firms = {name: NOBODY for name in legs}
    return protect(
        market, Book.from_frame(frame), {"fixed": Fixed()}, Structure(members, firms),
        coverage=Coverage(mpor=mpor), arrangements=[ARRANGEMENTS["silos"]], draws=1,
    )  # fmt: skip


def calendar(weeks: int = 200, jumps: float = 0.0) -> tuple[Market, Market]:
    """Prices of every day, on which bonds stand still at weekends; and of weekdays alone.

    jumps : of the yield, once on each of Monday to Friday in weeks far apart, in place of noise.
    """
    rng, days = np.random.default_rng(3), 7 * weeks
    index = pd.date_range("2019-06-03", periods=days)
    weekday = np.asarray(index.day_of_week < 5)
    steps = rng.standard_t(3, (days, 2)) * [0.0004, 0.02]
    if jumps:
        steps[:, 0] = 0.0
        steps[[280 * (k + 1) + k - 140 for k in range(5)], 0] = jumps
    steps[~weekday, 0] = 0.0
    walk = np.cumsum(steps, axis=0)
    frame = pd.DataFrame({"10Y": 0.04 + walk[:, 0], "BTC": 100 * np.exp(walk[:, 1])}, index)
    traded = np.column_stack([weekday, np.ones(days, dtype=bool)])
    return Market.from_frame(frame, traded=traded), Market.from_frame(frame[weekday])


def test_a_house_that_closes_out_faster_has_a_move_in_fewer_close_outs():
    _, market = calendar()
    alone = closed_out(market, {"bonds": BONDS}, 1)
    beside = closed_out(market, {"bonds": BONDS, "coin": COIN}, {"FICC": 1, "CME": 3}, safe="coin")
    assert beside.spans.tolist() == [1.0, 3.0] and beside.horizon == 3
    known = len(beside.days)
    for bearer in range(1, len(BEARERS)):
        # An account that pays all it lacks changes nothing for the others.
        one, other = (Losses.of(d, "fixed", "silos", bearer) for d in (alone, beside))
        assert other.yearly == pytest.approx(one.yearly[:known])
    assert Losses.of(beside, "fixed", "silos", *OTHERS).yearly.sum() > 0.0
    fails = [summary(d).loc[("fixed", "silos"), "firms_fail"] for d in (alone, beside)]
    assert fails[1] == pytest.approx(fails[0], rel=0.01)  # of a window two days shorter


@pytest.mark.parametrize("clock", ["24/7", "business"])
def test_five_jumps_are_five_losses_on_either_clock(clock):
    every, weekdays = calendar(jumps=0.01)
    market, closes = (every, 365.25) if clock == "24/7" else (weekdays, 252.0)
    done = closed_out(market, {"bonds": BONDS}, 2)
    lost = Losses.of(done, "fixed", "silos", *OTHERS)
    row, years = summary(done).loc[("fixed", "silos")], len(done.days) / closes
    one = lost.base[lost.base > 0.0].mean()  # the windows that a jump is in differ by little
    assert one > 0.5e6 and lost.events.events == 5
    assert lost.yearly.mean() * years == pytest.approx(5 * one, rel=0.03)
    assert row["firms_fail"] * years == pytest.approx(5.0, rel=0.03)
