"""Summaries of Monte Carlo scores against plain arithmetic on the raw arrays."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as some
from numpy.testing import assert_allclose, assert_array_equal

from backtest.replay.distribution import COLUMNS, DIFFERENCES, POOLED, Distribution
from backtest.types import StudyError


# Real scores are made of these: rates, USD, NaN where nothing was exceeded, +inf where no scale
# covers.
def made_up(paths: int, seed: int, *, infinite: float = 0.0) -> Distribution:
    rng = np.random.default_rng(seed)
    scores = rng.lognormal(10, 2, (paths, 2, 3, len(COLUMNS)))
    count = rng.integers(0, 9, (paths, 2, 3)).astype(float)
    scores[..., COLUMNS.index("observations")] = 500
    scores[..., COLUMNS.index("exceedances")] = count
    scores[..., COLUMNS.index("allowed")] = 5
    scores[..., COLUMNS.index("exceedance_rate")] = count / 500
    scores[..., COLUMNS.index("mean_excess")][count == 0] = np.nan
    scores[..., COLUMNS.index("equal_coverage_margin")][rng.random((paths, 2, 3)) < infinite] = (
        np.inf
    )
    pooled = rng.lognormal(0, 1, (paths, 2, len(POOLED)))
    pooled[rng.random((paths, 2)) < infinite, POOLED.index("scale")] = np.inf
    return Distribution(("a", "b"), ("x", "y", "z"), scores, pooled, np.zeros(paths), {})


@pytest.mark.parametrize("infinite", [0.0, 0.3])
@settings(max_examples=15, deadline=None)
@given(paths=some.integers(1, 40), seed=some.integers(0, 2**32), percent=some.integers(50, 99))
@example(paths=20, seed=0, percent=70)  # 20 x .15 is a hair more than 3 in floating point
def test_the_summary_is_plain_arithmetic_over_known_paths(infinite, paths, seed, percent):
    level = percent / 100
    made = made_up(paths, seed, infinite=infinite)
    table = made.summary(level=level)
    for m, model in enumerate(made.models):
        for p, book in enumerate(made.portfolios):
            row = table.loc[model, book]
            for c, column in enumerate(COLUMNS):
                known = sorted(x for x in made.scores[:, m, p, c] if not np.isnan(x))
                if not known:
                    assert np.isnan(row[column]) and np.isnan(row[f"{column}_low"])
                    continue
                assert row[column] == pytest.approx(sum(known) / len(known))
                for side, edge in (("low", (1 - level) / 2), ("high", (1 + level) / 2)):
                    # The smallest value that a share `edge` of the paths does not exceed.
                    at_most = [np.mean(np.array(known) <= x) >= edge - 1e-12 for x in known]
                    assert row[f"{column}_{side}"] == known[at_most.index(True)]
            over = [scores[m, p, 1] > scores[m, p, 2] for scores in made.scores]
            assert row["missed"] == sum(over) / paths


@settings(max_examples=20, deadline=None)
@given(paths=some.integers(1, 40), seed=some.integers(0, 2**32))
def test_differences_are_paired_by_path(paths, seed):
    made = made_up(paths, seed)
    table = made.differences("b", "a", level=0.9)
    at = {c: COLUMNS.index(c) for c in COLUMNS}
    for p, book in enumerate(made.portfolios):
        gaps = []
        for path in made.scores:
            a, b = path[0, p], path[1, p]
            excess = [
                0.0 if x[at["exceedances"]] == 0
                else x[at["mean_excess"]] * x[at["exceedances"]] / x[at["observations"]]
                for x in (a, b)
            ]  # fmt: skip
            gaps.append(
                [
                    b[at["exceedance_rate"]] - a[at["exceedance_rate"]],
                    b[at["mean_margin"]] - a[at["mean_margin"]],
                    excess[1] - excess[0],
                ]
            )
        array = np.array(gaps)
        for k, column in enumerate(DIFFERENCES):
            assert table.loc[book, column] == pytest.approx(array[:, k].mean())
            assert table.loc[book, f"{column}_less"] == np.mean(array[:, k] < 0)
            low, high = np.quantile(array[:, k], [0.05, 0.95], method="inverted_cdf")
            assert table.loc[book, f"{column}_low"] == pytest.approx(low)
            assert table.loc[book, f"{column}_high"] == pytest.approx(high)
        better = [(row <= 0).all() and (row < 0).any() for row in array]
        assert table.loc[book, "dominates"] == np.mean(better)


@pytest.mark.parametrize("infinite", [0.0, 0.4, 1.0])
def test_the_frontier_is_that_of_the_raw_arrays_and_infinity_is_no_nan(infinite):
    made = made_up(60, 5, infinite=infinite)
    table = made.frontier(level=0.8)
    rates = made.score("exceedance_rate").mean(axis=2)
    assert_allclose(table["exceedance_rate"], rates.mean(axis=0))
    assert_array_equal(table["exceedance_rate_high"], np.sort(rates, axis=0)[53])
    for c, column in enumerate(POOLED):
        ordered = np.sort(made.pooled[:, :, c], axis=0)
        assert_allclose(table[column], ordered.mean(axis=0))
        assert_array_equal(table[f"{column}_low"], ordered[5])
        assert_array_equal(table[f"{column}_high"], ordered[53])
    assert np.isinf(table["scale"]).all() == (infinite > 0)


@pytest.mark.parametrize("dollars", [1.0, 1e4, 1e9])
def test_the_joint_region_holds_its_share_in_any_currency(dollars):
    rng = np.random.default_rng(0)
    made = made_up(4000, 0)
    both = rng.multivariate_normal([0.002, 3.0], [[1e-6, 6e-4], [6e-4, 1.0]], 4000)
    excess = rng.normal(1.0, 0.1, 4000) * dollars
    scores = made.scores.copy()
    # One exceedance in one day with that excess: excess per day is then the excess itself.
    for column, value in (("mean_excess", 0.0), ("exceedances", 1.0), ("observations", 1.0)):
        scores[:, :, 0, COLUMNS.index(column)] = value
    scores[:, 0, 0, COLUMNS.index("mean_excess")] = excess
    for c, values in (("exceedance_rate", both[:, 0]), ("mean_margin", both[:, 1] * dollars)):
        k = COLUMNS.index(c)
        scores[:, 0, 0, k] = scores[:, 1, 0, k] + values
    region = replace(made, scores=scores).joint_region("a", "b", "x", level=0.9)
    assert_allclose(region.center / [1, dollars, dollars], [0.002, 3.0, 1.0], rtol=0.06)
    new = rng.multivariate_normal([0.002, 3.0], [[1e-6, 6e-4], [6e-4, 1.0]], 4000)
    paths = np.column_stack([new[:, 0], new[:, 1] * dollars, rng.normal(1.0, 0.1, 4000) * dollars])
    held = [region.holds(path) for path in paths]
    assert np.mean(held) == pytest.approx(0.9, abs=0.015)
    assert region.radius**2 == pytest.approx(6.251389, rel=0.05)  # chi-squared, 3 df, 90 %
    slope = region.covariance[0, 1] / np.sqrt(np.prod(np.diag(region.covariance)[:2]))
    assert slope == pytest.approx(0.6, abs=0.03)


def test_the_joint_region_of_twenty_paths_holds_a_new_path():
    """Distances of paths that helped to place the ellipsoid would hold 86 % in place of 95 %."""
    rng = np.random.default_rng(5)
    held = []
    for _ in range(60):
        made = made_up(20, 0)
        scores = made.scores.copy()
        drawn = rng.standard_normal((1020, 3))
        for column, values in (
            ("observations", np.ones(20)),
            ("exceedances", np.ones(20)),
            ("mean_excess", drawn[:20, 2]),
            ("exceedance_rate", drawn[:20, 0]),
            ("mean_margin", drawn[:20, 1]),
        ):
            k = COLUMNS.index(column)
            scores[:, 1, 0, k] = 1.0 if column in ("observations", "exceedances") else 0.0
            scores[:, 0, 0, k] = values
        region = replace(made, scores=scores).joint_region("a", "b", "x")
        held.append(np.mean([region.holds(path) for path in drawn[20:220]]))
    assert 0.945 < np.mean(held) < 0.985


def test_names_and_levels_that_do_not_exist():
    made = made_up(5, 0)
    for ask in (
        lambda: made.score("exceedence"),
        lambda: made.differences("a", "c"),
        lambda: made.joint_region("a", "b", "nobody"),
    ):
        with pytest.raises(StudyError, match="unknown .*known: "):
            ask()
    for level in (0.0, 1.0, 95.0, float("nan")):
        for ask in (made.summary, made.frontier):
            with pytest.raises(StudyError, match="level is "):
                ask(level=level)
        with pytest.raises(StudyError, match="level is "):
            made.differences("a", "b", level=level)
    two = replace(made, scores=made.scores[:2])
    with pytest.raises(StudyError, match="joint region of 2 paths"):
        two.joint_region("a", "b", "x")
