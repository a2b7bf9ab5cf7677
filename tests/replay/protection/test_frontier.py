"""The frontier against plain numpy: means of days, other multipliers, and where curves cross."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from backtest.clearing import Structure
from backtest.clearing.ledger import BEARERS
from backtest.replay.protection import close_out
from backtest.replay.protection.frontier import Frontier, crossing, difference
from backtest.replay.protection.posted import Posted
from backtest.replay.protection.summary import Losses
from backtest.scores.money.rare import rare_difference
from tests.support.protected import protection

FACTORS = (1.0, 1.25, 2.0)
FELLOW = BEARERS.index("fellow customers")


@pytest.fixture(scope="module")
def frontier() -> Frontier:
    return Frontier.of(protection(), factors=FACTORS)


def yearly(done, key, bearer: int) -> np.ndarray:
    """(days,) USD a year: one loss is seen by two close-outs, a drawn default by one."""
    outcome = done.outcomes[key]
    base, paid = (x[:, :, bearer].sum(axis=1) for x in (outcome.base, outcome.paid))
    assert done.horizon == 2
    return 252.0 * (base / 2 + (paid - base))


def test_points_are_means_of_days(frontier: Frontier) -> None:
    done, points = protection(), frontier.curve().xs(1.0, level="factor")
    for key in done.outcomes:
        row, silos = points.loc[key], (key[0], "silos")
        margin, theirs = (Posted.of(done, *k).total.mean() for k in (key, silos))
        fellow = yearly(done, key, FELLOW)
        assert row["margin"] == pytest.approx(margin)
        assert row["saved"] == pytest.approx(1 - margin / theirs)
        assert row["fellow"] == pytest.approx(fellow.mean(), rel=1e-9, abs=1.0)
        extra = fellow.mean() - yearly(done, silos, FELLOW).mean()
        assert row["extra"] == pytest.approx(extra, rel=1e-6, abs=1.0)
    assert (points["saved"].xs("silos", level="arrangement") == 0.0).all()
    assert points["saved"].xs("var", level="model").max() > 0.1
    assert points["fellow"].min() > 0.0


def test_a_curve_is_the_study_again_with_another_multiplier(frontier: Frontier) -> None:
    done = protection()
    firms = {
        "A": replace(done.structure.firm("A"), multiplier=1.1 * 1.25),
        "B": replace(done.structure.firm("B"), multiplier=1.25),
    }
    again = close_out(
        done.margined, Structure(done.structure.members, firms), draws=done.draws, seed=done.seed
    )
    key = ("var", "house pooled")
    row = frontier.curve().loc[(*key, 1.25)]
    assert row["margin"] == pytest.approx(Posted.of(again, *key).total.mean())
    assert row["fellow"] == pytest.approx(yearly(again, key, FELLOW).mean(), rel=1e-9, abs=1.0)
    # Customers who post more lose less of one another's.
    curve = frontier.curve()["fellow"].unstack("factor")  # noqa: PD010
    assert (curve[2.0] < curve[1.0]).all()


def test_the_price_of_a_million_saved_by_bearer(frontier: Frontier) -> None:
    done, price = protection(), frontier.price
    pool, silos = ("var", "customers gross, commingled"), ("var", "silos")
    saved = np.subtract(*(Posted.of(done, *key).total.mean() for key in (silos, pool)))
    for place, bearer in enumerate(BEARERS):
        if bearer == "accounts":
            assert bearer not in price.index.get_level_values("bearer")
            continue
        extra = (yearly(done, pool, place) - yearly(done, silos, place)).mean()
        row = price.loc[(*pool, bearer)]
        assert row["extra"] == pytest.approx(extra, rel=1e-6, abs=1.0)
        assert row["per_million"] == pytest.approx(1e6 * row["extra"] / saved, rel=1e-9, abs=1e-9)
    # 'siloed' saves nothing, so nothing is bought.
    assert price["per_million"].xs("siloed", level="model").isna().all()


def test_intervals_are_those_of_events_paired_by_day(frontier: Frontier) -> None:
    done = protection()
    one, other = (Losses.of(done, "var", n, FELLOW) for n in ("house pooled", "silos"))
    seen = np.where(np.abs(one.base - other.base) > 1.0, 1.0, 0.0)
    wanted = rare_difference(one.yearly, other.yearly, seen=seen)
    found = difference(one, other)
    assert (found.low, found.high, found.events) == (wanted.low, wanted.high, wanted.events)
    row = frontier.curve().loc[("var", "house pooled", 1.0)]
    np.testing.assert_array_equal([row["extra_low"], row["extra_high"]], [found.low, found.high])
    nothing = replace(one, base=np.zeros(9), drawn=np.zeros(9), once=np.zeros(9))
    assert difference(nothing, nothing).high == 0.0


def test_losses_cross_a_limit_once_for_good() -> None:
    factors = np.array([1.0, 1.5, 2.0])
    # 4 -> 2 meets 3 half way; a curve that rises first counts from its last descent.
    assert crossing(factors, np.array([4.0, 2.0, 1.0]), 3.0) == 1.25
    assert crossing(factors, np.array([1.0, 3.0, 0.0]), 2.0) == pytest.approx(1.5 + 0.5 / 3)
    assert crossing(factors, np.array([4.0, 4.0, 4.0]), 3.0) == np.inf
    assert crossing(factors, np.zeros(3), 0.0) == 1.0


def of_numbers(silos: list[float], pool: list[float], *, events: int = 8) -> Frontier:
    """One model on 800 days with so many equal events; margin 100, and 60, 90 and 120 of a pool.

    silos, pool : mean USD a year at each of three multipliers.
    """
    days = np.zeros(800)
    days[:: 800 // events] = 800 / events

    def losses(amounts: list[float]) -> list[Losses]:
        return [
            Losses(amount * days, np.zeros(800), amount * days, 1, 1.0, 1.0) for amount in amounts
        ]

    margin = {("m", "silos"): [100.0, 150.0, 200.0], ("m", "pool"): [60.0, 90.0, 120.0]}
    fellow = {("m", "silos"): losses(silos), ("m", "pool"): losses(pool)}
    return Frontier((1.0, 1.5, 2.0), margin, fellow, pd.DataFrame())


def test_even_says_what_is_saved_where_pooling_costs_no_more() -> None:
    row = of_numbers([3.0, 2.0, 1.0], [5.0, 1.0, 0.0]).even().loc[("m", "pool")]
    # 5 -> 1 meets 3 at 1.25, where the pool posts 75 of the 100 of silos.
    assert (row["factor"], row["saved"]) == (1.25, pytest.approx(0.25))
    assert (row["supported"], row["saved_supported"]) == (1.5, pytest.approx(0.1))


def test_what_few_events_say_is_not_supported() -> None:
    row = of_numbers([3.0, 2.0, 1.0], [5.0, 1.0, 0.0], events=4).even().loc[("m", "pool")]
    assert row["factor"] == 1.25 and np.isnan(row["supported"])
    curve = of_numbers([3.0, 2.0, 1.0], [5.0, 1.0, 0.0], events=4).curve()
    assert curve["extra_high"].isna().all() and (curve["events"].iloc[:5] == 4).all()


def test_even_says_where_nothing_is_enough_and_where_there_is_nothing_to_compare() -> None:
    row = of_numbers([0.5, 0.5, 0.5], [5.0, 4.0, 1.0]).even().loc[("m", "pool")]
    assert np.isinf(row["factor"]) and np.isinf(row["supported"]) and np.isnan(row["saved"])
    row = of_numbers([0.0] * 3, [0.0] * 3).even().loc[("m", "pool")]
    assert np.isnan(row["factor"]) and np.isnan(row["supported"])
    row = of_numbers([2.0] * 3, [1.0] * 3).even().loc[("m", "pool")]
    assert (row["factor"], row["saved"], row["supported"]) == (1.0, pytest.approx(0.4), 1.0)


def test_without_silos_nothing_is_compared() -> None:
    one = of_numbers([1.0] * 3, [1.0] * 3)
    alone = replace(one, margin={("m", "pool"): one.margin["m", "pool"]},
                    fellow={("m", "pool"): one.fellow["m", "pool"]})  # fmt: skip
    assert "saved" not in alone.curve() and alone.even().empty
