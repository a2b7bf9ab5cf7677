"""The frontier against plain numpy: means of days, resampled days, and where curves cross."""

from dataclasses import replace

import numpy as np
import pytest

from backtest.clearing import Structure
from backtest.clearing.ledger import BEARERS
from backtest.replay.protection import close_out
from backtest.replay.protection.frontier import Frontier, crossing
from backtest.replay.protection.posted import Posted
from backtest.replay.protection.yearly import bearers_by_year
from backtest.scores.money.rare import differs, rare_difference, rare_mean
from tests.support.protected import protection

FACTORS = (1.0, 1.25, 2.0)
FELLOW = BEARERS.index("fellow customers")


@pytest.fixture(scope="module")
def frontier() -> Frontier:
    return Frontier.of(protection(), factors=FACTORS)


def test_a_year_counts_a_loss_once_and_a_default_once() -> None:
    """Two experiments see one loss; a drawn default is one day's."""
    done = protection()
    for key, outcome in done.outcomes.items():
        days = len(done.days)
        lost = outcome.base.sum() / done.horizon + (outcome.paid - outcome.base).sum()
        yearly = bearers_by_year(done, *key)
        assert yearly.shape == (days, len(BEARERS)) and done.horizon == 2
        assert yearly.mean(axis=0).sum() == pytest.approx(252.0 * lost / days, rel=1e-9)


def test_points_are_means_of_days(frontier: Frontier) -> None:
    done, points = protection(), frontier.points()
    for model, arrangement in done.outcomes:
        row, silos = points.loc[(model, arrangement)], (model, "silos")
        margin = Posted.of(done, model, arrangement).total.mean()
        fellow = bearers_by_year(done, model, arrangement)[:, FELLOW].mean()
        assert row["margin"] == pytest.approx(margin)
        assert row["saved"] == pytest.approx(1 - margin / Posted.of(done, *silos).total.mean())
        assert row["fellow_year"] == pytest.approx(fellow, rel=1e-9)
        assert row["extra"] == pytest.approx(
            fellow - bearers_by_year(done, *silos)[:, FELLOW].mean(), rel=1e-9, abs=1e-6
        )
        # Where the record has too few events there is a mean and no interval.
        assert np.isnan(row["fellow_low"]) or (
            row["fellow_low"] <= row["fellow_year"] <= row["fellow_high"]
        )
        assert row["fellow_days"] == done.outcomes[model, arrangement].touched[:, 0].mean()
    assert (points["saved"].xs("silos", level="arrangement") == 0.0).all()
    assert points["saved"].xs("var", level="model").max() > 0.1


def test_intervals_are_those_of_rare_events(frontier: Frontier) -> None:
    """The evidence are events without drawn defaults; a difference is paired by day."""
    done, points = protection(), frontier.points()
    year = {key: bearers_by_year(done, *key)[:, FELLOW] for key in done.outcomes}
    base = {key: out.base[:, :, FELLOW].sum(axis=1) for key, out in done.outcomes.items()}
    for key, row in points.iterrows():
        found = rare_mean(np.maximum(year[key], 0.0), seen=base[key])
        np.testing.assert_allclose([row["fellow_low"], row["fellow_high"]], [found.low, found.high])
        silos = key[0], "silos"
        more = rare_difference(year[key], year[silos], seen=differs(base[key], base[silos]))
        np.testing.assert_allclose([row["extra_low"], row["extra_high"]], [more.low, more.high])


def test_a_curve_is_the_study_again_with_another_multiplier(frontier: Frontier) -> None:
    done = protection()
    firms = {
        "A": replace(done.structure.firm("A"), multiplier=1.1 * 1.25),
        "B": replace(done.structure.firm("B"), multiplier=1.25),
    }
    again = close_out(
        done.margined, Structure(done.structure.members, firms), draws=done.draws, seed=done.seed
    )
    row = frontier.curve().loc[("var", "house pooled", 1.25)]
    assert row["margin"] == pytest.approx(Posted.of(again, "var", "house pooled").total.mean())
    yearly = bearers_by_year(again, "var", "house pooled")[:, FELLOW].mean()
    assert row["fellow_year"] == pytest.approx(yearly, rel=1e-9)
    # Customers who post more lose less of one another's.
    curve = frontier.curve()["fellow_year"].unstack("factor")  # noqa: PD010
    assert (curve[2.0] < curve[1.0]).all()


