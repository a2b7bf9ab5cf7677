"""Many records at once give what each gives alone: statistics, ranks among draws, exact counts."""

import numpy as np
import pandas as pd
import pytest

from backtest.scores import battery, squared_spells
from backtest.scores.exceedances.durations import gmm_duration
from backtest.scores.exceedances.exact import tied_pvalue
from backtest.scores.exceedances.many_waits import (
    between_statistics,
    first_statistics,
    gmm_statistics,
    mixed_statistics,
)
from backtest.scores.exceedances.ranks import tied_pvalues
from backtest.scores.exceedances.squared_spells import squared_spells_pvalues
from backtest.scores.exceedances.waiting import (
    mixed_kupiec,
    time_between_exceedances,
    time_to_first_exceedance,
)

PAIRS = {
    "first": (first_statistics, time_to_first_exceedance),
    "between": (between_statistics, time_between_exceedances),
    "mixed": (mixed_statistics, mixed_kupiec),
    "gmm": (gmm_statistics, gmm_duration),
}


@pytest.fixture(scope="module")
def records():
    """Records with none, one, many and all days exceeded, some in clusters."""
    rng = np.random.default_rng(8)
    rates = rng.choice([0.0, 0.002, 0.01, 0.05, 0.5, 1.0], size=80)
    marked = rng.random((300, 80)) < rates
    marked[:20, 40:50] = True
    return marked


@pytest.mark.parametrize("name", PAIRS)
def test_a_statistic_of_many_records_is_that_of_each(name, records):
    many, single = PAIRS[name]
    results = [single(record, confidence=0.99) for record in records.T]
    expected = [r.statistic if r.identified else np.nan for r in results]
    np.testing.assert_allclose(many(records, 0.99), expected, rtol=1e-11, atol=1e-11)


def test_ranks_of_many_statistics_are_those_of_each():
    rng = np.random.default_rng(2)
    observed = np.append(rng.integers(0, 9, 50) / 2.0, np.nan)
    null = np.where(rng.random((99, 51)) < 0.1, np.nan, rng.integers(0, 9, (99, 51)) / 2.0)
    for law in (null, null[:, 0]):
        columns = law.T if law.ndim == 2 else [law] * 51
        expected = [
            np.nan if np.isnan(one) else tied_pvalue(one, column, np.random.default_rng(7))
            for one, column in zip(observed, columns, strict=True)
        ]
        assert np.array_equal(tied_pvalues(observed, law, seed=7), expected, equal_nan=True)


def test_squared_spells_of_many_records_are_those_of_each(records):
    expected = [squared_spells(record, draws=199, seed=3).pvalue for record in records.T]
    many = squared_spells_pvalues(records, draws=199, seed=3)
    assert np.array_equal(many, expected, equal_nan=True)


def test_the_row_of_a_portfolio_does_not_depend_on_the_others(records):
    """Alone, among others and in another order: the same p-values to the last bit."""
    required = np.random.default_rng(1).uniform(1.0, 2.0, records.shape)
    every = battery(records, required, horizon=2, draws=99)
    order = np.random.default_rng(0).permutation(80)
    mixed = battery(records[:, order], required[:, order], horizon=2, draws=99)
    pd.testing.assert_frame_equal(
        mixed, every.iloc[order].reset_index(drop=True), check_exact=False, rtol=1e-12
    )
    for book in (0, 17, 45):
        alone = battery(records[:, [book]], required[:, [book]], horizon=2, draws=99)
        pd.testing.assert_frame_equal(alone, every.iloc[[book]].reset_index(drop=True))
