"""Severity, procyclicality and the table that holds every score."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as some
from hypothesis.extra import numpy as arrays

from backtest.scores import (
    christoffersen_pvalues,
    coverage_p,
    is_clustered,
    kupiec,
    max_excess,
    max_shortfall,
    mean_excess,
    mean_shortfall,
    over_phases,
    peak_to_trough,
    score_table,
)
from backtest.scores.battery import battery
from backtest.scores.exceedances.coverage import kupiec_pvalues
from backtest.scores.table import SCORES
from backtest.types import DataError, FloatArray

COLUMNS_OVER_PATHS = (
    *("observations", "exceedances", "allowed", "exceedance_rate", "breaches", "breach_rate"),
    *("mean_margin", "peak_margin", "equal_coverage_margin", "mean_excess", "max_excess"),
    *("mean_shortfall", "max_shortfall", "peak_to_trough"),
)

panels = arrays.arrays(np.float64, (12, 3), elements=some.sampled_from([-2.0, 0.0, 1.0, 2.5, 4.0]))


@given(panels, panels)
def test_severity_by_hand(loss: FloatArray, other: FloatArray) -> None:
    cover = np.maximum(other, 0.0)
    for book in range(3):
        gaps = [x - c for x, c in zip(loss[:, book], cover[:, book], strict=True) if x > c]
        mean = np.mean(gaps) if gaps else np.nan
        largest = max(gaps, default=np.nan)
        assert mean_excess(loss, cover)[book] == pytest.approx(mean, nan_ok=True)
        assert max_excess(loss, cover)[book] == pytest.approx(largest, nan_ok=True)
        assert mean_shortfall(loss, cover)[book] == pytest.approx(mean, nan_ok=True)
        assert max_shortfall(loss, cover)[book] == pytest.approx(largest, nan_ok=True)


@given(arrays.arrays(np.float64, (9, 2), elements=some.floats(1.0, 1e6)), some.integers(-3, 3))
def test_peak_to_trough_has_no_unit(required: FloatArray, power: int) -> None:
    swing = peak_to_trough(required)
    assert (swing >= 1.0).all()
    np.testing.assert_array_equal(peak_to_trough(required * 2.0**power), swing)
    np.testing.assert_array_equal(peak_to_trough(required[::-1]), swing)


def a_study(days: int = 600, books: int = 5) -> tuple[FloatArray, FloatArray, FloatArray]:
    rng = np.random.default_rng(6)
    loss = rng.standard_t(5, (days, books))
    required = 2.5 + rng.random((days, books))
    return loss, required, required * (1.0 + 0.2 * rng.standard_normal((days, books)))


def test_columns_stand_in_order_and_agree_with_their_functions() -> None:
    loss, required, collateral = a_study()
    siloed = required.mean(axis=0) * np.array([2.0, 1.0, 0.5, 1.25, 0.0])
    table = score_table(loss, required, collateral, horizon=2, siloed_mean=siloed)
    assert list(table) == [score.name for score in SCORES]
    assert {column.shape for column in table.values()} == {(5,)}
    exceeded = loss > required
    np.testing.assert_array_equal(table["exceedances"], exceeded.sum(axis=0))
    np.testing.assert_array_equal(table["allowed"], 6)
    np.testing.assert_array_equal(table["exceedance_rate"], exceeded.mean(axis=0))
    clustered = is_clustered(loss, required, horizon=2)
    np.testing.assert_array_equal(
        table["coverage_p"], coverage_p(exceeded, horizon=2, clustered=clustered)
    )
    assert table["coverage_test"].tolist() == [
        "groups of days" if book else "effective counts" for book in clustered
    ]
    np.testing.assert_array_equal(table["breaches"], (loss > collateral).sum(axis=0))
    np.testing.assert_allclose(table["saving_vs_siloed"], [0.5, 0.0, -1.0, 0.2, np.nan], atol=1e-12)
    np.testing.assert_array_equal(table["peak_margin"], required.max(axis=0))
    halves = [[kupiec(exceeded[s::2, b]).pvalue for s in (0, 1)] for b in range(5)]
    np.testing.assert_allclose(table["kupiec_p"], np.mean(halves, axis=1))
    np.testing.assert_allclose(table["kupiec_p_min"], np.min(halves, axis=1))
    median, minimum = over_phases(christoffersen_pvalues, exceeded, horizon=2)
    np.testing.assert_array_equal(table["christoffersen_p"], median)
    np.testing.assert_array_equal(table["christoffersen_p_min"], minimum)
    for low, high in (
        ("exceedance_rate_low", "exceedance_rate_high"),
        ("equal_coverage_low", "equal_coverage_high"),
    ):
        assert (table[low] < table[high]).all()


def test_units_are_those_declared() -> None:
    """With all money doubled, USD doubles and nothing else moves; days are whole numbers."""
    loss, required, collateral = a_study()
    siloed = required.mean(axis=0) * 1.5
    once, doubled = (
        score_table(
            unit * loss,
            unit * required,
            unit * collateral,
            horizon=2,
            siloed_mean=unit * siloed,
        )
        for unit in (1.0, 2.0)
    )
    for score in SCORES:
        values = once[score.name]
        if score.unit == "name":
            assert doubled[score.name].tolist() == values.tolist()
            continue
        factor = 2.0 if score.unit == "USD" else 1.0
        np.testing.assert_allclose(doubled[score.name], factor * values, err_msg=score.name)
        assert (values.dtype == np.int64) == (score.unit == "days"), score.name
        if score.unit == "probability":
            assert ((values >= 0.0) & (values <= 1.0)).all(), score.name


def test_equality_is_neither_exceedance_nor_breach() -> None:
    cover = np.full((10, 1), 3.0)
    table = score_table(cover, cover, cover, horizon=1)
    assert table["exceedances"][0] == table["breaches"][0] == 0
    assert np.isnan(table["mean_excess"][0]) and np.isnan(table["max_shortfall"][0])


def test_each_portfolio_stands_alone() -> None:
    loss, required, collateral = a_study()
    together = score_table(loss, required, collateral, horizon=2)
    alone = score_table(loss[:, 2:3], required[:, 2:3], collateral[:, 2:3], horizon=2)
    for name, column in together.items():
        if column.dtype.kind == "U":
            assert alone[name].tolist() == column[2:3].tolist()
            continue
        np.testing.assert_allclose(alone[name], column[2:3], rtol=1e-12, err_msg=name)


def test_what_is_computed_over_paths_is_the_same_to_the_bit_beside_other_portfolios() -> None:
    """Models of a path are scored side by side, so their number must not decide a last digit."""
    loss, required, collateral = a_study()
    together = score_table(loss, required, collateral, horizon=2)
    for p in range(loss.shape[1]):
        book = slice(p, p + 1)
        alone = score_table(loss[:, book], required[:, book], collateral[:, book], horizon=2)
        for name in COLUMNS_OVER_PATHS:
            np.testing.assert_array_equal(alone[name], together[name][book], err_msg=name)


def test_scores_that_are_asked_for_alone_are_those_of_the_whole_table() -> None:
    loss, required, collateral = a_study()
    table = score_table(loss, required, collateral, horizon=2)
    over_paths = [score.name for score in SCORES if score.over_paths]
    some_scores = score_table(loss, required, collateral, horizon=2, only=over_paths)
    assert list(some_scores) == over_paths
    for name in over_paths:
        np.testing.assert_array_equal(some_scores[name], table[name])


def test_without_a_siloed_model_only_the_saving_is_unknown() -> None:
    loss, required, collateral = a_study()
    table = score_table(loss, required, collateral, horizon=2)
    unknown = {name for name, column in table.items() if pd.isna(column).all()}
    assert unknown == {"saving_vs_siloed"}


def test_a_warm_up_is_refused() -> None:
    loss, required, collateral = a_study()
    required[:3] = np.nan
    with pytest.raises(DataError, match="required holds NaN"):
        score_table(loss, required, collateral, horizon=2)


def test_the_laws_that_the_coverage_table_names_are_those_of_its_p_values() -> None:
    """Chi-square in the table of coverage; in tests.csv exact ones, which are others."""
    marked = np.random.default_rng(2).random((1000, 3)) < 0.015
    required = np.ones(marked.shape)
    by_law, exact = (battery(marked, required, draws=draws) for draws in (0, 499))
    shown = {
        "kupiec_p": kupiec_pvalues(marked, confidence=0.99),
        "christoffersen_p": christoffersen_pvalues(marked),
    }
    for name, pvalues in shown.items():
        np.testing.assert_allclose(by_law[name], pvalues)
        assert not np.allclose(exact[name], pvalues, rtol=0.02)