def test_the_price_of_a_million_saved_by_bearer(frontier: Frontier) -> None:
    done, price = protection(), frontier.price()
    saved = np.subtract(
        *(Posted.of(done, "var", n).total.mean() for n in ("silos", "customers gross, commingled"))
    )
    for b, bearer in enumerate(BEARERS):
        if bearer == "accounts":
            assert bearer not in price.index.get_level_values("bearer")
            continue
        extra = np.subtract(
            *(
                bearers_by_year(done, "var", name)[:, b].mean()
                for name in ("customers gross, commingled", "silos")
            )
        )
        row = price.loc[("var", "customers gross, commingled", bearer)]
        assert row["extra"] == pytest.approx(extra, rel=1e-9, abs=1e-6)
        assert row["per_million"] == pytest.approx(1e6 * extra / saved, rel=1e-9, abs=1e-9)
    # 'siloed' saves nothing, so nothing is bought.
    assert price["per_million"].xs("siloed", level="model").isna().all()


def test_losses_cross_a_limit_once_for_good() -> None:
    factors = np.array([1.0, 1.5, 2.0])
    lost = np.array([[4.0, 2.0, 1.0], [1.0, 3.0, 0.0], [4.0, 4.0, 4.0], [0.0, 0.0, 0.0]])
    found = crossing(factors, lost, np.array([3.0, 2.0, 3.0, 0.0]))
    # 4 -> 2 meets 3 half way; a curve that rises first counts from its last descent.
    assert found.tolist() == [1.25, pytest.approx(1.5 + 0.5 / 3), np.inf, 1.0]


def of_numbers(fellow: dict[str, list[float]]) -> Frontier:
    """One model on four equal days: margin 100 for silos and 60, 90 and 120 for a pool."""
    keys = tuple(("m", name) for name in fellow)
    margin = np.array([[100.0, 150.0, 200.0], [60.0, 90.0, 120.0]])[: len(keys), :, None]
    yearly = np.zeros((len(keys), 3, 4, len(BEARERS)))
    yearly[..., FELLOW] = np.array(list(fellow.values()))[:, :, None]
    return Frontier(
        keys, (1.0, 1.5, 2.0), margin + np.zeros(4), yearly, yearly / 126.0,
        np.zeros((len(keys), 4)), np.ones((3, 4)),
    )  # fmt: skip


def test_even_says_what_is_saved_where_pooling_costs_no_more() -> None:
    row = of_numbers({"silos": [3.0, 2.0, 1.0], "pool": [5.0, 1.0, 0.0]}).even().loc[("m", "pool")]
    # 5 -> 1 meets 3 at 1.25, where the pool posts 75 of the 100 of silos.
    assert (row["factor"], row["saved"], row["never"]) == (1.25, pytest.approx(0.25), 0.0)
    assert np.isnan(row["factor_low"]) and np.isnan(row["factor_high"])  # four days, one event


def test_even_says_where_nothing_is_enough_and_where_there_is_nothing_to_compare() -> None:
    row = of_numbers({"silos": [0.5, 0.5, 0.5], "pool": [5.0, 4.0, 1.0]}).even().loc[("m", "pool")]
    assert np.isinf(row["factor"]) and np.isnan(row["saved"]) and row["never"] == 1.0
    row = of_numbers({"silos": [0.0] * 3, "pool": [0.0] * 3}).even().loc[("m", "pool")]
    assert np.isnan(row["factor"]) and np.isnan(row["factor_low"]) and row["never"] == 0.0
    row = of_numbers({"silos": [1.0] * 3, "pool": [1.0] * 3}).even().loc[("m", "pool")]
    assert (row["factor"], row["saved"]) == (1.0, pytest.approx(0.4))


def test_without_silos_nothing_is_compared() -> None:
    alone = of_numbers({"pool": [1.0, 1.0, 1.0]})
    assert "saved" not in alone.points() and alone.even().empty and alone.price().empty
